package devnet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/tao"
)

// snapshot is what [Chain.Restore] goes back to.
type snapshot struct {
	blocks []*block
	next   time.Time
	final  int
}

// Snapshot keeps where the chain is, and returns what names it. The chain's
// beginning is snapshot 0.
func (c *Chain) Snapshot() int {
	c.making.Lock()
	defer c.making.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snapshots = append(c.snapshots, &snapshot{c.blocks, c.next, c.final})
	return len(c.snapshots) - 1
}

// Restore goes back to a snapshot: later blocks and all that waits are gone.
func (c *Chain) Restore(id int) error {
	c.making.Lock()
	defer c.making.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if id < 0 || id >= len(c.snapshots) {
		return fmt.Errorf("there is no snapshot %d", id)
	}
	s := c.snapshots[id]
	c.blocks, c.next, c.final = s.blocks, s.next, s.final
	for _, b := range s.blocks {
		c.known[b.hash] = b // without what SetStorage has changed since
	}
	c.moved()
	return nil
}

// moved tells that the head is another one, and that nothing waits any more; it
// needs the lock.
func (c *Chain) moved() {
	for _, t := range c.pool.waiting {
		c.tell(t, "dropped")
	}
	c.pool.waiting = nil
	c.final = min(c.final, len(c.blocks)-1)
	c.announce(c.best())
}

// SetHead makes an earlier block the best one again. Later blocks can still be read
// by their hashes, and all that waits is gone.
func (c *Chain) SetHead(hash tao.Hash) error {
	c.making.Lock()
	defer c.making.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.known[hash]
	if b == nil {
		return fmt.Errorf("there is no block %s", hash)
	}
	c.blocks = c.ancestry(b)
	c.moved()
	return nil
}

// ancestry is the chain that ends with a block.
func (c *Chain) ancestry(b *block) []*block {
	var list []*block
	for at := b; at != nil; at = c.known[at.parent] {
		list = append(list, at)
		if at.number == 0 {
			break
		}
	}
	slices.Reverse(list)
	return list
}

// Reorganize replaces the newest blocks by others, one more than they were: what
// was in them waits again and comes into the second of the new ones. Finalized
// blocks stay.
func (c *Chain) Reorganize(ctx context.Context, depth int) error {
	c.making.Lock()
	defer c.making.Unlock()
	retracted, err := c.retract(depth)
	if err != nil {
		return err
	}
	for i := range depth + 1 {
		var ready []*transaction
		if i > 0 {
			c.mu.Lock()
			ready = c.pool.ready()
			c.mu.Unlock()
		}
		if _, err := c.build(ctx, retracted+uint32(i), ready); err != nil {
			return err
		}
	}
	return nil
}

// retract takes the newest blocks away, and returns the number of the first.
func (c *Chain) retract(depth int) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := len(c.blocks) - depth
	if depth < 1 || at <= c.final {
		return 0, fmt.Errorf("%d blocks cannot be replaced: %d are not finalized", depth, len(c.blocks)-1-c.final)
	}
	gone := c.blocks[at:]
	c.blocks = c.blocks[:at:at]
	// The other fork is made in other slots, or it would be the same.
	c.next = gone[0].time.Add(gone[0].runtime.slot)
	for _, b := range gone {
		for _, t := range b.included {
			c.tell(t, map[string]tao.Hash{"retracted": b.hash})
			c.pool.last++
			t.order = c.pool.last
			c.pool.waiting = append(c.pool.waiting, t)
		}
	}
	return gone[0].number, nil
}

// TravelTo moves the chain's clock on: the next block has this time. It cannot go
// back.
func (c *Chain) TravelTo(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !at.After(c.best().time) {
		return fmt.Errorf("the chain's clock stands at %s and does not go back", c.best().time.UTC().Format(time.RFC3339))
	}
	c.next = at
	return nil
}

// Jump makes a block with a number that is not the next one, as if those between
// had been made; nobody can read them.
func (c *Chain) Jump(ctx context.Context, to uint32) (Block, error) {
	c.making.Lock()
	defer c.making.Unlock()
	c.mu.Lock()
	best, ready := c.best().number, c.pool.ready()
	c.mu.Unlock()
	if to <= best {
		return Block{}, fmt.Errorf("block %d is not after block %d", to, best)
	}
	return c.build(ctx, to, ready)
}

// SetStorage changes what is stored after the newest block; a change without a
// value removes. The block keeps its hash, so what was read of it before is not so
// any more.
func (c *Chain) SetStorage(ctx context.Context, changes []executor.Change) error {
	c.making.Lock()
	defer c.making.Unlock()
	b := *c.head()
	before := b.state
	b.state = before.with(changes)
	if !same(before.value(codeKey), b.state.value(codeKey)) {
		rt, err := loadRuntime(ctx, c.engine, b.state)
		if err != nil {
			return fmt.Errorf("what is to be stored as code is no runtime: %w", err)
		}
		b.runtime = rt
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.blocks) - 1
	c.blocks = append(c.blocks[:last:last], &b)
	c.known[b.hash] = &b
	c.announce(&b)
	return nil
}
