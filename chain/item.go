package chain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

const (
	keysPerPage    = 1000 // the most that Substrate's state_getKeysPaged gives (client/rpc/src/state/mod.rs, STORAGE_KEYS_PAGED_MAX_COUNT)
	keysPerQuery   = 1000 // values asked for at once
	singlesAtATime = 16   // where a node serves single values only
)

// Item is a storage entry of a pallet, a plain value or a map, read as V. V is
// any Go form that package scale decodes, or any for the dynamic value.
type Item[V any] struct{ Pallet, Name string }

// Maybe is a value that may not be stored. Of an entry that has a default,
// Value is the default where OK is false; else it is V's zero.
type Maybe[V any] struct {
	Value V
	OK    bool // stored on the chain
}

// Get reads the value under the keys: as many as the map has, none for a plain
// value. The bool reports whether it is stored; where it is not, the value is
// as in [Maybe].
func (i Item[V]) Get(ctx context.Context, v *View, keys ...any) (V, bool, error) {
	var zero V
	e, key, err := i.key(v, keys)
	if err != nil {
		return zero, false, err
	}
	var raw *hexBytes
	if err := v.client.transport.Call(ctx, &raw, "state_getStorage", hexBytes(key), v.header.Hash); err != nil {
		return zero, false, fmt.Errorf("read %s: %w", i, err)
	}
	m, err := i.decode(v, e, raw)
	return m.Value, m.OK, err
}

// Many reads the values under several keys at once, in their order.
func (i Item[V]) Many(ctx context.Context, v *View, keys [][]any) ([]Maybe[V], error) {
	encoded := make([][]byte, len(keys))
	var e *scale.Entry
	for n, k := range keys {
		var err error
		if e, encoded[n], err = i.key(v, k); err != nil {
			return nil, err
		}
	}
	values, err := v.values(ctx, encoded)
	if err != nil {
		return nil, fmt.Errorf("read %d values of %s: %w", len(keys), i, err)
	}
	list := make([]Maybe[V], len(keys))
	for n := range values {
		if list[n], err = i.decode(v, e, values[n]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Entry is a key and value of a map.
type Entry[V any] struct {
	// Keys are the map's keys as dynamic values (tao.Account for an account,
	// uint16 for a netuid); nil where a hasher does not keep them.
	Keys  []any
	Value V

	scan func(into ...any) error
}

// Scan decodes the keys into Go pointers, one for each key of the map.
func (e Entry[V]) Scan(into ...any) error { return e.scan(into...) }

// All walks a map, or the part of it under the first keys, page by page, in
// the order of the chain's storage keys, which is no order for people.
func (i Item[V]) All(ctx context.Context, v *View, prefix ...any) iter.Seq2[Entry[V], error] {
	return func(yield func(Entry[V], error) bool) {
		if err := i.walk(ctx, v, prefix, func(e Entry[V]) bool { return yield(e, nil) }); err != nil {
			yield(Entry[V]{}, err)
		}
	}
}

// walk calls visit until it returns false.
func (i Item[V]) walk(ctx context.Context, v *View, prefix []any, visit func(Entry[V]) bool) error {
	e, err := v.runtime.entry(i.Pallet, i.Name)
	if err != nil {
		return err
	}
	start, err := v.runtime.metadata.StorageKey(e, prefix...)
	if err != nil {
		return fmt.Errorf("encode the key of %s: %w", i, err)
	}
	for keys, err := range v.pages(ctx, start) {
		if err != nil {
			return fmt.Errorf("list the keys of %s: %w", i, err)
		}
		values, err := v.values(ctx, keys)
		if err != nil {
			return fmt.Errorf("read %d values of %s: %w", len(keys), i, err)
		}
		for n, key := range keys {
			m, err := i.decode(v, e, values[n])
			if err != nil {
				return err
			}
			if !visit(i.found(v, e, key, m.Value)) {
				return nil
			}
		}
	}
	return nil
}

func (i Item[V]) found(v *View, e *scale.Entry, key []byte, value V) Entry[V] {
	m := v.runtime.metadata
	keys := make([]any, len(e.Keys))
	into := make([]any, len(e.Keys))
	for n := range keys {
		into[n] = &keys[n]
	}
	if m.DecodeStorageKey(e, key, into...) != nil {
		keys = nil
	}
	return Entry[V]{Keys: keys, Value: value, scan: func(into ...any) error {
		if err := m.DecodeStorageKey(e, key, into...); err != nil {
			return fmt.Errorf("decode a key of %s: %w", i, err)
		}
		return nil
	}}
}

// String names the entry: "System.Account".
func (i Item[V]) String() string { return i.Pallet + "." + i.Name }

// key finds the entry and encodes a whole key.
func (i Item[V]) key(v *View, keys []any) (*scale.Entry, []byte, error) {
	e, err := v.runtime.entry(i.Pallet, i.Name)
	if err != nil {
		return nil, nil, err
	}
	if len(keys) != len(e.Keys) {
		return nil, nil, fmt.Errorf("read %s: it has %d keys, %d were given", i, len(e.Keys), len(keys))
	}
	key, err := v.runtime.metadata.StorageKey(e, keys...)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the key of %s: %w", i, err)
	}
	return e, key, nil
}

func (i Item[V]) decode(v *View, e *scale.Entry, raw *hexBytes) (Maybe[V], error) {
	var m Maybe[V]
	bytes := e.Default
	switch {
	case raw != nil:
		bytes, m.OK = *raw, true
	case e.Optional:
		return m, nil
	}
	if err := v.runtime.metadata.Decode(e.Value, bytes, &m.Value); err != nil {
		return Maybe[V]{}, fmt.Errorf("decode %s: %w", i, err)
	}
	return m, nil
}

// pages lists the keys under a prefix. A node whose pages do not advance would
// hold the reader for ever, so the order is checked.
func (v *View) pages(ctx context.Context, prefix []byte) iter.Seq2[[][]byte, error] {
	const method = "state_getKeysPaged"
	return func(yield func([][]byte, error) bool) {
		var last []byte
		for {
			var page []hexBytes
			err := v.client.transport.Call(ctx, &page, method, hexBytes(prefix), keysPerPage, startKey(last), v.header.Hash)
			if err != nil {
				yield(nil, err)
				return
			}
			keys := make([][]byte, len(page))
			for n, key := range page {
				if !bytes.HasPrefix(key, prefix) || last != nil && bytes.Compare(key, last) <= 0 {
					yield(nil, &ReplyError{Method: method, Reason: "its keys are not those asked for, in order"})
					return
				}
				keys[n], last = key, key
			}
			if len(keys) > 0 && !yield(keys, nil) || len(keys) < keysPerPage {
				return
			}
		}
	}
}

// startKey is the key after which a page begins: null for the first.
func startKey(last []byte) any {
	if last == nil {
		return nil
	}
	return hexBytes(last)
}

// values reads storage under several keys at this block; nil stands for what
// is not stored.
func (v *View) values(ctx context.Context, keys [][]byte) ([]*hexBytes, error) {
	found := make([]*hexBytes, 0, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), keysPerQuery)
		part, err := v.query(ctx, keys[:n])
		if isNoMethod(err) {
			part, err = v.singles(ctx, keys[:n])
		}
		if err != nil {
			return nil, err
		}
		found, keys = append(found, part...), keys[n:]
	}
	return found, nil
}

