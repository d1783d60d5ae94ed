package stake

import (
	"context"
	"math"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
)

// Ask is a question to a pool: what an amount buys, or sells for.
type Ask struct {
	NetUID    tao.NetUID
	Sell      bool   // the amount is alpha
	Units     uint64 // rao, or as many parts of an alpha
	Tolerance tao.Percent
}

// Quote is the answer. Prices are TAO for one whole alpha.
type Quote struct {
	TAO        *tao.Amount `json:"tao,omitempty" view:"TAO"`     // goes in
	Alpha      *tao.Alpha  `json:"alpha,omitempty" view:"alpha"` // goes in
	Price      tao.Amount  `json:"price" view:"price (TAO)"`
	AboutAlpha *tao.Alpha  `json:"about_alpha,omitempty" view:"about alpha"` // comes out
	AboutTAO   *tao.Amount `json:"about_tao,omitempty" view:"about TAO"`     // comes out
	LeastAlpha *tao.Alpha  `json:"least_alpha,omitempty" view:"at least alpha with the tolerance"`
	LeastTAO   *tao.Amount `json:"least_tao,omitempty" view:"at least TAO with the tolerance"`
	Limit      *tao.Amount `json:"limit,omitempty" view:"price limit with the tolerance"`
	Fits       bool        `json:"fits" view:"fits the tolerance"` // the price that it leaves is within the limit, where there is one
	Slippage   tao.Percent `json:"about_slippage" view:"about slippage"`
	FeeTAO     *tao.Amount `json:"about_fee_tao,omitempty" view:"about swap fee (TAO)"`
	FeeAlpha   *tao.Alpha  `json:"about_fee_alpha,omitempty" view:"about swap fee (alpha)"`
	After      tao.Amount  `json:"about_price_after" view:"about price after"`
	Limited    bool        `json:"limit_enforced" view:"the runtime enforces a limit"`
}

// Ask prices the amount at the view's block: by the runtime's own reckoning
// where it tells. Errors: *subnet.UnknownError, *chain.MissingError.
func (q Ask) Ask(ctx context.Context, v *chain.View) (Quote, error) {
	pool, err := q.pool(ctx, v)
	if err != nil {
		return Quote{}, err
	}
	name := callAddLimit
	if q.Sell {
		name = callRemoveLimit
	}
	quote := Quote{Price: pool.Price, Limited: pool.Dynamic && hasCall(v.Runtime(), name), Fits: true}
	if q.Sell {
		return quote, q.sell(ctx, v, pool, &quote)
	}
	return quote, q.buy(ctx, v, pool, &quote)
}

func (q Ask) pool(ctx context.Context, v *chain.View) (subnet.Pool, error) {
	if takesNetUID(v.Runtime()) {
		exist, err := subnet.Exist(ctx, v, q.NetUID)
		if err != nil {
			return subnet.Pool{}, err
		}
		if !exist[0] {
			return subnet.Pool{}, &subnet.UnknownError{NetUID: q.NetUID, Block: v.Number()}
		}
	} else if q.NetUID != tao.Root {
		return subnet.Pool{}, noSubnets(v.Runtime())
	}
	pools, err := subnet.Pools(ctx, v, q.NetUID)
	return pools[q.NetUID], err
}

func (q Ask) buy(ctx context.Context, v *chain.View, pool subnet.Pool, quote *Quote) error {
	in := tao.Amount(q.Units)
	t, err := pool.SimulateBuy(ctx, v, in)
	if err != nil {
		return err
	}
	quote.TAO, quote.AboutAlpha, quote.FeeTAO, quote.After = &in, &t.Alpha, nonzero(t.TAOFee), t.After
	quote.Slippage = slippage(ratio(uint64(in), subnet.Unit, uint64(pool.Price)), uint64(t.Alpha))
	if quote.Limited {
		limit := limitOver(pool.Price, q.Tolerance)
		quote.Limit, quote.Fits = &limit, t.After <= limit
		quote.LeastAlpha = some(tao.Alpha(ratio(uint64(in.Less(t.TAOFee)), subnet.Unit, uint64(limit))))
	}
	return nil
}

func (q Ask) sell(ctx context.Context, v *chain.View, pool subnet.Pool, quote *Quote) error {
	in := tao.Alpha(q.Units)
	t, err := pool.SimulateSell(ctx, v, in)
	if err != nil {
		return err
	}
	quote.Alpha, quote.AboutTAO, quote.After = &in, &t.TAO, t.After
	quote.FeeTAO, quote.FeeAlpha = nonzero(t.TAOFee), nonzero(t.AlphaFee)
	quote.Slippage = slippage(uint64(pool.Value(in)), uint64(t.TAO))
	if quote.Limited {
		limit := limitUnder(pool.Price, q.Tolerance)
		quote.Limit, quote.Fits = &limit, t.After >= limit
		quote.LeastTAO = some(tao.Amount(ratio(uint64(in-t.AlphaFee), uint64(limit), subnet.Unit)).Less(t.TAOFee))
	}
	return nil
}

// Step is one size of a depth plot.
type Step struct {
	TAO        *tao.Amount `json:"tao,omitempty" view:"TAO"`
	Alpha      *tao.Alpha  `json:"alpha,omitempty"`
	AboutAlpha *tao.Alpha  `json:"about_alpha,omitempty" view:"buys about (alpha)"`
	AboutTAO   *tao.Amount `json:"about_tao,omitempty" view:"sells for about (TAO)"`
	Slippage   tao.Percent `json:"about_slippage" view:"-"`
}

// depths are the sizes of a depth plot, in thousandths of the reserve that
// goes in.
var depths = []uint64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}

// Depth prices a ladder of sizes, from a thousandth of the pool to all of it,
// by own arithmetic: what matters is the course.
func (q Ask) Depth(ctx context.Context, v *chain.View) ([]Step, error) {
	pool, err := q.pool(ctx, v)
	if err != nil || !pool.Dynamic {
		return nil, err
	}
	var steps []Step
	for _, parts := range depths {
		steps = append(steps, q.step(pool, parts))
	}
	return steps, nil
}

func (q Ask) step(pool subnet.Pool, parts uint64) Step {
	if q.Sell {
		in := tao.Alpha(ratio(uint64(pool.Alpha), parts, 1000))
		t := pool.Sell(in)
		return Step{Alpha: &in, AboutTAO: &t.TAO, Slippage: slippage(uint64(pool.Value(in)), uint64(t.TAO))}
	}
	in := tao.Amount(min(ratio(uint64(pool.TAO), parts, 1000), math.MaxInt64))
	t := pool.Buy(in)
	return Step{TAO: &in, AboutAlpha: &t.Alpha, Slippage: slippage(ratio(uint64(in), subnet.Unit, uint64(pool.Price)), uint64(t.Alpha))}
}
