package embedded

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"slices"

	"golang.org/x/crypto/sha3"

	"github.com/taoctl/taoctl/tao"
)

// The state of registration.
var (
	subnetOwner   = item[tao.Account]{subtensorName, "SubnetOwner"}
	ownerHotkey   = item[tao.Account]{subtensorName, "SubnetOwnerHotkey"}
	neurons       = item[uint16]{subtensorName, "SubnetworkN"}
	mostNeurons   = item[uint16]{subtensorName, "MaxAllowedUids"}
	immunity      = item[uint16]{subtensorName, "ImmunityPeriod"} // blocks
	uids          = item[uint16]{subtensorName, "Uids"}
	keys          = item[tao.Account]{subtensorName, "Keys"}
	member        = item[bool]{subtensorName, "IsNetworkMember"}
	registered    = item[uint64]{subtensorName, "BlockAtRegistration"}
	emission      = item[[]uint64]{subtensorName, "Emission"}
	burnOpen      = item[bool]{subtensorName, "NetworkRegistrationAllowed"}
	workOpen      = item[bool]{subtensorName, "NetworkPowRegistrationAllowed"}
	burn          = item[uint64]{subtensorName, "Burn"} // rao
	leastBurn     = item[uint64]{subtensorName, "MinBurn"}
	mostBurn      = item[uint64]{subtensorName, "MaxBurn"}
	halfLife      = item[uint16]{subtensorName, "BurnHalfLife"} // blocks
	burnJump      = item[fixed]{subtensorName, "BurnIncreaseMult"}
	difficulty    = item[uint64]{subtensorName, "Difficulty"}
	leastWork     = item[uint64]{subtensorName, "MinDifficulty"}
	mostWork      = item[uint64]{subtensorName, "MaxDifficulty"}
	perBlock      = item[uint16]{subtensorName, "MaxRegistrationsPerBlock"}
	thisBlock     = item[uint16]{subtensorName, "RegistrationsThisBlock"}
	lastWorkBlock = item[uint64]{subtensorName, "LastPowRegistrationBlock"}
)

// neuronLists hold a value for each neuron of a subnet.
var (
	neuronFlags   = []item[[]bool]{{subtensorName, "Active"}, {subtensorName, "ValidatorPermit"}}
	neuronScores  = []item[[]uint16]{{subtensorName, "Consensus"}, {subtensorName, "Incentive"}, {subtensorName, "Dividends"}, {subtensorName, "ValidatorTrust"}}
	neuronNumbers = []item[[]uint64]{emission, {subtensorName, "LastUpdate"}}
)

// registerByBurn takes a place on a subnet for TAO, which buys alpha that is burned.
// That is also what the old call for work does on this chain, whatever it brings.
func registerByBurn(limited bool) func(*exec, origin, args) error {
	return func(x *exec, from origin, a args) error {
		who, err := from.signed()
		if err != nil {
			return err
		}
		netuid, hotkey := a.netuid("netuid"), a.account("hotkey")
		if err := x.mayJoin(netuid, hotkey, who, burnOpen); err != nil {
			return err
		}
		cost := burn.get(x, netuid)
		switch {
		case limited && cost > a.amount("limit_price"):
			return fail("RegistrationPriceLimitExceeded")
		case x.spendable(who) < cost:
			return fail("NotEnoughBalanceToStake")
		}
		x.withdraw(who, cost)
		bought, err := x.buy(netuid, cost, false)
		if err != nil {
			return err
		}
		alphaOut.set(x, alphaOut.get(x, netuid)-bought.got, netuid)
		if err := x.join(netuid, hotkey, who); err != nil {
			return err
		}
		x.raiseBurn(netuid)
		return nil
	}
}