// query is one state_queryStorageAt, whose reply holds the keys it was asked
// for, each with a value or null. A key that is not there at all is an error:
// it must not pass for "nothing stored".
func (v *View) query(ctx context.Context, keys [][]byte) ([]*hexBytes, error) {
	const method = "state_queryStorageAt"
	ask := make([]hexBytes, len(keys))
	for n, k := range keys {
		ask[n] = k
	}
	var reply []struct {
		Block   tao.Hash       `json:"block"`
		Changes [][2]*hexBytes `json:"changes"`
	}
	if err := v.client.transport.Call(ctx, &reply, method, ask, v.header.Hash); err != nil {
		return nil, err
	}
	if len(reply) != 1 || reply[0].Block != v.header.Hash {
		return nil, &ReplyError{Method: method, Reason: "it is not about the one block asked for"}
	}
	byKey := make(map[string]*hexBytes, len(keys))
	for _, change := range reply[0].Changes {
		if change[0] != nil {
			byKey[string(*change[0])] = change[1]
		}
	}
	found := make([]*hexBytes, len(keys))
	for n, k := range keys {
		value, ok := byKey[string(k)]
		if !ok {
			return nil, &ReplyError{Method: method, Reason: fmt.Sprintf("key %#x is missing", k)}
		}
		found[n] = value
	}
	return found, nil
}

// singles reads value by value, for nodes without state_queryStorageAt.
func (v *View) singles(ctx context.Context, keys [][]byte) ([]*hexBytes, error) {
	found, errs := make([]*hexBytes, len(keys)), make([]error, len(keys))
	slots := make(chan struct{}, singlesAtATime)
	var all sync.WaitGroup
	for n, key := range keys {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[n] = v.client.transport.Call(ctx, &found[n], "state_getStorage", hexBytes(key), v.header.Hash)
		})
	}
	all.Wait()
	return found, errors.Join(errs...)
}
