package subnet

import (
	"testing"

	"github.com/taoctl/taoctl/tao"
)

// A constant product keeps its product, and each direction undoes the other.
func TestPool(t *testing.T) {
	p := Pool{Dynamic: true, TAO: 10_000 * tao.TAO, Alpha: 20_000 * tao.OneAlpha, Price: 500_000_000, Exact: true}
	buy := p.Buy(100 * tao.TAO)
	// 20,000 - 10,000*20,000/10,100
	if buy.Alpha != 198_019_801_980 || buy.TAOFee != 0 || buy.After != 510_049_999 {
		t.Errorf("%+v", buy)
	}
	after := p
	after.TAO, after.Alpha = p.TAO+buy.TAO, p.Alpha-buy.Alpha
	back := after.Sell(buy.Alpha)
	if back.TAO > 100*tao.TAO || back.TAO < 100*tao.TAO-2 {
		t.Errorf("sold back for %s", back.TAO)
	}
	for _, dust := range []Trade{p.Buy(0), p.Sell(0)} {
		if dust.TAO != 0 || dust.Alpha != 0 || dust.After != p.Price {
			t.Errorf("nothing for nothing: %+v", dust)
		}
	}
	still := Pool{Price: Unit}
	if s := still.Buy(7); s.Alpha != 7 || still.Sell(7).TAO != 7 {
		t.Errorf("one to one: %+v", s)
	}
}

// The largest amount that fits a limit ends at it, and a little more does not.
func FuzzMost(f *testing.F) {
	f.Add(uint64(10_000e9), uint64(20_000e9), uint64(525_000_000), uint64(475_000_000), uint16(33))
	f.Add(uint64(1e9), uint64(1e9), uint64(2e9), uint64(1), uint16(196))
	f.Fuzz(func(t *testing.T, inTAO, inAlpha, over, under uint64, rate uint16) {
		const least, most = 1e9, 1e16
		if inTAO < least || inTAO > most || inAlpha < least || inAlpha > most || rate > 10_000 {
			t.Skip("no pool of the chain")
		}
		p := Pool{Dynamic: true, TAO: tao.Amount(inTAO), Alpha: tao.Alpha(inAlpha), FeeRate: rate, Exact: true, Price: spot(inTAO, inAlpha)}
		if p.Price < 1000 || over > most || under > most {
			t.Skip("no price of the chain")
		}
		if in := p.MostBuy(tao.Amount(over)); in > 0 {
			if s := p.Buy(in); uint64(s.After) > over+over/1_000_000+1 {
				t.Errorf("buying %s ends at %s, over %d", in, s.After, over)
			}
		}
		if in := p.MostSell(tao.Amount(under)); under > 0 && in > 0 && uint64(in) < most {
			if s := p.Sell(in); uint64(s.After)+under/1_000_000+1 < under {
				t.Errorf("selling %s ends at %s, under %d", in, s.After, under)
			}
		}
	})
}

// Emission halves at issuances that each take half of what was left to the cap.
func TestNextHalving(t *testing.T) {
	for issued, at := range map[tao.Amount]tao.Amount{
		0:                      10_500_000 * tao.TAO,
		10_499_999_999_999_999: 10_500_000 * tao.TAO,
		10_500_000 * tao.TAO:   15_750_000 * tao.TAO,
		15_750_000 * tao.TAO:   18_375_000 * tao.TAO,
		18_375_000*tao.TAO + 1: 19_687_500 * tao.TAO,
	} {
		h := nextHalving(issued, tao.TAO)
		if h == nil || h.At != at || h.Left != at-issued || h.Blocks == 0 {
			t.Errorf("after %s: %+v, want %s", issued, h, at)
		}
	}
	if h := nextHalving(Cap, tao.TAO); h != nil {
		t.Errorf("beyond the cap: %+v", h)
	}
}
