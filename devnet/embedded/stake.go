package embedded

import (
	"math/big"
	"slices"

	"github.com/taoctl/taoctl/tao"
)

const (
	subtensorName = "SubtensorModule"
	root          = uint16(0)
	minimumStake  = 2_000_000 // rao (InitialMinStake)
)

// The state of subnets and of stake.
var (
	issuance    = item[uint64]{subtensorName, "TotalIssuance"}
	totalStake  = item[uint64]{subtensorName, "TotalStake"}
	networks    = item[bool]{subtensorName, "NetworksAdded"}
	subnetTAO   = item[uint64]{subtensorName, "SubnetTAO"}
	alphaIn     = item[uint64]{subtensorName, "SubnetAlphaIn"}
	alphaOut    = item[uint64]{subtensorName, "SubnetAlphaOut"}
	subtoken    = item[bool]{subtensorName, "SubtokenEnabled"}
	toggle      = item[bool]{subtensorName, "TransferToggle"}
	feeRate     = item[uint16]{"Swap", "FeeRate"}
	owner       = item[tao.Account]{subtensorName, "Owner"}
	owned       = item[[]tao.Account]{subtensorName, "OwnedHotkeys"}
	staking     = item[[]tao.Account]{subtensorName, "StakingHotkeys"}
	shares      = item[fixed]{subtensorName, "Alpha"}             // hotkey, coldkey, netuid
	allShares   = item[fixed]{subtensorName, "TotalHotkeyShares"} // hotkey, netuid
	hotkeyAlpha = item[uint64]{subtensorName, "TotalHotkeyAlpha"} // hotkey, netuid
	autoStake   = item[tao.Account]{subtensorName, "AutoStakeDestination"}
)

// fixed is a U64F64 by its bits.
type fixed struct{ Bits big.Int }

func fail(name string) error { return moduleError{subtensorName, name} }

// place is where stake lies.
type place struct {
	hotkey, coldkey tao.Account
	netuid          uint16
}

// stakeAt is what a coldkey has at a place: its part of what the hotkey has there,
// which grows by what the hotkey earns.
func (x *exec) stakeAt(p place) uint64 {
	mine, all := shares.get(x, p.hotkey, p.coldkey, p.netuid), allShares.get(x, p.hotkey, p.netuid)
	if all.Bits.Sign() == 0 {
		return 0
	}
	n := new(big.Int).SetUint64(hotkeyAlpha.get(x, p.hotkey, p.netuid))
	n.Mul(n, &mine.Bits)
	return n.Div(n, &all.Bits).Uint64()
}

// give adds stake at a place.
func (x *exec) give(p place, amount uint64) {
	mine, all := shares.get(x, p.hotkey, p.coldkey, p.netuid), allShares.get(x, p.hotkey, p.netuid)
	have := hotkeyAlpha.get(x, p.hotkey, p.netuid)
	part := new(big.Int).SetUint64(amount)
	if have == 0 || all.Bits.Sign() == 0 {
		part.Lsh(part, 64) // a share for each
	} else {
		part.Mul(part, &all.Bits)
		part.Div(part, new(big.Int).SetUint64(have))
	}
	mine.Bits.Add(&mine.Bits, part)
	all.Bits.Add(&all.Bits, part)
	x.keep(p, mine, all, have+amount)
	if list := staking.get(x, p.coldkey); !slices.Contains(list, p.hotkey) {
		staking.set(x, append(list, p.hotkey), p.coldkey)
	}
}

// take removes stake from a place, which has it.
func (x *exec) take(p place, amount uint64) {
	mine, all := shares.get(x, p.hotkey, p.coldkey, p.netuid), allShares.get(x, p.hotkey, p.netuid)
	have := hotkeyAlpha.get(x, p.hotkey, p.netuid)
	part := new(big.Int).Set(&mine.Bits)
	if amount < x.stakeAt(p) {
		part.SetUint64(amount)
		part.Mul(part, &all.Bits)
		part.Add(part, new(big.Int).SetUint64(have-1)) // rounded up: others must not pay
		part.Div(part, new(big.Int).SetUint64(have))
	}
	mine.Bits.Sub(&mine.Bits, part)
	all.Bits.Sub(&all.Bits, part)
	x.keep(p, mine, all, have-amount)
}

