package embedded

import "github.com/taoctl/taoctl/tao"

// What a new subnet costs, and how long it waits to be started: as on the chain, but
// that the price does not move.
const (
	networkCost = 1000 * one
	startWait   = 7 * 7200 // blocks
)

var (
	registeredAt = item[uint64]{subtensorName, "NetworkRegisteredAt"}
	mechanism    = item[uint16]{subtensorName, "SubnetMechanism"}
	allNetworks  = item[uint16]{subtensorName, "TotalNetworks"}
)

// registerNetwork makes a subnet for what it costs, which becomes its pool, with as
// much alpha. Nobody can stake there before it is started.
func registerNetwork(x *exec, from origin, a args) error {
	who, err := from.signed()
	hotkey := a.account("hotkey")
	switch {
	case err != nil:
		return err
	case owner.has(x, hotkey) && owner.get(x, hotkey) != who:
		return fail("NonAssociatedColdKey")
	case x.spendable(who) < networkCost:
		return fail("CannotAffordLockCost")
	}
	list := x.netuids()
	netuid := list[len(list)-1] + 1
	x.withdraw(who, networkCost)
	networks.set(x, true, netuid)
	allNetworks.set(x, uint16(len(list)+1))
	mechanism.set(x, 1, netuid)
	registeredAt.set(x, uint64(number.get(x)), netuid)
	subnetTAO.set(x, networkCost, netuid)
	alphaIn.set(x, networkCost, netuid)
	totalStake.set(x, totalStake.get(x)+networkCost)
	subnetOwner.set(x, who, netuid)
	ownerHotkey.set(x, hotkey, netuid)
	if err := x.join(netuid, hotkey, who); err != nil {
		return err
	}
	x.emit(subtensorName, "NetworkAdded", []any{netuid, uint16(1)})
	return nil
}

// startCall opens a subnet's pool, a week after it was made.
func startCall(x *exec, from origin, a args) error {
	who, err := from.signed()
	netuid, now := a.netuid("netuid"), uint64(number.get(x))
	switch {
	case err != nil:
		return err
	case !networks.get(x, netuid):
		return fail("SubnetNotExists")
	case subnetOwner.get(x, netuid) != who:
		return errBadOrigin
	case firstBlock.has(x, netuid):
		return fail("FirstEmissionBlockNumberAlreadySet")
	case now < registeredAt.get(x, netuid)+startWait:
		return fail("NeedWaitingMoreBlocksToStarCall")
	}
	firstBlock.set(x, now+1, netuid)
	subtoken.set(x, true, netuid)
	return nil
}

var identities = item[any]{subtensorName, "IdentitiesV2"}

// setIdentity says who a coldkey is that has a neuron.
func setIdentity(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	if !x.hasNeuron(who) {
		return fail("HotKeyNotRegisteredInNetwork")
	}
	identities.set(x, a.record, who)
	x.emit(subtensorName, "ChainIdentitySet", who)
	return nil
}

func (x *exec) hasNeuron(coldkey tao.Account) bool {
	for _, hotkey := range owned.get(x, coldkey) {
		if x.onAnySubnet(hotkey) {
			return true
		}
	}
	return false
}
