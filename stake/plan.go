package stake

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// DefaultTolerance is how far a price may move against its taker. It bounds the
// price at which a trade ends, so a single trade pays on average half of it at
// most: 5% lets a trade be about a fortieth of the pool.
const DefaultTolerance = 5 * tao.OnePercent

// Terms are what price is agreed to.
type Terms struct {
	Tolerance tao.Percent // from the price at the view's block
	Partial   bool        // take less where the whole does not fit the limit; else all or nothing

	// AcceptNoLimit agrees to whatever price is met where the runtime has no
	// call with a limit.
	AcceptNoLimit bool
}

// Intent is a change of stake: [Add], [Remove] or [Move].
type Intent interface {
	signer() tao.Account
	places() []place
	plan(ctx context.Context, m *market) (tx.Plan, error)
}

// Preview is what a change of stake does. Numbers called "about" follow the
// market; all others are exact or enforced by the call. Prices are TAO for one
// whole alpha; the price of a move is in alpha of the origin's for one of the
// destination's.
type Preview struct {
	Action     string       `json:"action"` // add, remove, move, swap or transfer
	Hotkey     tao.Account  `json:"hotkey"`
	NetUID     tao.NetUID   `json:"netuid"`
	ToHotkey   *tao.Account `json:"to_hotkey,omitempty"`
	ToNetUID   *tao.NetUID  `json:"to_netuid,omitempty"`
	ToColdkey  *tao.Account `json:"to_coldkey,omitempty"`
	TAO        *tao.Amount  `json:"tao,omitempty" view:"TAO"`     // goes in
	Alpha      *tao.Alpha   `json:"alpha,omitempty" view:"alpha"` // goes in
	All        bool         `json:"all,omitempty"`                // all that is there when it happens
	Price      tao.Amount   `json:"price" view:"price"`
	Limit      *tao.Amount  `json:"limit,omitempty" view:"price limit"` // enforced: the call does nothing past it
	After      tao.Amount   `json:"about_price_after" view:"about price after"`
	AboutTAO   *tao.Amount  `json:"about_tao,omitempty" view:"about TAO"`        // comes out
	AboutAlpha *tao.Alpha   `json:"about_alpha,omitempty" view:"about alpha"`    // comes out
	LeastTAO   *tao.Amount  `json:"least_tao,omitempty" view:"at least TAO"`     // enforced by the limit
	LeastAlpha *tao.Alpha   `json:"least_alpha,omitempty" view:"at least alpha"` // enforced by the limit
	Slippage   tao.Percent  `json:"about_slippage" view:"about slippage"`        // what comes out is so much less than at the price
	FeeTAO     *tao.Amount  `json:"about_fee_tao,omitempty" view:"about swap fee (TAO)"`
	FeeAlpha   *tao.Alpha   `json:"about_fee_alpha,omitempty" view:"about swap fee (alpha)"`
	Partial    bool         `json:"partial,omitempty"`
	Staked     tao.Alpha    `json:"staked" view:"staked there now"`
}

// Plan makes one plan of intents of one coldkey: a single call, or a batch of
// which all happen or none does. What the chain would refuse is refused here.
// Errors: *subnet.UnknownError, *HotkeyError, *ClosedError,
// *BelowMinimumError, *NotStakedError, *PriceError, *NoLimitError,
// *RateLimitError, *chain.MissingError.
func Plan(ctx context.Context, v *chain.View, intents ...Intent) (tx.Plan, error) {
	if len(intents) == 0 {
		return tx.Plan{}, errors.New("no stake was named")
	}
	var places []place
	seen := map[place]bool{}
	for _, i := range intents {
		at := i.places()
		if seen[at[0]] {
			return tx.Plan{}, fmt.Errorf("hotkey %s in subnet %d is named twice", at[0].hotkey, at[0].netuid)
		}
		seen[at[0]] = true
		places = append(places, at...)
	}
	m, err := readMarket(ctx, v, intents[0].signer(), places)
	if err != nil {
		return tx.Plan{}, err
	}
	if err := m.checkRate(ctx); err != nil {
		return tx.Plan{}, err
	}
	plans := make([]tx.Plan, len(intents))
	for n, i := range intents {
		if plans[n], err = i.plan(ctx, m); err != nil {
			return tx.Plan{}, err
		}
		if err := m.rt.Check(plans[n].Call); err != nil {
			return tx.Plan{}, err
		}
	}
	if len(plans) == 1 {
		return plans[0], nil
	}
	return tx.Batch(plans...)
}

// checkRate refuses a second staking operation within TxRateLimit blocks, which
// is the rule before dynamic TAO (spec 103, staking.rs, exceeds_tx_rate_limit).
func (m *market) checkRate(ctx context.Context) error {
	if takesNetUID(m.rt) || has(m.rt, stakingHotkeys.Pallet, stakingHotkeys.Name) {
		return nil
	}
	var limit, last uint64
	err := together(value(ctx, m.v, &limit, txRateLimit), value(ctx, m.v, &last, lastTx, m.coldkey))
	if err != nil {
		return fmt.Errorf("read the rate limit: %w", err)
	}
	if next := last + limit; last > 0 && limit > 0 && next > uint64(m.v.Number()) {
		return &RateLimitError{What: "changing stake", Until: next, Block: m.v.Number()}
	}
	return nil
}

// limitOver is price·(1+tolerance), and limitUnder price·(1-tolerance), both
// floored.
func limitOver(price tao.Amount, t tao.Percent) tao.Amount {
	return scaled(price, uint64(tao.Whole)+uint64(t))
}

func limitUnder(price tao.Amount, t tao.Percent) tao.Amount {
	return scaled(price, uint64(tao.Whole)-uint64(min(t, tao.Whole)))
}

func scaled(price tao.Amount, parts uint64) tao.Amount {
	n := new(big.Int).Mul(big.NewInt(0).SetUint64(uint64(price)), new(big.Int).SetUint64(parts))
	n.Quo(n, new(big.Int).SetUint64(uint64(tao.Whole)))
	if !n.IsUint64() {
		return ^tao.Amount(0)
	}
	return tao.Amount(n.Uint64())
}

// slippage is how much less than expected comes out, rounded up.
func slippage(expected, got uint64) tao.Percent {
	if expected == 0 || got >= expected {
		return 0
	}
	lost := new(big.Int).Mul(new(big.Int).SetUint64(expected-got), new(big.Int).SetUint64(uint64(tao.Whole)))
	lost.Add(lost, new(big.Int).SetUint64(expected-1)).Quo(lost, new(big.Int).SetUint64(expected))
	return tao.Percent(lost.Uint64())
}

// ratio is floor(a·b/c), the largest number where that does not fit, zero where
// c is.
func ratio(a, b, c uint64) uint64 {
	if c == 0 {
		return 0
	}
	n := new(big.Int).Mul(new(big.Int).SetUint64(a), new(big.Int).SetUint64(b))
	n.Quo(n, new(big.Int).SetUint64(c))
	if !n.IsUint64() {
		return ^uint64(0)
	}
	return n.Uint64()
}

// unlimited is the warning of a plan whose price nothing bounds.
func unlimited(what string) tx.Warning {
	return tx.Warning{Code: "no-price-limit", Text: "nothing in this call bounds the price: " + what + " on this runtime pays whatever is asked"}
}

func some[T any](v T) *T { return &v }

// nonzero is nil for zero.
func nonzero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
