// Package simulate finds out what an extrinsic would do, by running it: the
// connected chain's own runtime, on the state of one block, in this process.
// Nothing is sent, and nothing is guessed: where the code cannot be had or run,
// there is an error and no outcome.
//
// The extrinsic runs as the first of the next block. What that block itself does
// beforehand, such as emission, can be run too; on a chain with many subnets it
// reads much, so it is a choice.
package simulate

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/internal/atomicfile"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Outcome is what an extrinsic would do at a block.
type Outcome struct {
	Block     uint32   `json:"block"` // it would come right after it
	BlockHash tao.Hash `json:"block_hash"`
	Code      tao.Hash `json:"code"` // blake2-256 of the runtime that was run
	// WholeBlock is whether what the block does by itself was run before it.
	WholeBlock bool        `json:"whole_block"`
	Succeeds   bool        `json:"succeeds"`
	Fee        *tao.Amount `json:"fee,omitempty" view:"fee (TAO)"` // what would be paid, tip included
	Events     []tx.Event  `json:"events,omitempty"`
	Failure    *tx.Failure `json:"error,omitempty"`
	Accounts   []Account   `json:"accounts,omitempty"`

	// Refused is why no block would take it; then nothing is paid.
	Refused *chain.InvalidError `json:"-" view:"-"`
	Reason  string              `json:"refused,omitempty"`

	// Touched are the accounts that the call names or the events tell of, the
	// signer first; 256 at most.
	Touched []tao.Account `json:"-" view:"-"`

	after   *chain.View
	changed [][]byte
	fork    *fork
	seen    memory
}

// Cost is what has been asked of the node for the state up to now, reading the
// state afterwards included.
func (o *Outcome) Cost() Cost { return o.fork.spent() }

// Close ends the reading of the state afterwards.
func (o *Outcome) Close() error {
	o.seen.keep(o.fork)
	return o.fork.runtime.Close()
}

// Cost is what was asked of a node: requests, one after the other, and values.
type Cost struct {
	Requests int `json:"requests"`
	Values   int `json:"values"`
}

// Changed lists the storage keys that it would write or remove, sorted.
func (o *Outcome) Changed() [][]byte { return o.changed }

// After is the block's state as the extrinsic would leave it. It can be read
// until the outcome is closed.
func (o *Outcome) After() *chain.View { return o.after }

// Err is the outcome as an error; nil if it succeeds.
func (o *Outcome) Err() error {
	switch {
	case o.Refused != nil:
		return o.Refused
	case o.Failure != nil:
		return o.Failure
	}
	return nil
}

// Account is the free balance of an account that it would change.
type Account struct {
	Account tao.Account `json:"account"`
	Before  tao.Amount  `json:"before" view:"before (TAO)"`
	After   tao.Amount  `json:"after" view:"after (TAO)"`
}

// Error says why nothing could be simulated.
type Error struct {
	What string
	Err  error
}

