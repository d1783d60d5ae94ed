package register

import (
	"context"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Burn registers a hotkey by burning what the subnet asks.
type Burn struct {
	Coldkey tao.Account // signs, pays, and owns the hotkey
	Hotkey  tao.Account
	NetUID  tao.NetUID

	// Max is the most that may be burnt; nil is the price at the view's block.
	Max *tao.Amount
}

// BurnPreview is what a registration by burn does.
type BurnPreview struct {
	Hotkey    tao.Account `json:"hotkey"`
	NetUID    tao.NetUID  `json:"netuid"`
	Burn      *tao.Amount `json:"burn_at_most,omitempty" view:"burns at most (TAO)"`             // enforced by the call, where the runtime has one that does
	Checked   *tao.Amount `json:"checked_limit,omitempty" view:"not signed if it is over (TAO)"` // where it has none
	AboutBurn tao.Amount  `json:"about_burn" view:"burns about (TAO)"`                           // the price at Block
	Block     uint32      `json:"block" view:"priced at block"`
	Has       tao.Amount  `json:"coldkey_has" view:"coldkey has (TAO)"`
	Keeps     tao.Amount  `json:"about_coldkey_keeps" view:"coldkey keeps without the fee about (TAO)"`
	FreeSlots uint16      `json:"free_slots" view:"free slots"`
	Replaces  *Candidate  `json:"about_replaces,omitempty" view:"replaces about"`
	ImmuneFor uint16      `json:"immunity_blocks" view:"immune for blocks"`
	NewHotkey bool        `json:"new_hotkey,omitempty" view:"-"` // the coldkey becomes its owner
}

// Plan checks the registration at the view's block. Where the runtime has a
// call that enforces a limit, Max is inside it; where it has none, the plan
// warns, and whoever signs should plan again right before. Errors:
// *UnknownSubnetError, *RegisteredError, *ClosedError, *IntervalError,
// *NotOwnerError, *PriceError.
func (b Burn) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) {
	c, known, err := admit(ctx, v, b.NetUID, b.Hotkey, b.Coldkey)
	if err != nil {
		return tx.Plan{}, err
	}
	limit := c.Burn
	if b.Max != nil {
		limit = *b.Max
	}
	switch {
	case !c.Open:
		return tx.Plan{}, &ClosedError{NetUID: b.NetUID, Reason: "its owner has switched registration off"}
	case c.Burn > limit:
		return tx.Plan{}, &PriceError{NetUID: b.NetUID, Price: c.Burn, Max: limit}
	}
	replaces, err := NextPruned(ctx, v, c)
	if err != nil {
		return tx.Plan{}, err
	}
	funds, err := tx.FundsOf(ctx, v, b.Coldkey)
	if err != nil {
		return tx.Plan{}, err
	}
	return b.plan(v.Runtime(), c.Burn, limit, BurnPreview{
		Hotkey: b.Hotkey, NetUID: b.NetUID, AboutBurn: c.Burn, Block: v.Number(), Has: funds[0].Free,
		Keeps: funds[0].Free.Less(c.Burn), FreeSlots: c.Free, Replaces: replaces, ImmuneFor: c.Immunity, NewHotkey: !known,
	}), nil
}

// plan chooses the call: the one that enforces the limit, if there is one. What
// must be there to pay is the price of now, not the limit.
func (b Burn) plan(rt *chain.Runtime, price, limit tao.Amount, preview BurnPreview) tx.Plan {
	p := tx.Plan{Signer: b.Coldkey, Spend: &price, KeepAlive: true, Call: burnCall(b.NetUID, b.Hotkey)}
	if Enforces(rt) {
		p.Call = burnLimitCall(b.NetUID, b.Hotkey, limit)
		preview.Burn = &limit
	} else {
		preview.Checked = &limit
		p.Warnings = append(p.Warnings, NoLimit(limit))
	}
	if preview.NewHotkey {
		p.Warnings = append(p.Warnings, tx.Warning{Code: "new-hotkey", Text: "the chain does not know the hotkey yet: the coldkey becomes its owner"})
	}
	p.Preview = preview
	return p
}

// NoLimit is what to know where a runtime does not enforce a limit.
func NoLimit(limit tao.Amount) tx.Warning {
	return tx.Warning{Code: "no-limit", Text: fmt.Sprintf(
		"this runtime has no registration with a limit: the price is compared with %s TAO right before signing, and may still rise after that", limit)}
}

