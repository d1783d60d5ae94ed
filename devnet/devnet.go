// Package devnet is a chain of one node, for development and tests. It makes
// blocks with a runtime that it is given ([Engine]), and speaks the JSON-RPC of a
// Substrate node: in this process through [Chain.Transport], and to other programs
// on the loopback interface alone through [Chain.Serve].
//
// It has no peers and no consensus: one author makes every block, and a block is
// final as soon as [Options.Lag] others lie above it. It makes no trie: state roots
// stand for one, no more. Everything is in memory, and gone with the process.
package devnet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/tao"
)

// Options say how a chain behaves. The zero value makes a block as soon as there
// is something to put into it, and calls it final at once.
type Options struct {
	Name    string        // "Development" if empty
	Every   time.Duration // a block this often, empty or not; 0: for each transaction
	Manual  bool          // blocks are made by [Chain.Build] and dev_newBlock alone
	Lag     uint32        // blocks that the finalized head is behind the best one
	Genesis time.Time     // the time of block 0, the current one if zero
}

// Chain is a running chain. It is safe for use by several goroutines.
type Chain struct {
	engine Engine
	opts   Options

	making sync.Mutex // held while a block is made or the head is moved

	mu        sync.Mutex // guards what follows
	blocks    []*block   // the best chain, by number
	known     map[tao.Hash]*block
	final     int // in blocks
	pool      pool
	next      time.Time // of the next block at the earliest
	subs      map[string]*subscription
	lastSub   uint64
	sessions  map[*session]bool
	faults    []*Fault
	snapshots []*snapshot

	wake chan struct{}
	stop context.CancelFunc
	done sync.WaitGroup
}

// New starts a chain in a state: what is stored in block 0, by key. [Chain.Close]
// ends it.
func New(ctx context.Context, e Engine, stored map[string][]byte, o Options) (*Chain, error) {
	if o.Name == "" {
		o.Name = "Development"
	}
	if o.Genesis.IsZero() {
		o.Genesis = time.Now()
	}
	s := newState(stored)
	rt, err := loadRuntime(ctx, e, s)
	if err != nil {
		return nil, err
	}
	first := genesis(s, rt, o.Genesis.Truncate(rt.slot))
	c := &Chain{
		engine: e, opts: o, blocks: []*block{first}, known: map[tao.Hash]*block{first.hash: first},
		subs: map[string]*subscription{}, sessions: map[*session]bool{}, wake: make(chan struct{}, 1),
	}
	c.snapshots = []*snapshot{{blocks: c.blocks}}
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.done.Go(func() { c.run(ctx) })
	return c, nil
}

// Close ends the chain and every line to it.
func (c *Chain) Close() error {
	c.stop()
	c.HangUp()
	c.done.Wait()
	return nil
}

// run makes blocks until the chain ends.
func (c *Chain) run(ctx context.Context) {
	var tick <-chan time.Time
	if c.opts.Every > 0 && !c.opts.Manual {
		t := time.NewTicker(c.opts.Every)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			_, _ = c.Build(ctx) // what failed is told to whoever follows what was in it
		case <-c.wake:
			if tick != nil || c.manual() {
				continue
			}
			for c.hasReady() && ctx.Err() == nil {
				// One that the runtime puts off stays, and is no reason for another block.
				if b, err := c.Build(ctx); err != nil || b.Transactions == 0 {
					break
				}
			}
		}
	}
}

func (c *Chain) manual() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opts.Manual
}

func (c *Chain) hasReady() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pool.ready()) > 0
}

// submitted has a block made where blocks are made for transactions.
func (c *Chain) submitted() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// best is the newest block; it needs the lock.
func (c *Chain) best() *block { return c.blocks[len(c.blocks)-1] }

func (c *Chain) head() *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.best()
}

// at finds a block of the best chain by its number; it needs the lock.
func (c *Chain) at(number uint32) *block {
	i, ok := slices.BinarySearchFunc(c.blocks, number, func(b *block, n uint32) int { return int(int64(b.number) - int64(n)) })
	if !ok {
		return nil
	}
	return c.blocks[i]
}

// Block says which block was made.
type Block struct {
	Number       uint32
	Hash         tao.Hash
	Transactions int // that came through the pool
}

// Build makes a block with what waits and fits.
func (c *Chain) Build(ctx context.Context) (Block, error) {
	c.making.Lock()
	defer c.making.Unlock()
	c.mu.Lock()
	ready := c.pool.ready()
	height := c.best().number + 1
	c.mu.Unlock()
	return c.build(ctx, height, ready)
}

