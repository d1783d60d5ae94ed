package embedded

import "testing"

// What a real runtime paid: spec 293 with both reserves at 10,000, of which the one
// took 10 TAO (SubtensorModule.StakeAdded: 9,960,161,944 alpha, a fee of 29,907,682 rao
// at a rate of 196). Its pool is another one, of ticks, and the same but for its last
// digits where all of the liquidity is the pool's own.
func TestLikeARealPool(t *testing.T) {
	p := reserves{10_000 * one, 10_000 * one}
	fee := feeOf(10*one, 196)
	if fee != 29_907_682 {
		t.Errorf("a fee of %d", fee)
	}
	if got := out(10*one-fee, p.tao, p.alpha); got < 9_960_161_944-10 || got > 9_960_161_944+1000 {
		t.Errorf("%d alpha", got)
	}
}

// A pool never gives more than its product allows, and a limit is the last price
// that is within it.
func TestPool(t *testing.T) {
	for _, p := range []reserves{{10_000 * one, 10_000 * one}, {1_000 * one, 10_000 * one}, {7, 1 << 60}, {1 << 60, 3 * one}} {
		for _, in := range []uint64{1, 1000, one, 1000 * one} {
			got := out(in, p.tao, p.alpha)
			after := reserves{p.tao + in, p.alpha - got}
			if mul3(after.tao, after.alpha, 1, 1).Cmp(mul3(p.tao, p.alpha, 1, 1)) < 0 {
				t.Errorf("%v pays %d for %d", p, got, in)
			}
		}
	}
	p := reserves{10_000 * one, 10_000 * one}
	const limit = 1_050_000_000
	most := p.buyUpTo(limit)
	at := func(in uint64) uint64 { return reserves{p.tao + in, p.alpha - out(in, p.tao, p.alpha)}.price() }
	if at(most) > limit || at(most+one/100) <= limit {
		t.Errorf("up to %d TAO: a price of %d, and with a little more %d", most, at(most), at(most+one/100))
	}
	const floor = 950_000_000
	most = p.sellUpTo(floor)
	at = func(in uint64) uint64 { return reserves{p.tao - out(in, p.alpha, p.tao), p.alpha + in}.price() }
	if at(most) < floor || at(most+one/100) >= floor {
		t.Errorf("up to %d alpha: a price of %d, and with a little more %d", most, at(most), at(most+one/100))
	}
	if p.buyUpTo(900_000_000) != 0 || p.sellUpTo(1_100_000_000) != 0 {
		t.Error("a limit that is passed already")
	}
	if most := gross(p.buyUpTo(1<<64-1), 33); most < 1<<60 {
		t.Errorf("without a limit %d TAO", most)
	}
	if possible(one, 0, one) == nil || possible(2000*one, one, one) == nil || possible(one, one, 2*leastLeft-2) == nil {
		t.Error("a trade that cannot be")
	}
}
