// Package register knows what a hotkey must do to join a subnet: what it
// costs, registration by burning TAO and by proof of work, and where a hotkey
// stands once it is in.
//
// It never signs, sends, asks or prints: [Burn.Plan], [Challenge.Plan] and
// [Root.Plan] give a tx.Plan, [Costs] and [StatusOf] give values. [Search] finds
// the work for a plan and follows the chain meanwhile.
package register

import (
	"context"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// has tells whether the runtime has a storage entry.
func has(rt *chain.Runtime, name string) bool {
	p := rt.Metadata().Pallet(module)
	return p != nil && p.Entry(name) != nil
}

// hasCall tells whether the runtime has a call.
func hasCall(rt *chain.Runtime, name string) bool {
	p := rt.Metadata().Pallet(module)
	return p != nil && p.Call(name) != nil
}

// reader reads one entry after another under the same keys, each in one
// request, and keeps the first error.
type reader struct {
	ctx  context.Context
	view *chain.View
	keys [][]any
	err  error
}

// column reads an entry for all keys of the reader. Of an entry that this
// runtime lacks, all values are zero.
func column[V any](r *reader, item chain.Item[V]) []V {
	list := make([]V, len(r.keys))
	if r.err != nil || len(r.keys) == 0 || !has(r.view.Runtime(), item.Name) {
		return list
	}
	found, err := item.Many(r.ctx, r.view, r.keys)
	if err != nil {
		r.err = err
		return list
	}
	for i, m := range found {
		list[i] = m.Value
	}
	return list
}

func netuidKeys(netuids []tao.NetUID) [][]any {
	keys := make([][]any, len(netuids))
	for i, n := range netuids {
		keys[i] = []any{n}
	}
	return keys
}

func accountKeys(accounts []tao.Account) [][]any {
	keys := make([][]any, len(accounts))
	for i, a := range accounts {
		keys[i] = []any{a}
	}
	return keys
}
