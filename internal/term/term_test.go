//go:build unix

package term_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	xterm "golang.org/x/term"

	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/internal/term/termtest"
)

// open returns a terminal and the person at it, and checks at the end of the
// test that the terminal's mode, echo above all, is what it was.
func open(t *testing.T) (*term.Terminal, *termtest.Person) {
	t.Helper()
	person, tty := termtest.Sit(t)
	before, err := xterm.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	tt, err := term.New(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		after, err := xterm.GetState(int(tty.Fd()))
		if err != nil {
			t.Error(err)
			return
		}
		if *after != *before {
			t.Errorf("the terminal's mode is %+v, it was %+v", *after, *before)
		}
	})
	return tt, person
}

// later runs f beside the test and returns a function that waits for its result.
func later[T any](f func() (T, error)) func() (T, error) {
	type result struct {
		v   T
		err error
	}
	c := make(chan result, 1)
	go func() {
		v, err := f()
		c <- result{v, err}
	}()
	return func() (T, error) {
		r := <-c
		return r.v, r.err
	}
}

func TestConfirm(t *testing.T) {
	for _, tt := range []struct {
		name  string
		keys  []string // each typed at a question
		want  bool
		error error
	}{
		{"y", []string{"y\r"}, true, nil},
		{"YES with spaces", []string{" YES \r"}, true, nil},
		{"n", []string{"n\r"}, false, nil},
		{"no, by line feed", []string{"no\n"}, false, nil},
		{"corrected", []string{"nay\x7f\x7f\x7fyes\r"}, true, nil},
		{"cleared", []string{"no way\x15y\r"}, true, nil},
		{"word deleted", []string{"no\x17yes\r"}, true, nil},
		{"an arrow is no answer", []string{"\x1b[A\x1bOBy\r"}, true, nil},
		{"second attempt", []string{"yep\r", "y\r"}, true, nil},
		{"nothing, three times", []string{"\r", "\r", "\r"}, false, term.ErrDeclined},
		{"nonsense, three times", []string{"ye\r", "1\r", "true\r"}, false, term.ErrDeclined},
		{"Ctrl-C", []string{"y\x03"}, false, term.ErrInterrupted},
		{"Ctrl-D", []string{"\x04"}, false, term.ErrInterrupted},
		{"Ctrl-\\", []string{"\x1c"}, false, term.ErrInterrupted},
		{"Ctrl-C within a sequence", []string{"\x1b[\x03"}, false, term.ErrInterrupted},
		{"pasted", []string{"\x1b[200~y\x1b[201~\r"}, true, nil},
		{"pasted with its line break", []string{"\x1b[200~y\r\x1b[201~\r"}, true, nil},
		{"paste of several lines", []string{"\x1b[200~y\ry\r\x1b[201~", "n\r"}, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			terminal, person := open(t)
			answer := later(func() (bool, error) { return terminal.Confirm(t.Context(), "Send it?") })
			for _, keys := range tt.keys {
				person.Expect("Send it? [y/n] ")
				person.Type(keys)
			}
			got, err := answer()
			if got != tt.want || !errors.Is(err, tt.error) {
				t.Errorf("Confirm = %v, %v, want %v, %v", got, err, tt.want, tt.error)
			}
		})
	}
}

// TestConfirmIgnoresTypeAhead types a yes before the question is put.
func TestConfirmIgnoresTypeAhead(t *testing.T) {
	terminal, person := open(t)
	first := later(func() (string, error) { return terminal.Ask(t.Context(), "Amount", nil) })
	person.Expect("Amount: ")
	person.Type("10\ry\ry\ry\r")
	if got, err := first(); got != "10" || err != nil {
		t.Fatalf("Ask = %q, %v", got, err)
	}
	answer := later(func() (bool, error) { return terminal.Confirm(t.Context(), "Send it?") })
	person.Expect("Send it? [y/n] ")
	person.Type("n\r")
	if got, err := answer(); got || err != nil {
		t.Errorf("Confirm = %v, %v: it took what was typed before the question", got, err)
	}
}