// raiseBurn is what a registration does to the price of the next.
func (x *exec) raiseBurn(netuid uint16) {
	jump := burnJump.get(x, netuid)
	n := new(big.Int).SetUint64(burn.get(x, netuid))
	n.Mul(n, &jump.Bits).Rsh(n, 64)
	price := mostBurn.get(x, netuid)
	if n.IsUint64() {
		price = min(price, n.Uint64())
	}
	burn.set(x, max(price, leastBurn.get(x, netuid)), netuid)
}

// lowerBurn is what a block does to it: it halves in so many blocks. The chain
// multiplies by 2^(-1/halfLife); this is the tangent, which differs by less than a
// part in a hundred thousand for half-lives of more than a hundred blocks.
func (x *exec) lowerBurn(netuid uint16) {
	const ln2 = 693_147_181 // in billionths
	now, h := burn.get(x, netuid), uint64(halfLife.get(x, netuid))
	if h == 0 {
		return
	}
	burn.set(x, max(now-mulDiv(now, ln2/h, one), leastBurn.get(x, netuid)), netuid)
}

// mayJoin refuses who cannot get in by a way.
func (x *exec) mayJoin(netuid uint16, hotkey, coldkey tao.Account, way item[bool]) error {
	switch {
	case netuid == root:
		return fail("RegistrationNotPermittedOnRootSubnet")
	case !networks.get(x, netuid):
		return fail("SubnetNotExists")
	case !way.get(x, netuid):
		return fail("SubNetRegistrationDisabled")
	case uids.has(x, netuid, hotkey):
		return fail("HotKeyAlreadyRegisteredInSubNet")
	case thisBlock.get(x, netuid) >= perBlock.get(x, netuid):
		return fail("TooManyRegistrationsThisBlock")
	case owner.has(x, hotkey) && owner.get(x, hotkey) != coldkey:
		return fail("NonAssociatedColdKey")
	}
	return nil
}

// join gives a hotkey a place: a free one, or that of the neuron that earns least
// and is not immune any more.
func (x *exec) join(netuid uint16, hotkey, coldkey tao.Account) error {
	x.own(hotkey, coldkey)
	n := neurons.get(x, netuid)
	uid, found := n, n < mostNeurons.get(x, netuid)
	if !found {
		if uid, found = x.weakest(netuid); !found {
			return fail("NoNeuronIdAvailable")
		}
		old := keys.get(x, netuid, uid)
		uids.remove(x, netuid, old)
		member.remove(x, old, netuid)
	} else {
		neurons.set(x, n+1, netuid)
	}
	keys.set(x, hotkey, netuid, uid)
	uids.set(x, uid, netuid, hotkey)
	member.set(x, true, hotkey, netuid)
	registered.set(x, uint64(number.get(x)), netuid, uid)
	for _, l := range neuronFlags {
		l.set(x, placed(l.get(x, netuid), uid, l.name == "Active"), netuid)
	}
	for _, l := range neuronScores {
		l.set(x, placed(l.get(x, netuid), uid, 0), netuid)
	}
	for _, l := range neuronNumbers {
		value := uint64(0)
		if l.name == "LastUpdate" {
			value = uint64(number.get(x))
		}
		l.set(x, placed(l.get(x, netuid), uid, value), netuid)
	}
	thisBlock.set(x, thisBlock.get(x, netuid)+1, netuid)
	x.emit(subtensorName, "NeuronRegistered", []any{netuid, uid, hotkey})
	return nil
}

// placed puts a value at a place of a list, behind its end if it is there.
func placed[V any](list []V, at uint16, v V) []V {
	if int(at) < len(list) {
		list[at] = v
		return list
	}
	return append(list, v)
}

// own makes a hotkey its coldkey's, if it is nobody's.
func (x *exec) own(hotkey, coldkey tao.Account) {
	if owner.has(x, hotkey) {
		return
	}
	owner.set(x, coldkey, hotkey)
	for _, l := range []item[[]tao.Account]{owned, staking} {
		if have := l.get(x, coldkey); !slices.Contains(have, hotkey) {
			l.set(x, append(have, hotkey), coldkey)
		}
	}
}

