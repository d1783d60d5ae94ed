package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "apex of α", "apex of α"},
		{"other scripts", "Привет 日本語 ไทย हिन्दी", "Привет 日本語 ไทย हिन्दी"},
		{"emoji", "🦀 node", "🦀 node"},
		{"clear screen", "a\x1b[2Jb", `a\x1b[2Jb`},
		{"title", "\x1b]0;owned\a", `\x1b]0;owned\x07`},
		{"C1 sequence introducer", "a\u009b2J", `a\u009b2J`},
		{"raw C1 byte", "a\x9b2J", `a\x9b2J`},
		{"carriage return", "free 1\rfree 9", `free 1\x0dfree 9`},
		{"line feed", "a\nb", `a\x0ab`},
		{"tab", "a\tb", `a\x09b`},
		{"delete", "a\x7f", `a\x7f`},
		{"backspace", "12\b3", `12\x083`},
		{"bidi override", "5Abc\u202e321", `5Abc\u202e321`},
		{"bidi isolate", "\u2066x\u2069", `\u2066x\u2069`},
		{"bidi marks", "\u200e\u200f\u061c", `\u200e\u200f\u061c`},
		{"zero width", "a\u200bb\u200dc\ufeffd\u2060", `a\u200bb\u200dc\ufeffd\u2060`},
		{"soft hyphen", "a\u00adb", `a\u00adb`},
		{"line separators", "a\u2028b\u2029c\u0085", `a\u2028b\u2029c\u0085`},
		{"other spaces", "a\u00a0b\u3000c", `a\u00a0b\u3000c`},
		{"fillers", "\u115f\u3164\u2800", `\u115f\u3164\u2800`},
		{"variation selector", "a\ufe0f", `a\ufe0f`},
		{"tags", "a\U000e0041", `a\U000e0041`},
		{"replacement character itself", "\ufffd", "\ufffd"},
		{"columns by spaces", "name      5Fake", `name \x20\x20\x20\x20\x205Fake`},
		{"spaces at the ends", " a ", `\x20a\x20`},
		{"only a space", " ", `\x20`},
		{"few marks", "e\u0301", "e\u0301"},
		{"many marks", "e" + strings.Repeat("\u0301", 6), "e" + strings.Repeat("\u0301", 4) + `\u0301\u0301`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Line(tt.in); got != tt.want {
				t.Errorf("Line(%+q) = %+q, want %+q", tt.in, got, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	got := Text("one\n  two\t\x1b[H\r\n")
	if want := "one\n  two" + `\x09\x1b[H\x0d` + "\n"; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
}

// FuzzLine checks that no input moves the cursor or changes the reading order,
// that cleaning twice changes nothing, and that visible text is left alone.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "subnet", "a\x1b[2Jb", "\u202e", "\xff\x9b", "  x  ", "e\u0301\u0301\u0301\u0301\u0301", "日本\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Line(%+q) = %+q is not UTF-8", s, got)
		}
		for _, r := range got {
			if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
				t.Fatalf("Line(%+q) = %+q lets %U through", s, got, r)
			}
		}
		if again := Line(got); again != got {
			t.Fatalf("Line(%+q) = %+q, and of that %+q", s, got, again)
		}
		if plain(s) && got != s {
			t.Fatalf("Line(%+q) = %+q changes visible text", s, got)
		}
		if text := Text(s); strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
			t.Fatalf("Text(%+q) = %+q lets a control character through", s, text)
		}
	})
}
