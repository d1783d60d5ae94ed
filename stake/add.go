package stake

import (
	"context"
	"errors"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Add stakes TAO of a coldkey on a hotkey in a subnet.
type Add struct {
	Coldkey, Hotkey tao.Account
	NetUID          tao.NetUID
	Amount          tao.Amount // ignored where All is set
	All             bool       // everything that may leave the account, but [Headroom]
	Terms           Terms
}

// Headroom is what adding everything leaves for the fee: a stake of the largest
// call costs less on every generation whose stake calls are not free.
const Headroom tao.Amount = 500_000

func (a Add) signer() tao.Account { return a.Coldkey }
func (a Add) places() []place     { return []place{{a.Hotkey, a.NetUID}} }

// Plan is [Plan] for this intent alone.
func (a Add) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) { return Plan(ctx, v, a) }

func (a Add) plan(ctx context.Context, m *market) (tx.Plan, error) {
	amount := a.Amount
	if a.All {
		amount = m.funds.Spendable(true).Less(Headroom)
	}
	if amount == 0 {
		return tx.Plan{}, errors.New("a stake of 0 TAO adds nothing")
	}
	if err := errors.Join(m.checkOpen(a.NetUID), m.checkHotkey(a.Hotkey)); err != nil {
		return tx.Plan{}, err
	}
	before := m.pools[a.NetUID]
	trade, err := m.buy(ctx, a.NetUID, amount)
	if err != nil {
		return tx.Plan{}, err
	}
	if least := m.least + trade.TAOFee; amount < least {
		return tx.Plan{}, &BelowMinimumError{What: "the amount", TAO: amount, Least: least}
	}
	p := tx.Plan{Signer: a.Coldkey, Spend: &amount, KeepAlive: true}
	price := m.start[a.NetUID].Price
	preview := Preview{
		Action: "add", Hotkey: a.Hotkey, NetUID: a.NetUID, TAO: &amount, Price: price, After: trade.After,
		FeeTAO: nonzero(trade.TAOFee), Staked: m.staked[place{a.Hotkey, a.NetUID}],
		Slippage: slippage(ratio(uint64(amount), subnet.Unit, uint64(price)), uint64(trade.Alpha)),
	}
	switch {
	case !before.Dynamic:
		preview.AboutAlpha, preview.LeastAlpha = nil, some(tao.Alpha(amount))
		p.Call = a.call(m.rt, callAdd, amount)
	case hasCall(m.rt, callAddLimit):
		limit := limitOver(price, a.Terms.Tolerance)
		if err := checkBuy(before, trade, limit, a.Terms.Partial); err != nil {
			return tx.Plan{}, err
		}
		preview.Limit, preview.AboutAlpha, preview.Partial = &limit, &trade.Alpha, a.Terms.Partial
		if !a.Terms.Partial {
			preview.LeastAlpha = some(tao.Alpha(ratio(uint64(amount-trade.TAOFee), subnet.Unit, uint64(limit))))
		}
		p.Call = a.call(m.rt, callAddLimit, amount)
		p.Call.Args["limit_price"], p.Call.Args["allow_partial"] = limit, a.Terms.Partial
	case a.Terms.AcceptNoLimit:
		preview.AboutAlpha = &trade.Alpha
		p.Call = a.call(m.rt, callAdd, amount)
		p.Warnings = append(p.Warnings, unlimited("adding stake"))
	default:
		return tx.Plan{}, &NoLimitError{What: "adding stake"}
	}
	p.Preview = preview
	return p, nil
}

func (a Add) call(rt *chain.Runtime, name string, amount tao.Amount) chain.Call {
	args := chain.Args{"hotkey": a.Hotkey, "amount_staked": amount}
	if takesNetUID(rt) {
		args["netuid"] = a.NetUID
	}
	return chain.Call{Pallet: module, Name: name, Args: args}
}

// checkBuy refuses a purchase that would end over the limit: the chain would
// include it, charge its fee, and do nothing.
func checkBuy(p subnet.Pool, t subnet.Trade, limit tao.Amount, partial bool) error {
	if p.Price > limit || !partial && t.After > limit {
		return &PriceError{NetUID: p.NetUID, Price: p.Price, Limit: limit, After: t.After, Most: p.MostBuy(limit).String() + " TAO"}
	}
	return nil
}

// checkSell refuses a sale that would end under the limit.
func checkSell(p subnet.Pool, t subnet.Trade, limit tao.Amount, partial bool) error {
	if p.Price < limit || !partial && t.After < limit {
		return &PriceError{NetUID: p.NetUID, Price: p.Price, Limit: limit, After: t.After, Most: p.MostSell(limit).String() + " alpha"}
	}
	return nil
}