// Enforces tells whether a runtime has a registration with a limit, so that
// [Burn.Max] holds whatever happens between signing and inclusion.
func Enforces(rt *chain.Runtime) bool { return hasCall(rt, callBurnLimit) }

// Price is the burn of a subnet at a view's block.
func Price(ctx context.Context, v *chain.View, netuid tao.NetUID) (tao.Amount, error) {
	price, _, err := burns.Get(ctx, v, netuid)
	return tao.Amount(price), err
}

// admit makes the checks that burn and work have in common. known tells whether
// the hotkey has an owner, which is then the coldkey.
func admit(ctx context.Context, v *chain.View, netuid tao.NetUID, hotkey, coldkey tao.Account) (c Cost, known bool, err error) {
	list, err := Costs(ctx, v, netuid)
	if err != nil {
		return c, false, err
	}
	c = list[0]
	if spec := v.Runtime().Spec().SpecVersion; spec < firstSigned {
		return c, false, &ClosedError{NetUID: netuid, Reason: "registration is shut in the code of runtimes this old (RegistrationDisabled)", ForGood: true}
	}
	if known, err = admitHotkey(ctx, v, netuid, hotkey, coldkey); err != nil {
		return c, known, err
	}
	return c, known, c.admits(v.Number())
}

// admitHotkey checks that a hotkey is not in the subnet yet, and nobody else's.
func admitHotkey(ctx context.Context, v *chain.View, netuid tao.NetUID, hotkey, coldkey tao.Account) (known bool, err error) {
	uid, registered, err := uids.Get(ctx, v, netuid, hotkey)
	if err != nil {
		return false, err
	}
	if registered {
		return false, &RegisteredError{Hotkey: hotkey, NetUID: netuid, UID: uid}
	}
	owner, known, err := owners.Get(ctx, v, hotkey)
	if err != nil {
		return false, err
	}
	if known && owner != coldkey {
		return true, &NotOwnerError{Hotkey: hotkey, Coldkey: coldkey, Owner: owner}
	}
	return known, nil
}

// admits checks the slots, and the interval's counter, which gates burn and
// work alike up to 393. The counter of a block begins anew with the next, which
// is the one that matters.
func (c Cost) admits(head uint32) error {
	switch {
	case c.Slots == 0:
		return &ClosedError{NetUID: c.NetUID, Reason: "it has no slot for anybody"}
	case c.Limit > 0 && uint32(c.Taken) >= c.Limit && c.Until > uint64(head)+1:
		return &IntervalError{NetUID: c.NetUID, Taken: c.Taken, Until: c.Until}
	}
	return nil
}

// Root registers a hotkey on the root subnet.
type Root struct{ Coldkey, Hotkey tao.Account }

// RootPreview is what joining the root does: nothing is burnt.
type RootPreview struct {
	Hotkey    tao.Account `json:"hotkey"`
	Neurons   uint16      `json:"neurons"`
	Slots     uint16      `json:"slots"`
	FreeSlots uint16      `json:"free_slots" view:"free slots"` // none: the one with the least stake is replaced, if it has less
	NewHotkey bool        `json:"new_hotkey,omitempty" view:"-"`
}

// Plan checks that the hotkey may join. Errors: *RegisteredError,
// *NotOwnerError, *chain.MissingError before spec 149.
func (r Root) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) {
	call := rootCall(r.Hotkey)
	if err := v.Runtime().Check(call); err != nil {
		return tx.Plan{}, err
	}
	known, err := admitHotkey(ctx, v, 0, r.Hotkey, r.Coldkey)
	if err != nil {
		return tx.Plan{}, err
	}
	read := &reader{ctx: ctx, view: v, keys: netuidKeys([]tao.NetUID{0})}
	n, all := column(read, neurons)[0], column(read, maxUIDs)[0]
	p := RootPreview{Hotkey: r.Hotkey, Neurons: n, Slots: all, NewHotkey: !known}
	if all > n {
		p.FreeSlots = all - n
	}
	return tx.Plan{Call: call, Signer: r.Coldkey, Spend: new(tao.Amount), KeepAlive: true, Preview: p}, read.err
}
