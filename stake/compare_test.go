package stake

import (
	"errors"
	"testing"

	"github.com/taoctl/taoctl/tao"
)

// No more is spread than was agreed to, whatever came in since.
func TestSpread(t *testing.T) {
	for _, c := range []struct {
		free, keep, most, want tao.Amount // most 0: not agreed to yet
	}{
		{100, 10, 0, 90}, {100, 100, 0, 0}, {100, 101, 0, 0},
		{100, 10, 90, 90}, {1000, 10, 90, 90}, {50, 10, 90, 40},
	} {
		w := Want{Keep: c.keep}
		if c.most > 0 {
			w.Spend = &c.most
		}
		if got := w.spread(c.free); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestSteady(t *testing.T) {
	agreed := Difference{Tolerance: 5 * tao.OnePercent, Prices: map[tao.NetUID]tao.Amount{1: 1_000, 2: 1_000}}
	netuid := tao.NetUID(2)
	add := Deed{Action: "add", NetUID: 1}
	remove := Deed{Action: "remove", NetUID: 1}
	move := Deed{Action: "move", NetUID: 1, ToHotkey: &hotB}
	swap := Deed{Action: "swap", NetUID: 1, ToNetUID: &netuid}
	for what, c := range map[string]struct {
		deed     Deed
		one, two tao.Amount
		moved    tao.NetUID // 0: it is still about the same
	}{
		"bought, same": {add, 1_000, 1_000, 0}, "bought, a bit dearer": {add, 1_049, 1_000, 0}, "bought, dearer": {add, 1_051, 1_000, 1}, "bought, cheaper": {add, 500, 1_000, 0},
		"sold, dearer": {remove, 2_000, 1_000, 0}, "sold, cheaper": {remove, 949, 1_000, 1}, "sold, a bit cheaper": {remove, 951, 1_000, 0},
		"moved": {move, 1, 1_000, 0}, "swapped from cheaper": {swap, 900, 1_000, 1}, "swapped to dearer": {swap, 1_000, 1_100, 2}, "swapped to cheaper": {swap, 1_100, 900, 0},
	} {
		err := agreed.Steady(Difference{Prices: map[tao.NetUID]tao.Amount{1: c.one, 2: c.two}}, []Deed{c.deed})
		var moved *MovedError
		if (c.moved == 0) != (err == nil) || err != nil && (!errors.As(err, &moved) || moved.NetUID != c.moved) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestProceeds(t *testing.T) {
	for _, c := range []struct {
		changes []Change
		want    tao.Amount
	}{
		{nil, 0},
		{[]Change{{Event: "StakeRemoved", TAO: 5}, {Event: "StakeRemoved", TAO: 6}}, 11},
		{[]Change{{Event: "StakeRemoved", TAO: 5}, {Event: "StakeAdded", TAO: 5}, {Event: "StakeSwapped", TAO: 5}}, 0},
		{[]Change{{Event: "StakeAdded", TAO: 5}}, 0},
	} {
		if got := Proceeds(c.changes); got != c.want {
			t.Errorf("%+v: %d, want %d", c.changes, got, c.want)
		}
	}
}

func TestDifference(t *testing.T) {
	d := Difference{Deeds: []Deed{{Action: "move"}, {Action: "remove"}, {Action: "add"}}}
	if len(d.Sales()) != 2 || len(d.Purchases()) != 1 || len(d.First()) != 2 || len(d.Deeds) != 3 {
		t.Errorf("%+v", d)
	}
	d.Deeds = d.Purchases()
	if len(d.Sales()) != 0 || len(d.First()) != 1 {
		t.Errorf("%+v", d)
	}
}
