package tx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Settle finds out what became of an open extrinsic by searching the blocks that
// may hold it. Three answers: a receipt (it is in a block); no receipt and state
// Expired (its last block is final without it, so it can never happen); no
// receipt and an open state (it still may happen).
//
// Blocks are searched, not nonces compared: an account that is emptied and
// refilled starts counting again, and would make a done transfer look undone.
func Settle(ctx context.Context, c *chain.Client, e Entry) (*Receipt, Entry, error) {
	return settle(ctx, c, e, e.first())
}

// Follow settles again and again, as blocks come, until the extrinsic is in a
// block (a final one, if asked) or expired.
func Follow(ctx context.Context, c *chain.Client, e Entry, final bool) (*Receipt, Entry, error) {
	for from := e.first(); ; {
		head, err := c.At(ctx, chain.Finalized())
		if err != nil {
			return nil, e, err
		}
		r, now, err := settle(ctx, c, e, from)
		if err != nil || now.Final || r != nil && !final {
			return r, now, err
		}
		e = now
		if r == nil {
			// What is final does not change: it need not be searched again.
			from = max(from, head.Number()+1)
			if err := numberFree(ctx, head, e); err != nil {
				return nil, e, err
			}
		}
		select {
		case <-ctx.Done():
			return r, e, ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

// TakenError says that another extrinsic of the account, in a final block, has
// used the number of the one that is looked for. It can then only happen if the
// account is emptied, removed and filled anew before its era ends; nobody should
// wait for that, and nobody should call it impossible.
type TakenError struct {
	Signer tao.Account
	Nonce  uint32
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("another transaction of %s has used its number, %d", e.Signer, e.Nonce)
}

// numberFree compares the account's final nonce. Errors: *TakenError.
func numberFree(ctx context.Context, final *chain.View, e Entry) error {
	funds, err := FundsOf(ctx, final, e.Signer)
	if err == nil && funds[0].Nonce > e.Nonce {
		err = &TakenError{Signer: e.Signer, Nonce: e.Nonce}
	}
	return err
}

// Find settles one extrinsic of the journal and records what it found.
func Find(ctx context.Context, c *chain.Client, j *Journal, x tao.Hash) (*Receipt, Entry, error) {
	return recorded(ctx, j, x, func(e Entry) (*Receipt, Entry, error) { return Settle(ctx, c, e) })
}

// Await follows one extrinsic of the journal and records what it found.
func Await(ctx context.Context, c *chain.Client, j *Journal, x tao.Hash, final bool) (*Receipt, Entry, error) {
	return recorded(ctx, j, x, func(e Entry) (*Receipt, Entry, error) { return Follow(ctx, c, e, final) })
}

func recorded(ctx context.Context, j *Journal, x tao.Hash, look func(Entry) (*Receipt, Entry, error)) (*Receipt, Entry, error) {
	before, err := j.Entry(x)
	if err != nil {
		return nil, before, err
	}
	r, after, err := look(before)
	if err != nil {
		return nil, before, err
	}
	if after.State != before.State || after.Final != before.Final {
		err = j.Update(ctx, after)
	}
	return r, after, err
}

// pollEvery is how often a followed extrinsic is looked for, where nothing
// tells of new blocks: a few times in a block of 12 seconds.
const pollEvery = 2 * time.Second

// marginBlocks is how far before the head of its signing an immortal extrinsic
// is searched: a fork may hold it in an earlier block.
const marginBlocks = 32

// first is the first block that may hold the extrinsic.
func (e Entry) first() uint32 {
	if e.Era.Immortal() {
		return e.SignedAt - min(e.SignedAt, marginBlocks) + 1
	}
	return e.Era.Birth + 1
}

func settle(ctx context.Context, c *chain.Client, e Entry, first uint32) (*Receipt, Entry, error) {
	if e.Genesis != c.Genesis() {
		return nil, e, fmt.Errorf("extrinsic %s was for the chain %s, and this is %s", e.Hash, e.Genesis, c.Genesis())
	}
	// Finality first: a block that becomes final while we search has been searched.
	final, err := c.At(ctx, chain.Finalized())
	if err != nil {
		return nil, e, err
	}
	head, err := c.At(ctx, chain.Best())
	if err != nil {
		return nil, e, err
	}
	last, mortal := e.Era.Last()
	if !mortal {
		last = head.Number()
	}
	found, err := search(ctx, c, e.Hash, first, min(last, head.Number()))
	if err != nil {
		return nil, e, err
	}
	if found != nil {
		x := &Extrinsic{Bytes: e.Bytes, Signer: e.Signer, Nonce: e.Nonce, Era: e.Era, Genesis: e.Genesis}
		r, err := readOutcome(ctx, c, x, *found)
		if err != nil {
			return nil, e, err
		}
		e.take(r, r.Block <= final.Number())
		return r, e, nil
	}
	if mortal && final.Number() >= last {
		e.Final = true
		if e.State != Refused { // which says more
			e.State, e.Note = Expired, fmt.Sprintf("block %d is final without it", last)
		}
		return nil, e, nil
	}
	if e.State != Submitted && e.State != Refused {
		e.State = Unknown // it may have been in a block that a fork undid
	}
	return nil, e, nil
}

// take sets an entry to what its receipt says.
func (e *Entry) take(r *Receipt, final bool) {
	r.Final = final
	if final && r.Status == Included {
		r.Status = Finalized
	}
	e.State, e.Final, e.Block, e.BlockHash, e.Note = r.Status, final, r.Block, r.BlockHash, ""
	if r.Failure != nil {
		e.Note = r.Failure.Error()
	}
}

// PrunedError says that a node no longer has a block that must be searched.
type PrunedError struct{ Block uint32 }

func (e *PrunedError) Error() string {
	return fmt.Sprintf("this node does not have block %d any more: ask an archive node", e.Block)
}

// atOnce is how many blocks are asked for at the same time.
const atOnce = 16

// search looks for an extrinsic by its hash in the blocks from first to last,
// and returns the hash of the block that holds it, or nil.
func search(ctx context.Context, c *chain.Client, x tao.Hash, first, last uint32) (*tao.Hash, error) {
	for ; first <= last; first += atOnce {
		hits := make([]*tao.Hash, min(atOnce, last-first+1))
		var ask []func() error
		for i := range hits {
			ask = append(ask, func() (err error) {
				hits[i], err = searchBlock(ctx, c, x, first+uint32(i))
				return err
			})
		}
		if err := together(ask...); err != nil {
			return nil, err
		}
		for _, hit := range hits {
			if hit != nil {
				return hit, nil
			}
		}
	}
	return nil, nil
}

func searchBlock(ctx context.Context, c *chain.Client, x tao.Hash, number uint32) (*tao.Hash, error) {
	hash, err := c.Hash(ctx, chain.AtNumber(number))
	if err != nil {
		return nil, err
	}
	body, err := c.Extrinsics(ctx, hash)
	var none *chain.NoBlockError
	if errors.As(err, &none) {
		return nil, &PrunedError{Block: number}
	}
	if err != nil {
		return nil, err
	}
	if indexOf(body, x) < 0 {
		return nil, nil
	}
	return &hash, nil
}

func indexOf(body [][]byte, x tao.Hash) int {
	for i, b := range body {
		if hashOf(b) == x {
			return i
		}
	}
	return -1
}

// readOutcome finds the extrinsic in a block by its hash, never by a guess, and
// reads what that block's events say of it.
func readOutcome(ctx context.Context, c *chain.Client, x *Extrinsic, block tao.Hash) (*Receipt, error) {
	v, err := c.At(ctx, chain.AtHash(block))
	if err != nil {
		return nil, err
	}
	body, err := c.Extrinsics(ctx, block)
	if err != nil {
		return nil, err
	}
	index := indexOf(body, x.Hash())
	if index < 0 {
		return nil, fmt.Errorf("block %d does not hold the extrinsic", v.Number())
	}
	return ReceiptAt(ctx, v, x, index)
}
