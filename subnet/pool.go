package subnet

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Unit is the scale of prices and amounts: 1e9 rao to the TAO, and as many
// parts to the alpha. A price is in rao for one whole alpha.
const Unit = 1_000_000_000

// Pool is the market of one subnet at one block: what it holds, what it asks
// and what it takes for itself.
type Pool struct {
	NetUID tao.NetUID

	// Dynamic subnets have an alpha with a price. All others, the root and
	// whatever was before dynamic TAO, exchange one to one and for nothing.
	Dynamic bool

	TAO   tao.Amount // reserve
	Alpha tao.Alpha  // reserve
	Price tao.Amount // rao for one whole alpha, before any trade

	// FeeRate is what a trade leaves with the pool, of what goes in, in parts
	// of 65,535 (swap/src/pallet/mod.rs, from spec 283).
	FeeRate uint16
	// FlatFee is taken from the TAO of a trade (specs 233 to 282).
	FlatFee tao.Amount

	// Exact says that the runtime's pool is the constant product of its
	// reserves (specs before 283). Later pools have ticks or weights; then the
	// own arithmetic is that of a constant product at the same price, and its
	// results are estimates.
	Exact bool
}

// Trade is what a pool gives for what goes in.
type Trade struct {
	TAO      tao.Amount // in, or out
	Alpha    tao.Alpha  // out, or in
	TAOFee   tao.Amount // part of what goes in that the pool keeps; or of what comes out, where it was flat
	AlphaFee tao.Alpha
	After    tao.Amount // the price that the trade leaves
}

// flatFee is the fee of every staking operation from spec 233 to 282
// (pallets/subtensor/src/staking/stake_utils.rs, DefaultStakingFee).
const flatFee tao.Amount = 50_000

// Pools reads the markets of subnets, in a number of requests that does not
// depend on how many there are.
func Pools(ctx context.Context, v *chain.View, netuids ...tao.NetUID) (map[tao.NetUID]Pool, error) {
	rt := v.Runtime()
	pools := make(map[tao.NetUID]Pool, len(netuids))
	if !has(rt, taoIn.Pallet, taoIn.Name) {
		for _, id := range netuids {
			pools[id] = Pool{NetUID: id, Price: Unit, Exact: true}
		}
		return pools, nil
	}
	netuids = distinct(netuids)
	var r reserves
	if err := r.read(ctx, v, netuids); err != nil {
		return nil, fmt.Errorf("read the pools of %d subnets: %w", len(netuids), err)
	}
	for i, id := range netuids {
		pools[id] = r.pool(rt, i, id)
	}
	return pools, nil
}

func distinct(netuids []tao.NetUID) []tao.NetUID {
	list := slices.Clone(netuids)
	slices.Sort(list)
	return slices.Compact(list)
}

// reserves are the columns behind a pool.
type reserves struct {
	tao, alpha, taoMore, alphaMore []uint64
	mechanism, fee                 []uint16
	started                        []bool
	root                           []fixed // of the price
	prices                         map[tao.NetUID]uint64
}

func (r *reserves) read(ctx context.Context, v *chain.View, netuids []tao.NetUID) error {
	return together(
		column(ctx, v, &r.tao, taoIn, netuids),
		column(ctx, v, &r.alpha, alphaIn, netuids),
		column(ctx, v, &r.taoMore, taoProvided, netuids),
		column(ctx, v, &r.alphaMore, alphaProvided, netuids),
		column(ctx, v, &r.mechanism, mechanisms, netuids),
		column(ctx, v, &r.fee, feeRates, netuids),
		column(ctx, v, &r.started, initialized, netuids),
		column(ctx, v, &r.root, sqrtPrices, netuids),
		func() error { return r.ask(ctx, v) },
	)
}

