package stake

import (
	"context"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// maxClaims is how many subnets one claim_root may name
// (pallets/subtensor/src/macros/dispatches.rs, MAX_SUBNET_CLAIMS).
const maxClaims = 5

// Claim collects what stake on the root has earned in subnets (from spec 334).
type Claim struct {
	Coldkey tao.Account
	NetUIDs []tao.NetUID // 1 to 5
}

// ClaimPreview is what a claim does.
type ClaimPreview struct {
	Coldkey tao.Account  `json:"coldkey"`
	NetUIDs []tao.NetUID `json:"netuids"`
	Type    any          `json:"type,omitempty"` // what becomes of it: Swap for TAO on the root, Keep as alpha
}

// Plan makes the claim. Small sums are passed over by the chain, in silence.
func (c Claim) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) {
	switch {
	case len(c.NetUIDs) == 0:
		return tx.Plan{}, errNothing
	case len(c.NetUIDs) > maxClaims:
		return tx.Plan{}, fmt.Errorf("%d subnets are too many for one claim: %d at most", len(c.NetUIDs), maxClaims)
	}
	call := chain.Call{Pallet: module, Name: callClaim, Args: chain.Args{"subnets": c.NetUIDs}}
	if err := v.Runtime().Check(call); err != nil {
		return tx.Plan{}, err
	}
	var kind any
	if err := value(ctx, v, &kind, claimTypes, c.Coldkey)(); err != nil {
		return tx.Plan{}, fmt.Errorf("read the claim type of %s: %w", c.Coldkey, err)
	}
	return plan(v, c.Coldkey, call, ClaimPreview{Coldkey: c.Coldkey, NetUIDs: c.NetUIDs, Type: kind})
}

// Auto is where what a coldkey's hotkeys earn by mining in a subnet is staked.
type Auto struct {
	NetUID tao.NetUID  `json:"netuid"`
	Hotkey tao.Account `json:"hotkey"`
}

// Autos lists the destinations that a coldkey has chosen (from spec 326).
func Autos(ctx context.Context, v *chain.View, coldkey tao.Account) ([]Auto, error) {
	list := []Auto{}
	for e, err := range autoStake.All(ctx, v, coldkey) {
		if err != nil {
			return nil, fmt.Errorf("read the destinations of %s: %w", coldkey, err)
		}
		a := Auto{Hotkey: e.Value}
		if err := e.Scan(nil, &a.NetUID); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// SetAuto chooses that destination.
type SetAuto struct {
	Coldkey, Hotkey tao.Account
	NetUID          tao.NetUID
}

// Plan checks that the hotkey exists. Errors: *HotkeyError.
func (s SetAuto) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) {
	call := chain.Call{Pallet: module, Name: callAuto, Args: chain.Args{"netuid": s.NetUID, "hotkey": s.Hotkey}}
	if err := v.Runtime().Check(call); err != nil {
		return tx.Plan{}, err
	}
	var owner tao.Account
	if err := value(ctx, v, &owner, owners, s.Hotkey)(); err != nil {
		return tx.Plan{}, fmt.Errorf("read the owner of %s: %w", s.Hotkey, err)
	}
	if owner == (tao.Account{}) {
		return tx.Plan{}, &HotkeyError{Hotkey: s.Hotkey, Reason: "was never registered"}
	}
	return plan(v, s.Coldkey, call, Auto{NetUID: s.NetUID, Hotkey: s.Hotkey})
}
