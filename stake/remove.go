package stake

import (
	"context"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Remove takes stake back as TAO.
type Remove struct {
	Coldkey, Hotkey tao.Account
	NetUID          tao.NetUID
	Amount          tao.Alpha // ignored where All is set
	All             bool
	Terms           Terms
}

func (r Remove) signer() tao.Account { return r.Coldkey }
func (r Remove) places() []place     { return []place{{r.Hotkey, r.NetUID}} }

// Plan is [Plan] for this intent alone.
func (r Remove) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) { return Plan(ctx, v, r) }

func (r Remove) plan(ctx context.Context, m *market) (tx.Plan, error) {
	from := place{r.Hotkey, r.NetUID}
	amount, err := m.take(from, r.Amount, r.All)
	if err != nil {
		return tx.Plan{}, err
	}
	if err := m.checkOpen(r.NetUID); err != nil {
		return tx.Plan{}, err
	}
	before := m.pools[r.NetUID]
	trade, err := m.sell(ctx, r.NetUID, amount)
	if err != nil {
		return tx.Plan{}, err
	}
	whole := amount == m.staked[from]
	if trade.TAO < m.least && !whole {
		return tx.Plan{}, &BelowMinimumError{What: "what it sells for", TAO: trade.TAO, Least: m.least}
	}
	price := m.start[r.NetUID].Price
	p := tx.Plan{Signer: r.Coldkey, Spend: new(tao.Amount)}
	preview := Preview{
		Action: "remove", Hotkey: r.Hotkey, NetUID: r.NetUID, Alpha: &amount, Price: price, After: trade.After,
		FeeTAO: nonzero(trade.TAOFee), FeeAlpha: nonzero(trade.AlphaFee), Staked: m.staked[from],
		Slippage: slippage(uint64(m.start[r.NetUID].Value(amount)), uint64(trade.TAO)),
	}
	switch {
	case !before.Dynamic:
		preview.LeastTAO = some(tao.Amount(amount))
		p.Call = r.call(m.rt, callRemove, amount)
	case hasCall(m.rt, callRemoveLimit):
		limit := limitUnder(price, r.Terms.Tolerance)
		if err := checkSell(before, trade, limit, r.Terms.Partial); err != nil {
			return tx.Plan{}, err
		}
		r.limit(m, &p, &preview, amount, trade, limit, whole)
	case r.Terms.AcceptNoLimit:
		preview.AboutTAO = &trade.TAO
		p.Call = r.call(m.rt, callRemove, amount)
		p.Warnings = append(p.Warnings, unlimited("removing stake"))
	default:
		return tx.Plan{}, &NoLimitError{What: "removing stake"}
	}
	p.Preview = preview
	return p, nil
}

// limit fills in the bounded call: the one for everything where all goes, so
// that no dust of the blocks in between is left behind.
func (r Remove) limit(m *market, p *tx.Plan, preview *Preview, amount tao.Alpha, t subnet.Trade, limit tao.Amount, whole bool) {
	preview.Limit, preview.AboutTAO, preview.Partial = &limit, &t.TAO, r.Terms.Partial
	if !r.Terms.Partial && m.start[r.NetUID].FlatFee == 0 {
		// The flat fee of specs 233 to 282 grew with what a hotkey earned, so
		// nothing can be promised there.
		preview.LeastTAO = some(tao.Amount(ratio(uint64(amount-t.AlphaFee), uint64(limit), subnet.Unit)))
	}
	if r.All && whole && !r.Terms.Partial && hasCall(m.rt, callRemoveFull) {
		preview.All = true
		p.Call = chain.Call{Pallet: module, Name: callRemoveFull, Args: chain.Args{"hotkey": r.Hotkey, "netuid": r.NetUID, "limit_price": limit}}
		return
	}
	p.Call = r.call(m.rt, callRemoveLimit, amount)
	p.Call.Args["limit_price"], p.Call.Args["allow_partial"] = limit, r.Terms.Partial
}

func (r Remove) call(rt *chain.Runtime, name string, amount tao.Alpha) chain.Call {
	args := chain.Args{"hotkey": r.Hotkey, "amount_unstaked": amount}
	if takesNetUID(rt) {
		args["netuid"] = r.NetUID
	}
	return chain.Call{Pallet: module, Name: name, Args: args}
}