func (e *Error) Error() string { return "nothing was simulated: " + e.What + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Options are the choices of a simulation.
type Options struct {
	Block bool   // run what the block itself does beforehand
	Cache string // a folder in which runtimes are kept; "" for none
}

// Draft runs an unsigned draft. Its signature is taken for good, so no key is
// needed; everything else is as if it had been sent. Errors: *Error.
func Draft(ctx context.Context, v *chain.View, d *tx.Draft, o Options) (*Outcome, error) {
	x, err := d.Unsigned()
	if err != nil {
		return nil, &Error{"encode the transaction", err}
	}
	return run(ctx, v, x, o, executor.TrustUnsigned())
}

// Extrinsic runs a signed extrinsic, whose signature is checked. Errors: *Error.
func Extrinsic(ctx context.Context, v *chain.View, x *tx.Extrinsic, o Options) (*Outcome, error) {
	return run(ctx, v, x, o)
}

func run(ctx context.Context, v *chain.View, x *tx.Extrinsic, o Options, options ...executor.Option) (_ *Outcome, err error) {
	code, err := codeOf(ctx, v, o.Cache)
	if err != nil {
		return nil, &Error{"fetch the chain's runtime", err}
	}
	f := newFork(v)
	seen := memoryOf(o, tao.Hash(blake2b.Sum256(code)))
	// Loading takes as long as a few requests, so the two go on together.
	var both sync.WaitGroup
	both.Go(func() { seen.recall(ctx, f) })
	f.runtime, err = executor.Load(ctx, code, options...)
	both.Wait()
	if err != nil {
		return nil, &Error{"load the chain's runtime", err}
	}
	// The runtime stays open: the state afterwards can be asked through it.
	defer func() {
		if err != nil {
			_ = f.runtime.Close()
		}
	}()
	if err := f.begin(ctx, v, o.Block); err != nil {
		return nil, &Error{"begin a block", err}
	}
	out, err := f.call(ctx, applyExtrinsic, x.Bytes)
	if err != nil {
		return nil, &Error{"run it", err}
	}
	result := &Outcome{Block: v.Number(), BlockHash: v.Hash(), Code: blake2b.Sum256(code), WholeBlock: o.Block, after: v.Through(f), changed: f.changedKeys(), fork: f, seen: seen}
	if err := result.read(ctx, v, x, out); err != nil {
		return nil, &Error{"read what came of it", err}
	}
	return result, nil
}

// begin comes to where the extrinsic is applied.
func (f *fork) begin(ctx context.Context, v *chain.View, whole bool) error {
	if whole {
		if err := f.openBlock(ctx, v); err != nil {
			return err
		}
	} else if err := f.markBlock(v); err != nil {
		return err
	}
	// The index of the extrinsic, under a key of its own (Substrate,
	// primitives/storage/src/lib.rs, well_known_keys::EXTRINSIC_INDEX).
	f.changes[":extrinsic_index"] = []byte{0, 0, 0, 0}
	return nil
}

// read takes what the runtime answered, and what it wrote, for an outcome.
func (o *Outcome) read(ctx context.Context, v *chain.View, x *tx.Extrinsic, out []byte) error {
	if len(out) == 0 {
		return errors.New("the runtime answered nothing")
	}
	if out[0] != 0 {
		refused, err := refusal(v.Runtime(), out[1:])
		if err != nil {
			return err
		}
		o.Refused, o.Reason = refused, refused.Error()
		return nil
	}
	r, err := tx.ReceiptAt(ctx, o.after, x, 0)
	if err != nil {
		return err
	}
	o.Fee, o.Events, o.Failure = r.Fee, r.Events, r.Failure
	o.Succeeds = r.Failure == nil
	if failed := len(out) > 1 && out[1] != 0; failed && o.Succeeds {
		return errors.New("the runtime reports a failure that its events do not tell")
	}
	o.Touched = touched(x, r.Events)
	o.Accounts, err = changed(ctx, v, o.after, o.Touched)
	return err
}

// changed reads balances before and after, and keeps those that differ.
func changed(ctx context.Context, before, after *chain.View, accounts []tao.Account) ([]Account, error) {
	was, err := tx.FundsOf(ctx, before, accounts...)
	if err != nil {
		return nil, err
	}
	is, err := tx.FundsOf(ctx, after, accounts...)
	if err != nil {
		return nil, err
	}
	var list []Account
	for i, a := range accounts {
		if was[i].Free != is[i].Free {
			list = append(list, Account{Account: a, Before: was[i].Free, After: is[i].Free})
		}
	}
	return list, nil
}

// touched are the accounts that an extrinsic names or its events tell of, the
// signer first.
func touched(x *tx.Extrinsic, events []tx.Event) []tao.Account {
	list := []tao.Account{x.Signer}
	seen := map[tao.Account]bool{x.Signer: true}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case tao.Account:
			if !seen[v] {
				seen[v] = true
				list = append(list, v)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case *scale.Record:
			if v != nil {
				for _, f := range v.Fields {
					walk(f.Value)
				}
			}
		case *scale.Variant:
			if v != nil {
				walk(v.Value)
			}
		case chain.Call:
			for _, a := range v.Args {
				walk(a)
			}
		}
	}
	walk(x.Call)
	for _, e := range events {
		walk(e.Fields.V)
	}
	return list[:min(len(list), maxTouched)]
}

// maxTouched bounds the accounts whose balances are compared.
const maxTouched = 256

// codeOf fetches the runtime's code, or takes it from a folder where it lies
// under its hash. A node that does not tell the hash is asked each time.
func codeOf(ctx context.Context, v *chain.View, cache string) ([]byte, error) {
	want := v.Runtime().Spec().Code
	name := ""
	if cache != "" && !want.IsZero() {
		name = filepath.Join(cache, hex.EncodeToString(want[:])+".wasm")
		if code, err := os.ReadFile(name); err == nil && tao.Hash(blake2b.Sum256(code)) == want {
			return code, nil
		}
	}
	code, err := v.Raw(ctx, []byte(codeKey))
	switch {
	case err != nil:
		return nil, err
	case code == nil:
		return nil, errors.New("the node has none")
	case !want.IsZero() && tao.Hash(blake2b.Sum256(code)) != want:
		return nil, fmt.Errorf("its hash is not that of the chain's runtime, %s", want)
	}
	if name != "" && os.MkdirAll(cache, 0o700) == nil {
		_ = atomicfile.Write(name, code, 0o600) // if not, the next one fetches it again
		prune(cache)
	}
	return code, nil
}
