package stake

import (
	"context"
	"fmt"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Want is what a plan file asks for.
type Want struct {
	Targets             // Free is filled in by Compare
	Keep    tao.Amount  // TAO that stays free; transaction fees come out of it
	Least   tao.Amount  // TAO: the smallest trade that is worth making
	Terms   Terms       // of each trade
	Spend   *tao.Amount // TAO: no more of the free balance may go, whatever has come in since; nil: all beyond Keep
}

// spread is how much of the free TAO goes to the targets.
func (w Want) spread(free tao.Amount) tao.Amount {
	free = free.Less(w.Keep)
	if w.Spend != nil {
		free = min(free, *w.Spend)
	}
	return free
}

// Difference is what lies between a coldkey's stake and what is wanted, at one
// block.
type Difference struct {
	Block     uint32      `json:"block"`
	Coldkey   tao.Account `json:"coldkey"`
	Free      tao.Amount  `json:"free" view:"free (TAO)"`
	Keep      tao.Amount  `json:"keep" view:"stays free (TAO)"`
	Tolerance tao.Percent `json:"tolerance"`
	Positions []Position  `json:"positions" view:"-"`
	Deeds     []Deed      `json:"changes" view:"changes"`
	Cost      tao.Amount  `json:"about_cost" view:"costs about (TAO)"` // slippage and swap fees; transaction fees come on top

	// Spread is the free TAO that goes to the targets, and Prices are those of
	// the subnets concerned.
	Spread tao.Amount                `json:"-" view:"-"`
	Prices map[tao.NetUID]tao.Amount `json:"-" view:"-"`
}

// Compare finds the difference at a view. Errors: *TargetError,
// *subnet.UnknownError.
func (w Want) Compare(ctx context.Context, v *chain.View, coldkey tao.Account) (Difference, error) {
	held, err := Of(ctx, v, coldkey)
	if err != nil {
		return Difference{}, err
	}
	funds, err := tx.FundsOf(ctx, v, coldkey)
	if err != nil {
		return Difference{}, err
	}
	netuids := netuidsOf(held.Positions)
	for _, t := range w.List {
		netuids = append(netuids, t.NetUID)
	}
	slices.Sort(netuids)
	netuids = slices.Compact(netuids)
	if err := subnet.Check(ctx, v, netuids...); err != nil {
		return Difference{}, err
	}
	pools, err := subnet.Pools(ctx, v, netuids...)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{
		Block: v.Number(), Coldkey: coldkey, Free: funds[0].Free, Keep: w.Keep, Tolerance: w.Terms.Tolerance,
		Positions: held.Positions, Spread: w.spread(funds[0].Spendable(true)), Prices: map[tao.NetUID]tao.Amount{},
	}
	for id, pool := range pools {
		d.Prices[id] = pool.Price
	}
	w.Free = d.Spread
	d.Deeds, err = w.Diff(held.Positions, pools, w.Least)
	for _, deed := range d.Deeds {
		d.Cost = more(d.Cost, deed.Cost)
	}
	return d, err
}

// Sales are the changes that come before purchases: moves, swaps and sales.
func (d Difference) Sales() []Deed {
	return slices.DeleteFunc(slices.Clone(d.Deeds), Deed.buys)
}

// Purchases are the others.
func (d Difference) Purchases() []Deed {
	return slices.DeleteFunc(slices.Clone(d.Deeds), func(deed Deed) bool { return !deed.buys() })
}

// First are the changes of the first transaction.
func (d Difference) First() []Deed {
	if sales := d.Sales(); len(sales) > 0 {
		return sales
	}
	return d.Purchases()
}

func (d Deed) buys() bool { return d.Action == "add" }

// Plan plans one transaction of some of a difference's changes: one call, or one
// atomic batch.
func (w Want) Plan(ctx context.Context, v *chain.View, d Difference, deeds []Deed) (tx.Plan, error) {
	intents := make([]Intent, len(deeds))
	var spends tao.Amount
	for i, deed := range deeds {
		intents[i] = deed.Intent(d.Coldkey, w.Terms)
		if deed.TAO != nil {
			spends = more(spends, *deed.TAO)
		}
	}
	if spends > d.Spread {
		return tx.Plan{}, fmt.Errorf("the plan takes %s TAO, and beside the %s that stay there are %s", spends, w.Keep, d.Spread)
	}
	return Plan(ctx, v, intents...)
}

// MovedError says that a price is no longer about the one that was agreed to.
type MovedError struct {
	NetUID      tao.NetUID
	Agreed, Now tao.Amount // TAO for one alpha
	Tolerance   tao.Percent
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("the price of subnet %d was %s TAO when the plan was agreed to and is %s now, which is more than %s off; nothing more was sent", e.NetUID, e.Agreed, e.Now, e.Tolerance)
}

// Steady checks that the prices at which changes of now buy have not risen, and
// those at which they sell not fallen, by more than the tolerance since d was
// agreed to. A plan's own sales may have moved them; they count like all others.
// Errors: *MovedError.
func (d Difference) Steady(now Difference, deeds []Deed) error {
	for _, deed := range deeds {
		sold, bought := &deed.NetUID, deed.ToNetUID
		switch {
		case deed.buys():
			sold, bought = nil, &deed.NetUID
		case deed.ToHotkey != nil && bought == nil:
			continue // within a subnet nothing is traded but with itself
		}
		for _, leg := range []struct {
			netuid *tao.NetUID
			worse  func(agreed, now tao.Amount) bool
		}{
			{sold, func(agreed, now tao.Amount) bool { return now < agreed }},
			{bought, func(agreed, now tao.Amount) bool { return now > agreed }},
		} {
			if leg.netuid == nil {
				continue
			}
			agreed, is := d.Prices[*leg.netuid], now.Prices[*leg.netuid]
			if leg.worse(agreed, is) && Apart(agreed, is) > d.Tolerance {
				return &MovedError{NetUID: *leg.netuid, Agreed: agreed, Now: is, Tolerance: d.Tolerance}
			}
		}
	}
	return nil
}