// build makes a block of transactions; it needs that blocks are not made.
func (c *Chain) build(ctx context.Context, height uint32, ready []*transaction) (Block, error) {
	c.mu.Lock()
	parent, at := c.best(), c.blockTime()
	c.mu.Unlock()
	w, err := open(ctx, c.engine, parent, height, at)
	if err != nil {
		return Block{}, err
	}
	invalid, err := c.fill(ctx, w, ready)
	if err != nil {
		return Block{}, err
	}
	b, err := w.close(ctx)
	if err != nil {
		return Block{}, err
	}
	if before, after := parent.state.value(codeKey), b.state.value(codeKey); !same(before, after) {
		if b.runtime, err = loadRuntime(ctx, c.engine, b.state); err != nil {
			return Block{}, fmt.Errorf("the new code of block %d: %w", b.number, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accept(b, invalid)
	return b.told(), nil
}

func (b *block) told() Block { return Block{b.number, b.hash, len(b.included)} }

// same tells whether two states hold the same code; where nothing was written it is
// the same memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || string(a) == string(b))
}

// fill puts transactions into a block until it is full, and returns those that the
// runtime refuses now.
func (c *Chain) fill(ctx context.Context, w *work, ready []*transaction) (invalid []*transaction, err error) {
	for _, t := range ready {
		refused, err := w.apply(ctx, t.bytes)
		var trap *executor.TrapError
		var limit *executor.LimitError
		switch {
		case errors.As(err, &trap) || errors.As(err, &limit):
			invalid = append(invalid, t)
		case err != nil:
			return nil, err
		case refused == nil:
			w.block.included = append(w.block.included, t)
		case refused.exhausted() && len(w.block.included) > 0:
			return invalid, nil
		case refused.future():
		default:
			invalid = append(invalid, t)
		}
	}
	return invalid, nil
}

// blockTime is the next block's time: one slot after the last one, unless the clock
// was moved on. So what a chain does does not depend on how fast the machine is.
func (c *Chain) blockTime() time.Time {
	best := c.best()
	at := best.time.Add(best.runtime.slot)
	if c.next.After(at) {
		at = c.next.Truncate(best.runtime.slot)
	}
	return at
}

// accept makes a block the best one and tells everybody; it needs the lock.
func (c *Chain) accept(b *block, invalid []*transaction) {
	c.blocks = append(c.blocks[:len(c.blocks):len(c.blocks)], b)
	c.known[b.hash] = b
	for _, t := range invalid {
		if c.pool.remove(t) {
			c.tell(t, "invalid")
		}
	}
	for _, t := range b.included {
		c.tell(t, map[string]tao.Hash{"inBlock": b.hash})
	}
	for _, t := range c.pool.included(b.included) {
		c.tell(t, "invalid")
	}
	for _, t := range c.pool.expired(b.number) {
		c.tell(t, "invalid")
	}
	c.announce(b)
	c.finalize()
}

// finalize moves the finalized head after the best one; it needs the lock.
func (c *Chain) finalize() {
	for c.final+int(c.opts.Lag) < len(c.blocks)-1 {
		c.final++
		b := c.blocks[c.final]
		for _, t := range b.included {
			c.tell(t, map[string]tao.Hash{"finalized": b.hash})
			t.watchers = nil
		}
		c.publish("chain_subscribeFinalizedHeads", b.header)
	}
}

// announce tells the followers of heads, of storage and of the runtime about a new
// best block; it needs the lock.
func (c *Chain) announce(b *block) {
	c.publish("chain_subscribeNewHeads", b.header)
	c.publish("chain_subscribeAllHeads", b.header)
	for _, s := range c.subs {
		switch s.method {
		case "state_subscribeStorage":
			s.storage(b, false)
		case "state_subscribeRuntimeVersion":
			s.runtime(b)
		}
	}
}

// Status says what a chain is and where it stands.
type Status struct {
	Name    string
	Spec    chain.Spec // of the runtime; Code is left out
	Slot    time.Duration
	Genesis tao.Hash
	Best    Block
}

// Status tells what the chain is and where it stands.
func (c *Chain) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.best()
	v := b.runtime.version
	return Status{
		Name: c.opts.Name, Slot: b.runtime.slot, Genesis: c.blocks[0].hash, Best: b.told(),
		Spec: chain.Spec{Name: v.SpecName, SpecVersion: v.SpecVersion, ImplVersion: v.ImplVersion, TxVersion: v.TransactionVersion},
	}
}