func (x *exec) keep(p place, mine, all fixed, alpha uint64) {
	if mine.Bits.Sign() == 0 {
		shares.remove(x, p.hotkey, p.coldkey, p.netuid)
	} else {
		shares.set(x, mine, p.hotkey, p.coldkey, p.netuid)
	}
	if all.Bits.Sign() == 0 {
		allShares.remove(x, p.hotkey, p.netuid)
		hotkeyAlpha.remove(x, p.hotkey, p.netuid)
		return
	}
	allShares.set(x, all, p.hotkey, p.netuid)
	hotkeyAlpha.set(x, alpha, p.hotkey, p.netuid)
}

func (x *exec) pool(netuid uint16) reserves {
	return reserves{subnetTAO.get(x, netuid), alphaIn.get(x, netuid)}
}

// price is rao for an alpha; on the root each is one.
func (x *exec) price(netuid uint16) uint64 {
	if netuid == root {
		return one
	}
	return x.pool(netuid).price()
}

// trade is what came of a swap. The fee is in the coin that was paid in.
type trade struct{ paid, got, fee uint64 }

// buys is what TAO buys on a subnet; nothing is changed.
func (x *exec) buys(netuid uint16, amount uint64, free bool) (trade, error) {
	if netuid == root {
		return trade{amount, amount, 0}, nil
	}
	fee := uint64(0)
	if !free {
		fee = feeOf(amount, feeRate.get(x, netuid))
	}
	p := x.pool(netuid)
	if err := possible(amount-fee, p.tao, p.alpha); err != nil {
		return trade{}, err
	}
	return trade{amount, out(amount-fee, p.tao, p.alpha), fee}, nil
}

// buy does it. TAO that comes in is stake now; the fee is burned.
func (x *exec) buy(netuid uint16, amount uint64, free bool) (trade, error) {
	t, err := x.buys(netuid, amount, free)
	if err != nil {
		return t, err
	}
	subnetTAO.set(x, subnetTAO.get(x, netuid)+t.paid-t.fee, netuid)
	if netuid != root {
		alphaIn.set(x, alphaIn.get(x, netuid)-t.got, netuid)
	}
	alphaOut.set(x, alphaOut.get(x, netuid)+t.got, netuid)
	totalStake.set(x, totalStake.get(x)+t.paid-t.fee)
	issuance.set(x, issuance.get(x)-t.fee)
	return t, nil
}

// sells is what alpha sells for.
func (x *exec) sells(netuid uint16, amount uint64) (trade, error) {
	if netuid == root {
		return trade{amount, amount, 0}, nil
	}
	fee := feeOf(amount, feeRate.get(x, netuid))
	p := x.pool(netuid)
	if err := possible(amount-fee, p.alpha, p.tao); err != nil {
		return trade{}, err
	}
	return trade{amount, out(amount-fee, p.alpha, p.tao), fee}, nil
}

func (x *exec) sell(netuid uint16, amount uint64) (trade, error) {
	t, err := x.sells(netuid, amount)
	if err != nil {
		return t, err
	}
	subnetTAO.set(x, subnetTAO.get(x, netuid)-t.got, netuid)
	if netuid != root {
		alphaIn.set(x, alphaIn.get(x, netuid)+t.paid-t.fee, netuid)
	}
	alphaOut.set(x, alphaOut.get(x, netuid)-t.paid, netuid)
	totalStake.set(x, totalStake.get(x)-t.got)
	return t, nil
}

