package term

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/taoctl/taoctl/internal/printable"
)

// maxLine is how many bytes an answer may have. A mnemonic of 24 words has at
// most 215, a key file pasted as JSON about 700.
const maxLine = 4096

// errSeveral says that several lines were pasted where one was asked for. Were
// the first taken, the rest would answer the questions that follow.
var errSeveral = errors.New("several lines were pasted where one is expected; nothing was taken")

// line is the answer being typed.
type line struct {
	text    []byte // grows in place, so that wiping it leaves no copy
	pasting bool
	broken  bool // the paste had a line break
	echo    *echo
}

// readLine reads one line of keys into memory that the caller owns and should
// wipe if it is secret. With an echo what is typed is drawn there, without one
// nothing is. Ctrl-C, Ctrl-D and Ctrl-\ give [ErrInterrupted].
func readLine(ctx context.Context, k *keys, e *echo) ([]byte, error) {
	l := &line{text: make([]byte, 0, maxLine), echo: e}
	for {
		in, err := k.key(ctx)
		if err == nil {
			var done bool
			done, err = l.press(in)
			if done {
				return l.text, nil
			}
		}
		if err != nil {
			clear(l.text[:cap(l.text)])
			return nil, err
		}
	}
}

// press takes one key. It reports whether the line is complete.
func (l *line) press(k key) (done bool, err error) {
	switch {
	case stops(k):
		return false, ErrInterrupted
	case k == keyPasteStart || k == keyPasteEnd:
		l.pasting, l.broken = k == keyPasteStart, false
	case k == keyReturn || k == keyLineFeed:
		l.broken = l.pasting
		return !l.pasting, nil
	case k == keyBackspace || k == keyDelete:
		l.cut(len(l.text) - lastRune(l.text))
	case k == keyWord:
		l.cut(lastWord(l.text))
	case k == keyClear:
		l.cut(0)
	case k >= ' ' && k <= 0xff:
		return false, l.add(byte(k))
	}
	return false, nil // keys without meaning
}

func (l *line) add(c byte) error {
	if l.broken {
		return errSeveral
	}
	if len(l.text) == maxLine {
		return fmt.Errorf("the answer has more than %d bytes", maxLine)
	}
	l.text = append(l.text, c)
	l.echo.typed(l.text)
	return nil
}

// cut shortens the text to n bytes.
func (l *line) cut(n int) {
	l.echo.erase(l.text, n)
	clear(l.text[n:])
	l.text = l.text[:n]
}

func lastRune(b []byte) int {
	_, size := utf8.DecodeLastRune(b)
	return size
}

func lastWord(b []byte) int {
	trimmed := strings.TrimRight(string(b), " ")
	return strings.LastIndexByte(trimmed, ' ') + 1
}

// echo draws what is typed. It keeps the column of the cursor, because a
// terminal does not move back across the end of a row by itself. A nil echo
// draws nothing.
type echo struct {
	w      io.Writer
	width  int // columns of the terminal
	column int // of the cursor, from 0
	drawn  int // bytes of the text that are on the screen
}

// typed draws the characters of the text that are complete and not yet drawn.
func (e *echo) typed(text []byte) {
	if e == nil {
		return
	}
	for e.drawn < len(text) && utf8.FullRune(text[e.drawn:]) {
		_, size := utf8.DecodeRune(text[e.drawn:])
		e.draw(shown(text[e.drawn : e.drawn+size]))
		e.drawn += size
	}
}

func (e *echo) draw(s string) {
	for _, r := range s {
		e.column += text.RuneWidth(r)
		_, _ = fmt.Fprint(e.w, string(r))
		if e.column >= e.width {
			_, _ = fmt.Fprint(e.w, "\r\n")
			e.column = 0
		}
	}
}

// erase takes what is drawn of text[n:] off the screen.
func (e *echo) erase(text []byte, n int) {
	if e == nil || n >= e.drawn {
		return
	}
	for range columns(text[n:e.drawn]) {
		if e.column == 0 {
			e.column = e.width
			_, _ = fmt.Fprintf(e.w, "\x1b[A\x1b[%dG \x1b[%dG", e.width, e.width)
		} else {
			_, _ = fmt.Fprint(e.w, "\b \b")
		}
		e.column--
	}
	e.drawn = n
}

func columns(b []byte) int {
	n := 0
	for len(b) > 0 {
		_, size := utf8.DecodeRune(b)
		n += text.StringWidthWithoutEscSequences(shown(b[:size]))
		b = b[size:]
	}
	return n
}

// shown returns what is drawn for one character: itself, or an escape. A space
// alone would count as the edge of a line.
func shown(r []byte) string {
	if string(r) == " " {
		return " "
	}
	return printable.Line(string(r))
}
