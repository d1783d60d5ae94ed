package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/register"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// queue registers several hotkeys one after another. What it may cost is agreed
// to once, before the first; each is planned anew at the newest block right
// before it is signed, and walks the one road. It stops at the first registration
// that is not known.
type queue struct {
	app      *app
	command  *cobra.Command
	netuid   tao.NetUID
	jobs     []job
	bound    *tao.Amount // the most that is burnt for one; nil: nothing is burnt
	attempts int
	watch    bool
	options  tx.Options
	wait     tx.Wait
	work     *workFacts // of registration by work
	fee      *tao.Amount
	anew     bool // look up the uid afterwards
	keys     map[tao.Account]signer
}

// job is one hotkey of the queue.
type job struct {
	hotkey tao.Account
	signer tao.Account

	// plan makes the plan at the newest block. search, where set, is called
	// before each attempt and gives the plan that this attempt is about.
	plan   planner
	search func(context.Context, *chain.Client) (planner, error)
}

// planner makes a plan at a view.
type planner func(context.Context, *chain.View) (tx.Plan, error)

// queueSummary is what is agreed to before a queue starts.
type queueSummary struct {
	Network  string        `json:"network"`
	Genesis  tao.Hash      `json:"genesis"`
	Runtime  string        `json:"runtime"`
	NetUID   tao.NetUID    `json:"netuid"`
	Hotkeys  []tao.Account `json:"hotkeys"`
	Signer   *tao.Account  `json:"signer,omitempty"`                                           // where each hotkey does not sign for itself
	Each     *tao.Amount   `json:"max_burn_each,omitempty" view:"burns at most each (TAO)"`    // enforced
	All      *tao.Amount   `json:"max_burn_all,omitempty" view:"burns at most in all (TAO)"`   // enforced
	Checked  *tao.Amount   `json:"checked_limit_each,omitempty" view:"none signed over (TAO)"` // where nothing enforces it
	AboutAll *tao.Amount   `json:"about_burn_all,omitempty" view:"burns about in all (TAO)"`
	Fee      *tao.Amount   `json:"fee_each,omitempty" view:"fee of each attempt (TAO)"`
	Attempts int           `json:"max_attempts" view:"attempts each at most"`
	Watch    bool          `json:"watch,omitempty" view:"-"`
	Work     *workFacts    `json:"work,omitempty"`
	First    any           `json:"first,omitempty"` // the preview of the first
	Passed   []tao.Account `json:"registered_already,omitempty" view:"registered already"`
	Warnings []tx.Warning  `json:"warnings,omitempty"`
}

// registration is what became of one hotkey.
type registration struct {
	Hotkey     tao.Account `json:"hotkey"`
	Registered bool        `json:"registered"`
	UID        *uint16     `json:"uid,omitempty"`
	Attempts   int         `json:"attempts"`
	Extrinsic  *tao.Hash   `json:"extrinsic,omitempty"` // the last one
	Block      uint32      `json:"block,omitempty"`
	Fee        *tao.Amount `json:"fee,omitempty" view:"fee paid (TAO)"`
	Note       string      `json:"note,omitempty"`
}

// registrations is the result of a queue.
type registrations struct {
	NetUID  tao.NetUID     `json:"netuid"`
	Hotkeys []registration `json:"hotkeys"`
}

// run shows what is to happen, has it agreed to, opens the keys, and works the
// jobs off.
func (q *queue) run(v *chain.View) error {
	a, ctx := q.app, q.command.Context()
	if q.options.Nonce != nil && len(q.jobs) > 1 {
		return usagef("--nonce is for one hotkey: each transaction needs one of its own")
	}
	summary, draft, err := q.summarize(v)
	if err != nil {
		return err
	}
	switch {
	case a.change.dryRun:
		return a.show(summary)
	case a.change.trial != "":
		return q.simulate(v, draft, summary)
	case a.change.out != "":
		return q.write(draft, v)
	case len(q.jobs) == 0:
		return a.show(q.passedOver(summary))
	}
	if err := a.consent(ctx, summary, "Register as shown?"); err != nil {
		return err
	}
	defer q.wipe()
	if err := q.open(ctx); err != nil {
		return err
	}
	return q.workOff(v.Client(), summary)
}

// simulate is --simulate, of the first registration.
func (q *queue) simulate(v *chain.View, draft *tx.Draft, summary queueSummary) error {
	if draft == nil || q.work != nil {
		return usagef("--simulate takes a registration by burn that is possible now: work has to be found first")
	}
	return q.app.simulateDraft(q.command.Context(), v, draft, summary)
}

// write is --out, which makes sense only where nothing has to be found first.
func (q *queue) write(draft *tx.Draft, v *chain.View) error {
	if draft == nil || len(q.jobs) != 1 || q.work != nil {
		return usagef("--out takes one registration by burn that is possible now")
	}
	return q.app.writeDraft(draft, q.app.summaryOf(q.command, v.Client(), draft))
}

