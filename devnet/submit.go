package devnet

import (
	"context"
	"errors"

	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/tao"
)

// submit takes an extrinsic into the pool, or answers why not.
func (c *Chain) submit(ctx context.Context, x []byte) (*transaction, error) {
	t, err := newTransaction(x)
	if err != nil {
		return nil, rpcError(1002, "Verification Error: Runtime error: Execution failed", err.Error())
	}
	c.mu.Lock()
	double, best := c.pool.find(t.hash) != nil, c.best()
	c.mu.Unlock()
	if double {
		return nil, rpcError(1013, "Transaction is already imported", "transaction already in pool")
	}
	valid, refused, err := c.validate(ctx, best, x)
	var trap *executor.TrapError
	switch {
	case errors.As(err, &trap):
		return nil, rpcError(1002, "Verification Error: Runtime error: Execution failed", trap.Error())
	case err != nil:
		return nil, err
	case refused != nil:
		return nil, refused.rpc()
	}
	t.validity = valid
	if t.expires = uint64(best.number) + valid.longevity; t.expires < valid.longevity {
		t.expires = valid.longevity // for ever
	}
	return t, c.enter(t)
}

func (c *Chain) enter(t *transaction) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault("author_submit", FaultSwallow) != nil {
		return nil
	}
	replaced, refused := c.pool.add(t)
	if refused != nil {
		return refused
	}
	if replaced != nil {
		c.tell(replaced, map[string]tao.Hash{"usurped": t.hash})
	}
	return nil
}

// tell sends a transaction's status to whoever follows it; it needs the lock.
func (c *Chain) tell(t *transaction, status any) {
	for _, w := range t.watchers {
		if c.subs[w.id] == w {
			w.notice(status)
		}
	}
}

// pending lists what waits, by arrival.
func (c *Chain) pending() []hexBytes {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []hexBytes{}
	for _, t := range c.pool.waiting {
		list = append(list, t.bytes)
	}
	return list
}
