package embedded

import (
	"math/bits"
	"slices"

	"github.com/taoctl/taoctl/tao"
)

// relative is a child or a parent with its share, in parts of 2^64-1.
type relative struct {
	Share  uint64
	Hotkey tao.Account
}

// pendingChildren are children that will be in force.
type pendingChildren struct {
	Children []relative
	Block    uint64 // from which on
}

var (
	children   = item[[]relative]{subtensorName, "ChildKeys"}             // hotkey, netuid
	parents    = item[[]relative]{subtensorName, "ParentKeys"}            // hotkey, netuid
	pending    = item[pendingChildren]{subtensorName, "PendingChildKeys"} // netuid, hotkey
	lastByKey  = item[uint64]{subtensorName, "TransactionKeyLastBlock"}   // hotkey, netuid, kind
	cooldown   = item[uint64]{subtensorName, "PendingChildKeyCooldown"}   // blocks
	childTakes = item[uint16]{subtensorName, "ChildkeyTake"}              // hotkey, netuid
	mostChild  = item[uint16]{subtensorName, "MaxChildkeyTake"}
	leastChild = item[uint16]{subtensorName, "MinChildkeyTake"}
	childWait  = item[uint64]{subtensorName, "TxChildkeyTakeRateLimit"} // blocks
)

// The kinds of transactions that are limited for each key (Bittensor, pallets/
// subtensor/src/utils/rate_limiting.rs, TransactionType).
const (
	settingChildren  = uint16(0)
	settingChildTake = uint16(1)
	mostChildren     = 5
	childrenWait     = 150 // blocks
)

func setChildren(x *exec, from origin, a args) error {
	_, hotkey, err := x.ownHotkey(from, a)
	if err != nil {
		return err
	}
	netuid := a.netuid("netuid")
	var list []relative
	for _, v := range arg[[]any](a, "children") {
		pair := v.([]any)
		list = append(list, relative{pair[0].(uint64), tao.Account(pair[1].([]byte))})
	}
	if err := x.mayHave(hotkey, netuid, list); err != nil {
		return err
	}
	now := uint64(number.get(x))
	if lastByKey.has(x, hotkey, netuid, settingChildren) && now-lastByKey.get(x, hotkey, netuid, settingChildren) < childrenWait {
		return fail("TxRateLimitExceeded")
	}
	lastByKey.set(x, now, hotkey, netuid, settingChildren)
	at := now + cooldown.get(x)
	pending.set(x, pendingChildren{list, at}, netuid, hotkey)
	x.emit(subtensorName, "SetChildrenScheduled", []any{hotkey, netuid, at, list})
	return nil
}

// mayHave refuses children that a hotkey cannot have.
func (x *exec) mayHave(hotkey tao.Account, netuid uint16, list []relative) error {
	switch {
	case netuid == root:
		return fail("RegistrationNotPermittedOnRootSubnet")
	case !networks.get(x, netuid):
		return fail("SubnetNotExists")
	case len(list) > mostChildren:
		return fail("TooManyChildren")
	}
	var total uint64
	for i, c := range list {
		var carry uint64
		if total, carry = bits.Add64(total, c.Share, 0); carry > 0 {
			return fail("ProportionOverflow")
		}
		isChild := func(r relative) bool { return r.Hotkey == c.Hotkey }
		switch {
		case c.Hotkey == hotkey:
			return fail("InvalidChild")
		case slices.ContainsFunc(list[:i], isChild):
			return fail("DuplicateChild")
		case slices.ContainsFunc(parents.get(x, hotkey, netuid), isChild):
			return fail("ChildParentInconsistency")
		}
	}
	return nil
}

// raiseChildren puts children into force whose time has come. The chain does it when
// an epoch ends.
func (x *exec) raiseChildren(netuid uint16) {
	now := uint64(number.get(x))
	var hotkey tao.Account
	due := map[tao.Account][]relative{}
	for p := range pending.under(x, []any{netuid}, &hotkey) {
		if p.Block <= now {
			due[hotkey] = p.Children
		}
	}
	for _, parent := range sortedAccounts(due) {
		for _, old := range children.get(x, parent, netuid) {
			parents.set(x, without(parents.get(x, old.Hotkey, netuid), parent), old.Hotkey, netuid)
		}
		for _, c := range due[parent] {
			parents.set(x, append(without(parents.get(x, c.Hotkey, netuid), parent), relative{c.Share, parent}), c.Hotkey, netuid)
		}
		children.set(x, due[parent], parent, netuid)
		pending.remove(x, netuid, parent)
		x.emit(subtensorName, "SetChildren", []any{parent, netuid, due[parent]})
	}
}

func sortedAccounts(m map[tao.Account][]relative) []tao.Account {
	list := make([]tao.Account, 0, len(m))
	for a := range m {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b tao.Account) int { return slices.Compare(a[:], b[:]) })
	return list
}

func without(list []relative, hotkey tao.Account) []relative {
	return slices.DeleteFunc(list, func(r relative) bool { return r.Hotkey == hotkey })
}

func setChildTake(x *exec, from origin, a args) error {
	_, hotkey, err := x.ownHotkey(from, a)
	if err != nil {
		return err
	}
	netuid, take, now := a.netuid("netuid"), arg[uint16](a, "take"), uint64(number.get(x))
	last := lastByKey.get(x, hotkey, netuid, settingChildTake)
	switch {
	case take < leastChild.get(x) || take > mostChild.get(x):
		return fail("InvalidChildkeyTake")
	case take > childTakes.get(x, hotkey, netuid) && last > 0 && now-last < childWait.get(x):
		return fail("TxChildkeyTakeRateLimitExceeded")
	}
	childTakes.set(x, take, hotkey, netuid)
	lastByKey.set(x, now, hotkey, netuid, settingChildTake)
	x.emit(subtensorName, "ChildKeyTakeSet", []any{hotkey, take})
	return nil
}
