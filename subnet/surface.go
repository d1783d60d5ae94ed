package subnet

import (
	"context"
	"errors"
	"math/big"
	"sync"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Every name of the chain that this package uses. Entries that only some
// generations have are read through [column] and [value], which give zero
// elsewhere.
const (
	module = "SubtensorModule"
	swap   = "Swap"

	swapAPI = "SwapRuntimeApi"
)

var (
	networksAdded = chain.Item[bool]{Pallet: module, Name: "NetworksAdded"}
	neurons       = chain.Item[uint16]{Pallet: module, Name: "SubnetworkN"}
	tempos        = chain.Item[uint16]{Pallet: module, Name: "Tempo"}
	burns         = chain.Item[uint64]{Pallet: module, Name: "Burn"}
	owners        = chain.Item[tao.Account]{Pallet: module, Name: "SubnetOwner"}
	symbols       = chain.Item[[]byte]{Pallet: module, Name: "TokenSymbol"}
	names         = chain.Item[[]byte]{Pallet: module, Name: "SubnetName"} // 233 to 290 or so
	mechanisms    = chain.Item[uint16]{Pallet: module, Name: "SubnetMechanism"}
	subtokens     = chain.Item[bool]{Pallet: module, Name: "SubtokenEnabled"} // from 273
	transfers     = chain.Item[bool]{Pallet: module, Name: "TransferToggle"}
	registeredAt  = chain.Item[uint64]{Pallet: module, Name: "NetworkRegisteredAt"}

	taoIn         = chain.Item[uint64]{Pallet: module, Name: "SubnetTAO"}
	alphaIn       = chain.Item[uint64]{Pallet: module, Name: "SubnetAlphaIn"}
	alphaOut      = chain.Item[uint64]{Pallet: module, Name: "SubnetAlphaOut"}
	taoProvided   = chain.Item[uint64]{Pallet: module, Name: "SubnetTaoProvided"}     // 283 to 422
	alphaProvided = chain.Item[uint64]{Pallet: module, Name: "SubnetAlphaInProvided"} // 283 to 422
	taoEmission   = chain.Item[uint64]{Pallet: module, Name: "SubnetTaoInEmission"}
	alphaEmission = chain.Item[uint64]{Pallet: module, Name: "SubnetAlphaOutEmission"}
	feeRates      = chain.Item[uint16]{Pallet: swap, Name: "FeeRate"} // from 283
	initialized   = chain.Item[bool]{Pallet: swap, Name: "SwapV3Initialized"}
	sqrtPrices    = chain.Item[fixed]{Pallet: swap, Name: "AlphaSqrtPrice"} // U64F64, 283 to 422

	totalIssuance = chain.Item[uint64]{Pallet: module, Name: "TotalIssuance"}
	totalStake    = chain.Item[uint64]{Pallet: module, Name: "TotalStake"}
	blockEmission = chain.Item[uint64]{Pallet: module, Name: "BlockEmission"}
	coinIssuance  = chain.Item[uint64]{Pallet: "Balances", Name: "TotalIssuance"}

	keys            = chain.Item[tao.Account]{Pallet: module, Name: "Keys"}
	hotkeyOwners    = chain.Item[tao.Account]{Pallet: module, Name: "Owner"}
	consensus       = chain.Item[[]uint16]{Pallet: module, Name: "Consensus"}
	trust           = chain.Item[[]uint16]{Pallet: module, Name: "Trust"}          // to 422
	validatorTrust  = chain.Item[[]uint16]{Pallet: module, Name: "ValidatorTrust"} // not at 103
	incentive       = chain.Item[[]uint16]{Pallet: module, Name: "Incentive"}
	dividends       = chain.Item[[]uint16]{Pallet: module, Name: "Dividends"}
	emission        = chain.Item[[]uint64]{Pallet: module, Name: "Emission"}
	lastUpdate      = chain.Item[[]uint64]{Pallet: module, Name: "LastUpdate"}
	permits         = chain.Item[[]bool]{Pallet: module, Name: "ValidatorPermit"}
	active          = chain.Item[[]bool]{Pallet: module, Name: "Active"}
	axons           = chain.Item[axonInfo]{Pallet: module, Name: "Axons"}
	hotkeyAlpha     = chain.Item[uint64]{Pallet: module, Name: "TotalHotkeyAlpha"}
	hotkeyStake     = chain.Item[uint64]{Pallet: module, Name: "TotalHotkeyStake"}                // before dynamic TAO
	currentPriceAll = chain.API[[]subnetPrice]{Trait: swapAPI, Method: "current_alpha_price_all"} // from 380
	simTAOForAlpha  = chain.API[simulated]{Trait: swapAPI, Method: "sim_swap_tao_for_alpha"}      // from 315
	simAlphaForTAO  = chain.API[simulated]{Trait: swapAPI, Method: "sim_swap_alpha_for_tao"}      // from 315
)

// identityItems hold what owners say about their subnets, newest form first.
func identityItems() []chain.Item[identity] {
	return []chain.Item[identity]{
		{Pallet: module, Name: "SubnetIdentitiesV3"},
		{Pallet: module, Name: "SubnetIdentitiesV2"},
		{Pallet: module, Name: "SubnetIdentities"},
	}
}

// identity is the part of a subnet's identity that all forms have.
type identity struct {
	Name []byte `scale:"subnet_name"`
}

// fixed is a number of substrate-fixed by its bits.
type fixed struct{ Bits big.Int }

type subnetPrice struct {
	NetUID tao.NetUID `scale:"netuid"`
	Price  uint64     // rao per whole alpha
}

// simulated is the part of SimSwapResult that every generation has.
type simulated struct {
	TaoAmount, AlphaAmount, TaoFee, AlphaFee uint64
}

type axonInfo struct {
	IP   big.Int `scale:"ip"`
	Port uint16
}

// has reports whether the runtime stores the entry.
func has(rt *chain.Runtime, pallet, name string) bool {
	p := rt.Metadata().Pallet(pallet)
	return p != nil && p.Entry(name) != nil
}

// hasAPI reports whether the runtime describes the method.
func hasAPI(rt *chain.Runtime, trait, method string) bool {
	return rt.Metadata().API(trait, method) != nil
}

// column reads an entry for several subnets, in one request. Where the runtime
// lacks the entry all are zero.
func column[V any](ctx context.Context, v *chain.View, into *[]V, i chain.Item[V], netuids []tao.NetUID) func() error {
	return func() error {
		*into = make([]V, len(netuids))
		if !has(v.Runtime(), i.Pallet, i.Name) {
			return nil
		}
		keys := make([][]any, len(netuids))
		for n, id := range netuids {
			keys[n] = []any{id}
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

// together runs the functions at once and joins their errors.
func together(fs ...func() error) error {
	errs := make([]error, len(fs))
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
