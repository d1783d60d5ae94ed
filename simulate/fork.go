package simulate

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/executor"
)

// fork is the state of a block with changes on top, fetched as it is asked for.
// It is a [chain.Transport], so that whatever reads a node can read it.
type fork struct {
	chain.Transport // the node; what is not about this state goes there

	base    *chain.View
	runtime *executor.Runtime

	mu      sync.Mutex
	known   map[string][]byte // of the block itself; nil: nothing is stored
	used    map[string]bool   // what was asked for of it
	changes map[string][]byte // on top; nil: removed
	pages   map[string][]string
	cost    Cost
}

func newFork(v *chain.View) *fork {
	return &fork{
		Transport: v.Client().Transport(), base: v, used: map[string]bool{},
		known: map[string][]byte{}, changes: map[string][]byte{}, pages: map[string][]string{},
	}
}

// spent is what the fork has cost up to now.
func (f *fork) spent() Cost {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cost
}

// fetch reads keys of the block itself that are neither known nor changed, in
// one go.
func (f *fork) fetch(ctx context.Context, keys [][]byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	missing := slices.DeleteFunc(slices.Clone(keys), func(k []byte) bool {
		_, known := f.known[string(k)]
		_, changed := f.changes[string(k)]
		return known || changed
	})
	if len(missing) == 0 {
		return nil
	}
	values, err := f.base.Values(ctx, missing)
	if err != nil {
		return err
	}
	f.cost.Requests++
	f.cost.Values += len(missing)
	for i, k := range missing {
		f.known[string(k)] = values[i]
	}
	return nil
}

// Get reads a value, changes first.
func (f *fork) Get(ctx context.Context, key []byte) ([]byte, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if v, ok := f.changes[string(key)]; ok {
		return v, v != nil, nil
	}
	if v, ok := f.known[string(key)]; ok {
		f.used[string(key)] = true
		return v, v != nil, nil
	}
	v, err := f.base.Raw(ctx, key)
	if err != nil {
		return nil, false, err
	}
	f.cost.Requests++
	f.cost.Values++
	f.used[string(key)] = true
	f.known[string(key)] = v
	return v, v != nil, nil
}

// keysAhead is how many keys are asked for at once: a runtime that walks keys
// asks for one after the other.
const keysAhead = 64

// Next is the key after one.
func (f *fork) Next(ctx context.Context, key []byte) ([]byte, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stored, err := f.nextStored(ctx, string(key))
	if err != nil {
		return nil, false, err
	}
	best, found := stored, stored != ""
	for k, v := range f.changes {
		if v != nil && k > string(key) && (!found || k < best) {
			best, found = k, true
		}
	}
	return []byte(best), found, nil
}

// nextStored is the key of the block's own state after one that was not removed;
// "" if there is none.
func (f *fork) nextStored(ctx context.Context, key string) (string, error) {
	for {
		page, err := f.page(ctx, key)
		if err != nil || len(page) == 0 {
			return "", err
		}
		for _, k := range page {
			if v, changed := f.changes[k]; !changed || v != nil {
				return k, nil
			}
			key = k
		}
	}
}

// page is a run of keys after one. A page that was fetched serves for each of
// its keys.
func (f *fork) page(ctx context.Context, after string) ([]string, error) {
	for _, list := range f.pages {
		if i, ok := slices.BinarySearch(list, after); ok && i+1 < len(list) {
			return list[i+1:], nil
		}
	}
	if list, ok := f.pages[after]; ok {
		return list, nil
	}
	keys, err := f.base.Keys(ctx, nil, []byte(after), keysAhead)
	if err != nil {
		return nil, err
	}
	f.cost.Requests++
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = string(k)
	}
	f.pages[after] = list
	return list, nil
}

// changedKeys lists what was written or removed, sorted.
func (f *fork) changedKeys() [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	keys := make([][]byte, 0, len(f.changes))
	for _, k := range slices.Sorted(maps.Keys(f.changes)) {
		keys = append(keys, []byte(k))
	}
	return keys
}

// call runs a method of the runtime, and keeps what it changes.
func (f *fork) call(ctx context.Context, method string, input []byte) ([]byte, error) {
	r, err := f.runtime.Call(ctx, f, method, input)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range r.Changes {
		f.changes[string(c.Key)] = c.Value
		if c.Deleted {
			f.changes[string(c.Key)] = nil
		}
	}
	return r.Output, nil
}

