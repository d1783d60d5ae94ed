package register

import (
	"context"
	"errors"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/powsolver"
)

// Search solves the work for the newest block and moves to each newer one as
// it comes, so that what it returns is fresh. Difficulty and limits are read
// again with every block; what would be refused by then ends the search, with
// the errors of [Work.Challenge]. tell hears of each challenge, from another
// goroutine. A line that tells of no new blocks any more ends the search with a
// *HeadsError.
func Search(ctx context.Context, c *chain.Client, s *powsolver.Solver, w Work, tell func(Challenge)) (Challenge, uint64, error) {
	v, err := c.At(ctx, chain.Best())
	if err != nil {
		return Challenge{}, 0, err
	}
	first, err := w.Challenge(ctx, v)
	if err != nil {
		return Challenge{}, 0, err
	}
	tell(first)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f := &follower{
		client: c, work: w, tell: tell,
		next: make(chan powsolver.Puzzle), current: first.Puzzle, seen: map[powsolver.Puzzle]Challenge{first.Puzzle: first},
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		cancel(f.follow(ctx))
	}()
	solution, err := s.Solve(ctx, first.Puzzle, f.next)
	cause := context.Cause(ctx)
	cancel(nil)
	<-done
	switch {
	case err == nil:
		return f.seen[solution.Puzzle], solution.Nonce, nil
	case cause != nil:
		return Challenge{}, 0, cause
	}
	return Challenge{}, 0, err
}

// follower turns new heads into new puzzles.
type follower struct {
	client *chain.Client
	work   Work
	tell   func(Challenge)
	next   chan powsolver.Puzzle

	// follow's alone until it has ended
	current powsolver.Puzzle // being worked on; after a reorganisation it may be an older one again
	seen    map[powsolver.Puzzle]Challenge
}

// follow never returns nil: it ends only if it must.
func (f *follower) follow(ctx context.Context) error {
	for _, err := range f.client.Headers(ctx, false) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return &HeadsError{Err: err}
		}
		if err := f.renew(ctx); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &HeadsError{Err: errors.New("the subscription ended")}
}

// renew reads the newest block, which may be newer than the head that was told.
func (f *follower) renew(ctx context.Context) error {
	v, err := f.client.At(ctx, chain.Best())
	if err != nil {
		return err
	}
	ch, err := f.work.Challenge(ctx, v)
	if err != nil {
		return err
	}
	if ch.Puzzle == f.current {
		return nil
	}
	f.current, f.seen[ch.Puzzle] = ch.Puzzle, ch
	f.tell(ch)
	select {
	case f.next <- ch.Puzzle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
