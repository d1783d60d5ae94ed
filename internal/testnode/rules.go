package testnode

import (
	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Rule carries a call out. What it returns is a DispatchError to encode, as
// [Chain.Error] makes it, or nil; in the first case all that it did is undone.
type Rule func(c *Chain, who tao.Account, call chain.Call) any

// Chain is the state of the block that is being built, for rules.
type Chain struct {
	n         *Node
	extrinsic int // whose events are written; outside for a block's own
}

// outside stands for no extrinsic.
const outside = -1

// Number is the number of the block that is being built.
func (c *Chain) Number() uint32 { return c.n.best().number + 1 }

// Get decodes a value, or its default; nil where there is neither.
func (c *Chain) Get(pallet, item string, keys ...any) any {
	if c.n.entry(pallet, item).Optional && !c.Has(pallet, item, keys...) {
		return nil
	}
	return c.n.get(pallet, item, keys...)
}

// Has reports a stored value.
func (c *Chain) Has(pallet, item string, keys ...any) bool {
	_, ok := c.n.state[c.key(pallet, item, keys...)]
	return ok
}

// Set stores a value.
func (c *Chain) Set(pallet, item string, value any, keys ...any) {
	c.n.set(pallet, item, value, keys...)
}

// Remove forgets a value.
func (c *Chain) Remove(pallet, item string, keys ...any) {
	delete(c.n.state, c.key(pallet, item, keys...))
}

func (c *Chain) key(pallet, item string, keys ...any) string {
	key, err := c.n.runtime.Metadata().StorageKey(c.n.entry(pallet, item), keys...)
	if err != nil {
		fail("key of %s.%s: %v", pallet, item, err)
	}
	return string(key)
}

// Emit writes an event.
func (c *Chain) Emit(pallet, name string, fields any) { c.n.emit(c.extrinsic, pallet, name, fields) }

// Error is a pallet's own error.
func (c *Chain) Error(pallet, name string) any { return c.n.moduleError(pallet, name) }

// Dispatch carries another call out, and undoes what it did if it fails.
func (c *Chain) Dispatch(who tao.Account, call chain.Call) any {
	state, events := clone(c.n.state), len(c.n.pending)
	err := c.n.dispatch(who, call, c.extrinsic)
	if err != nil {
		c.n.state, c.n.pending = state, c.n.pending[:events]
	}
	return err
}

// Encode writes a call in this runtime's form, and its hash.
func (c *Chain) Encode(call chain.Call) ([]byte, tao.Hash) {
	b, err := c.n.runtime.Encode(call)
	if err != nil {
		fail("%v", err)
	}
	return b, blake2b.Sum256(b)
}

// Rule says how calls of that pallet and name are carried out from now on.
func (n *Node) Rule(pallet, call string, r Rule) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rules[pallet+"."+call] = r
}

// OnBlock runs before the extrinsics of every block.
func (n *Node) OnBlock(begin func(*Chain)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onBlock = append(n.onBlock, begin)
}
