//go:build unix

// Package termtest plays the person at a terminal in tests: it reads what a
// program draws on a pseudo-terminal and types only once the expected text has
// appeared, as a person would. Only tests import it.
package termtest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// patience is how long text may take to appear before a test fails. It bounds a
// test that has failed already; nothing is measured by it.
const patience = 60 * time.Second

// Person sits at the master side of a pseudo-terminal.
type Person struct {
	tb     testing.TB
	master *os.File

	mu    sync.Mutex
	drawn bytes.Buffer // everything so far
	seen  int          // how much of it Expect has gone past
	more  chan struct{}
	gone  bool
}

// Sit opens a pseudo-terminal of 80 columns and returns the person at it and
// the terminal for the program. Both close with the test.
func Sit(tb testing.TB) (*Person, *os.File) {
	tb.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		tb.Fatalf("opening a pseudo-terminal: %v", err)
	}
	tb.Cleanup(func() { _ = tty.Close(); _ = master.Close() })
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		tb.Fatalf("sizing the pseudo-terminal: %v", err)
	}
	// Sizing has made the file blocking; a blocked read would keep HangUp waiting.
	if err := syscall.SetNonblock(int(master.Fd()), true); err != nil {
		tb.Fatalf("preparing the pseudo-terminal: %v", err)
	}
	p := &Person{tb: tb, master: master, more: make(chan struct{}, 1)}
	go p.watch()
	return p, tty
}

// Start runs a program with a pseudo-terminal as its controlling terminal, so
// that it can open /dev/tty. Its standard streams are left as cmd has them. What is
// typed ahead is there before the program is.
func Start(tb testing.TB, cmd *exec.Cmd, ahead ...string) *Person {
	tb.Helper()
	p, tty := Sit(tb)
	for _, text := range ahead {
		p.Type(text)
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, tty)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2 + len(cmd.ExtraFiles)}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("starting %s: %v", cmd.Path, err)
	}
	_ = tty.Close() // the program has its own: with that the terminal ends
	return p
}

// Ended waits until everything that a program drew has been read, once it has
// ended: the system may hold some of it still.
func (p *Person) Ended() {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !p.isGone() {
		select {
		case <-p.more:
		case <-limit.C:
			return // somebody else has the terminal open
		}
	}
}

func (p *Person) watch() {
	b := make([]byte, 4096)
	for {
		n, err := p.master.Read(b)
		p.mu.Lock()
		p.drawn.Write(b[:n])
		p.gone = err != nil
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// Expect waits until text has been drawn after what was expected before.
func (p *Person) Expect(text string) {
	p.tb.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !p.find(text) {
		if p.isGone() {
			p.tb.Fatalf("the terminal closed before %q; drawn: %q", text, p.Drawn())
		}
		select {
		case <-p.more:
		case <-limit.C:
			p.tb.Fatalf("%q did not appear; drawn: %q", text, p.Drawn())
		}
	}
}

func (p *Person) find(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := strings.Index(p.drawn.String()[p.seen:], text)
	if at >= 0 {
		p.seen += at + len(text)
	}
	return at >= 0
}

func (p *Person) isGone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// Type types text as it is; "\r" is the Return key, "\x03" is Ctrl-C.
func (p *Person) Type(text string) {
	p.tb.Helper()
	if _, err := p.master.WriteString(text); err != nil {
		p.tb.Fatalf("typing: %v", err)
	}
}

// Drawn returns everything drawn so far, escape sequences included.
func (p *Person) Drawn() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drawn.String()
}

// HangUp closes the terminal from the person's side.
func (p *Person) HangUp() {
	p.tb.Helper()
	if err := p.master.Close(); err != nil {
		p.tb.Fatalf("hanging up: %v", err)
	}
}