// open refuses a subnet where nobody can stake.
func (x *exec) open(netuid uint16) error {
	switch {
	case !networks.get(x, netuid):
		return fail("SubnetNotExists")
	case !subtoken.get(x, netuid):
		return fail("SubtokenDisabled")
	}
	return nil
}

// limit is a price and what to do beyond it. The zero value is none.
type limit struct {
	price   uint64
	set     bool
	partial bool
}

func (a args) limit() limit {
	return limit{a.amount("limit_price"), true, a.flag("allow_partial")}
}

// within cuts an amount to what the limit allows, or refuses it.
func (l limit) within(amount, most uint64) (uint64, error) {
	switch {
	case amount <= most:
		return amount, nil
	case l.partial:
		return most, nil
	}
	return 0, fail("SlippageTooHigh")
}

// buyWithin is how much of an amount may buy.
func (x *exec) buyWithin(netuid uint16, amount uint64, l limit) (uint64, error) {
	switch {
	case !l.set:
		return amount, nil
	case netuid == root && l.price >= one:
		return amount, nil
	case netuid == root:
		return 0, moduleError{"Swap", "PriceLimitExceeded"}
	}
	p := x.pool(netuid)
	if p.price() > l.price {
		return 0, moduleError{"Swap", "PriceLimitExceeded"}
	}
	return l.within(amount, gross(p.buyUpTo(l.price), feeRate.get(x, netuid)))
}

// sellWithin is how much of an amount may be sold.
func (x *exec) sellWithin(netuid uint16, amount uint64, l limit) (uint64, error) {
	switch {
	case !l.set:
		return amount, nil
	case netuid == root && l.price <= one:
		return amount, nil
	case netuid == root:
		return 0, moduleError{"Swap", "PriceLimitExceeded"}
	}
	p := x.pool(netuid)
	if p.price() < l.price {
		return 0, moduleError{"Swap", "PriceLimitExceeded"}
	}
	most := p.sellUpTo(l.price)
	if most > 1<<63 {
		return amount, nil
	}
	return l.within(amount, gross(most, feeRate.get(x, netuid)))
}

func addStake(limited bool) func(*exec, origin, args) error {
	return func(x *exec, from origin, a args) error {
		who, err := from.signed()
		if err != nil {
			return err
		}
		var l limit
		if limited {
			l = a.limit()
		}
		return x.addStake(place{a.account("hotkey"), who, a.netuid("netuid")}, a.amount("amount_staked"), l)
	}
}

func (x *exec) addStake(p place, amount uint64, l limit) error {
	if err := x.open(p.netuid); err != nil {
		return err
	}
	if !owner.has(x, p.hotkey) {
		return fail("HotKeyAccountNotExists")
	}
	amount, err := x.buyWithin(p.netuid, amount, l)
	if err != nil {
		return err
	}
	if amount < minimumStake+feeOf(minimumStake, feeRate.get(x, p.netuid)) {
		return fail("AmountTooLow")
	}
	if x.spendable(p.coldkey) < amount {
		return fail("NotEnoughBalanceToStake")
	}
	x.withdraw(p.coldkey, amount)
	t, err := x.buy(p.netuid, amount, false)
	if err != nil {
		return err
	}
	x.give(p, t.got)
	x.emit(subtensorName, "StakeAdded", []any{p.coldkey, p.hotkey, amount, t.got, p.netuid, t.fee})
	return nil
}

func removeStake(limited bool) func(*exec, origin, args) error {
	return func(x *exec, from origin, a args) error {
		who, err := from.signed()
		if err != nil {
			return err
		}
		var l limit
		if limited {
			l = a.limit()
		}
		return x.removeStake(place{a.account("hotkey"), who, a.netuid("netuid")}, a.amount("amount_unstaked"), l)
	}
}