func TestAsk(t *testing.T) {
	terminal, person := open(t)
	validate := func(s string) error {
		if s != "ünïcode" {
			return errors.New("not that")
		}
		return nil
	}
	answer := later(func() (string, error) { return terminal.Ask(t.Context(), "Name\x1b[2J", validate) })
	person.Expect(`Name\x1b[2J: `)
	person.Type("nope\r")
	person.Expect("nope\r\nnot that\r\n")
	person.Type(" ünïcodé\x7fe\r")
	if got, err := answer(); got != "ünïcode" || err != nil {
		t.Errorf("Ask = %q, %v", got, err)
	}
	answer = later(func() (string, error) { return terminal.Ask(t.Context(), "Name", validate) })
	for range term.Attempts {
		person.Expect("Name: ")
		person.Type("x\r")
	}
	if got, err := answer(); got != "" || !errors.Is(err, term.ErrDeclined) || !strings.Contains(err.Error(), "not that") {
		t.Errorf("Ask = %q, %v, want it declined with the reason", got, err)
	}
}

func TestSecret(t *testing.T) {
	for _, tt := range []struct {
		name, keys, want string
		error            error
	}{
		{"typed", "correct horse\r", "correct horse", nil},
		{"spaces are kept", " x \r", " x ", nil},
		{"empty", "\r", "", nil},
		{"Unicode", "pässwörd\r", "pässwörd", nil},
		{"not UTF-8", "\xff\xfe\r", "\xff\xfe", nil},
		{"corrected", "wrongü\x7f\x7f!\r", "wron!", nil},
		{"backspace at the start", "\x7f\x7fa\r", "a", nil},
		{"cleared", "wrong\x15right\r", "right", nil},
		{"arrows", "a\x1b[Db\r", "ab", nil},
		{"pasted", "\x1b[200~pasted words\x1b[201~\r", "pasted words", nil},
		{"Ctrl-C", "half\x03", "", term.ErrInterrupted},
		{"Ctrl-D", "half\x04", "", term.ErrInterrupted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			terminal, person := open(t)
			answer := later(func() ([]byte, error) { return terminal.Secret(t.Context(), "Passphrase") })
			person.Expect("Passphrase: ")
			person.Type(tt.keys)
			got, err := answer()
			if string(got) != tt.want || !errors.Is(err, tt.error) {
				t.Errorf("Secret = %q, %v, want %q, %v", got, err, tt.want, tt.error)
			}
			person.Expect("\r\n")
			after := person.Drawn()[strings.Index(person.Drawn(), "Passphrase: ")+len("Passphrase: "):]
			if strings.ContainsAny(after, "abcdefgijkmnopqrstuvwxyzü!") {
				t.Errorf("the terminal shows %q", after)
			}
		})
	}
}

func TestSecretTooLong(t *testing.T) {
	terminal, person := open(t)
	answer := later(func() ([]byte, error) { return terminal.Secret(t.Context(), "Passphrase") })
	person.Expect("Passphrase: ")
	person.Type(strings.Repeat("x", 5000))
	if got, err := answer(); got != nil || err == nil || strings.Contains(err.Error(), "xx") {
		t.Errorf("Secret = %q, %v, want an error without the text", got, err)
	}
}

// TestSecretPasteOfSeveralLines pastes a mnemonic that was copied with line
// breaks: no part of it may become the answer of this or of a later question.
func TestSecretPasteOfSeveralLines(t *testing.T) {
	terminal, person := open(t)
	answer := later(func() ([]byte, error) { return terminal.Secret(t.Context(), "Mnemonic") })
	person.Expect("Mnemonic: ")
	person.Type("\x1b[200~bottom drive\robey lake\rcurtain smoke\r\x1b[201~")
	person.Expect("several lines")
	person.Expect("Mnemonic: ")
	person.Type("bottom drive obey lake\r")
	if got, err := answer(); string(got) != "bottom drive obey lake" || err != nil {
		t.Errorf("Secret = %q, %v", got, err)
	}
}

