package simulate

import (
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
)

// What a runtime answers is read or refused, and never read as nothing.
func FuzzRefusal(f *testing.F) {
	m, err := scale.ParseMetadata(fixture.Metadata(f, "finney-393-v16"))
	if err != nil {
		f.Fatal(err)
	}
	rt := chain.NewRuntime(chain.Spec{}, m)
	for _, seed := range [][]byte{{0, 3}, {0, 7, 9}, {0, 7}, {1, 2, 1}, {1, 0}, {2, 0}, {0, 99}, {0}, nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		refused, err := refusal(rt, b)
		if (refused == nil) == (err == nil) {
			t.Errorf("%x: %v, %v", b, refused, err)
		}
	})
}
