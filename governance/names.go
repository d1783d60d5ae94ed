package governance

import (
	"context"
	"fmt"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Voter is an account with the name that its owner gave it, if any. Anybody may
// take any name: it proves nothing.
type Voter struct {
	Account tao.Account `json:"account"`
	Name    string      `json:"name,omitempty"`
}

// String is the address, and the name in quotes if there is one: no name can pass
// for another's address.
func (v Voter) String() string {
	if v.Name == "" {
		return v.Account.String()
	}
	return fmt.Sprintf("%s %q", v.Account, v.Name)
}

func holds(list []Voter, a tao.Account) bool {
	return slices.ContainsFunc(list, func(v Voter) bool { return v.Account == a })
}

// directory knows the names of accounts.
type directory map[tao.Account]string

func (d directory) voters(list []tao.Account) []Voter {
	out := make([]Voter, len(list))
	for i, a := range list {
		out[i] = Voter{Account: a, Name: d[a]}
	}
	return out
}

// identity is as much of SubtensorModule's ChainIdentity as is used here
// (subtensor v2.0.0, pallets/subtensor/src/lib.rs, ChainIdentityV2).
type identity struct {
	Name []byte
}

// namesOf looks up what accounts call themselves. Identities belong to
// coldkeys, so a hotkey is called as its owner is.
func namesOf(ctx context.Context, v *chain.View, list []tao.Account) (directory, error) {
	d := directory{}
	var item chain.Item[identity]
	for _, i := range identities { // the newer first
		if item.Name == "" && has(v.Runtime(), i.Pallet, i.Name) {
			item = i
		}
	}
	if item.Name == "" || len(list) == 0 {
		return d, nil
	}
	owners, err := ownersOf(ctx, v, list)
	if err != nil {
		return nil, err
	}
	keys := make([][]any, 0, 2*len(list))
	for _, a := range list {
		keys = append(keys, []any{a}, []any{owners[a]})
	}
	found, err := item.Many(ctx, v, keys)
	if err != nil {
		return nil, err
	}
	for i, a := range list {
		own, owner := found[2*i], found[2*i+1]
		if own.OK {
			d[a] = string(own.Value.Name)
		} else if owner.OK {
			d[a] = string(owner.Value.Name)
		}
	}
	return d, nil
}

// ownersOf finds the coldkeys of hotkeys; what is no hotkey owns itself.
func ownersOf(ctx context.Context, v *chain.View, list []tao.Account) (map[tao.Account]tao.Account, error) {
	keys := make([][]any, len(list))
	for i, a := range list {
		keys[i] = []any{a}
	}
	found, err := hotkeyOwner.Many(ctx, v, keys)
	if err != nil {
		return nil, err
	}
	owners := map[tao.Account]tao.Account{}
	for i, a := range list {
		owners[a] = a
		if found[i].OK {
			owners[a] = found[i].Value
		}
	}
	return owners, nil
}
