package devnet

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// The methods of development have the names and forms of Chopsticks
// (https://github.com/AcalaNetwork/chopsticks, plugins), where it has them;
// dev_fail, dev_heal, dev_snapshot, dev_restore and dev_reorganize are this
// chain's own.

// maxBuild is how many blocks one request may ask for.
const maxBuild = 100_000

// devNewBlock takes {"count": n} or {"to": number}, {"unsafeBlockHeight": number},
// or nothing for one block, and answers the last one's hash.
func devNewBlock(ctx context.Context, c *Chain, p params) (any, error) {
	var o struct {
		Count  int    `json:"count"`
		To     uint32 `json:"to"`
		Height uint32 `json:"unsafeBlockHeight"`
	}
	if p.has(0) {
		if err := p.decode(0, &o); err != nil {
			return nil, err
		}
	}
	if o.Height > 0 {
		b, err := c.Jump(ctx, o.Height)
		return b.Hash, err
	}
	count := max(o.Count, 1)
	if o.To > 0 {
		count = int(int64(o.To) - int64(c.head().number))
	}
	if count < 1 || count > maxBuild {
		return nil, badParams("%d blocks cannot be made", count)
	}
	var last Block
	for range count {
		var err error
		if last, err = c.Build(ctx); err != nil {
			return nil, err
		}
	}
	return last.Hash, nil
}

// devSetHead takes a hash or a number.
func devSetHead(_ context.Context, c *Chain, p params) (any, error) {
	var hash tao.Hash
	if n, err := blockNumber(p.first()); err == nil && p.has(0) {
		c.mu.Lock()
		b := c.at(n)
		c.mu.Unlock()
		if b == nil {
			return nil, badParams("there is no block %d", n)
		}
		hash = b.hash
	} else if err := p.decode(0, &hash); err != nil {
		return nil, err
	}
	if err := c.SetHead(hash); err != nil {
		return nil, badParams("%v", err)
	}
	return hash, nil
}

// devTimeTravel takes milliseconds since 1970, or a date as RFC 3339 has it.
func devTimeTravel(_ context.Context, c *Chain, p params) (any, error) {
	var ms int64
	at := time.Time{}
	if json.Unmarshal(p.first(), &ms) == nil {
		at = time.UnixMilli(ms)
	} else if err := p.decode(0, &at); err != nil {
		return nil, err
	}
	if err := c.TravelTo(at); err != nil {
		return nil, badParams("%v", err)
	}
	return at.UnixMilli(), nil
}

// devSetBlockBuildMode takes "Instant", "Batch" (the same here) or "Manual".
func devSetBlockBuildMode(_ context.Context, c *Chain, p params) (any, error) {
	var mode string
	if err := p.decode(0, &mode); err != nil {
		return nil, err
	}
	if mode != "Manual" && mode != "Instant" && mode != "Batch" {
		return nil, badParams("%.20q is no way to make blocks", mode)
	}
	c.mu.Lock()
	c.opts.Manual = mode == "Manual"
	c.mu.Unlock()
	c.submitted()
	return nil, nil
}

func devSnapshot(_ context.Context, c *Chain, _ params) (any, error) { return c.Snapshot(), nil }

func devRestore(_ context.Context, c *Chain, p params) (any, error) {
	id := 0
	if p.has(0) {
		if err := p.decode(0, &id); err != nil {
			return nil, err
		}
	}
	if err := c.Restore(id); err != nil {
		return nil, badParams("%v", err)
	}
	return c.head().hash, nil
}

func devReorganize(ctx context.Context, c *Chain, p params) (any, error) {
	depth := 1
	if p.has(0) {
		if err := p.decode(0, &depth); err != nil {
			return nil, err
		}
	}
	if err := c.Reorganize(ctx, depth); err != nil {
		return nil, err
	}
	return c.head().hash, nil
}

func devFail(_ context.Context, c *Chain, p params) (any, error) {
	var f Fault
	if err := p.decode(0, &f); err != nil {
		return nil, err
	}
	if !f.Kind.known() || f.Method == "" {
		return nil, badParams("%.40q of %.40q is no fault", string(f.Kind), f.Method)
	}
	c.Fail(f)
	return nil, nil
}

func devHeal(_ context.Context, c *Chain, _ params) (any, error) {
	c.Heal()
	return nil, nil
}

// devSetStorage takes pairs of keys and values in hex, null to remove, or names:
// {"Pallet": {"Entry": value, "Map": [[[keys…], value], …]}}.
func devSetStorage(ctx context.Context, c *Chain, p params) (any, error) {
	var pairs [][2]*string
	changes := []executor.Change{}
	if json.Unmarshal(p.first(), &pairs) == nil {
		for _, pair := range pairs {
			change, err := rawChange(pair)
			if err != nil {
				return nil, badParams("%v", err)
			}
			changes = append(changes, change)
		}
	} else {
		var err error
		if changes, err = namedChanges(c.head().runtime.metadata, string(p.first())); err != nil {
			return nil, badParams("%v", err)
		}
	}
	if err := c.SetStorage(ctx, changes); err != nil {
		return nil, err
	}
	return c.head().hash, nil
}

func rawChange(pair [2]*string) (executor.Change, error) {
	if pair[0] == nil {
		return executor.Change{}, fmt.Errorf("a key is missing")
	}
	key, err := unhex(*pair[0])
	if err != nil || pair[1] == nil {
		return executor.Change{Key: key, Deleted: true}, err
	}
	value, err := unhex(*pair[1])
	return executor.Change{Key: key, Value: value}, err
}

func namedChanges(m *scale.Metadata, text string) ([]executor.Change, error) {
	v, err := scale.ParseJSON(text)
	if err != nil {
		return nil, err
	}
	pallets, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("neither pairs nor pallets")
	}
	var changes []executor.Change
	for pallet, entries := range pallets {
		named, ok := entries.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s has no entries", pallet)
		}
		for name, value := range named {
			more, err := entryChanges(m, pallet, name, value)
			if err != nil {
				return nil, err
			}
			changes = append(changes, more...)
		}
	}
	return changes, nil
}

func entryChanges(m *scale.Metadata, pallet, name string, value any) ([]executor.Change, error) {
	e := entry(m, pallet, name)
	if e == nil {
		return nil, fmt.Errorf("this runtime stores no %s.%s", pallet, name)
	}
	if len(e.Keys) == 0 {
		c, err := change(m, e, nil, value)
		return []executor.Change{c}, err
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%s.%s is a map: a list of keys and values is needed", pallet, name)
	}
	var changes []executor.Change
	for _, item := range list {
		pair, ok := item.([]any)
		if !ok || len(pair) != 2 {
			return nil, fmt.Errorf("%s.%s: each item is a list of keys and a value", pallet, name)
		}
		keys, ok := pair[0].([]any)
		if !ok || len(keys) != len(e.Keys) {
			return nil, fmt.Errorf("%s.%s has %d keys", pallet, name, len(e.Keys))
		}
		c, err := change(m, e, keys, pair[1])
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// entry is a storage entry, nil if the runtime has none of that name.
func entry(m *scale.Metadata, pallet, name string) *scale.Entry {
	p := m.Pallet(pallet)
	if p == nil {
		return nil
	}
	return p.Entry(name)
}

// change is a value in SCALE under its key; without a value it is removed.
func change(m *scale.Metadata, e *scale.Entry, keys []any, value any) (c executor.Change, err error) {
	if c.Key, err = m.StorageKey(e, keys...); err != nil || value == nil {
		c.Deleted = true
		return c, err
	}
	c.Value, err = m.Encode(nil, e.Value, value)
	return c, err
}
