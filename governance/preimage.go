package governance

import (
	"context"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// bounded is a call as pallets keep it: whole where it is short, else by its hash
// in pallet Preimage (polkadot-sdk, substrate/frame/support/src/traits/preimages.rs,
// enum Bounded).
type bounded struct {
	inline []byte
	hash   *tao.Hash
	length *uint32 // of what the hash names, in bytes; a legacy one does not tell
}

// boundedOf reads a Bounded; ok is false for anything else.
func boundedOf(stored any) (b bounded, ok bool) {
	v, _ := stored.(*scale.Variant)
	if v == nil {
		return b, false
	}
	switch v.Name {
	case "Inline":
		b.inline, ok = v.Value.([]byte)
		return b, ok
	case "Legacy", "Lookup":
		r, _ := v.Value.(*scale.Record)
		if r == nil {
			return b, false
		}
		b.hash, b.length = hashField(r, "hash"), optional[uint32](r, "len")
		return b, b.hash != nil
	}
	return b, false
}

// boundedAction reads the call of a Bounded, from the preimages if need be.
func boundedAction(ctx context.Context, v *chain.View, stored any) (Action, error) {
	b, ok := boundedOf(stored)
	switch {
	case !ok:
		return unreadable("the chain holds neither the call nor its hash"), nil
	case b.inline != nil:
		return decodeAction(ctx, v, b.inline, nil)
	}
	encoded, err := b.preimage(ctx, v)
	if err != nil {
		return Action{}, fmt.Errorf("read the preimage of %s: %w", b.hash, err)
	}
	if encoded == nil {
		return unreadable(fmt.Sprintf("the call with the hash %s is nowhere on the chain", b.hash)), nil
	}
	return decodeAction(ctx, v, encoded, b.hash)
}

// preimage finds the bytes that a hash stands for, nil where nobody noted them.
func (b bounded) preimage(ctx context.Context, v *chain.View) ([]byte, error) {
	if !has(v.Runtime(), preimages.Pallet, preimages.Name) {
		return nil, nil
	}
	length := b.length
	if length == nil {
		var err error
		if length, err = lengthOf(ctx, v, *b.hash); err != nil || length == nil {
			return nil, err
		}
	}
	encoded, _, err := preimages.Get(ctx, v, []any{*b.hash, *length})
	return encoded, err
}

// lengthOf asks for the length of a preimage, which is part of its key. Older
// preimages stand in StatusFor until someone moves them.
func lengthOf(ctx context.Context, v *chain.View, hash tao.Hash) (*uint32, error) {
	for _, item := range []chain.Item[any]{preimageRequest, preimageStatus} {
		if !has(v.Runtime(), item.Pallet, item.Name) {
			continue
		}
		status, _, err := item.Get(ctx, v, hash)
		if err != nil {
			return nil, err
		}
		s, _ := status.(*scale.Variant)
		if s == nil {
			continue
		}
		r, _ := s.Value.(*scale.Record)
		if r == nil {
			continue
		}
		if n := optional[uint32](r, "len"); n != nil {
			return n, nil
		}
		if n := optional[uint32](r, "maybe_len"); n != nil {
			return n, nil
		}
	}
	return nil, nil
}
