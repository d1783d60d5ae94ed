package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// reading is the result of query: one value, or the entries of a map.
type reading struct {
	Block     uint32    `json:"block"`
	BlockHash tao.Hash  `json:"block_hash"`
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	Found     *bool     `json:"found,omitempty"` // false: the chain holds nothing here, and Value is the default
	Value     *tx.Value `json:"value,omitempty"`
	Entries   []mapItem `json:"entries,omitzero"`
	More      bool      `json:"more,omitempty"` // there are more entries than --limit
}

type mapItem struct {
	Key   tx.Value `json:"key"`
	Value tx.Value `json:"value"`
}

func (a *app) queryCommand() *cobra.Command {
	var at string
	limit := 100
	c := &cobra.Command{
		Use:   "query PALLET.ITEM [KEY]... | API.METHOD [ARGUMENT]...",
		Short: "Read anything that the chain's metadata describe",
		Long: `Read a storage item or a constant of a pallet, or run a runtime API. Keys and
arguments are written as for "taoctl call". A map with fewer keys than it has
lists its entries.`,
		Example: `  taoctl query System.Account 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY
  taoctl query SubtensorModule.Burn --limit 10
  taoctl query Balances.ExistentialDeposit
  taoctl query SubnetRegistrationRuntimeApi.get_network_registration_cost`,
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	a.networkFlags(c)
	c.Flags().StringVar(&at, "at", "", "number or hash of the block to read at (default: the newest)")
	c.Flags().IntVar(&limit, "limit", limit, "how many entries of a map to list; 0 is all")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		group, name, err := dotted(args[0], "PALLET.ITEM or API.METHOD")
		if err != nil {
			return nil, err
		}
		keys := make([]any, len(args)-1)
		for i, text := range args[1:] {
			if keys[i], err = typed(text); err != nil {
				return nil, usagef("key %d: %w", i+1, err)
			}
		}
		ref, err := parseBlock(at)
		if err != nil {
			return nil, err
		}
		client, err := a.dial(c)
		if err != nil {
			return nil, err
		}
		v, err := client.At(c.Context(), ref)
		if err != nil {
			return nil, err
		}
		return read(c.Context(), v, group, name, keys, limit)
	})
}

func parseBlock(s string) (chain.BlockRef, error) {
	if s == "" {
		return chain.Best(), nil
	}
	if strings.HasPrefix(s, "0x") {
		hash, err := parseHash("--at", s)
		return chain.AtHash(hash), err
	}
	n, err := parseUint32(s)
	if err != nil {
		return chain.BlockRef{}, usagef("--at: %w", err)
	}
	return chain.AtNumber(n), nil
}

// read finds out which kind of thing a name is, and reads it.
func read(ctx context.Context, v *chain.View, group, name string, keys []any, limit int) (any, error) {
	out := reading{Block: v.Number(), BlockHash: v.Hash(), Name: group + "." + name}
	meta := v.Runtime().Metadata()
	pallet := meta.Pallet(group)
	switch {
	case pallet != nil && pallet.Entry(name) != nil:
		entry := pallet.Entry(name)
		out.Type = meta.TypeName(entry.Value)
		if len(keys) < len(entry.Keys) {
			return out.list(ctx, v, keys, limit)
		}
		return out.get(ctx, v, keys)
	case pallet != nil && pallet.Constant(name) != nil && len(keys) == 0:
		out.Type = meta.TypeName(pallet.Constant(name).Type)
		constant, err := chain.Const[any]{Pallet: group, Name: name}.Get(v.Runtime())
		out.Value = &tx.Value{V: constant}
		return out, err
	case meta.API(group, name) != nil:
		out.Type = meta.TypeName(meta.API(group, name).Output)
		answer, err := v.CallAPI(ctx, group, name, keys...)
		out.Value = &tx.Value{V: answer}
		return out, err
	}
	return nil, &chain.MissingError{Spec: v.Runtime().Spec(), What: fmt.Sprintf("storage, constant or API %s.%s", group, name)}
}

func (r reading) get(ctx context.Context, v *chain.View, keys []any) (any, error) {
	item := itemOf(r.Name)
	got, found, err := item.Get(ctx, v, keys...)
	r.Value, r.Found = &tx.Value{V: got}, &found
	return r, err
}

func itemOf(name string) chain.Item[any] {
	pallet, item, _ := strings.Cut(name, ".")
	return chain.Item[any]{Pallet: pallet, Name: item}
}

func (r reading) list(ctx context.Context, v *chain.View, prefix []any, limit int) (any, error) {
	r.Entries = []mapItem{}
	for e, err := range itemOf(r.Name).All(ctx, v, prefix...) {
		if err != nil {
			return nil, err
		}
		if limit > 0 && len(r.Entries) == limit {
			r.More = true
			break
		}
		r.Entries = append(r.Entries, mapItem{Key: tx.Value{V: e.Keys}, Value: tx.Value{V: e.Value}})
	}
	return r, nil
}
