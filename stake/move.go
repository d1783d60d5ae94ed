package stake

import (
	"context"
	"errors"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Move takes stake to another hotkey, another subnet, or another coldkey,
// without it becoming TAO in between.
type Move struct {
	Coldkey, Hotkey tao.Account
	NetUID          tao.NetUID
	ToHotkey        tao.Account
	ToNetUID        tao.NetUID
	ToColdkey       *tao.Account // nil: it stays with Coldkey
	Amount          tao.Alpha    // ignored where All is set
	All             bool
	Terms           Terms
}

func (o Move) signer() tao.Account { return o.Coldkey }
func (o Move) places() []place {
	return []place{{o.Hotkey, o.NetUID}, {o.ToHotkey, o.ToNetUID}}
}

// Plan is [Plan] for this intent alone.
func (o Move) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) { return Plan(ctx, v, o) }

func (o Move) plan(ctx context.Context, m *market) (tx.Plan, error) {
	from := place{o.Hotkey, o.NetUID}
	if err := o.check(m); err != nil {
		return tx.Plan{}, err
	}
	amount, err := m.take(from, o.Amount, o.All)
	if err != nil {
		return tx.Plan{}, err
	}
	preview := Preview{
		Action: o.action(), Hotkey: o.Hotkey, NetUID: o.NetUID, Alpha: &amount, Staked: m.staked[from],
		ToHotkey: &o.ToHotkey, ToNetUID: &o.ToNetUID, ToColdkey: o.ToColdkey, Price: subnet.Unit, After: subnet.Unit,
	}
	p := tx.Plan{Signer: o.Coldkey, Spend: new(tao.Amount)}
	name, limited := o.callName(m.rt)
	p.Call = o.call(name, amount)
	if o.resells(m) {
		err := o.resell(m, amount, &preview)
		p.Preview = preview
		return p, err
	}
	if !o.trades(m) {
		if worth := m.pools[o.NetUID].Value(amount); worth < m.least {
			return tx.Plan{}, &BelowMinimumError{What: "what is moved", TAO: worth, Least: m.least}
		}
		preview.LeastAlpha = some(amount - min(1, amount)) // share pools round by a unit at most
		p.Preview = preview
		return p, nil
	}
	err = o.price(ctx, m, amount, &preview)
	switch {
	case err != nil:
		return tx.Plan{}, err
	case limited:
		err = o.bound(&p, &preview)
	case o.Terms.AcceptNoLimit:
		p.Warnings = append(p.Warnings, unlimited(o.what()))
	default:
		err = &NoLimitError{What: o.what(), Instead: o.instead(m.rt)}
	}
	p.Preview = preview
	return p, err
}

func (o Move) check(m *market) error {
	if o.ToColdkey == nil && o.Hotkey == o.ToHotkey && o.NetUID == o.ToNetUID {
		return errors.New("the stake is there already")
	}
	for _, id := range []tao.NetUID{o.NetUID, o.ToNetUID} {
		if err := m.checkOpen(id); err != nil {
			return err
		}
		if o.ToColdkey != nil && !m.transfers[id] && has(m.rt, transferToggle.Pallet, transferToggle.Name) {
			return &ClosedError{NetUID: id, Reason: "does not let stake be given to another coldkey"}
		}
	}
	return m.checkHotkey(o.ToHotkey)
}

// trades reports whether the move goes through a pool: not within one subnet,
// nor between subnets that exchange one to one.
func (o Move) trades(m *market) bool {
	return o.NetUID != o.ToNetUID && (m.pools[o.NetUID].Dynamic || m.pools[o.ToNetUID].Dynamic)
}

// freeWithin is the first release whose moves within a subnet cost nothing
// (pallets/subtensor/src/staking/stake_utils.rs, transfer_stake_within_subnet,
// commit 904d7f51a). Before it the stake is sold and bought again. Runtime 293
// does, as a test on it shows.
const freeWithin = 297

// resells reports whether a move within a subnet sells the stake and buys it
// back.
func (o Move) resells(m *market) bool {
	return o.NetUID == o.ToNetUID && m.pools[o.NetUID].Dynamic && m.rt.Spec().SpecVersion < freeWithin
}

// resell reckons a move that sells and buys back in one call. Nothing comes in
// between, so the price is not at stake: what is lost is the fee.
func (o Move) resell(m *market, amount tao.Alpha, p *Preview) error {
	pool := m.pools[o.NetUID]
	rate, flat := pool.FeeRate, pool.FlatFee
	if m.rt.Spec().SpecVersion >= feeOnBuying {
		pool.FeeRate = 0
	}
	sold := pool.Sell(amount)
	pool.TAO, pool.Alpha, pool.Price = pool.TAO.Less(sold.TAO+sold.TAOFee), pool.Alpha+amount, sold.After
	pool.FeeRate, pool.FlatFee = rate, 0
	bought := pool.Buy(sold.TAO)
	if sold.TAO < m.least {
		return &BelowMinimumError{What: "what is moved", TAO: sold.TAO, Least: m.least}
	}
	start := m.start[o.NetUID]
	p.Price, p.After, p.AboutAlpha = start.Price, bought.After, &bought.Alpha
	p.FeeTAO, p.FeeAlpha = nonzero(sold.TAOFee+bought.TAOFee), nonzero(sold.AlphaFee)
	p.Slippage = slippage(uint64(amount), uint64(bought.Alpha))
	pool.TAO, pool.Alpha, pool.Price = pool.TAO+sold.TAO, pool.Alpha-min(pool.Alpha, bought.Alpha), bought.After
	pool.FlatFee = flat
	m.pools[o.NetUID], m.traded[o.NetUID] = pool, true
	return nil
}

