package cmd

import (
	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// chainInfo is the result of chain info.
type chainInfo struct {
	Network     string   `json:"network"`
	Name        string   `json:"name"`
	Genesis     tao.Hash `json:"genesis"`
	Runtime     string   `json:"runtime"`
	SpecVersion uint32   `json:"spec_version"`
	TxVersion   uint32   `json:"tx_version"`
	Metadata    int      `json:"metadata_version"`
	Best        block    `json:"best"`
	Finalized   block    `json:"finalized"`
}

type block struct {
	Number uint32   `json:"number"`
	Hash   tao.Hash `json:"hash"`
}

func (a *app) chainCommand() *cobra.Command {
	info := &cobra.Command{
		Use:   "info",
		Short: "Show which chain and runtime the node serves",
		Args:  arguments(cobra.NoArgs),
	}
	a.networkFlags(info)
	return group("chain", "Look at the chain itself", a.chainSupplyCommand(), a.query(info, func(c *cobra.Command, _ []string) (any, error) {
		v, err := a.best(c)
		if err != nil {
			return nil, err
		}
		final, err := v.Client().At(c.Context(), chain.Finalized())
		if err != nil {
			return nil, err
		}
		name, err := v.Client().Name(c.Context())
		if err != nil {
			return nil, err
		}
		spec := v.Runtime().Spec()
		return chainInfo{
			Network: a.settings.or(a.settings.network, envNetwork, "finney"), Name: name, Genesis: v.Client().Genesis(),
			Runtime: spec.String(), SpecVersion: spec.SpecVersion, TxVersion: spec.TxVersion,
			Metadata: v.Runtime().Metadata().Version(),
			Best:     block{v.Number(), v.Hash()}, Finalized: block{final.Number(), final.Hash()},
		}, nil
	}))
}
