//go:build unix && !race

// The race detector finds a data race inside promptui, between its list and its
// line reader, which shows in whatever Choose does. So these tests run without
// it, and everything else of this package with it.

package term_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/internal/term"
)

func TestChoose(t *testing.T) {
	const down, up = "\x1b[B", "\x1b[A"
	for _, tt := range []struct {
		name, keys string
		want       int
		error      error
	}{
		{"first", "\r", 0, nil},
		{"third", down + down + "\r", 2, nil},
		{"down and up", down + down + up + "\r", 1, nil},
		{"beyond the end", down + down + down + down + "\r", 2, nil},
		{"beyond the start", up + "\n", 0, nil},
		{"application mode", "\x1bOB\r", 1, nil},
		{"Ctrl-C", down + "\x03", 0, term.ErrInterrupted},
		{"Ctrl-C within a sequence", "\x1bO\x03", 0, term.ErrInterrupted},
		{"Ctrl-D", "\x04", 0, term.ErrInterrupted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			terminal, person := open(t)
			items := []string{"alpha\x1b[2J", "beta " + strings.Repeat("long ", 40), "gamma"}
			choice := later(func() (int, error) { return terminal.Choose(t.Context(), "Which wallet", items) })
			person.Expect("gamma")
			person.Type(tt.keys)
			got, err := choice()
			if got != tt.want || !errors.Is(err, tt.error) {
				t.Errorf("Choose = %d, %v, want %d, %v", got, err, tt.want, tt.error)
			}
			if strings.Contains(person.Drawn(), "alpha\x1b[2J") {
				t.Errorf("a name clears the screen: %q", person.Drawn())
			}
		})
	}
}

func TestContextEndsChoice(t *testing.T) {
	terminal, person := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := later(func() (int, error) { return terminal.Choose(ctx, "Now?", []string{"a"}) })
	person.Expect("Now?")
	cancel()
	if _, err := done(); !errors.Is(err, term.ErrInterrupted) {
		t.Errorf("error %v, want an interruption", err)
	}
	// The read that was given up must not swallow the next answer.
	answer := later(func() (string, error) { return terminal.Ask(t.Context(), "Next", nil) })
	person.Expect("Next: ")
	person.Type("kept\r")
	if got, err := answer(); got != "kept" || err != nil {
		t.Errorf("the question after it got %q, %v", got, err)
	}
}
