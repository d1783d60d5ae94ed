// Package term talks to the person at the terminal: it asks, confirms, offers a
// choice, takes secrets, shows a thing once and erases it, and draws a line of
// progress.
//
// Whatever needs a person goes to the terminal itself (/dev/tty, or CONIN$ and
// CONOUT$), never to standard input or output, so that pipes keep working and
// results stay clean. Where there is no terminal every question is refused with
// [ErrNoTerminal]; nothing is ever read from a pipe in a person's place.
//
// Text given to this package is made harmless before it is drawn, so a question
// may hold a name that a stranger chose.
package term

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/taoctl/taoctl/internal/printable"
)

var (
	// ErrNoTerminal says that nobody can be asked: the program has no terminal.
	ErrNoTerminal = errors.New("no terminal to ask on")
	// ErrInterrupted says that the person pressed Ctrl-C or Ctrl-D, the program
	// was told to stop, or the context ended, while a question stood open.
	ErrInterrupted = errors.New("interrupted")
	// ErrDeclined says that no usable answer came in [Attempts] attempts.
	ErrDeclined = errors.New("declined")
)

// Attempts is how often a question is put before it counts as declined.
const Attempts = 3

// Terminal is a person's terminal. A nil *Terminal is valid and stands for
// none: its questions fail with [ErrNoTerminal].
//
// One question stands open at a time; a second waits for it.
type Terminal struct {
	in, out  *os.File
	keys     *keys
	question sync.Mutex // held while a person is asked
}

// Open opens the controlling terminal of the process. The error wraps
// [ErrNoTerminal]; the nil *Terminal beside it may be used.
func Open() (*Terminal, error) {
	in, out, err := openTTY()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTerminal, err)
	}
	t, err := New(in, out)
	if err != nil {
		return nil, errors.Join(err, closeBoth(in, out))
	}
	return t, nil
}

// New returns the terminal behind two open files, which may be the same one.
// The error wraps [ErrNoTerminal] if one of them is not a terminal.
func New(in, out *os.File) (*Terminal, error) {
	for _, f := range []*os.File{in, out} {
		if !term.IsTerminal(int(f.Fd())) {
			return nil, fmt.Errorf("%w: %s is not a terminal", ErrNoTerminal, f.Name())
		}
	}
	return &Terminal{in: in, out: out, keys: newKeys(in)}, nil
}

// Close gives the terminal back. It must not be called while a question stands
// open.
func (t *Terminal) Close() error {
	if t == nil {
		return nil
	}
	return closeBoth(t.in, t.out)
}

func closeBoth(in, out *os.File) error {
	if in == out {
		return in.Close()
	}
	return errors.Join(in.Close(), out.Close())
}

// defaultWidth is assumed where a terminal does not tell its size.
const defaultWidth = 80

// Width returns the columns of the terminal, 80 if there is none or it does not
// say.
func (t *Terminal) Width() int {
	if t == nil {
		return defaultWidth
	}
	w, _, err := term.GetSize(int(t.out.Fd()))
	if err != nil || w <= 0 {
		return defaultWidth
	}
	return w
}

// Width returns the columns of the terminal behind w, 0 if it is none.
func Width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// ask runs f with the terminal in raw mode and puts the mode back however f
// ends. The terminal sends no signals in raw mode: Ctrl-C arrives as a byte, so
// it can never kill the program while echo is off (golang/go#31180). Signals
// from elsewhere end the question with [ErrInterrupted].
func (t *Terminal) ask(ctx context.Context, f func(context.Context) error) (err error) {
	if t == nil {
		return ErrNoTerminal
	}
	t.question.Lock()
	defer t.question.Unlock()
	if err := ctx.Err(); err != nil {
		return interrupted(ctx)
	}
	ctx, stop := signal.NotifyContext(ctx, endings()...)
	defer stop()
	mode, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return fmt.Errorf("%w: switching to raw mode: %w", ErrNoTerminal, err)
	}
	defer func() {
		err = errors.Join(err, restore(t.in, mode))
	}()
	t.print(pasteOn)
	defer t.print(pasteOff)
	return f(ctx)
}

func restore(tty *os.File, mode *term.State) error {
	if err := term.Restore(int(tty.Fd()), mode); err != nil {
		return fmt.Errorf("restoring the terminal: %w", err)
	}
	return nil
}

// interrupted says that ctx ended while a question stood open.
func interrupted(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(ctx))
}

// Control sequences that this package writes: ECMA-48, and xterm's for
// bracketed paste (2004) and the alternate screen (1049).
const (
	pasteOn    = "\x1b[?2004h"
	pasteOff   = "\x1b[?2004l"
	altOn      = "\x1b[?1049h\x1b[2J\x1b[H"
	altOff     = "\x1b[2J\x1b[H\x1b[?1049l"
	eraseLine  = "\r\x1b[2K"
	eraseAbove = "\x1b[A\x1b[2K"
)

// print writes to the terminal. A terminal that cannot be written to cannot be
// told so; the question that follows fails by itself.
func (t *Terminal) print(s string) {
	_, _ = io.WriteString(t.out, s)
}

// println prints text and ends the line. Raw mode does not turn a line feed
// into a new line, so each needs its carriage return.
func (t *Terminal) println(s string) {
	t.print(crlf(printable.Text(s)) + "\r\n")
}

// Tell shows text to the person, wherever standard output and standard error
// go: what a question is about belongs beside it.
func (t *Terminal) Tell(text string) {
	if t == nil {
		return
	}
	t.println(strings.TrimSuffix(text, "\n"))
}

func crlf(s string) string {
	return strings.ReplaceAll(s, "\n", "\r\n")
}