// summarize leaves out who is registered already, prepares the first of the
// others as a trial, and says what all may cost.
func (q *queue) summarize(v *chain.View) (s queueSummary, draft *tx.Draft, err error) {
	s = queueSummary{
		Network: q.app.settings.or(q.app.settings.network, envNetwork, "finney"), Genesis: v.Client().Genesis(),
		Runtime: v.Runtime().Spec().String(), NetUID: q.netuid, Attempts: q.attempts, Watch: q.watch, Work: q.work,
	}
	var left []job
	for _, j := range q.jobs {
		p, err := j.plan(q.command.Context(), v)
		switch {
		case is[*register.RegisteredError](err) && len(q.jobs) > 1:
			s.Passed = append(s.Passed, j.hotkey)
			continue
		case err != nil && !(q.watch && passing(err)):
			return s, nil, err
		case err == nil && draft == nil:
			if draft, err = tx.Prepare(q.command.Context(), v, p, q.options); err != nil {
				return s, nil, err
			}
			if _, err := q.app.checkPolicy(q.command.Context(), v, draft); err != nil {
				return s, nil, err
			}
			s.Fee, s.First, s.Warnings = draft.Fee, p.Preview, p.Warnings
		}
		left = append(left, j)
		s.Hotkeys = append(s.Hotkeys, j.hotkey)
	}
	q.jobs, q.fee = left, s.Fee
	if q.work == nil || q.work.Signer == register.ByColdkey {
		for _, j := range left {
			s.Signer = &j.signer
		}
	}
	return s, draft, q.limit(&s, v)
}

// limit says what all may burn: a bound only where the call enforces it.
func (q *queue) limit(s *queueSummary, v *chain.View) error {
	all, err := total(q.bound, len(q.jobs))
	if register.Enforces(v.Runtime()) {
		s.Each, s.All = q.bound, all
	} else {
		s.Checked, s.AboutAll = q.bound, all
		if q.bound != nil && len(q.jobs) > 0 && s.First == nil { // with a first one, its own warnings say so
			s.Warnings = append(s.Warnings, register.NoLimit(*q.bound))
		}
	}
	return err
}

// total is what n registrations may burn.
func total(each *tao.Amount, n int) (*tao.Amount, error) {
	if each == nil {
		return nil, nil
	}
	var sum tao.Amount
	for range n {
		var ok bool
		if sum, ok = sum.Add(*each); !ok {
			return nil, usagef("--max-price is more than there is TAO")
		}
	}
	return &sum, nil
}

func (q *queue) passedOver(s queueSummary) registrations {
	result := registrations{NetUID: q.netuid}
	for _, h := range s.Passed {
		result.Hotkeys = append(result.Hotkeys, registration{Hotkey: h, Registered: true, Note: "was registered before"})
	}
	return result
}

// open makes the keys of all signers able to sign, before anything is waited
// for: nobody may be there later.
func (q *queue) open(ctx context.Context) error {
	q.keys = map[tao.Account]signer{}
	for _, j := range q.jobs {
		if q.keys[j.signer] != nil {
			continue
		}
		key, err := q.app.unlock(ctx, j.signer)
		if err != nil {
			return err
		}
		q.keys[j.signer] = key
	}
	return nil
}

func (q *queue) wipe() {
	for _, key := range q.keys {
		key.Wipe()
	}
}

// workOff does one job after another. Whatever was done is shown, also where a
// later one ends it.
func (q *queue) workOff(client *chain.Client, s queueSummary) error {
	result := q.passedOver(s)
	var failed error
	sent := false
	for _, j := range q.jobs {
		o, err := q.one(client, j)
		if err != nil {
			o.Note = err.Error()
		}
		result.Hotkeys = append(result.Hotkeys, o)
		sent = sent || o.Extrinsic != nil
		if failed = err; err != nil {
			break
		}
	}
	if failed != nil && sent && !certain(failed) {
		failed = &partialError{failed}
	}
	if err := q.app.show(result); err != nil && failed == nil {
		return err
	}
	return failed
}

// one tries a hotkey until it is in, the attempts are used up, or something
// happens that another attempt would not change.
func (q *queue) one(client *chain.Client, j job) (o registration, err error) {
	ctx := q.command.Context()
	o.Hotkey = j.hotkey
	for o.Attempts < q.attempts {
		var receipt *tx.Receipt
		receipt, err = q.attempt(client, j, &o)
		if receipt != nil {
			o.take(receipt)
		}
		switch {
		case receipt == nil, is[*tx.UnknownError](err):
		case receipt.Failure != nil:
			err = receipt.Failure
		case receipt.Status == tx.Submitted:
			o.Note = "sent; nobody waited for what becomes of it"
			return o, nil
		case q.anew:
			return q.look(client, o, receipt), nil
		default:
			return o, nil
		}
		if !passing(err) && !refusedInPool(err) {
			return o, err
		}
		q.app.say("attempt %d of %d: %v", o.Attempts, q.attempts, err)
		if o.Attempts < q.attempts {
			if err := q.block(ctx, client); err != nil {
				return o, err
			}
		}
	}
	return o, err
}

