package register

import (
	"context"
	"errors"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Work registers a hotkey by proof of work.
type Work struct {
	Coldkey tao.Account // that owns the hotkey, or will
	Hotkey  tao.Account
	NetUID  tao.NetUID

	// Faucet asks the faucet of a local chain for TAO instead: NetUID and
	// Hotkey are ignored.
	Faucet bool
}

// Challenge is what is to be solved, as of one block.
type Challenge struct {
	Work   Work
	Block  uint32
	Puzzle powsolver.Puzzle
	Rule   Rule
}

// BlocksLeft is how many more blocks may come before work on the challenge is
// of no use, if head is the newest. ok is false if it is too late already.
func (c Challenge) BlocksLeft(head uint32) (n uint32, ok bool) {
	if c.Block > head || head+1-c.Block > c.Rule.Window {
		return 0, false
	}
	return c.Rule.Window - (head + 1 - c.Block), true
}

// faucetDifficulty is that of do_faucet in registration.rs. Runtimes built for
// fast blocks once took 100 (v1.2.4), which harder work meets as well.
const faucetDifficulty = 1_000_000

// Challenge reads what has to be solved at the view's block, and refuses what
// the chain would refuse then. Errors: *NoWorkError, *UnknownSubnetError,
// *RegisteredError, *ClosedError, *IntervalError, *NotOwnerError, *FaucetError,
// *powsolver.PuzzleError.
func (w Work) Challenge(ctx context.Context, v *chain.View) (Challenge, error) {
	if w.Faucet {
		return w.faucet(v)
	}
	rule, err := RuleOf(v.Runtime())
	if err != nil {
		return Challenge{}, w.priced(ctx, v, err)
	}
	c, _, err := admit(ctx, v, w.NetUID, w.Hotkey, w.Coldkey)
	if err != nil {
		return Challenge{}, err
	}
	if !c.Work {
		return Challenge{}, &ClosedError{NetUID: w.NetUID, Reason: "its owner has not allowed proof of work"}
	}
	ch := Challenge{Work: w, Block: v.Number(), Rule: rule, Puzzle: powsolver.Puzzle{
		Kind: rule.Seal, Order: rule.Order, Difficulty: c.Difficulty, Block: v.Hash(), Hotkey: w.Hotkey,
	}}
	if rule.Seal == powsolver.V475 {
		ch.Puzzle.Coldkey, ch.Puzzle.NetUID = w.Coldkey, uint16(w.NetUID)
		if err := w.notUsed(ctx, v, v.Number()); err != nil {
			return Challenge{}, err
		}
	}
	return ch, ch.Puzzle.Check()
}

// priced adds to a refusal what the call would have burnt.
func (w Work) priced(ctx context.Context, v *chain.View, refusal error) error {
	var none *NoWorkError
	if !errors.As(refusal, &none) || !none.Burns {
		return refusal
	}
	price, err := Price(ctx, v, w.NetUID)
	if err != nil {
		return refusal
	}
	priced := *none
	priced.NetUID, priced.Price = w.NetUID, &price
	return &priced
}

// notUsed checks the watermark of 475: work must be on a later block than the
// hotkey's last registration by work.
func (w Work) notUsed(ctx context.Context, v *chain.View, work uint32) error {
	r := &reader{ctx: ctx, view: v, keys: [][]any{{w.Hotkey}}}
	last := column(r, lastWork)[0]
	if r.err == nil && last >= uint64(work) {
		return &StaleError{Work: work, Head: v.Number(), Reason: fmt.Sprintf("the hotkey's last work was on block %d", last)}
	}
	return r.err
}

// faucet is a legacy seal with the coldkey in the hotkey's place. Runtimes have
// kept it beside the seal of 475 (facts of the source at 475: "the faucet").
func (w Work) faucet(v *chain.View) (Challenge, error) {
	spec := v.Runtime().Spec().SpecVersion
	if !hasCall(v.Runtime(), callFaucet) {
		return Challenge{}, &FaucetError{Spec: spec}
	}
	order, err := orderOf(spec)
	if err != nil {
		return Challenge{}, err
	}
	ch := Challenge{
		Work: w, Block: v.Number(),
		Rule:   Rule{Seal: powsolver.Legacy, Order: order, Signer: ByColdkey, Window: 2},
		Puzzle: powsolver.Puzzle{Kind: powsolver.Legacy, Order: order, Difficulty: faucetDifficulty, Block: v.Hash(), Hotkey: w.Coldkey},
	}
	return ch, ch.Puzzle.Check()
}

// WorkPreview is what a registration by work does: nothing is burnt.
type WorkPreview struct {
	Hotkey     tao.Account `json:"hotkey"`
	Coldkey    tao.Account `json:"coldkey"`
	NetUID     tao.NetUID  `json:"netuid"`
	Faucet     bool        `json:"faucet,omitempty" view:"-"`
	Block      uint32      `json:"work_block" view:"work on block"`
	Difficulty uint64      `json:"difficulty"`
	Rule       Rule        `json:"rule"`
}

// Plan checks a solution again, with the definition of the seal and against the
// chain at the view's block: that the work is fresh and on this chain, and that
// difficulty and limits are still met. Errors: those of [Work.Challenge],
// *StaleError, *WrongWorkError.
func (c Challenge) Plan(ctx context.Context, v *chain.View, nonce uint64) (tx.Plan, error) {
	now, err := c.Work.Challenge(ctx, v)
	if err != nil {
		return tx.Plan{}, err
	}
	stale := func(reason string) (tx.Plan, error) {
		return tx.Plan{}, &StaleError{Work: c.Block, Head: v.Number(), Reason: reason}
	}
	if now.Rule != c.Rule {
		return stale("the runtime was upgraded since")
	}
	if _, ok := c.BlocksLeft(v.Number()); !ok {
		return stale("it is too old")
	}
	hash, err := v.Client().Hash(ctx, chain.AtNumber(c.Block))
	if err != nil {
		return tx.Plan{}, err
	}
	if hash != tao.Hash(c.Puzzle.Block) {
		return stale("another block has taken its place")
	}
	if c.Rule.Seal == powsolver.V475 {
		if err := c.Work.notUsed(ctx, v, c.Block); err != nil {
			return tx.Plan{}, err
		}
	}
	puzzle := c.Puzzle
	puzzle.Difficulty = now.Puzzle.Difficulty
	seal, meets := powsolver.Verify(puzzle, nonce)
	if !meets {
		return tx.Plan{}, &WrongWorkError{Nonce: nonce, Difficulty: puzzle.Difficulty}
	}
	return c.plan(powsolver.Solution{Puzzle: puzzle, Nonce: nonce, Seal: seal}), nil
}

// Trial is the plan with work that holds for nothing, for finding out what the
// chain asks for the call. It must not be signed.
func (c Challenge) Trial() tx.Plan { return c.plan(powsolver.Solution{Puzzle: c.Puzzle}) }

func (c Challenge) plan(s powsolver.Solution) tx.Plan {
	p := tx.Plan{Signer: c.Rule.signer(c.Work), Spend: new(tao.Amount), Preview: WorkPreview{
		Hotkey: c.Work.Hotkey, Coldkey: c.Work.Coldkey, NetUID: c.Work.NetUID, Faucet: c.Work.Faucet,
		Block: c.Block, Difficulty: s.Puzzle.Difficulty, Rule: c.Rule,
	}}
	switch {
	case c.Work.Faucet:
		p.Call = faucetCall(c.Block, s)
	case c.Rule.Seal == powsolver.V475:
		p.Call = workCallV475(c.Work, c.Block, s)
	default:
		p.Call = workCall(c.Work, c.Block, s)
	}
	return p
}