// Call answers what is asked about the state, at whatever block; the rest goes
// to the node.
func (f *fork) Call(ctx context.Context, result any, method string, params ...any) error {
	answer, ok := map[string]func(context.Context, []json.RawMessage) (any, error){
		"state_getStorage":     f.getStorage,
		"state_queryStorageAt": f.queryStorageAt,
		"state_getKeysPaged":   f.getKeysPaged,
		"state_call":           f.stateCall,
	}[method]
	if !ok {
		return f.Transport.Call(ctx, result, method, params...)
	}
	raw := make([]json.RawMessage, len(params))
	for i, p := range params {
		b, err := json.Marshal(p)
		if err != nil {
			return err
		}
		raw[i] = b
	}
	v, err := answer(ctx, raw)
	if err != nil {
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, result)
}

func (f *fork) getStorage(ctx context.Context, params []json.RawMessage) (any, error) {
	key, err := hexParam(params, 0)
	if err != nil {
		return nil, err
	}
	return f.value(ctx, key)
}

// value is what is stored, as JSON has it: hex, or null.
func (f *fork) value(ctx context.Context, key []byte) (*string, error) {
	v, ok, err := f.Get(ctx, key)
	if err != nil || !ok {
		return nil, err
	}
	s := "0x" + hex.EncodeToString(v)
	return &s, nil
}

func (f *fork) queryStorageAt(ctx context.Context, params []json.RawMessage) (any, error) {
	var keys []string
	if len(params) == 0 || json.Unmarshal(params[0], &keys) != nil {
		return nil, errors.New("a list of keys is missing")
	}
	asked := make([][]byte, len(keys))
	for i, text := range keys {
		key, err := unhex(text)
		if err != nil {
			return nil, err
		}
		asked[i] = key
	}
	if err := f.fetch(ctx, asked); err != nil {
		return nil, err
	}
	changes := make([][2]*string, len(keys))
	for i, key := range asked {
		v, err := f.value(ctx, key)
		if err != nil {
			return nil, err
		}
		changes[i] = [2]*string{&keys[i], v}
	}
	return []any{map[string]any{"block": f.base.Hash(), "changes": changes}}, nil
}

func (f *fork) getKeysPaged(ctx context.Context, params []json.RawMessage) (any, error) {
	prefix, err := hexParam(params, 0)
	if err != nil {
		return nil, err
	}
	var count int
	if len(params) < 2 || json.Unmarshal(params[1], &count) != nil {
		return nil, errors.New("how many keys is missing")
	}
	at := prefix
	found := []string{}
	if len(params) > 2 && string(params[2]) != "null" {
		if at, err = hexParam(params, 2); err != nil {
			return nil, err
		}
	} else if _, ok, err := f.Get(ctx, prefix); err != nil {
		return nil, err
	} else if ok && len(prefix) > 0 {
		found = append(found, "0x"+hex.EncodeToString(prefix))
	}
	// A page is full as long as there are keys: who reads takes one that is not
	// for the last.
	for len(found) < count {
		next, ok, err := f.Next(ctx, at)
		if err != nil {
			return nil, err
		}
		if !ok || !bytes.HasPrefix(next, prefix) {
			break
		}
		found, at = append(found, "0x"+hex.EncodeToString(next)), next
	}
	return found, nil
}

func (f *fork) stateCall(ctx context.Context, params []json.RawMessage) (any, error) {
	var method string
	if len(params) == 0 || json.Unmarshal(params[0], &method) != nil {
		return nil, errors.New("a method is missing")
	}
	input, err := hexParam(params, 1)
	if err != nil {
		return nil, err
	}
	r, err := f.runtime.Call(ctx, f, method, input) // what it changes is forgotten
	if err != nil {
		return nil, err
	}
	return "0x" + hex.EncodeToString(r.Output), nil
}

// Close does nothing: the node's line is not the fork's.
func (f *fork) Close() error { return nil }

func hexParam(params []json.RawMessage, i int) ([]byte, error) {
	var s string
	if i >= len(params) || json.Unmarshal(params[i], &s) != nil {
		return nil, fmt.Errorf("parameter %d is no hex", i)
	}
	return unhex(s)
}

func unhex(s string) ([]byte, error) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return nil, fmt.Errorf("%q is no hex", s)
	}
	return hex.DecodeString(digits)
}