func (x *exec) removeStake(p place, amount uint64, l limit) error {
	if err := x.open(p.netuid); err != nil {
		return err
	}
	have := x.stakeAt(p)
	if amount == 0 || amount > have {
		return fail("NotEnoughStakeToWithdraw")
	}
	amount, err := x.sellWithin(p.netuid, amount, l)
	if err != nil {
		return err
	}
	t, err := x.sells(p.netuid, amount)
	if err != nil {
		return err
	}
	if t.got < minimumStake && amount < have || amount == 0 {
		return fail("AmountTooLow")
	}
	x.take(p, amount)
	if t, err = x.sell(p.netuid, amount); err != nil {
		return err
	}
	x.deposit(p.coldkey, t.got)
	x.emit(subtensorName, "StakeRemoved", []any{p.coldkey, p.hotkey, t.got, amount, p.netuid, t.fee})
	return nil
}

// removeAll sells what a place has, whatever it is.
func removeAll(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	p := place{a.account("hotkey"), who, a.netuid("netuid")}
	var l limit
	v, _ := a.record.Get("limit_price")
	if price, ok := v.(uint64); ok {
		l = limit{price: price, set: true}
	}
	return x.removeStake(p, x.stakeAt(p), l)
}

// unstakeAll sells what the signer has with a hotkey, on each subnet that has it and
// takes it; with rootward, only alpha, and the TAO is staked on the root.
func unstakeAll(rootward bool) func(*exec, origin, args) error {
	return func(x *exec, from origin, a args) error {
		who, err := from.signed()
		if err != nil {
			return err
		}
		hotkey := a.account("hotkey")
		if !owner.has(x, hotkey) {
			return fail("HotKeyAccountNotExists")
		}
		var total uint64
		for _, netuid := range x.netuids() {
			p := place{hotkey, who, netuid}
			have := x.stakeAt(p)
			if have == 0 || netuid == root && rootward {
				continue
			}
			got := x.balance(who)
			if err := x.together(func() error { return x.removeStake(p, have, limit{}) }); err != nil {
				continue // as the chain does: what cannot be sold stays
			}
			total += x.balance(who) - got
		}
		switch {
		case total == 0:
			return fail("AmountTooLow")
		case rootward:
			return x.addStake(place{hotkey, who, root}, total, limit{})
		}
		return nil
	}
}

// netuids lists the subnets, the root first.
func (x *exec) netuids() []uint16 {
	var list []uint16
	var netuid uint16
	for there := range networks.under(x, nil, &netuid) {
		if there {
			list = append(list, netuid)
		}
	}
	slices.Sort(list)
	return list
}

// shift moves stake from one place to another. Between subnets it is sold and
// bought, with one swap fee: the sale's, or from the root the purchase's.
func (x *exec) shift(from, to place, amount uint64, l limit) (moved uint64, err error) {
	for _, p := range []place{from, to} {
		if err := x.open(p.netuid); err != nil {
			return 0, err
		}
		if !owner.has(x, p.hotkey) {
			return 0, fail("HotKeyAccountNotExists")
		}
	}
	if amount == 0 || amount > x.stakeAt(from) {
		return 0, fail("NotEnoughStakeToWithdraw")
	}
	if amount, err = x.shiftWithin(from.netuid, to.netuid, amount, l); err != nil {
		return 0, err
	}
	if from.netuid == to.netuid {
		value := mulDiv(amount, x.price(from.netuid), one)
		if value < minimumStake {
			return 0, fail("AmountTooLow")
		}
		x.take(from, amount)
		x.give(to, amount)
		return value, nil
	}
	x.take(from, amount)
	sold, err := x.sell(from.netuid, amount)
	if err != nil {
		return 0, err
	}
	if sold.got < minimumStake {
		return 0, fail("AmountTooLow")
	}
	x.emit(subtensorName, "StakeRemoved", []any{from.coldkey, from.hotkey, sold.got, amount, from.netuid, sold.fee})
	bought, err := x.buy(to.netuid, sold.got, from.netuid != root)
	if err != nil {
		return 0, err
	}
	x.give(to, bought.got)
	x.emit(subtensorName, "StakeAdded", []any{to.coldkey, to.hotkey, sold.got, bought.got, to.netuid, bought.fee})
	return sold.got, nil
}

