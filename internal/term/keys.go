package term

import (
	"context"
	"fmt"
	"io"
)

// keys reads a terminal byte by byte and can be told to stop waiting. A read
// that was given up stays open in the background and its bytes go to whoever
// reads next: none is lost, none is read twice.
type keys struct {
	r       io.Reader
	taken   []byte     // read and not yet given out
	reading chan chunk // the open read, nil if there is none
}

type chunk struct {
	b   []byte
	err error
}

func newKeys(r io.Reader) *keys { return &keys{r: r} }

// next returns the next byte. Its errors wrap [ErrInterrupted]: the context
// ended, or the terminal is gone.
func (k *keys) next(ctx context.Context) (byte, error) {
	for len(k.taken) == 0 {
		if err := k.fill(ctx); err != nil {
			return 0, err
		}
	}
	c := k.taken[0]
	k.taken[0] = 0 // it may be part of a secret
	k.taken = k.taken[1:]
	return c, nil
}

func (k *keys) fill(ctx context.Context) error {
	if k.reading == nil {
		k.reading = make(chan chunk, 1)
		go read(k.r, k.reading)
	}
	select {
	case c := <-k.reading:
		k.reading, k.taken = nil, c.b
		if c.err != nil {
			return fmt.Errorf("%w: reading the terminal: %w", ErrInterrupted, c.err)
		}
		return nil
	case <-ctx.Done():
		return interrupted(ctx)
	}
}

func read(r io.Reader, to chan<- chunk) {
	b := make([]byte, 256)
	n, err := r.Read(b)
	to <- chunk{b[:n], err}
}

// drop forgets what was read and not yet given out.
func (k *keys) drop() {
	clear(k.taken)
	k.taken = nil
	select {
	case c := <-k.reading:
		clear(c.b)
		k.reading = nil
	default:
	}
}

// key is one thing a person did: a byte of text, a control character, or one of
// the constants below.
type key int

const (
	keyInterrupt key = 0x03 // Ctrl-C
	keyEnd       key = 0x04 // Ctrl-D
	keyDelete    key = 0x08 // Ctrl-H, what some terminals send for backspace
	keyLineFeed  key = 0x0a
	keyReturn    key = 0x0d
	keyClear     key = 0x15 // Ctrl-U
	keyWord      key = 0x17 // Ctrl-W
	keyEscape    key = 0x1b
	keyQuit      key = 0x1c // Ctrl-\
	keyBackspace key = 0x7f

	keyPasteStart key = 0x100 + iota
	keyPasteEnd
	keyUp
	keyDown
	keyOther // a key without meaning here
)

// key returns the next key. It takes escape sequences (ECMA-48 CSI and SS3)
// whole, so that an arrow key never leaves letters in an answer.
func (k *keys) key(ctx context.Context) (key, error) {
	c, err := k.next(ctx)
	if err != nil || key(c) != keyEscape {
		return key(c), err
	}
	c, err = k.next(ctx)
	switch {
	case err != nil:
		return 0, err
	case c == '[':
		return k.sequence(ctx)
	case c == 'O': // SS3: one more byte, what arrows send in application mode
		c, err = k.next(ctx)
		if stops(key(c)) {
			return key(c), err
		}
		return named(string([]byte{c})), err
	case stops(key(c)):
		return key(c), nil
	}
	return keyOther, nil
}

// sequence reads the rest of a CSI sequence: parameters, then a final byte.
func (k *keys) sequence(ctx context.Context) (key, error) {
	var params []byte
	for {
		c, err := k.next(ctx)
		switch {
		case err != nil:
			return 0, err
		case stops(key(c)):
			return key(c), nil
		case c >= 0x40 && c <= 0x7e:
			return named(string(append(params, c))), nil
		case len(params) < 16:
			params = append(params, c)
		}
	}
}

func named(sequence string) key {
	switch sequence {
	case "200~":
		return keyPasteStart
	case "201~":
		return keyPasteEnd
	case "A":
		return keyUp
	case "B":
		return keyDown
	}
	return keyOther
}

// stops reports whether k asks the program to stop.
func stops(k key) bool {
	return k == keyInterrupt || k == keyEnd || k == keyQuit
}
