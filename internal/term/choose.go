package term

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/manifoldco/promptui"

	"github.com/taoctl/taoctl/internal/printable"
)

// window is how many items are on the screen at once.
const window = 10

// Choose offers items in a list and returns the index of the chosen one: the
// arrows move, Return takes, Ctrl-C and Ctrl-D give [ErrInterrupted]. What was
// typed before the list could be seen does not choose.
func (t *Terminal) Choose(ctx context.Context, label string, items []string) (int, error) {
	if len(items) == 0 {
		return 0, fmt.Errorf("%s: there is nothing to choose from", label)
	}
	var chosen int
	err := t.ask(ctx, func(ctx context.Context) (err error) {
		if err := t.flush(); err != nil {
			return err
		}
		chosen, err = t.selectItem(ctx, label, items)
		return err
	})
	return chosen, err
}

// selectItem runs promptui's list. Left alone promptui reads standard input and
// writes standard output, rings the bell at every key, and prints a line that
// is wider than the terminal anew for each one; so it gets our terminal, loses
// the bell, and gets lines that fit.
func (t *Terminal) selectItem(ctx context.Context, label string, items []string) (int, error) {
	width := t.Width() - 4 // promptui's pointer and the last column
	list := promptui.Select{
		Label:  clip(label, width),
		Items:  clipAll(items, width),
		Size:   min(len(items), window),
		Stdin:  &keyReader{ctx: ctx, keys: t.keys},
		Stdout: quiet{t.out},
	}
	i, _, err := list.Run()
	if err == nil {
		return i, nil
	}
	if ctx.Err() != nil {
		return 0, interrupted(ctx)
	}
	if errors.Is(err, promptui.ErrInterrupt) || errors.Is(err, promptui.ErrEOF) {
		return 0, ErrInterrupted
	}
	return 0, fmt.Errorf("choosing: %w", err)
}

func clipAll(items []string, width int) []string {
	fit := make([]string, len(items))
	for i, s := range items {
		fit[i] = clip(s, width)
	}
	return fit
}

// clip makes s fit one row, with an ellipsis where something is left out.
func clip(s string, width int) string {
	return text.Snip(printable.Line(s), max(width, 1), "…")
}

// keyReader hands the terminal's keys to promptui one byte at a time, so that
// nothing typed after the choice is swallowed with it.
type keyReader struct {
	ctx  context.Context
	keys *keys
}

func (r *keyReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c, err := r.keys.next(r.ctx)
	if err != nil || stops(key(c)) {
		// The only error that promptui ends on cleanly; it would take a Ctrl-C
		// behind a lone Escape for a part of a key.
		return 0, io.EOF
	}
	b[0] = c
	return 1, nil
}

// Close leaves the terminal open: it is not promptui's.
func (r *keyReader) Close() error { return nil }

// quiet writes to a terminal without ringing its bell.
type quiet struct{ tty *os.File }

func (q quiet) Write(b []byte) (int, error) {
	if _, err := q.tty.Write(bytes.ReplaceAll(b, []byte{'\a'}, nil)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close leaves the terminal open: it is not promptui's.
func (q quiet) Close() error { return nil }
