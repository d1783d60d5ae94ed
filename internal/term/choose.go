package term

import (
	"context"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

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
	m := menu{label: label, items: items, width: t.Width()}
	err := t.ask(ctx, func(ctx context.Context) error {
		if err := t.flush(); err != nil {
			return err
		}
		return t.choose(ctx, &m)
	})
	return m.at, err
}

func (t *Terminal) choose(ctx context.Context, m *menu) error {
	t.print(m.rows())
	for {
		k, err := t.keys.key(ctx)
		if err == nil && stops(k) {
			err = ErrInterrupted
		}
		if err != nil {
			m.at = 0
			return err
		}
		t.print(m.erase())
		if k == keyReturn || k == keyLineFeed {
			t.print(m.row(m.label+":", m.items[m.at]))
			return nil
		}
		m.move(k)
		t.print(m.rows())
	}
}

// menu is a list with a cursor.
type menu struct {
	label string
	items []string
	at    int // the item under the cursor
	top   int // the first item in the window
	width int // columns of the terminal
}

// move moves the cursor by one item, not beyond the ends, and the window with it.
func (m *menu) move(k key) {
	switch {
	case k == keyUp && m.at > 0:
		m.at--
	case k == keyDown && m.at < len(m.items)-1:
		m.at++
	}
	m.top = min(max(m.top, m.at-window+1), m.at)
}

// rows draws the label and the items in the window.
func (m *menu) rows() string {
	label := m.label
	if len(m.items) > window {
		label += fmt.Sprintf(" (%d of %d)", m.at+1, len(m.items))
	}
	var b strings.Builder
	b.WriteString(m.row(label, ""))
	for i, item := range m.visible() {
		pointer := " "
		if m.top+i == m.at {
			pointer = ">"
		}
		b.WriteString(m.row(pointer, item))
	}
	return b.String()
}

func (m *menu) visible() []string {
	return m.items[m.top:min(m.top+window, len(m.items))]
}

// erase takes the rows off the screen.
func (m *menu) erase() string {
	return eraseLine + strings.Repeat(eraseAbove, 1+len(m.visible()))
}

// row draws one row, clipped to the width: a row that wraps could not be erased.
func (m *menu) row(head, tail string) string {
	line := printable.Line(head)
	if tail != "" {
		line += " " + printable.Line(tail)
	}
	return clip(line, m.width-1) + "\r\n"
}

// clip makes s fit width columns, with an ellipsis where something is left out.
func clip(s string, width int) string {
	return text.Snip(s, max(width, 1), "…")
}
