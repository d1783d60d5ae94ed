package testnode

import (
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Set stores a value in the state of the next block: call Build to see it, or
// set before the first client reads. Of a chain that stands at its genesis, the
// genesis state is changed instead.
func (n *Node) Set(pallet, item string, value any, keys ...any) {
	n.tb.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.set(pallet, item, value, keys...)
	n.atGenesis()
}

// atGenesis lets what was set before the first block belong to block 0.
func (n *Node) atGenesis() {
	if len(n.blocks) == 1 {
		n.blocks[0].state = clone(n.state)
	}
}

// Fund gives an account free TAO; the account exists afterwards.
func (n *Node) Fund(a tao.Account, free tao.Amount) {
	n.tb.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	acc := n.account(a)
	acc.set("providers", uint32(1))
	acc.setFree(free)
	n.store(a, acc)
	n.atGenesis()
}

// Free is an account's free TAO in the newest state.
func (n *Node) Free(a tao.Account) tao.Amount {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.account(a).free()
}

// Nonce is an account's nonce in the newest state.
func (n *Node) Nonce(a tao.Account) uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.account(a).nonce()
}

func clone(m map[string]string) map[string]string {
	c := make(map[string]string, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

func (n *Node) entry(pallet, item string) *scale.Entry {
	p := n.runtime.Metadata().Pallet(pallet)
	if p == nil || p.Entry(item) == nil {
		fail("no storage %s.%s", pallet, item)
	}
	return p.Entry(item)
}

func (n *Node) set(pallet, item string, value any, keys ...any) {
	e := n.entry(pallet, item)
	m := n.runtime.Metadata()
	key, err := m.StorageKey(e, keys...)
	if err != nil {
		fail("key of %s.%s: %v", pallet, item, err)
	}
	b, err := m.Encode(nil, e.Value, value)
	if err != nil {
		fail("value of %s.%s: %v", pallet, item, err)
	}
	n.state[string(key)] = string(b)
}

// get decodes a value of the newest state, or its default.
func (n *Node) get(pallet, item string, keys ...any) any {
	e := n.entry(pallet, item)
	m := n.runtime.Metadata()
	key, err := m.StorageKey(e, keys...)
	if err != nil {
		fail("key of %s.%s: %v", pallet, item, err)
	}
	b, ok := n.state[string(key)]
	if !ok {
		b = string(e.Default)
	}
	var v any
	if err := m.Decode(e.Value, []byte(b), &v); err != nil {
		fail("value of %s.%s: %v", pallet, item, err)
	}
	return v
}

// account is System.Account's value in this runtime's own form, whose fields
// differ between generations.
type account struct{ *scale.Record }

func (n *Node) account(a tao.Account) account {
	return account{n.get("System", "Account", a).(*scale.Record)}
}

func (n *Node) store(a tao.Account, acc account) { n.set("System", "Account", acc.Record, a) }

func (a account) set(name string, v any) { setField(a.Record, name, v) }

func setField(r *scale.Record, name string, v any) {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			r.Fields[i].Value = v
		}
	}
}

func (a account) data() *scale.Record {
	d, _ := a.Get("data")
	return d.(*scale.Record)
}

func (a account) free() tao.Amount {
	v, _ := a.data().Get("free")
	return tao.Amount(v.(uint64))
}

func (a account) setFree(v tao.Amount) { setField(a.data(), "free", uint64(v)) }

func (a account) nonce() uint32 {
	v, _ := a.Get("nonce")
	return v.(uint32)
}

// exists reports an account that the chain keeps.
func (a account) exists() bool {
	v, _ := a.Get("providers")
	return v.(uint32) > 0
}

// remove forgets an account.
func (n *Node) remove(a tao.Account) {
	key, err := n.runtime.Metadata().StorageKey(n.entry("System", "Account"), a)
	if err != nil {
		fail("key of an account: %v", err)
	}
	delete(n.state, string(key))
}