// refusedInPool reports a refusal before any block: nothing was paid, and what
// the pool checks may be different in the next.
func refusedInPool(err error) bool {
	var invalid *chain.InvalidError
	return is[*tx.RefusedError](err) && errors.As(err, &invalid) && invalid.Reason == "Custom"
}

// attempt plans at the newest block, and signs and sends at once. What is
// planned there is the last look at price and limits before the signature.
func (q *queue) attempt(client *chain.Client, j job, o *registration) (*tx.Receipt, error) {
	ctx := q.command.Context()
	p, v, err := q.plan(client, j)
	if err != nil {
		o.Attempts++
		return nil, err
	}
	o.Attempts++
	draft, err := tx.Prepare(ctx, v, p, q.options)
	if err != nil {
		return nil, err
	}
	if q.fee != nil && draft.Fee != nil && *draft.Fee > *q.fee {
		return nil, &feeError{Fee: *draft.Fee, Agreed: *q.fee}
	}
	return q.app.signAndFollow(ctx, v, draft, q.keys[j.signer], q.wait, sameCall(draft.CallHash()))
}

// feeError says that the fee rose over what was agreed to.
type feeError struct{ Fee, Agreed tao.Amount }

func (e *feeError) Error() string {
	return fmt.Sprintf("the fee is %s TAO by now, more than the %s agreed to; nothing was sent", e.Fee, e.Agreed)
}

// plan finds the work, if there is some to be found, or waits for the price,
// and plans at the newest block.
func (q *queue) plan(client *chain.Client, j job) (tx.Plan, *chain.View, error) {
	ctx, plan := q.command.Context(), j.plan
	if j.search != nil {
		var err error
		if plan, err = j.search(ctx, client); err != nil {
			return tx.Plan{}, nil, err
		}
	}
	spin := q.app.busy("planning")
	defer spin.Stop()
	for {
		v, err := client.At(ctx, chain.Best())
		if err != nil {
			return tx.Plan{}, nil, err
		}
		p, err := plan(ctx, v)
		if err == nil || !q.watch || !passing(err) {
			return p, v, err
		}
		spin.Set(fmt.Sprintf("block %d: %v", v.Number(), err))
		if err := q.after(ctx, client, v.Number()); err != nil {
			return tx.Plan{}, nil, err
		}
	}
}

// block waits for the next block.
func (q *queue) block(ctx context.Context, client *chain.Client) error {
	v, err := client.At(ctx, chain.Best())
	if err != nil {
		return err
	}
	return q.after(ctx, client, v.Number())
}

// after waits for a block later than the given one.
func (q *queue) after(ctx context.Context, client *chain.Client, number uint32) error {
	for h, err := range client.Headers(ctx, false) {
		if err != nil {
			return err
		}
		if h.Number > number {
			return nil
		}
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	return &register.HeadsError{Err: errors.New("the subscription ended")}
}

// look reads the uid that the hotkey got, in the block that holds the registration.
// That it is registered is known by then: where the uid cannot be read, a note says so.
func (q *queue) look(client *chain.Client, o registration, r *tx.Receipt) registration {
	o.Registered = true
	uid, err := q.uid(client, o.Hotkey, r)
	if err != nil {
		o.Note = fmt.Sprintf("its uid could not be read: %v", err)
	}
	o.UID = uid
	return o
}

func (q *queue) uid(client *chain.Client, hotkey tao.Account, r *tx.Receipt) (*uint16, error) {
	block := chain.Best()
	if r.BlockHash != nil {
		block = chain.AtHash(*r.BlockHash)
	}
	v, err := client.At(q.command.Context(), block)
	if err != nil {
		return nil, err
	}
	list, err := register.StatusOf(q.command.Context(), v, []tao.Account{hotkey}, []tao.NetUID{q.netuid})
	if err != nil {
		return nil, err
	}
	return list[0].UID, nil
}

// take notes an attempt that was sent. Fees of attempts add up.
func (o *registration) take(r *tx.Receipt) {
	o.Extrinsic, o.Block = &r.Extrinsic, r.Block
	if o.Fee == nil || r.Fee == nil {
		o.Fee = cmp.Or(r.Fee, o.Fee)
		return
	}
	if sum, ok := o.Fee.Add(*r.Fee); ok { // both were paid: there cannot be more than there is
		o.Fee = &sum
	}
}

// partialError ends a queue after some of it was sent.
type partialError struct{ err error }

func (e *partialError) Error() string {
	if errors.Is(e.err, errInterrupted) || errors.Is(e.err, context.Canceled) {
		return "interrupted after some of it was sent"
	}
	return "some of it was sent, and then: " + e.err.Error()
}

func (e *partialError) Unwrap() error { return e.err }