// ask asks the runtime for its prices, where it gives all of them at once.
func (r *reserves) ask(ctx context.Context, v *chain.View) error {
	if !hasAPI(v.Runtime(), currentPriceAll.Trait, currentPriceAll.Method) {
		return nil
	}
	all, err := currentPriceAll.Call(ctx, v)
	if err != nil {
		return err
	}
	r.prices = make(map[tao.NetUID]uint64, len(all))
	for _, p := range all {
		r.prices[p.NetUID] = p.Price
	}
	return nil
}

func (r *reserves) pool(rt *chain.Runtime, i int, id tao.NetUID) Pool {
	p := Pool{NetUID: id, Price: Unit, Exact: true, Dynamic: id != tao.Root && r.mechanism[i] == 1}
	if !p.Dynamic {
		return p
	}
	p.TAO = tao.Amount(r.tao[i] + r.taoMore[i])
	p.Alpha = tao.Alpha(r.alpha[i] + r.alphaMore[i])
	p.FeeRate = r.fee[i]
	switch {
	case has(rt, feeRates.Pallet, feeRates.Name):
		p.Exact = false
	case hasCall(rt, "add_stake_limit"):
		p.FlatFee = flatFee
	}
	p.Price = r.price(i, id, p)
	return p
}

// price is the runtime's own where it tells it, else that of the tick at which
// the pool stands, else that of the reserves.
func (r *reserves) price(i int, id tao.NetUID, p Pool) tao.Amount {
	if told, ok := r.prices[id]; ok {
		return tao.Amount(told)
	}
	if r.started[i] && r.root[i].Bits.Sign() > 0 {
		root := &r.root[i].Bits // U64F64
		square := new(big.Int).Mul(root, root)
		square.Mul(square, big.NewInt(Unit)).Rsh(square, 128)
		if square.IsUint64() {
			return tao.Amount(square.Uint64())
		}
	}
	return spot(uint64(p.TAO), uint64(p.Alpha))
}

func hasCall(rt *chain.Runtime, name string) bool {
	p := rt.Metadata().Pallet(module)
	return p != nil && p.Call(name) != nil
}

// spot is the price of reserves; nothing has a price where there is no alpha.
func spot(t, a uint64) tao.Amount {
	if a == 0 {
		return 0
	}
	return tao.Amount(mulDiv(t, Unit, a))
}

// mulDiv is floor(a*b/c), or the largest number where that does not fit.
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// reserve is the pair that own arithmetic works on.
func (p Pool) reserve() (t, a uint64) {
	t, a = uint64(p.TAO), uint64(p.Alpha)
	if !p.Exact && p.Price > 0 {
		a = mulDiv(t, Unit, uint64(p.Price))
	}
	return t, a
}

// feeOf is the rate's part of what goes in.
func (p Pool) feeOf(in uint64) uint64 { return mulDiv(in, uint64(p.FeeRate), math.MaxUint16) }

// Value is what alpha is worth at the price before any trade.
func (p Pool) Value(a tao.Alpha) tao.Amount {
	return tao.Amount(mulDiv(uint64(a), uint64(p.Price), Unit))
}

// Buy is what TAO buys, by own arithmetic.
func (p Pool) Buy(in tao.Amount) Trade {
	if !p.Dynamic {
		return Trade{TAO: in, Alpha: tao.Alpha(in), After: p.Price}
	}
	fee := tao.Amount(p.feeOf(uint64(in))) + min(p.FlatFee, in)
	t, a := p.reserve()
	x := uint64(in.Less(fee))
	whole, carry := bits.Add64(t, x, 0)
	if carry != 0 || whole == 0 {
		return Trade{TAO: in, TAOFee: fee, After: p.Price}
	}
	out := mulDiv(a, x, whole)
	return Trade{TAO: in, Alpha: tao.Alpha(out), TAOFee: fee, After: spot(whole, a-out)}
}

