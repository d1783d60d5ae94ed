package term

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// FuzzReadLine feeds keys from memory: whatever is typed, the line ends or the
// keys do, no control character gets into the text or onto the screen, and an
// echo draws nothing outside its rules.
func FuzzReadLine(f *testing.F) {
	for _, s := range []string{
		"yes\r", "na\x7f\x7fyes\r", "\x1b[200~a\rb\x1b[201~\r", "\x1b[A\x1bOPx\r", "\x03", "a\x04", "ü\x7f\xff\x80\x7f\r",
		"word word\x17\x17\x17\r", strings.Repeat("long ", 40) + strings.Repeat("\x7f", 150) + "\r", "\x1b[1;2;3;4;5;6;7;8;9;10mx\r",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		var screen bytes.Buffer
		e := &echo{w: &screen, width: 20, column: 3}
		line, err := readLine(t.Context(), newKeys(strings.NewReader(typed)), e)
		if err != nil {
			if line != nil {
				t.Fatalf("%q: text %q beside the error %v", typed, line, err)
			}
			known := errors.Is(err, ErrInterrupted) || errors.Is(err, errSeveral) || errors.Is(err, io.EOF)
			if !known && len(typed) <= maxLine {
				t.Fatalf("%q: error %v", typed, err)
			}
		}
		if i := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
			t.Fatalf("%q: the text %q has a control character", typed, line)
		}
		if e.column < 0 || e.column >= e.width {
			t.Fatalf("%q: the cursor is at column %d of %d", typed, e.column, e.width)
		}
		if bytes.ContainsAny(screen.Bytes(), "\a\x7f\t") {
			t.Fatalf("%q: drawn %q", typed, screen.Bytes())
		}
	})
}

// TestEcho replays what was drawn on a small screen: after corrections it shows
// the text that is left, across the ends of rows and with wide characters.
func TestEcho(t *testing.T) {
	for _, tt := range []struct{ typed, want string }{
		{"abc\r", "abc"},
		{"abcdefghij\r", "abcdefghij"},
		{"abcdefghijkl\x7f\x7f\x7f\x7f\x7fX\r", "abcdefgX"},
		{"abcdefghijkl\x15xy\r", "xy"},
		{"one two three\x17four\r", "one two four"},
		{"日本語\x7fx\r", "日本x"},
		{"a\xffb\r", `a\xffb`},
		{"a\xc3x\x7f\x7fy\r", "ay"}, // half a character, then corrected
		{"a\xe2\x82\x7f\x7fy\r", "ay"},
	} {
		var drawn bytes.Buffer
		const width = 8
		e := &echo{w: &drawn, width: width}
		if _, err := readLine(t.Context(), newKeys(strings.NewReader(tt.typed)), e); err != nil {
			t.Errorf("%q: %v", tt.typed, err)
		}
		if got := replay(drawn.String(), width); got != tt.want {
			t.Errorf("%q draws %q, the screen shows %q, want %q", tt.typed, drawn.String(), got, tt.want)
		}
	}
}

// replay returns the text on a screen that drawn was written to, rows joined.
// It knows what echo writes and nothing else.
func replay(drawn string, width int) string {
	var cells [64]string
	at := 0
	for len(drawn) > 0 {
		switch {
		case strings.HasPrefix(drawn, "\r\n"):
			at = (at + width - 1) / width * width
			drawn = drawn[2:]
		case strings.HasPrefix(drawn, "\b \b"):
			at--
			cells[at] = ""
			drawn = drawn[3:]
		case strings.HasPrefix(drawn, "\x1b[A\x1b[8G \x1b[8G"):
			at--
			cells[at] = ""
			drawn = drawn[len("\x1b[A\x1b[8G \x1b[8G"):]
		default:
			r := []rune(drawn)[0]
			cells[at] = string(r)
			at++
			if r > 0x2e80 { // a wide character takes two cells
				at++
			}
			drawn = drawn[len(string(r)):]
		}
	}
	return strings.Join(cells[:], "")
}
