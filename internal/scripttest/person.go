//go:build unix

package scripttest

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taoctl/taoctl/internal/term/termtest"
)

// Act is something that a person can do at the terminal, with the rest of the
// line that asks for it.
type Act func(tb testing.TB, p *termtest.Person, text string)

// deeds are what every person can do: see (wait for text), type (a line), and
// press (a key).
var deeds = map[string]Act{
	"see":   func(_ testing.TB, p *termtest.Person, text string) { p.Expect(text) },
	"type":  func(_ testing.TB, p *termtest.Person, text string) { p.Type(text + "\r") },
	"press": press,
}

// keys are the names of what is no text.
var keys = map[string]string{"down": "\x1b[B", "enter": "\r", "ctrl-c": "\x03", "ctrl-d": "\x04", "space": " "}

func press(tb testing.TB, p *termtest.Person, key string) {
	tb.Helper()
	if keys[key] == "" {
		tb.Fatalf("no key %q", key)
	}
	p.Type(keys[key])
}

// person runs a program at a terminal of its own. Standard output and standard
// error are captured apart from it; what was drawn is in the file "screen". In
// the file of acts, a line is an act and its text; without any the person only
// watches. "ahead", first, is typed before the program starts.
func person(ts *testscript.TestScript, args []string) {
	s := of(ts)
	acts := strings.FieldsFunc(ts.ReadFile(args[0]), func(r rune) bool { return r == '\n' })
	var stdout, stderr bytes.Buffer
	cmd := command(ts, args[2:])
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var ahead []string
	for len(acts) > 0 && strings.HasPrefix(acts[0], "ahead ") {
		ahead, acts = append(ahead, strings.TrimPrefix(acts[0], "ahead ")+"\r"), acts[1:]
	}
	p := termtest.Start(s.tb, cmd, ahead...)
	done := make(chan error, 1)
	defer func() { _ = cmd.Process.Kill() }() // of a person whose act failed
	for _, line := range acts {
		s.act(ts, p, line)
	}
	go func() { done <- cmd.Wait() }()
	err := WaitFor(ts, done, "the end of "+args[2])
	p.Ended()
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(p.Drawn()), 0o600))
	ts.Logf("[screen]\n%s", p.Drawn())
	_, _ = ts.Stdout().Write(stdout.Bytes())
	_, _ = ts.Stderr().Write(stderr.Bytes())
	wantCode(ts, err, args[1])
}

func (s *session) act(ts *testscript.TestScript, p *termtest.Person, line string) {
	verb, text, _ := strings.Cut(line, " ")
	act := deeds[verb]
	if act == nil {
		act = s.acts[verb]
	}
	if act == nil {
		ts.Fatalf("no act %q", verb)
	}
	act(s.tb, p, text)
}
