package register

import (
	"math/big"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/tao"
)

// Every name of the chain that this package uses.
const (
	module = "SubtensorModule"

	callBurn      = "burned_register"
	callBurnLimit = "register_limit" // from 401
	callWork      = "register"
	callWorkV475  = "pow_register"  // from 475
	callRoot      = "root_register" // from 149
	callFaucet    = "faucet"        // from 149; from 365 only in runtimes built with it

	entryHalfLife = "BurnHalfLife" // from 401: the price falls with each block
	entryOpen     = "NetworkRegistrationAllowed"
	entryWorkOpen = "NetworkPowRegistrationAllowed"
)

var (
	networks      = chain.Item[bool]{Pallet: module, Name: "NetworksAdded"}
	uids          = chain.Item[uint16]{Pallet: module, Name: "Uids"}      // netuid, hotkey
	keys          = chain.Item[tao.Account]{Pallet: module, Name: "Keys"} // netuid, uid
	neurons       = chain.Item[uint16]{Pallet: module, Name: "SubnetworkN"}
	maxUIDs       = chain.Item[uint16]{Pallet: module, Name: "MaxAllowedUids"}
	owners        = chain.Item[tao.Account]{Pallet: module, Name: "Owner"}
	joined        = chain.Item[uint64]{Pallet: module, Name: "BlockAtRegistration"} // netuid, uid
	immunity      = chain.Item[uint16]{Pallet: module, Name: "ImmunityPeriod"}
	scores        = chain.Item[[]uint16]{Pallet: module, Name: "PruningScores"} // until 422
	emissions     = chain.Item[[]uint64]{Pallet: module, Name: "Emission"}
	ownerHotkeys  = chain.Item[tao.Account]{Pallet: module, Name: "SubnetOwnerHotkey"} // from 149
	burns         = chain.Item[uint64]{Pallet: module, Name: "Burn"}
	minBurns      = chain.Item[uint64]{Pallet: module, Name: "MinBurn"}
	maxBurns      = chain.Item[uint64]{Pallet: module, Name: "MaxBurn"}
	halfLives     = chain.Item[uint16]{Pallet: module, Name: entryHalfLife}
	jumps         = chain.Item[fixed]{Pallet: module, Name: "BurnIncreaseMult"} // U64F64, from 401
	open          = chain.Item[bool]{Pallet: module, Name: entryOpen}           // from 121
	workOpen      = chain.Item[bool]{Pallet: module, Name: entryWorkOpen}       // from 149
	difficulties  = chain.Item[uint64]{Pallet: module, Name: "Difficulty"}
	minDifficulty = chain.Item[uint64]{Pallet: module, Name: "MinDifficulty"}
	maxDifficulty = chain.Item[uint64]{Pallet: module, Name: "MaxDifficulty"}
	perBlock      = chain.Item[uint16]{Pallet: module, Name: "MaxRegistrationsPerBlock"}
	target        = chain.Item[uint16]{Pallet: module, Name: "TargetRegistrationsPerInterval"}
	thisInterval  = chain.Item[uint16]{Pallet: module, Name: "RegistrationsThisInterval"}
	workInterval  = chain.Item[uint16]{Pallet: module, Name: "POWRegistrationsThisInterval"}
	burnInterval  = chain.Item[uint16]{Pallet: module, Name: "BurnRegistrationsThisInterval"}
	intervals     = chain.Item[uint16]{Pallet: module, Name: "AdjustmentInterval"}
	adjusted      = chain.Item[uint64]{Pallet: module, Name: "LastAdjustmentBlock"}
	alphas        = chain.Item[uint64]{Pallet: module, Name: "AdjustmentAlpha"}          // from 149
	lastWork      = chain.Item[uint64]{Pallet: module, Name: "LastPowRegistrationBlock"} // hotkey, from 475
)

// fixed is a number of substrate-fixed by its bits.
type fixed struct{ Bits big.Int }

func burnCall(netuid tao.NetUID, hotkey tao.Account) chain.Call {
	return chain.Call{Pallet: module, Name: callBurn, Args: chain.Args{"netuid": netuid, "hotkey": hotkey}}
}

func burnLimitCall(netuid tao.NetUID, hotkey tao.Account, limit tao.Amount) chain.Call {
	return chain.Call{Pallet: module, Name: callBurnLimit, Args: chain.Args{
		"netuid": netuid, "hotkey": hotkey, "limit_price": limit,
	}}
}

func rootCall(hotkey tao.Account) chain.Call {
	return chain.Call{Pallet: module, Name: callRoot, Args: chain.Args{"hotkey": hotkey}}
}

func workCall(w Work, block uint32, s powsolver.Solution) chain.Call {
	return chain.Call{Pallet: module, Name: callWork, Args: chain.Args{
		"netuid": w.NetUID, "block_number": uint64(block), "nonce": s.Nonce, "work": s.Seal[:],
		"hotkey": w.Hotkey, "coldkey": w.Coldkey,
	}}
}

func workCallV475(w Work, block uint32, s powsolver.Solution) chain.Call {
	return chain.Call{Pallet: module, Name: callWorkV475, Args: chain.Args{
		"netuid": w.NetUID, "work_block": uint64(block), "nonce": s.Nonce, "work": s.Seal[:], "hotkey": w.Hotkey,
	}}
}

func faucetCall(block uint32, s powsolver.Solution) chain.Call {
	return chain.Call{Pallet: module, Name: callFaucet, Args: chain.Args{
		"block_number": uint64(block), "nonce": s.Nonce, "work": s.Seal[:],
	}}
}