// weakest is the neuron that goes next.
func (x *exec) weakest(netuid uint16) (uid uint16, found bool) {
	now, protected := uint64(number.get(x)), uint64(immunity.get(x, netuid))
	first := ownerHotkey.get(x, netuid)
	var least uint64
	for i, earns := range emission.get(x, netuid) {
		at := uint16(i)
		if now-registered.get(x, netuid, at) < protected || keys.get(x, netuid, at) == first {
			continue
		}
		if !found || earns < least {
			uid, least, found = at, earns, true
		}
	}
	return uid, found
}

// Work is fresh for so many blocks (POW_MAX_WORK_AGE_BLOCKS).
const workAge = 5

func registerByWork(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	if err := x.checkWork(who, a); err != nil {
		return err
	}
	hotkey := a.account("hotkey")
	lastWorkBlock.set(x, a.amount("work_block"), hotkey)
	return x.join(a.netuid("netuid"), hotkey, who)
}

// checkWork refuses work that is no good.
func (x *exec) checkWork(coldkey tao.Account, a args) error {
	netuid, hotkey, from := a.netuid("netuid"), a.account("hotkey"), a.amount("work_block")
	now := uint64(number.get(x))
	if err := x.mayJoin(netuid, hotkey, coldkey, workOpen); err != nil {
		return err
	}
	if from >= now || now-from > workAge || !blockHash.has(x, uint32(from)) ||
		lastWorkBlock.has(x, hotkey) && from <= lastWorkBlock.get(x, hotkey) {
		return fail("InvalidWorkBlock")
	}
	seal := sealOf(netuid, blockHash.get(x, uint32(from)), hotkey, coldkey, a.amount("nonce"))
	if [32]byte(arg[[]byte](a, "work")) != seal {
		return fail("InvalidSeal")
	}
	if !meets(seal, x.difficulty(netuid)) {
		return fail("InvalidDifficulty")
	}
	return nil
}

func (x *exec) difficulty(netuid uint16) uint64 {
	return max(min(difficulty.get(x, netuid), mostWork.get(x, netuid)), leastWork.get(x, netuid), 1)
}

// sealOf is what work for a place must come to.
func sealOf(netuid uint16, block tao.Hash, hotkey, coldkey tao.Account, nonce uint64) [32]byte {
	b := binary.LittleEndian.AppendUint16([]byte("subtensor-pow-register-v1"), netuid)
	b = append(append(append(b, block[:]...), hotkey[:]...), coldkey[:]...)
	inner := sha256.Sum256(binary.LittleEndian.AppendUint64(b, nonce))
	h := sha3.NewLegacyKeccak256()
	h.Write(inner[:])
	return [32]byte(h.Sum(nil))
}

// meets reads a seal as a little-endian number, which times the difficulty must stay
// below 2^256.
func meets(seal [32]byte, difficulty uint64) bool {
	slices.Reverse(seal[:])
	n := new(big.Int).SetBytes(seal[:])
	return n.Mul(n, new(big.Int).SetUint64(difficulty)).BitLen() <= 256
}

// mostOnRoot is how many seats the root has.
const mostOnRoot = 64

// registerOnRoot takes a seat on the root. When all are taken, who has least stake
// there goes, if it is less.
func registerOnRoot(x *exec, from origin, a args) error {
	who, hotkey, err := x.ownHotkey(from, a)
	switch {
	case err != nil:
		return err
	case uids.has(x, root, hotkey):
		return fail("HotKeyAlreadyRegisteredInSubNet")
	case !x.onAnySubnet(hotkey):
		return fail("HotKeyNotRegisteredInNetwork")
	}
	if neurons.get(x, root) >= mostOnRoot {
		return fail("StakeTooLowForRoot")
	}
	return x.join(root, hotkey, who)
}

func (x *exec) onAnySubnet(hotkey tao.Account) bool {
	return slices.ContainsFunc(x.netuids(), func(n uint16) bool { return n != root && member.get(x, hotkey, n) })
}