// Sell is what alpha sells for, by own arithmetic.
func (p Pool) Sell(in tao.Alpha) Trade {
	if !p.Dynamic {
		return Trade{TAO: tao.Amount(in), Alpha: in, After: p.Price}
	}
	fee := p.feeOf(uint64(in))
	t, a := p.reserve()
	y := uint64(in) - fee
	whole, carry := bits.Add64(a, y, 0)
	if carry != 0 || whole == 0 {
		return Trade{Alpha: in, AlphaFee: tao.Alpha(fee), After: p.Price}
	}
	out := tao.Amount(mulDiv(t, y, whole))
	flat := min(p.FlatFee, out)
	return Trade{TAO: out - flat, Alpha: in, TAOFee: flat, AlphaFee: tao.Alpha(fee), After: spot(t-uint64(out), whole)}
}

// MostBuy is the largest input that leaves the price at or under a limit: the
// fee included, by own arithmetic.
func (p Pool) MostBuy(limit tao.Amount) tao.Amount {
	t, a := p.reserve()
	// (t+x)² = k·limit/1e9, where k = t·a.
	end := new(big.Int).Mul(product(t, a), new(big.Int).SetUint64(uint64(limit)))
	end.Sqrt(end.Quo(end, big.NewInt(Unit)))
	return tao.Amount(p.withFee(less(end, t)))
}

// MostSell is the largest input that leaves the price at or over a limit.
func (p Pool) MostSell(limit tao.Amount) tao.Alpha {
	if limit == 0 {
		return math.MaxUint64
	}
	t, a := p.reserve()
	// (a+y)² = k·1e9/limit.
	end := new(big.Int).Mul(product(t, a), big.NewInt(Unit))
	end.Sqrt(end.Quo(end, new(big.Int).SetUint64(uint64(limit))))
	return tao.Alpha(p.withFee(less(end, a)))
}

func product(a, b uint64) *big.Int {
	return new(big.Int).Mul(new(big.Int).SetUint64(a), new(big.Int).SetUint64(b))
}

// less is end-start, zero where start is not below, and capped.
func less(end *big.Int, start uint64) uint64 {
	end.Sub(end, new(big.Int).SetUint64(start))
	switch {
	case end.Sign() <= 0:
		return 0
	case !end.IsUint64():
		return math.MaxUint64
	}
	return end.Uint64()
}

// withFee adds to a net input the fee that is taken from it.
func (p Pool) withFee(net uint64) uint64 {
	gross := mulDiv(net, math.MaxUint16, math.MaxUint16-uint64(p.FeeRate))
	sum, carry := bits.Add64(gross, uint64(p.FlatFee), 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

// SimulateBuy has the runtime itself calculate what TAO buys, where it can
// (from spec 315); else it is [Pool.Buy].
func (p Pool) SimulateBuy(ctx context.Context, v *chain.View, in tao.Amount) (Trade, error) {
	own := p.Buy(in)
	if !p.Dynamic || !hasAPI(v.Runtime(), simTAOForAlpha.Trait, simTAOForAlpha.Method) {
		return own, nil
	}
	s, err := simTAOForAlpha.Call(ctx, v, p.NetUID, uint64(in))
	if err != nil {
		return Trade{}, fmt.Errorf("simulate buying on subnet %d: %w", p.NetUID, err)
	}
	return Trade{TAO: in, Alpha: tao.Alpha(s.AlphaAmount), TAOFee: tao.Amount(s.TaoFee), After: own.After}, nil
}

// SimulateSell has the runtime itself calculate what alpha sells for, where it
// can; else it is [Pool.Sell].
func (p Pool) SimulateSell(ctx context.Context, v *chain.View, in tao.Alpha) (Trade, error) {
	own := p.Sell(in)
	if !p.Dynamic || !hasAPI(v.Runtime(), simAlphaForTAO.Trait, simAlphaForTAO.Method) {
		return own, nil
	}
	s, err := simAlphaForTAO.Call(ctx, v, p.NetUID, uint64(in))
	if err != nil {
		return Trade{}, fmt.Errorf("simulate selling on subnet %d: %w", p.NetUID, err)
	}
	return Trade{TAO: tao.Amount(s.TaoAmount), Alpha: in, AlphaFee: tao.Alpha(s.AlphaFee), After: own.After}, nil
}
