package term

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/taoctl/taoctl/internal/printable"
)

// Confirm puts a question and returns true for y or yes and false for n or no,
// in any case. Any other answer, an empty one too, is asked for again; after
// [Attempts] the error is [ErrDeclined].
//
// What was typed before the question could be seen does not answer it.
func (t *Terminal) Confirm(ctx context.Context, question string) (bool, error) {
	var yes bool
	err := t.ask(ctx, func(ctx context.Context) error {
		if err := t.flush(); err != nil {
			return err
		}
		return t.attempt(ctx, question+" [y/n]", func(answer string) (err error) {
			yes, err = parseAnswer(answer)
			return err
		})
	})
	return yes && err == nil, err
}

func parseAnswer(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "y", "yes":
		return true, nil
	case "n", "no":
		return false, nil
	}
	return false, errors.New("please answer y or n")
}

// Ask takes one line of text, without the spaces around it. While validate
// gives an error the person is told and asked again; after [Attempts] the error
// wraps [ErrDeclined] and the last reason. A nil validate takes anything.
func (t *Terminal) Ask(ctx context.Context, label string, validate func(string) error) (string, error) {
	var got string
	err := t.ask(ctx, func(ctx context.Context) error {
		return t.attempt(ctx, label+":", func(answer string) error {
			got = answer
			if validate == nil {
				return nil
			}
			return validate(answer)
		})
	})
	if err != nil {
		return "", err
	}
	return got, nil
}

// attempt reads lines until accept takes one.
func (t *Terminal) attempt(ctx context.Context, prompt string, accept func(string) error) error {
	var reason error
	for range Attempts {
		answer, err := t.line(ctx, prompt, true)
		if err == nil {
			err = accept(strings.TrimSpace(string(answer)))
		}
		if err == nil || errors.Is(err, ErrInterrupted) {
			return err
		}
		reason = err
		t.println(err.Error())
	}
	return fmt.Errorf("%w: %w", ErrDeclined, reason)
}

// Secret takes one line without showing it, exactly as typed. The bytes belong
// to the caller, who wipes them.
func (t *Terminal) Secret(ctx context.Context, prompt string) ([]byte, error) {
	var secret []byte
	err := t.ask(ctx, func(ctx context.Context) (err error) {
		for range Attempts {
			secret, err = t.line(ctx, prompt+":", false)
			if !errors.Is(err, errSeveral) {
				return err
			}
			t.println(err.Error())
		}
		return fmt.Errorf("%w: %w", ErrDeclined, err)
	})
	return secret, err
}

// line prints a prompt and reads a line. The cursor is on a new line after it.
func (t *Terminal) line(ctx context.Context, prompt string, visible bool) ([]byte, error) {
	prompt = printable.Text(prompt) + " "
	t.print(crlf(prompt))
	defer t.print("\r\n")
	if !visible {
		answer, err := readLine(ctx, t.keys, nil)
		return answer, t.discard(err)
	}
	width := t.Width()
	last := prompt[strings.LastIndexByte(prompt, '\n')+1:]
	e := &echo{w: t.out, width: width, column: text.StringWidthWithoutEscSequences(last) % width}
	answer, err := readLine(ctx, t.keys, e)
	return answer, t.discard(err)
}

// discard drops the rest of a paste that was refused.
func (t *Terminal) discard(err error) error {
	if !errors.Is(err, errSeveral) {
		return err
	}
	return errors.Join(err, t.flush())
}

// flush forgets what was typed and not yet read.
func (t *Terminal) flush() error {
	t.keys.drop()
	if err := flushInput(t.in); err != nil {
		return fmt.Errorf("discarding what was typed ahead: %w", err)
	}
	return nil
}

// ShowOnce shows text on the terminal's alternate screen, waits for a key and
// erases it, so that it stays neither on the screen nor in its history. It is
// for text of our own making, such as a mnemonic: it is written as it is.
//
// An interruption erases it too and gives [ErrInterrupted].
func (t *Terminal) ShowOnce(ctx context.Context, lines [][]byte) error {
	return t.ask(ctx, func(ctx context.Context) error {
		if err := t.flush(); err != nil {
			return err
		}
		t.print(altOn)
		defer t.print(altOff)
		for _, l := range lines {
			if _, err := t.out.Write(l); err != nil {
				return fmt.Errorf("writing to the terminal: %w", err)
			}
			t.print("\r\n")
		}
		t.print("\r\nPress any key to erase this. ")
		k, err := t.keys.key(ctx)
		if err == nil && stops(k) {
			err = ErrInterrupted
		}
		return err
	})
}

// Erase erases the last n lines above the cursor, for text that should not stay
// on the screen.
func (t *Terminal) Erase(n int) {
	if t == nil {
		return
	}
	t.print(eraseLine + strings.Repeat(eraseAbove, n))
}