// shiftWithin is how much may move before the price of one subnet's alpha in the
// other's falls under a limit. There is no closed form for two pools, so it is
// searched for.
func (x *exec) shiftWithin(from, to uint16, amount uint64, l limit) (uint64, error) {
	if !l.set {
		return amount, nil
	}
	holds := func(in uint64) bool {
		p, q := x.pool(from), x.pool(to)
		got := in
		if from != root {
			net := in - feeOf(in, feeRate.get(x, from))
			got = out(net, p.alpha, p.tao)
			p.tao, p.alpha = p.tao-got, p.alpha+net
		}
		if to != root {
			q.alpha -= out(got, q.tao, q.alpha)
			q.tao += got
		}
		a, b := uint64(one), uint64(one)
		if from != root {
			a = p.price()
		}
		if to != root {
			b = q.price()
		}
		return b > 0 && mulDiv(a, one, b) >= l.price
	}
	if !holds(0) {
		return 0, moduleError{"Swap", "PriceLimitExceeded"}
	}
	if holds(amount) {
		return amount, nil
	}
	low, high := uint64(0), amount
	for high-low > 1 {
		if middle := low + (high-low)/2; holds(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return l.within(amount, low)
}

func moveStake(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	here := place{a.account("origin_hotkey"), who, a.netuid("origin_netuid")}
	there := place{a.account("destination_hotkey"), who, a.netuid("destination_netuid")}
	if here == there {
		return fail("SameNetuid")
	}
	moved, err := x.shift(here, there, a.amount("alpha_amount"), limit{})
	if err == nil {
		x.emit(subtensorName, "StakeMoved", []any{who, here.hotkey, here.netuid, there.hotkey, there.netuid, moved})
	}
	return err
}

func transferStake(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	to := a.account("destination_coldkey")
	here := place{a.account("hotkey"), who, a.netuid("origin_netuid")}
	there := place{here.hotkey, to, a.netuid("destination_netuid")}
	if !toggle.get(x, here.netuid) || !toggle.get(x, there.netuid) {
		return fail("TransferDisallowed")
	}
	moved, err := x.shift(here, there, a.amount("alpha_amount"), limit{})
	if err == nil {
		x.emit(subtensorName, "StakeTransferred", []any{who, to, here.hotkey, here.netuid, there.netuid, moved})
	}
	return err
}

func swapStake(limited bool) func(*exec, origin, args) error {
	return func(x *exec, from origin, a args) error {
		who, err := from.signed()
		if err != nil {
			return err
		}
		var l limit
		if limited {
			l = a.limit()
		}
		here := place{a.account("hotkey"), who, a.netuid("origin_netuid")}
		there := place{here.hotkey, who, a.netuid("destination_netuid")}
		if here == there {
			return fail("SameNetuid")
		}
		moved, err := x.shift(here, there, a.amount("alpha_amount"), l)
		if err == nil {
			x.emit(subtensorName, "StakeSwapped", []any{who, here.hotkey, here.netuid, there.netuid, moved})
		}
		return err
	}
}

func setAutoStake(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	netuid, hotkey := a.netuid("netuid"), a.account("hotkey")
	switch {
	case !networks.get(x, netuid):
		return fail("SubnetNotExists")
	case !uids.has(x, netuid, hotkey):
		return fail("HotKeyNotRegisteredInSubNet")
	case autoStake.has(x, who, netuid) && autoStake.get(x, who, netuid) == hotkey:
		return fail("SameAutoStakeHotkeyAlreadySet")
	}
	autoStake.set(x, hotkey, who, netuid)
	x.emit(subtensorName, "AutoStakeDestinationSet", map[string]any{"coldkey": who, "netuid": netuid, "hotkey": hotkey})
	return nil
}
