package governance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Action is what a proposal would do. A call that cannot be read has Problem
// set and no Call: it may do anything.
type Action struct {
	Call    *chain.Call `json:"call,omitempty" view:"-"`
	Lines   []string    `json:"would_do"` // the call and those inside it, each marked by its depth
	Changes []Change    `json:"changes,omitempty"`
	Problem string      `json:"problem,omitempty"` // why the call must not be trusted

	// HashMatches says that the call, encoded again, has the proposal's hash.
	HashMatches bool `json:"hash_matches"`

	length uint32 // of the encoded call, in bytes
}

// actionOf reads a call as it is stored, and checks it against its hash where
// there is one.
func actionOf(ctx context.Context, v *chain.View, stored any, err error, hash *tao.Hash) (a Action, _ error) {
	var malformed *scale.Error
	switch {
	case errors.As(err, &malformed):
		return unreadable(fmt.Sprintf("the call does not decode: %v", err)), nil
	case err != nil:
		return a, err
	}
	call, ok := stored.(chain.Call)
	if !ok {
		return unreadable("the chain holds no call under this hash"), nil
	}
	return describe(ctx, v, call, hash)
}

func unreadable(why string) Action {
	return Action{Problem: why, Lines: []string{"UNREADABLE: it may do anything"}}
}

// describe puts a call in words and tells what it changes.
func describe(ctx context.Context, v *chain.View, call chain.Call, hash *tao.Hash) (Action, error) {
	a := Action{Call: &call, Lines: lines(call, 0)}
	encoded, sum, err := hashOf(v.Runtime(), call)
	if err != nil {
		return a, err
	}
	a.length = uint32(len(encoded))
	a.HashMatches = hash == nil || sum == *hash
	if !a.HashMatches {
		a.Problem = fmt.Sprintf("the call's hash is %s, not the proposal's", sum)
	}
	a.Changes, err = changesOf(ctx, v, call)
	return a, err
}

// hashOf encodes a call and hashes it.
func hashOf(rt *chain.Runtime, call chain.Call) ([]byte, tao.Hash, error) {
	encoded, err := rt.Encode(call)
	if err != nil {
		return nil, tao.Hash{}, fmt.Errorf("encode %s.%s: %w", call.Pallet, call.Name, err)
	}
	d, err := tx.Decode(rt, encoded, 0)
	if err != nil {
		return nil, tao.Hash{}, err
	}
	return encoded, d.CallHash, nil
}

// deeper marks the depth of a nested call. Blanks would not do: what strangers
// choose is printed without leading ones.
const deeper = "> "

// lines prints a call, each nested one on a line of its own, marked by its depth.
func lines(c chain.Call, depth int) []string {
	indent := strings.Repeat(deeper, depth)
	outer := chain.Call{Pallet: c.Pallet, Name: c.Name, Args: chain.Args{}}
	var inner []chain.Call
	for _, name := range slices.Sorted(maps.Keys(c.Args)) {
		arg := c.Args[name]
		nested := directly(arg)
		if len(nested) == 0 {
			outer.Args[name] = arg
		}
		inner = append(inner, nested...)
	}
	list := []string{indent + outer.String()}
	for _, n := range inner {
		list = append(list, lines(n, depth+1)...)
	}
	return list
}

// directly lists the calls that an argument is made of, not those within them.
func directly(arg any) (list []chain.Call) {
	switch a := arg.(type) {
	case chain.Call:
		return []chain.Call{a}
	case []any:
		for _, x := range a {
			list = append(list, directly(x)...)
		}
	}
	return list
}
