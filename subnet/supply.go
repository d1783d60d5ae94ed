package subnet

import (
	"context"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Cap is all the TAO that there will ever be.
const Cap = 21_000_000 * tao.TAO

// Supply is how much TAO there is.
type Supply struct {
	Issued   tao.Amount `json:"issued" view:"issued (TAO)"`        // by SubtensorModule's count, which emission follows
	Balances tao.Amount `json:"balances" view:"on accounts (TAO)"` // by Balances' count
	Staked   tao.Amount `json:"staked" view:"staked (TAO)"`        // in pools and on the root
	Cap      tao.Amount `json:"cap" view:"cap (TAO)"`              // 21 million
	PerBlock tao.Amount `json:"emission_per_block" view:"emission (TAO/block)"`
	Halving  *Halving   `json:"next_halving,omitempty" view:"next halving"`
}

// Halving is when the emission of a block halves next: not at a block but at
// an issuance.
type Halving struct {
	At     tao.Amount `json:"issued" view:"issued (TAO)"`       // when so much is issued
	Left   tao.Amount `json:"left" view:"left (TAO)"`           // until then
	Blocks uint64     `json:"about_blocks" view:"about blocks"` // as many at today's emission; burned TAO is issued again
}

// SupplyOf reads how much TAO there is, in one step.
func SupplyOf(ctx context.Context, v *chain.View) (Supply, error) {
	var issued, staked, block, coins uint64
	err := together(
		value(ctx, v, &issued, totalIssuance),
		value(ctx, v, &staked, totalStake),
		value(ctx, v, &block, blockEmission),
		value(ctx, v, &coins, coinIssuance),
	)
	if err != nil {
		return Supply{}, fmt.Errorf("read the supply: %w", err)
	}
	s := Supply{
		Issued: tao.Amount(issued), Balances: tao.Amount(coins), Staked: tao.Amount(staked),
		Cap: Cap, PerBlock: tao.Amount(block),
	}
	s.Halving = nextHalving(s.Issued, s.PerBlock)
	return s, nil
}

// nextHalving finds the threshold above an issuance: half of what is left to
// the cap, again and again (pallets/subtensor/src/coinbase/block_emission.rs,
// get_block_emission_for_issuance, whose logarithm counts the same steps).
func nextHalving(issued, perBlock tao.Amount) *Halving {
	for rest := Cap / 2; rest > 0; rest /= 2 {
		if at := Cap - rest; issued < at {
			h := &Halving{At: at, Left: at - issued}
			if perBlock > 0 {
				h.Blocks = (uint64(h.Left) + uint64(perBlock) - 1) / uint64(perBlock)
			}
			return h
		}
	}
	return nil
}