func (o Move) action() string {
	switch {
	case o.ToColdkey != nil:
		return "transfer"
	case o.Hotkey == o.ToHotkey:
		return "swap"
	}
	return "move"
}

func (o Move) what() string {
	switch o.action() {
	case "transfer":
		return "giving stake away in another subnet"
	case "swap":
		return "swapping stake between subnets"
	}
	return "moving stake to another hotkey and subnet"
}

// instead names the bounded way to the same place, in two transactions.
func (o Move) instead(rt *chain.Runtime) string {
	if !hasCall(rt, callSwapLimit) {
		return ""
	}
	if o.ToColdkey != nil {
		return "swap it to the other subnet first, then transfer it there"
	}
	return "swap it to the other subnet first, then move it to the other hotkey there"
}

// callName chooses the call, and tells whether it takes a price limit. Within
// one subnet there is no price to bound. At raonet move_stake is the only call.
func (o Move) callName(rt *chain.Runtime) (name string, limited bool) {
	across := o.NetUID != o.ToNetUID
	switch {
	case o.ToColdkey != nil && o.Hotkey != o.ToHotkey:
		return callTransferKey, false
	case o.ToColdkey != nil:
		return callTransfer, false
	case across && o.Hotkey == o.ToHotkey && hasCall(rt, callSwapLimit):
		return callSwapLimit, true
	case across && hasCall(rt, callMoveLimit):
		return callMoveLimit, true
	}
	return callMove, false
}

func (o Move) call(name string, amount tao.Alpha) chain.Call {
	args := chain.Args{"origin_netuid": o.NetUID, "destination_netuid": o.ToNetUID, "alpha_amount": amount}
	switch name {
	case callSwap, callSwapLimit:
		args["hotkey"] = o.Hotkey
	case callTransfer:
		args["hotkey"], args["destination_coldkey"] = o.Hotkey, o.ToColdkey
	case callTransferKey:
		args["destination_coldkey"] = o.ToColdkey
		args["origin_hotkey"], args["destination_hotkey"] = o.Hotkey, o.ToHotkey
	default:
		args["origin_hotkey"], args["destination_hotkey"] = o.Hotkey, o.ToHotkey
	}
	return chain.Call{Pallet: module, Name: name, Args: args}
}

// Releases at which the fee of a move between subnets changed sides
// (pallets/subtensor/src/staking/move_stake.rs, transition_stake_internal).
const (
	feeOnBuying  = 290 // v3.2.0, 33e15d99b: before, both halves paid
	feeOnSelling = 315 // v3.2.7, 96c70a2a8: but on buying where the origin is the root
)

// fees tells which half of a move pays the pool's rate.
func (o Move) fees(m *market) (selling, buying bool) {
	spec := m.rt.Spec().SpecVersion
	switch {
	case m.pools[o.NetUID].FlatFee > 0 || m.pools[o.ToNetUID].FlatFee > 0:
		return m.pools[o.NetUID].Dynamic, !m.pools[o.NetUID].Dynamic
	case spec < feeOnBuying:
		return true, true
	case spec < feeOnSelling:
		return false, true
	}
	return o.NetUID != tao.Root, o.NetUID == tao.Root
}

// withoutFee makes a trade on a pool free, which only own arithmetic can
// reckon, and returns how to undo that.
func (m *market) withoutFee(id tao.NetUID) (undo func()) {
	p := m.pools[id]
	rate, flat := p.FeeRate, p.FlatFee
	p.FeeRate, p.FlatFee = 0, 0
	m.pools[id], m.traded[id] = p, m.traded[id] || p.Dynamic
	return func() {
		after := m.pools[id]
		after.FeeRate, after.FlatFee = rate, flat
		m.pools[id] = after
	}
}

// price reckons both halves of a trade: the origin is sold, the destination
// bought.
func (o Move) price(ctx context.Context, m *market, amount tao.Alpha, p *Preview) error {
	selling, buying := o.fees(m)
	if !selling {
		defer m.withoutFee(o.NetUID)()
	}
	sold, err := m.sell(ctx, o.NetUID, amount)
	if err != nil {
		return err
	}
	if !buying {
		defer m.withoutFee(o.ToNetUID)()
	}
	bought, err := m.buy(ctx, o.ToNetUID, sold.TAO)
	if err != nil {
		return err
	}
	if sold.TAO < m.least {
		return &BelowMinimumError{What: "what is moved", TAO: sold.TAO, Least: m.least}
	}
	p.Price = crossPrice(m.start[o.NetUID].Price, m.start[o.ToNetUID].Price)
	p.After = crossPrice(sold.After, bought.After)
	p.AboutAlpha, p.FeeAlpha = &bought.Alpha, nonzero(sold.AlphaFee)
	p.FeeTAO = nonzero(sold.TAOFee + bought.TAOFee)
	p.Slippage = slippage(ratio(uint64(amount), uint64(p.Price), subnet.Unit), uint64(bought.Alpha))
	return nil
}

// crossPrice is what one whole alpha of the origin is in the destination's, in
// parts of 1e9.
func crossPrice(from, to tao.Amount) tao.Amount {
	return tao.Amount(ratio(uint64(from), subnet.Unit, uint64(to)))
}

// bound puts the limit into the call.
func (o Move) bound(p *tx.Plan, preview *Preview) error {
	limit := limitUnder(preview.Price, o.Terms.Tolerance)
	if !o.Terms.Partial && preview.After < limit {
		return &PriceError{NetUID: o.NetUID, Price: preview.Price, Limit: limit, After: preview.After, Most: "less"}
	}
	preview.Limit, preview.Partial = &limit, o.Terms.Partial
	p.Call.Args["limit_price"], p.Call.Args["allow_partial"] = limit, o.Terms.Partial
	return nil
}
