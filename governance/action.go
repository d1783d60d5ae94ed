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
	"golang.org/x/crypto/blake2b"
)

// Action is what a proposal would do. A call that cannot be read has Problem
// set and no Call: it may do anything.
type Action struct {
	Call    *chain.Call `json:"call,omitempty" view:"-"`
	Lines   []string    `json:"would_do" view:",lines"` // the call and those inside it, each marked by its depth
	Changes []Change    `json:"changes,omitempty" view:",lines"`
	Problem string      `json:"problem,omitempty"` // why the call must not be trusted

	// HashMatches says whether the call, encoded again, has the hash under
	// which the chain holds it. Nil where the chain holds the call itself.
	HashMatches *bool `json:"hash_matches,omitempty"`

	length uint32 // of the encoded call, in bytes
}

// Trusted reports a call that was read, and that is the one the hash names.
func (a Action) Trusted() bool { return a.Problem == "" }

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
	encoded, err := v.Runtime().Encode(call)
	if err != nil {
		return a, fmt.Errorf("encode %s.%s: %w", call.Pallet, call.Name, err)
	}
	return describe(ctx, v, call, encoded, hash)
}

// decodeAction reads an encoded call, checked against its hash where there is one.
func decodeAction(ctx context.Context, v *chain.View, encoded []byte, hash *tao.Hash) (Action, error) {
	call, err := v.Runtime().Decode(encoded)
	if err != nil {
		return unreadable(fmt.Sprintf("the call does not decode: %v", err)), nil
	}
	return describe(ctx, v, call, encoded, hash)
}

func unreadable(why string) Action {
	return Action{Problem: why, Lines: []string{"UNREADABLE: it may do anything"}}
}

// describe puts a call in words and tells what it changes.
func describe(ctx context.Context, v *chain.View, call chain.Call, encoded []byte, hash *tao.Hash) (Action, error) {
	a := Action{Call: &call, Lines: lines(call, 0), length: uint32(len(encoded))}
	if hash != nil {
		sum := tao.Hash(blake2b.Sum256(encoded))
		matches := sum == *hash
		a.HashMatches = &matches
		if !matches {
			a.Problem = fmt.Sprintf("the call's hash is %s, not the proposal's", sum)
			a.Lines = append([]string{"NOT WHAT IS VOTED ON: the hash is another's"}, a.Lines...)
		}
	}
	var err error
	a.Changes, err = changesOf(ctx, v, call)
	return a, err
}

// deeper marks the depth of a nested call. Blanks would not do: what strangers
// choose is printed without leading ones.
const deeper = "> "

// lines prints a call, each nested one on a line of its own, marked by its depth.
func lines(c chain.Call, depth int) []string {
	outer := chain.Call{Pallet: c.Pallet, Name: c.Name, Args: chain.Args{}}
	var inner []chain.Call
	for _, name := range slices.Sorted(maps.Keys(c.Args)) {
		nested, alone := directly(c.Args[name])
		if !alone {
			outer.Args[name] = summed(c.Args[name])
		}
		inner = append(inner, nested...)
	}
	list := []string{strings.Repeat(deeper, depth) + outer.String()}
	for _, n := range inner {
		list = append(list, lines(n, depth+1)...)
	}
	return list
}

// directly lists the calls that an argument is made of, not those within them.
// alone says that it holds nothing else: the lines of the calls tell it all.
func directly(arg any) (list []chain.Call, alone bool) {
	switch a := arg.(type) {
	case chain.Call:
		return []chain.Call{a}, true
	case []any:
		alone = len(a) > 0
		for _, x := range a {
			calls, only := directly(x)
			list, alone = append(list, calls...), alone && only
		}
		return list, alone
	case *scale.Record:
		for _, f := range a.Fields {
			calls, _ := directly(f.Value)
			list = append(list, calls...)
		}
	case *scale.Variant:
		list, _ = directly(a.Value)
	}
	return list, false
}

// longBytes are not printed whole: the code of a runtime is one argument.
const longBytes = 40

// summed puts length and hash in place of long bytes, so that what is voted on
// can be compared with what was announced.
func summed(arg any) any {
	switch a := arg.(type) {
	case []byte:
		if len(a) > longBytes {
			return scale.Text(fmt.Sprintf("0x%x… (%d bytes, blake2-256 %s)", a[:8], len(a), tao.Hash(blake2b.Sum256(a))))
		}
	case []any:
		list := make([]any, len(a))
		for i, x := range a {
			list[i] = summed(x)
		}
		return list
	case *scale.Record:
		r := &scale.Record{Fields: slices.Clone(a.Fields)}
		for i := range r.Fields {
			r.Fields[i].Value = summed(r.Fields[i].Value)
		}
		return r
	case *scale.Variant:
		return &scale.Variant{Name: a.Name, Value: summed(a.Value)}
	}
	return arg
}
