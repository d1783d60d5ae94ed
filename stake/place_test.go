package stake_test

import (
	"slices"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/stake"
	"github.com/taoctl/taoctl/tao"
)

// On every runtime that is known, a storage key of stake says where it lies.
func TestPlacesOf(t *testing.T) {
	hotkey, coldkey := tao.Account{1}, tao.Account{2}
	for _, name := range fixture.Names(t) {
		m, err := scale.ParseMetadata(fixture.Metadata(t, name))
		if err != nil {
			t.Fatal(err)
		}
		rt := chain.NewRuntime(chain.Spec{}, m)
		pallet := m.Pallet("SubtensorModule")
		found := 0
		for _, entry := range []string{"Stake", "Alpha", "AlphaV2"} {
			e := pallet.Entry(entry)
			if e == nil {
				continue
			}
			found++
			want := stake.Place{Coldkey: coldkey, Hotkey: hotkey, NetUID: 7}
			if len(e.Keys) == 2 {
				want.NetUID = 0
			}
			key, err := m.StorageKey(e, []any{hotkey, coldkey, uint16(7)}[:len(e.Keys)]...)
			if err != nil {
				t.Errorf("%s: %s: %v", name, entry, err)
				continue
			}
			other, err := m.StorageKey(m.Pallet("System").Entry("Number"))
			if err != nil {
				t.Fatal(err)
			}
			// Its beginning is no place, and one that is named twice is one.
			if got := stake.PlacesOf(rt, [][]byte{other, key, key[:len(key)-1], key, nil}); !slices.Equal(got, []stake.Place{want}) {
				t.Errorf("%s: %s: %v", name, entry, got)
			}
		}
		if found == 0 {
			t.Errorf("%s: nothing says where stake lies", name)
		}
	}
}
