package stake

import (
	"context"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Place is where stake can lie: of one coldkey, on one hotkey, in one subnet.
type Place struct {
	Coldkey tao.Account `json:"coldkey"`
	Hotkey  tao.Account `json:"hotkey"`
	NetUID  tao.NetUID  `json:"netuid"`
}

// At reads the stake in places: alpha, or TAO on netuid 0. Unlike [Of] it looks
// nowhere else, which is cheap where a coldkey has many places.
func At(ctx context.Context, v *chain.View, places ...Place) ([]tao.Alpha, error) {
	found := make([]tao.Alpha, len(places))
	if v.Runtime().Metadata().API(stakeInfoAt.Trait, stakeInfoAt.Method) == nil || !isTyped(v.Runtime()) {
		list := make([]Position, len(places))
		for i, p := range places {
			list[i] = Position{Coldkey: p.Coldkey, Hotkey: p.Hotkey, NetUID: p.NetUID}
		}
		if err := readStakes(ctx, v, list); err != nil {
			return nil, fmt.Errorf("read the stake in %d places: %w", len(places), err)
		}
		for i := range list {
			found[i] = list[i].Stake
		}
		return found, nil
	}
	ask := make([]func() error, len(places))
	for i, p := range places {
		ask[i] = func() error {
			info, err := stakeInfoAt.Call(ctx, v, p.Hotkey, p.Coldkey, p.NetUID)
			if info != nil {
				found[i] = tao.Alpha(info.Stake)
			}
			return err
		}
	}
	if err := together(ask...); err != nil {
		return nil, fmt.Errorf("read the stake in %d places: %w", len(places), err)
	}
	return found, nil
}

// PlacesOf finds the places whose own entries are among storage keys, such as
// those that a transaction would write. Each is found once.
func PlacesOf(rt *chain.Runtime, keys [][]byte) []Place {
	pallet := rt.Metadata().Pallet(module)
	if pallet == nil {
		return nil
	}
	var list []Place
	seen := map[Place]bool{}
	for _, name := range placeEntries {
		entry := pallet.Entry(name)
		if entry == nil {
			continue
		}
		for _, key := range keys {
			var p Place
			into := []any{&p.Hotkey, &p.Coldkey, &p.NetUID}[:min(3, len(entry.Keys))]
			if rt.Metadata().DecodeStorageKey(entry, key, into...) == nil && !seen[p] {
				seen[p] = true
				list = append(list, p)
			}
		}
	}
	return list
}
