package devnet

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// maxPool is how many transactions wait at most, as in a Substrate node by default
// (client/cli/src/params/transaction_pool_params.rs).
const maxPool = 8192

// transaction is an extrinsic on its way into a block.
type transaction struct {
	bytes    []byte // with its length
	hash     tao.Hash
	validity validity
	expires  uint64 // the last block that may take it
	order    uint64 // of arrival
	watchers []*subscription
}

// validity is what a runtime says of an extrinsic that it would take (Substrate,
// primitives/runtime/src/transaction_validity.rs, ValidTransaction).
type validity struct {
	priority           uint64
	requires, provides [][]byte
	longevity          uint64
}

// validate asks the runtime whether it takes an extrinsic on top of a block.
func (c *Chain) validate(ctx context.Context, b *block, x []byte) (validity, *refusal, error) {
	const external = 2 // TransactionSource: it came from outside
	input := append(append([]byte{external}, x...), b.hash[:]...)
	res, err := c.engine.Call(ctx, b.state, "TaggedTransactionQueue_validate_transaction", input)
	if err != nil {
		return validity{}, nil, err
	}
	if len(res.Output) == 0 || res.Output[0] != 0 {
		refused, err := readRefusal(res.Output[min(1, len(res.Output)):])
		return validity{}, refused, err
	}
	r := &reader{b: res.Output[1:]}
	v := validity{priority: r.u64(), requires: r.list(), provides: r.list(), longevity: r.u64()}
	if r.byte(); r.err != nil {
		return v, nil, fmt.Errorf("read a transaction's validity: %w", r.err)
	}
	return v, nil, nil
}

// pool holds what waits for a block. It needs the chain's lock.
type pool struct {
	waiting []*transaction // by arrival
	last    uint64
}

func (p *pool) find(hash tao.Hash) *transaction {
	for _, t := range p.waiting {
		if t.hash == hash {
			return t
		}
	}
	return nil
}

func (p *pool) remove(t *transaction) bool {
	i := slices.Index(p.waiting, t)
	if i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
	return i >= 0
}

// rival is what provides a tag that t provides too.
func (p *pool) rival(t *transaction) *transaction {
	for _, o := range p.waiting {
		if slices.ContainsFunc(o.validity.provides, func(tag []byte) bool { return contains(t.validity.provides, tag) }) {
			return o
		}
	}
	return nil
}

func contains(tags [][]byte, tag []byte) bool {
	return slices.ContainsFunc(tags, func(o []byte) bool { return bytes.Equal(o, tag) })
}

// add takes a transaction, in place of one that it replaces; replaced tells which.
func (p *pool) add(t *transaction) (replaced *transaction, refused *chain.RPCError) {
	if old := p.rival(t); old != nil {
		if t.validity.priority <= old.validity.priority {
			return nil, rpcError(1014, fmt.Sprintf("Priority is too low: (%d vs %d)", old.validity.priority, t.validity.priority),
				"The transaction has too low priority to replace another transaction already in the pool.")
		}
		p.remove(old)
		replaced = old
	}
	if len(p.waiting) >= maxPool {
		return nil, rpcError(1016, "Immediately Dropped", "The transaction couldn't enter the pool because of the limit")
	}
	p.last++
	t.order = p.last
	p.waiting = append(p.waiting, t)
	return replaced, nil
}

// ready lists what may go into a block now, in the order in which it may: the
// highest priority first, then by arrival, each after those whose tags it requires.
func (p *pool) ready() []*transaction {
	order := func(a, b *transaction) int {
		return cmp.Or(cmp.Compare(b.validity.priority, a.validity.priority), cmp.Compare(a.order, b.order))
	}
	blocked := map[string][]*transaction{} // by one tag that is missing
	provided := map[string]bool{}
	missing := func(t *transaction) (string, bool) {
		for _, tag := range t.validity.requires {
			if !provided[string(tag)] {
				return string(tag), true
			}
		}
		return "", false
	}
	var list []*transaction
	var take func(t *transaction)
	take = func(t *transaction) {
		if tag, lacks := missing(t); lacks {
			blocked[tag] = append(blocked[tag], t)
			return
		}
		list = append(list, t)
		for _, tag := range t.validity.provides {
			provided[string(tag)] = true
			freed := blocked[string(tag)]
			delete(blocked, string(tag))
			for _, next := range freed {
				take(next)
			}
		}
	}
	for _, t := range slices.SortedFunc(slices.Values(p.waiting), order) {
		take(t)
	}
	return list
}

// included removes what a block took, and with it what waiting ones require: their
// tags lie on the chain now. Whatever was meant to provide the same is gone too.
func (p *pool) included(list []*transaction) (usurped []*transaction) {
	done := map[string]bool{}
	for _, t := range list {
		for _, tag := range t.validity.provides {
			done[string(tag)] = true
		}
	}
	on := func(tag []byte) bool { return done[string(tag)] }
	taken := map[*transaction]bool{}
	for _, t := range list {
		taken[t] = true
	}
	p.waiting = slices.DeleteFunc(p.waiting, func(t *transaction) bool {
		if taken[t] {
			return true
		}
		if slices.ContainsFunc(t.validity.provides, on) {
			usurped = append(usurped, t)
			return true
		}
		t.validity.requires = slices.DeleteFunc(t.validity.requires, on)
		return false
	})
	return usurped
}

// expired removes what may not go into any block after number.
func (p *pool) expired(number uint32) (list []*transaction) {
	p.waiting = slices.DeleteFunc(p.waiting, func(t *transaction) bool {
		if t.expires > uint64(number) {
			return false
		}
		list = append(list, t)
		return true
	})
	return list
}

// newTransaction is an extrinsic as it came; without its length there is an error.
func newTransaction(x []byte) (*transaction, error) {
	n, rest, err := scale.DecodeCompact(x)
	if err != nil || n != uint64(len(rest)) || n == 0 {
		return nil, fmt.Errorf("it does not begin with its length")
	}
	return &transaction{bytes: x, hash: blake2b.Sum256(x)}, nil
}
