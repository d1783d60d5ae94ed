package scale

import (
	"testing"

	"github.com/taoctl/taoctl/internal/fixture"
)

// load parses a real blob.
func load(tb testing.TB, name string) *Metadata {
	tb.Helper()
	m, err := ParseMetadata(fixture.Metadata(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestParseMetadata(t *testing.T) {
	for _, name := range fixture.Names(t) {
		t.Run(name, func(t *testing.T) {
			m := load(t, name)
			for _, p := range m.Pallets() {
				for _, c := range p.Constants {
					var v any
					if err := m.Decode(c.Type, c.Value, &v); err != nil {
						t.Errorf("%s.%s: %v", p.Name, c.Name, err)
					}
				}
			}
		})
	}
}