func TestContextEndsQuestion(t *testing.T) {
	cause := errors.New("block 7 came first")
	for _, tt := range []struct {
		name string
		ask  func(context.Context, *term.Terminal) error
	}{
		{"Confirm", func(ctx context.Context, t *term.Terminal) error { _, err := t.Confirm(ctx, "Now?"); return err }},
		{"Ask", func(ctx context.Context, t *term.Terminal) error { _, err := t.Ask(ctx, "Now?", nil); return err }},
		{"Secret", func(ctx context.Context, t *term.Terminal) error { _, err := t.Secret(ctx, "Now?"); return err }},
		{"ShowOnce", func(ctx context.Context, t *term.Terminal) error { return t.ShowOnce(ctx, [][]byte{[]byte("Now?")}) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			terminal, person := open(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			done := later(func() (struct{}, error) { return struct{}{}, tt.ask(ctx, terminal) })
			person.Expect("Now?")
			cancel(cause)
			if _, err := done(); !errors.Is(err, term.ErrInterrupted) || !errors.Is(err, cause) {
				t.Errorf("error %v, want an interruption with its cause", err)
			}
			// The read that was given up must not swallow the next answer.
			answer := later(func() (string, error) { return terminal.Ask(t.Context(), "Next", nil) })
			person.Expect("Next: ")
			person.Type("kept\r")
			if got, err := answer(); got != "kept" || err != nil {
				t.Errorf("the question after it got %q, %v", got, err)
			}
			if err := tt.ask(ctx, terminal); !errors.Is(err, term.ErrInterrupted) {
				t.Errorf("with an ended context: error %v", err)
			}
		})
	}
}

func TestSignalEndsSecret(t *testing.T) {
	// The test itself must survive the signal.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGTERM)
	defer signal.Stop(caught)
	terminal, person := open(t)
	answer := later(func() ([]byte, error) { return terminal.Secret(t.Context(), "Passphrase") })
	person.Expect("Passphrase: ")
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := answer(); !errors.Is(err, term.ErrInterrupted) {
		t.Errorf("error %v, want an interruption", err)
	}
}

func TestChooseNothing(t *testing.T) {
	terminal, _ := open(t)
	if _, err := terminal.Choose(t.Context(), "Which wallet", nil); err == nil {
		t.Error("no error for an empty list")
	}
}

func TestShowOnce(t *testing.T) {
	for _, tt := range []struct {
		name, keys string
		error      error
	}{
		{"any key", "x", nil},
		{"an arrow", "\x1b[A", nil},
		{"Ctrl-C", "\x03", term.ErrInterrupted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			terminal, person := open(t)
			shown := later(func() (struct{}, error) {
				return struct{}{}, terminal.ShowOnce(t.Context(), [][]byte{[]byte("bottom drive"), []byte("obey lake")})
			})
			person.Expect("\x1b[?1049h")
			person.Expect("bottom drive\r\nobey lake\r\n")
			person.Expect("Press any key")
			person.Type(tt.keys)
			person.Expect("\x1b[2J\x1b[H\x1b[?1049l")
			if _, err := shown(); !errors.Is(err, tt.error) {
				t.Errorf("error %v, want %v", err, tt.error)
			}
		})
	}
}

func TestNoTerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := term.New(r, w); !errors.Is(err, term.ErrNoTerminal) {
		t.Errorf("New on a pipe: %v", err)
	}
	var none *term.Terminal
	_, confirm := none.Confirm(t.Context(), "?")
	_, ask := none.Ask(t.Context(), "?", nil)
	_, secret := none.Secret(t.Context(), "?")
	_, choose := none.Choose(t.Context(), "?", []string{"a"})
	for name, err := range map[string]error{
		"Confirm": confirm, "Ask": ask, "Secret": secret, "Choose": choose, "ShowOnce": none.ShowOnce(t.Context(), nil),
	} {
		if !errors.Is(err, term.ErrNoTerminal) {
			t.Errorf("%s without a terminal: %v", name, err)
		}
	}
	none.Erase(1)
	none.Tell("x")
	if none.Width() != 80 || none.Close() != nil {
		t.Error("an absent terminal has a width of 80 and closes")
	}
	if p := term.StartProgress(w, "working"); p != nil {
		t.Error("progress is drawn into a pipe")
	}
}

func TestHangUp(t *testing.T) {
	person, tty := termtest.Sit(t)
	terminal, err := term.New(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	answer := later(func() (bool, error) { return terminal.Confirm(t.Context(), "Send it?") })
	person.Expect("Send it?")
	person.HangUp()
	if got, err := answer(); got || !errors.Is(err, term.ErrInterrupted) {
		t.Errorf("Confirm = %v, %v, want an interruption", got, err)
	}
}

func TestTell(t *testing.T) {
	terminal, person := open(t)
	terminal.Tell("to  alice\x1b[2J\nfee 1\n")
	person.Expect("to  alice\\x1b[2J\r")
	person.Expect("\nfee 1\r")
	if strings.Contains(person.Drawn(), "\x1b[2J") {
		t.Errorf("drawn: %q", person.Drawn())
	}
}

func TestErase(t *testing.T) {
	terminal, person := open(t)
	terminal.Erase(2)
	person.Expect("\r\x1b[2K\x1b[A\x1b[2K\x1b[A\x1b[2K")
}

func TestProgress(t *testing.T) {
	person, tty := termtest.Sit(t)
	p := term.StartProgress(tty, "unlocking\x1b[2J "+strings.Repeat("x", 200))
	person.Expect(`unlocking\x1b[2J`)
	p.Set("waiting for block 7")
	person.Expect("waiting for block 7")
	p.Stop()
	person.Expect("\r\x1b[2K")
	if strings.Contains(person.Drawn(), "unlocking\x1b[2J") || strings.Contains(person.Drawn(), "\n") {
		t.Errorf("drawn: %q", person.Drawn())
	}
	var none *term.Progress
	none.Set("x")
	none.Stop()
}

// TestOpen runs this test binary as a program with a controlling terminal while
// its standard streams are pipes: questions must go to the terminal.
func TestOpen(t *testing.T) {
	if os.Getenv("TERM_TEST_CHILD") != "" {
		child(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestOpen$")
	cmd.Env = append(os.Environ(), "TERM_TEST_CHILD=1")
	cmd.Stdin = strings.NewReader("n\nn\nn\n")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	person := termtest.Start(t, cmd)
	person.Expect("Really? [y/n] ")
	person.Type("y\r")
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "PASS") || strings.Contains(out.String(), "Really") {
		t.Errorf("the child: %v, %s", err, out.String())
	}
}

func child(t *testing.T) {
	terminal, err := term.Open()
	if err != nil {
		t.Fatal(err)
	}
	if yes, err := terminal.Confirm(t.Context(), "Really?"); !yes || err != nil {
		t.Errorf("Confirm = %v, %v", yes, err)
	}
	if err := terminal.Close(); err != nil {
		t.Error(err)
	}
}

// TestOpenWithout runs the same in a session of its own without a terminal.
func TestOpenWithout(t *testing.T) {
	if os.Getenv("TERM_TEST_CHILD") != "" {
		terminal, err := term.Open()
		if terminal != nil || !errors.Is(err, term.ErrNoTerminal) {
			t.Errorf("Open = %v, %v, want none", terminal, err)
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestOpenWithout$")
	cmd.Env = append(os.Environ(), "TERM_TEST_CHILD=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the child: %v, %s", err, out)
	}
}
