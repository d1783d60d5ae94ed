package term

import (
	"fmt"
	"strings"
	"testing"
)

// TestMenuWindow walks down and up a list that is longer than the window: the
// item under the cursor is always visible and every row fits the terminal.
func TestMenuWindow(t *testing.T) {
	m := menu{label: "Which wallet", width: 20}
	for i := range 3 * window {
		m.items = append(m.items, fmt.Sprintf("wallet %d %s", i, strings.Repeat("x", i)))
	}
	check := func() {
		t.Helper()
		rows := strings.Split(strings.TrimSuffix(m.rows(), "\r\n"), "\r\n")
		if len(rows) != 1+window {
			t.Fatalf("at %d: %d rows", m.at, len(rows))
		}
		cursor := 0
		for _, r := range rows {
			if len([]rune(r)) >= m.width {
				t.Errorf("at %d: row %q does not fit %d columns", m.at, r, m.width)
			}
			if strings.HasPrefix(r, fmt.Sprintf("> wallet %d", m.at)) {
				cursor++
			}
		}
		if cursor != 1 {
			t.Errorf("at %d: the cursor is drawn %d times: %q", m.at, cursor, rows)
		}
	}
	check()
	for _, k := range []key{keyDown, keyUp} {
		for range len(m.items) + 2 {
			m.move(k)
			check()
		}
	}
	if m.at != 0 || m.top != 0 {
		t.Errorf("back at the top the cursor is at %d, the window at %d", m.at, m.top)
	}
}
