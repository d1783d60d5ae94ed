package declared

import (
	"testing"

	"github.com/taoctl/taoctl/scale"
)

// What is written can be read, and what was there before is as it was.
func TestReferenda(t *testing.T) {
	base := from(t, "finney-393-v16").base
	m, err := scale.ParseMetadata(Referenda(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range base.Pallets() {
		got := m.Pallet(p.Name)
		if got == nil || got.Index != p.Index || len(got.Storage) != len(p.Storage) || len(got.Constants) != len(p.Constants) {
			t.Fatalf("pallet %s: %+v", p.Name, got)
		}
		for i, e := range p.Storage {
			if g := got.Storage[i]; g.Name != e.Name || g.Optional != e.Optional || len(g.Keys) != len(e.Keys) ||
				m.TypeName(g.Value) != base.TypeName(e.Value) || string(g.Prefix()) != string(e.Prefix()) {
				t.Errorf("%s.%s: %+v, want %+v", p.Name, e.Name, g, e)
			}
		}
	}
	calls := m.Type(m.Extrinsic().Call)
	for _, name := range []string{"MultiCollective", "SignedVoting", "Referenda"} {
		p := m.Pallet(name)
		if p == nil || calls.Variant(name) == nil || calls.Variant(name).Index != p.Index {
			t.Errorf("pallet %s is not installed", name)
		}
	}
	b, err := m.EncodeCall(nil, "SignedVoting", "vote", map[string]any{"poll_index": uint32(7), "approve": true})
	if err != nil || string(b) != "\x22\x00\x07\x00\x00\x00\x01" {
		t.Errorf("vote is %x, %v", b, err)
	}
}
