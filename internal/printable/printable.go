// Package printable makes text from outside harmless to print on a terminal.
//
// Names of subnets and identities, error messages of nodes and everything else
// that a stranger may have written can hold escape sequences which move the
// cursor, marks which reverse the reading order, and characters nobody can
// see. Whatever is not plainly visible is shown as an escape instead, \x1b or
// \u202e, so nothing is lost and nothing is hidden.
//
// The package knows nothing of ours and does no I/O.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may stand on one character. Written
// languages need three; without a bound a name can paint over the lines above.
const maxMarks = 4

// Line returns s as one visible line. Control characters (C0, DEL, C1), bidi
// controls (Unicode TR 9, TR 36), other invisible characters, line breaks,
// bytes that are not UTF-8 and combining marks beyond the fourth in a row come
// out as escapes. So do spaces after the first in a row and at either end: a
// name padded with spaces could pass for two columns of a table.
//
// Text that consists of visible characters and single spaces is returned as is.
func Line(s string) string {
	if plain(s) {
		return s
	}
	return visible(s, false)
}

// Text is [Line] for text of several lines: line feeds and the spaces that
// indent and separate stay, everything else is treated the same.
func Text(s string) string {
	return visible(s, true)
}

// plain reports whether s needs no second look: visible ASCII, single spaces.
func plain(s string) bool {
	space := true // a leading space is not plain
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return !space || s == ""
}

func visible(s string, text bool) string {
	var b strings.Builder
	marks := 0
	for i := 0; i < len(s); {
		r, w := utf8.DecodeRuneInString(s[i:])
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && w == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case text && (r == '\n' || r == ' '):
			b.WriteRune(r)
		case r == ' ' && edge(s, i), marks > maxMarks, !Rune(r):
			b.WriteString(escape(r))
		default:
			b.WriteRune(r)
		}
		i += w
	}
	return b.String()
}

// edge reports whether the space at s[i] is the first or last of s or follows
// another space.
func edge(s string, i int) bool {
	return i == 0 || i == len(s)-1 || s[i-1] == ' '
}

// Rune reports whether r is a character that can be seen: a letter, mark,
// number, punctuation, symbol or the ASCII space, and not one of those that
// Unicode tells programs to draw as nothing (fillers, variation selectors).
func Rune(r rune) bool {
	const brailleBlank = '\u2800' // a symbol, drawn as a space
	return unicode.IsPrint(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func escape(r rune) string {
	switch {
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}
