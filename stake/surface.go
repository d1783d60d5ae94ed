package stake

import (
	"context"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Every name of the chain that this package uses.
const (
	module   = "SubtensorModule"
	stakeAPI = "StakeInfoRuntimeApi"

	callAdd         = "add_stake"
	callAddLimit    = "add_stake_limit" // from 233, as all limits
	callRemove      = "remove_stake"
	callRemoveLimit = "remove_stake_limit"
	callRemoveFull  = "remove_stake_full_limit" // from 283
	callMove        = "move_stake"
	callMoveLimit   = "move_stake_limit" // from 461 or earlier, not at 393
	callSwap        = "swap_stake"       // from 233
	callSwapLimit   = "swap_stake_limit"
	callTransfer    = "transfer_stake"            // from 233
	callTransferKey = "transfer_stake_and_hotkey" // from 461 or earlier, not at 393
	callClaim       = "claim_root"                // from 334
	callAuto        = "set_coldkey_auto_stake_hotkey"
	callTakeUp      = "increase_take"
	callTakeDown    = "decrease_take"
	callChildTake   = "set_childkey_take"
	callChildren    = "set_children"

	// errOnlyDelegates exists where stake may go to delegates and own hotkeys
	// alone (before dynamic TAO; raonet still has the error, but no longer the
	// rule).
	errOnlyDelegates = "HotKeyNotDelegateAndSignerNotOwnHotKey"
)

var (
	owners         = chain.Item[tao.Account]{Pallet: module, Name: "Owner"}
	stakingHotkeys = chain.Item[[]tao.Account]{Pallet: module, Name: "StakingHotkeys"}
	ownedHotkeys   = chain.Item[[]tao.Account]{Pallet: module, Name: "OwnedHotkeys"}
	identities     = chain.Item[identity]{Pallet: module, Name: "IdentitiesV2"}
	oldIdentities  = chain.Item[identity]{Pallet: module, Name: "Identities"}
	subtokens      = chain.Item[bool]{Pallet: module, Name: "SubtokenEnabled"}
	transferToggle = chain.Item[bool]{Pallet: module, Name: "TransferToggle"}
	networksAdded  = chain.Item[bool]{Pallet: module, Name: "NetworksAdded"}
	tempos         = chain.Item[uint16]{Pallet: module, Name: "Tempo"}

	oldStake     = chain.Item[uint64]{Pallet: module, Name: "Stake"} // hotkey, coldkey: before dynamic TAO
	oldTotal     = chain.Item[uint64]{Pallet: module, Name: "TotalHotkeyStake"}
	shares       = chain.Item[uint64]{Pallet: module, Name: "Alpha"} // hotkey, coldkey, netuid: u64 at 218 of raonet
	sharesTotal  = chain.Item[uint64]{Pallet: module, Name: "TotalHotkeyShares"}
	hotkeyAlpha  = chain.Item[uint64]{Pallet: module, Name: "TotalHotkeyAlpha"}
	dividends    = chain.Item[uint64]{Pallet: module, Name: "AlphaDividendsPerSubnet"} // netuid, hotkey: of the last epoch
	registered   = chain.Item[bool]{Pallet: module, Name: "IsNetworkMember"}
	minStake     = chain.Const[uint64]{Pallet: module, Name: "InitialMinStake"} // from 413
	txRateLimit  = chain.Item[uint64]{Pallet: module, Name: "TxRateLimit"}
	lastTx       = chain.Item[uint64]{Pallet: module, Name: "LastTxBlock"}
	autoStake    = chain.Item[tao.Account]{Pallet: module, Name: "AutoStakeDestination"} // coldkey, netuid
	claimTypes   = chain.Item[any]{Pallet: module, Name: "RootClaimType"}
	takes        = chain.Item[uint16]{Pallet: module, Name: "Delegates"}
	maxTake      = chain.Item[uint16]{Pallet: module, Name: "MaxDelegateTake"}
	minTake      = chain.Item[uint16]{Pallet: module, Name: "MinDelegateTake"}
	takeLimit    = chain.Item[uint64]{Pallet: module, Name: "TxDelegateTakeRateLimit"}
	lastTake     = chain.Item[uint64]{Pallet: module, Name: "LastTxBlockDelegateTake"}
	childTakes   = chain.Item[uint16]{Pallet: module, Name: "ChildkeyTake"} // hotkey, netuid
	maxChildTake = chain.Item[uint16]{Pallet: module, Name: "MaxChildkeyTake"}
	minChildTake = chain.Item[uint16]{Pallet: module, Name: "MinChildkeyTake"}
	// hotkey, netuid and the kind of transaction, by its number
	lastByKey      = chain.Item[uint64]{Pallet: module, Name: "TransactionKeyLastBlock"}
	childTakeLimit = chain.Item[uint64]{Pallet: module, Name: "TxChildkeyTakeRateLimit"}
	childKeys      = chain.Item[[]relative]{Pallet: module, Name: "ChildKeys"}             // hotkey, netuid
	parentKeys     = chain.Item[[]relative]{Pallet: module, Name: "ParentKeys"}            // hotkey, netuid
	pendingKids    = chain.Item[pendingChildren]{Pallet: module, Name: "PendingChildKeys"} // netuid, hotkey
	coldLocks      = chain.API[[]owned[[]availability]]{Trait: stakeAPI, Method: "get_stake_availability_for_coldkeys"}
	stakeInfos     = chain.API[[]owned[[]stakeInfo]]{Trait: stakeAPI, Method: "get_stake_info_for_coldkeys"}
	stakeInfoAt    = chain.API[*stakeInfo]{Trait: stakeAPI, Method: "get_stake_info_for_hotkey_coldkey_netuid"} // hotkey, coldkey, netuid
	delegateAll    = chain.API[[]delegateInfo]{Trait: "DelegateInfoRuntimeApi", Method: "get_delegates"}
)

// placeEntries are the maps whose keys say where stake lies: hotkey, coldkey
// and, since dynamic TAO, netuid. Their values have a form for each generation.
var placeEntries = []string{"Stake", "Alpha", "AlphaV2"}

type identity struct{ Name []byte }

// stakeInfo is the part of StakeInfo that is used; typed from spec 233 on.
type stakeInfo struct {
	Hotkey       tao.Account
	NetUID       tao.NetUID `scale:"netuid"`
	Stake        uint64
	IsRegistered bool
}

// owned is a pair of an account and what is its.
type owned[V any] struct {
	Account tao.Account
	Value   V
}

// availability is what of a coldkey's alpha may leave a subnet.
type availability struct {
	NetUID tao.NetUID
	Stake  struct{ Total, Locked, Available uint64 }
}

// relative is a child or a parent and its share, in parts of 2^64-1.
type relative struct {
	Share  uint64
	Hotkey tao.Account
}

type pendingChildren struct {
	Children []relative
	Block    uint64 // from which on they are in force
}

// delegateInfo is the part of DelegateInfo that every typed generation has in
// the same form.
type delegateInfo struct {
	DelegateSs58     tao.Account
	Take             uint16
	Nominators       []nominator
	OwnerSs58        tao.Account
	Registrations    []tao.NetUID
	ReturnPer1000    uint64 `scale:"return_per_1000"`
	TotalDailyReturn uint64
}

// nominator is an account and its stake, in a form that changed at 244.
type nominator struct {
	Account tao.Account
	Stake   any
}

func has(rt *chain.Runtime, pallet, name string) bool {
	p := rt.Metadata().Pallet(pallet)
	return p != nil && p.Entry(name) != nil
}

func hasCall(rt *chain.Runtime, name string) bool {
	p := rt.Metadata().Pallet(module)
	return p != nil && p.Call(name) != nil
}

func hasError(rt *chain.Runtime, name string) bool {
	p := rt.Metadata().Pallet(module)
	return p != nil && p.Error(name) != nil
}

// takesNetUID reports whether stake is held by subnet: not before dynamic TAO.
func takesNetUID(rt *chain.Runtime) bool {
	p := rt.Metadata().Pallet(module)
	if p == nil || p.Call(callAdd) == nil {
		return false
	}
	for _, f := range p.Call(callAdd).Fields {
		if f.Name == "netuid" {
			return true
		}
	}
	return false
}

// column reads an entry under several keys, zero where the runtime lacks it.
func column[V any](ctx context.Context, v *chain.View, into *[]V, i chain.Item[V], keys [][]any) func() error {
	return func() error {
		*into = make([]V, len(keys))
		if len(keys) == 0 || !has(v.Runtime(), i.Pallet, i.Name) {
			return nil
		}
		found, err := i.Many(ctx, v, keys)
		for n, f := range found {
			(*into)[n] = f.Value
		}
		return err
	}
}

// value reads an entry that the runtime may lack, which is zero then.
func value[V any](ctx context.Context, v *chain.View, into *V, i chain.Item[V], keys ...any) func() error {
	return func() (err error) {
		if has(v.Runtime(), i.Pallet, i.Name) {
			*into, _, err = i.Get(ctx, v, keys...)
		}
		return err
	}
}
