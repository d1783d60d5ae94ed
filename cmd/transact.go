package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/atomicfile"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/internal/view"
	"github.com/taoctl/taoctl/policy"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// changeFlags are the choices of every command that changes the chain.
type changeFlags struct {
	yes    bool
	dryRun bool
	trial  string // --simulate
	out    string
	wait   string
	era    string
	tip    string
	nonce  int64
	again  bool

	timeout time.Duration
}

func (a *app) changeFlagsOf(c *cobra.Command) {
	a.networkFlags(c)
	a.walletFlags(c)
	a.passwordFlags(c)
	a.agentFlag(c)
	f := c.Flags()
	f.BoolVar(&a.change.dryRun, "dry-run", false, "show what would be signed and what it costs, and stop")
	f.StringVar(&a.change.trial, "simulate", "", "run it in the chain's own runtime on this machine, show what it would do, and stop; \"--simulate=block\" runs what the next block does by itself before it; \"--simulate=first\" goes on if it would succeed")
	f.Lookup("simulate").NoOptDefVal = trialCall
	f.StringVar(&a.change.out, "out", "", "write the unsigned draft to this file, for \"taoctl tx sign\" elsewhere, and stop")
	f.StringVar(&a.change.era, "era", "64", "how many blocks the transaction stays valid, or \"immortal\"")
	f.StringVar(&a.change.tip, "tip", "0", "TAO paid on top of the fee to be preferred")
	f.Int64Var(&a.change.nonce, "nonce", -1, "number of the transaction, for those who know (default: the next one)")
	a.sendFlags(c)
}

// sendFlags are those of a command that submits something.
func (a *app) sendFlags(c *cobra.Command) {
	f := c.Flags()
	f.BoolVarP(&a.change.yes, "yes", "y", false, "agree beforehand; without it, and without a terminal, nothing is sent")
	f.StringVar(&a.change.wait, "wait", "included", "how long to stay: none, included or finalized")
	f.DurationVar(&a.change.timeout, "timeout", 0, "how long to wait for the outcome, such as 90s; 0 is as long as the transaction stays valid")
	f.BoolVar(&a.change.again, "again", false, "send even though the same transaction is still open in the journal")
}

// transact makes a command that changes the chain. plan turns the arguments
// into a plan at a view of the newest block; the rest is the same for all.
func (a *app) transact(c *cobra.Command, plan func(c *cobra.Command, v *chain.View, args []string) (tx.Plan, error)) *cobra.Command {
	a.changeFlagsOf(c)
	a.formFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		o, wait, err := a.change.parse()
		if err != nil {
			return err
		}
		v, err := a.best(c)
		if err != nil {
			return err
		}
		p, err := plan(c, v, args)
		if err != nil {
			return err
		}
		draft, err := tx.Prepare(c.Context(), v, p, o)
		if err != nil {
			return err
		}
		return a.carryOut(c, v, draft, wait)
	}
	return c
}

// carryOut shows a draft, and then stops, writes it down, or has it agreed to,
// signed and sent.
func (a *app) carryOut(c *cobra.Command, v *chain.View, draft *tx.Draft, wait tx.Wait) error {
	client := v.Client()
	summary := a.summaryOf(c, client, draft)
	switch {
	case a.change.dryRun:
		return a.show(summary)
	case a.change.trial == trialCall || a.change.trial == trialBlock:
		return a.simulateDraft(c.Context(), v, draft, summary)
	case a.change.out != "":
		return a.writeDraft(draft, summary)
	}
	spending, err := a.checkPolicy(c.Context(), v, draft)
	if err != nil {
		return err
	}
	if err := a.checkOpen(c.Context(), v, draft.Signer, draft.CallHash(), draft.Nonce); err != nil {
		return err
	}
	agreed, err := a.tryFirst(c.Context(), v, draft, summary)
	if err != nil {
		return err
	}
	if err := a.consent(c.Context(), agreed, "Sign and send this?"); err != nil {
		return err
	}
	x, err := a.sign(c.Context(), draft, spending)
	if err != nil {
		return err
	}
	return a.send(c.Context(), client, x, wait)
}

// tryFirst is --simulate=first: it adds what the transaction would do to what is
// agreed to, and ends here what would fail.
func (a *app) tryFirst(ctx context.Context, v *chain.View, draft *tx.Draft, summary Summary) (any, error) {
	if a.change.trial != trialFirst {
		return summary, nil
	}
	result, failure, err := a.tryDraft(ctx, v, draft, summary)
	if err != nil {
		return nil, err
	}
	if failure != nil {
		return nil, cmp.Or(a.show(result), failure)
	}
	return result, nil
}

// parse checks the flags before anything is asked or read.
func (f *changeFlags) parse() (o tx.Options, wait tx.Wait, err error) {
	if wait, err = parseWait(f.wait); err != nil {
		return o, wait, err
	}
	if o.Tip, err = tao.ParseAmount(f.tip); err != nil {
		return o, wait, usagef("--tip: %w", err)
	}
	if o.Period, o.Immortal, err = parsePeriod(f.era); err != nil {
		return o, wait, err
	}
	if f.nonce >= 0 {
		nonce := uint32(f.nonce)
		if int64(nonce) != f.nonce {
			return o, wait, usagef("--nonce %d is larger than the chain counts", f.nonce)
		}
		o.Nonce = &nonce
	}
	if err := parseTrial(f.trial); err != nil {
		return o, wait, err
	}
	trial := f.trial != ""
	if (f.dryRun || trial) && f.out != "" {
		return o, wait, usagef("--dry-run and --simulate write nothing: leave out --out")
	}
	if f.dryRun && trial {
		return o, wait, usagef("choose --dry-run or --simulate")
	}
	return o, wait, nil
}

func parseWait(s string) (tx.Wait, error) {
	switch s {
	case "none":
		return tx.WaitNone, nil
	case "included":
		return tx.WaitIncluded, nil
	case "finalized":
		return tx.WaitFinalized, nil
	}
	return 0, usagef("--wait %q is not none, included or finalized", s)
}

func parsePeriod(s string) (period uint32, immortal bool, err error) {
	if s == "immortal" {
		return 0, true, nil
	}
	n, err := parseUint32(s)
	if err != nil || n == 0 {
		return 0, false, usagef("--era %q is neither a number of blocks nor \"immortal\"", s)
	}
	if period, err = tx.RoundPeriod(n); err != nil {
		return 0, false, usagef("--era: %w", err)
	}
	return period, false, nil
}

// Summary is what is shown before consent. Call is decoded from the bytes that
// will be signed.
type Summary struct {
	Network    string       `json:"network"`
	Genesis    tao.Hash     `json:"genesis"`
	Runtime    string       `json:"runtime"`
	Signer     tao.Account  `json:"signer"`
	Call       chain.Call   `json:"call"`
	Preview    any          `json:"preview,omitempty"`
	Fee        *tao.Amount  `json:"fee,omitempty" view:"fee about (TAO)"` // what inclusion costs, tip included
	Tip        tao.Amount   `json:"tip,omitzero" view:"tip (TAO)"`
	Nonce      uint32       `json:"nonce"`
	ValidUntil *uint32      `json:"valid_until,omitempty" view:"valid until block"` // the last block that may include it
	Warnings   []tx.Warning `json:"warnings,omitempty"`
}

func (a *app) summaryOf(c *cobra.Command, client *chain.Client, d *tx.Draft) Summary {
	s := Summary{
		Network: a.settings.or(a.settings.network, envNetwork, "finney"), Genesis: d.Genesis,
		Runtime: d.Spec.String(), Signer: d.Signer, Call: d.Call, Preview: d.Preview,
		Fee: d.Fee, Tip: d.Tip, Nonce: d.Nonce, Warnings: d.Warnings,
	}
	if client == nil {
		s.Network = "offline"
	} else if name, err := client.Name(c.Context()); err == nil {
		s.Network += " (" + name + ")"
	}
	if last, mortal := d.Era.Last(); mortal {
		s.ValidUntil = &last
	}
	return s
}

// draftWritten is the result of --out.
type draftWritten struct {
	Draft  string      `json:"draft"` // the file
	Signer tao.Account `json:"signer"`
	Call   chain.Call  `json:"call"`
	Fee    *tao.Amount `json:"fee,omitempty" view:"fee about (TAO)"`
}

func (a *app) writeDraft(d *tx.Draft, s Summary) error {
	if err := a.tell(s); err != nil {
		return err
	}
	f, err := d.File(true)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	if err := createFile(a.change.out, append(text, '\n')); err != nil {
		return err
	}
	return a.show(draftWritten{Draft: a.change.out, Signer: d.Signer, Call: d.Call, Fee: d.Fee})
}

// createFile writes a new file and never replaces one.
func createFile(path string, data []byte) error {
	err := atomicfile.Create(path, data, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already and is left as it is", path)
	}
	return err
}

// consent shows what is about to happen and has it agreed to.
func (a *app) consent(ctx context.Context, what any, question string) error {
	if a.change.yes {
		return a.tell(what)
	}
	t, err := a.terminal()
	if err != nil {
		if err := a.tell(what); err != nil {
			return err
		}
		return consentError{}
	}
	// The question makes no sense without what it asks about, whatever form
	// the result will have and wherever standard error goes.
	var shown strings.Builder
	if err := view.Render(&shown, what, view.Options{Format: view.Table, Width: t.Width()}); err != nil {
		return err
	}
	t.Tell(shown.String())
	agreed, err := t.Confirm(ctx, question)
	switch {
	case errors.Is(err, term.ErrInterrupted):
		return errInterrupted
	case err != nil:
		return err
	case !agreed:
		return errDeclined
	}
	return nil
}

// sign gets the signer's key, or the agent that holds it, signs, and closes it.
// What is signed counts from then on.
func (a *app) sign(ctx context.Context, d *tx.Draft, s policy.Spending) (*tx.Extrinsic, error) {
	key, err := a.unlock(ctx, d.Signer)
	if err != nil {
		return nil, err
	}
	defer key.Wipe()
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	return a.signCounted(ctx, d, key, s)
}

// signAndFollow signs one of several drafts that were agreed to together, with a
// key that is open, sends it and says what became of it. Nothing is signed while
// an earlier transaction is open that counts as the same.
func (a *app) signAndFollow(ctx context.Context, v *chain.View, d *tx.Draft, key tx.Signer, wait tx.Wait, same func(tx.Entry) bool) (*tx.Receipt, error) {
	if err := a.checkOpenOf(ctx, v, d.Signer, d.Nonce, same); err != nil {
		return nil, err
	}
	spending, err := a.checkPolicy(ctx, v, d)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	x, err := a.signCounted(ctx, d, key, spending)
	if err != nil {
		return nil, err
	}
	journal, err := a.journal()
	if err != nil {
		return nil, err
	}
	return a.follow(ctx, v.Client(), journal, x, wait)
}

// signCounted signs and has it counted before anybody gets the bytes.
func (a *app) signCounted(ctx context.Context, d *tx.Draft, key tx.Signer, s policy.Spending) (*tx.Extrinsic, error) {
	x, err := d.Sign(ctx, key)
	if err != nil {
		return nil, err
	}
	if err := a.spend(ctx, x, s); err != nil {
		return nil, err
	}
	return x, nil
}

// send hands the extrinsic over, stays with it, and prints its receipt. A
// receipt of a failed call is printed too: a fee was paid.
func (a *app) send(ctx context.Context, client *chain.Client, x *tx.Extrinsic, wait tx.Wait) error {
	journal, err := a.journal()
	if err != nil {
		return err
	}
	receipt, err := a.follow(ctx, client, journal, x, wait)
	if err != nil {
		return err
	}
	return a.showReceipt(receipt)
}

// follow sends the extrinsic and stays with it for --timeout. It shows how far it
// is, on a line that is gone when it returns.
func (a *app) follow(ctx context.Context, client *chain.Client, journal *tx.Journal, x *tx.Extrinsic, wait tx.Wait) (*tx.Receipt, error) {
	spin := a.busy("sending")
	defer spin.Stop()
	if a.change.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.change.timeout)
		defer cancel()
	}
	receipt, err := tx.Send(ctx, client, journal, x, wait, func(p tx.Progress) { spin.Set(stageText(p)) })
	if is[*tx.UnknownError](err) && ctx.Err() == nil {
		spin.Set("the line broke; looking for the transaction")
		return lookFor(ctx, client, journal, x.Hash(), wait, err)
	}
	return receipt, err
}

// How long a transaction is looked for after its line broke, by those who would
// have waited for it and by those who would not, and how often an unreachable
// node is asked again.
const (
	lookingFor = 2 * time.Minute
	glance     = 15 * time.Second
	retries    = 4
)

// lookFor finds a lost extrinsic, if its node can be reached again. If not, the
// outcome stays unknown, as lost says.
func lookFor(ctx context.Context, client *chain.Client, j *tx.Journal, x tao.Hash, wait tx.Wait, lost error) (*tx.Receipt, error) {
	patience := lookingFor
	if wait == tx.WaitNone {
		patience = glance
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for attempt := range retries {
		receipt, entry, err := tx.Await(ctx, client, j, x, wait == tx.WaitFinalized)
		switch {
		case err == nil && receipt != nil:
			return receipt, nil
		case err == nil && entry.State == tx.Expired:
			return nil, &neverError{Extrinsic: x, Reason: entry.Note}
		case is[*tx.TakenError](err):
			return nil, errors.Join(lost, err)
		case !is[*chain.LostError](err):
			return nil, lost
		}
		select {
		case <-ctx.Done():
			return nil, lost
		case <-time.After(time.Second << attempt):
		}
	}
	return nil, lost
}

func stageText(p tx.Progress) string {
	switch p.Stage {
	case "included":
		return "in a block, reading its outcome"
	case "ready", "broadcast", "sent", "future":
		return "sent, waiting for a block"
	}
	return p.Stage
}

// showReceipt prints a receipt, or what the command reads from it.
func (a *app) showReceipt(r *tx.Receipt) error {
	read := a.outcome
	if read == nil {
		read = plainOutcome
	}
	result, judged := read(r)
	if err := a.show(result); err != nil {
		// It was sent: whoever cannot read the receipt must not repeat it.
		return &tx.UnknownError{Extrinsic: r.Extrinsic, Err: err}
	}
	return judged
}

func plainOutcome(r *tx.Receipt) (any, error) {
	if r.Failure != nil {
		return r, r.Failure
	}
	return r, nil
}

// openError says that the same call of the same signer may still happen.
type openError struct {
	Entry tx.Entry
}

func (e *openError) Error() string {
	return fmt.Sprintf("an earlier transaction, %s signed at %s, is still open: both could happen; nothing was sent",
		e.Entry.Hash, e.Entry.Time.Format("2006-01-02 15:04:05"))
}

// checkOpen refuses to make a transaction anew while the same one may still
// happen, or has happened although a node refused it: repeating after a lost
// line, or after a node that lied, is how people pay twice.
func (a *app) checkOpen(ctx context.Context, v *chain.View, signer tao.Account, call tao.Hash, nonce uint32, but ...tao.Hash) error {
	return a.checkOpenOf(ctx, v, signer, nonce, sameCall(call, but...))
}

// sameCall are earlier transactions of a call, but for some.
func sameCall(call tao.Hash, but ...tao.Hash) func(tx.Entry) bool {
	return func(e tx.Entry) bool { return e.CallHash == call && !slices.Contains(but, e.Hash) }
}

// checkOpenOf is checkOpen of whatever transactions count as the same one.
func (a *app) checkOpenOf(ctx context.Context, v *chain.View, signer tao.Account, nonce uint32, counts func(tx.Entry) bool) error {
	if a.change.again {
		return nil
	}
	journal, err := a.journal()
	if err != nil {
		return err
	}
	entries, err := journal.Entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		same := e.Genesis == v.Client().Genesis() && e.Signer == signer && counts(e)
		if !same || !e.Pending() && !e.Doubtful() {
			continue
		}
		if err := stillOpen(ctx, v, journal, e, nonce); err != nil {
			return err
		}
	}
	return nil
}

// stillOpen looks an earlier transaction up.
func stillOpen(ctx context.Context, v *chain.View, j *tx.Journal, before tx.Entry, nonce uint32) error {
	_, now, err := tx.Find(ctx, v.Client(), j, before.Hash)
	switch {
	case err != nil:
		return fmt.Errorf("look up the earlier transaction %s: %w", before.Hash, err)
	case now.Pending():
		return &openError{Entry: now}
	case before.Doubtful() && now.BlockHash != nil:
		return &doneError{Entry: now}
	case !now.Doubtful() || now.Nonce == nonce:
		return nil // two of one number cannot both happen
	}
	funds, err := tx.FundsOf(ctx, v, now.Signer)
	if err != nil {
		return err
	}
	if funds[0].Nonce <= now.Nonce {
		return &openError{Entry: now}
	}
	return nil // its number is used
}

// doneError says that a transaction that a node refused was done all the same.
type doneError struct {
	Entry tx.Entry
}

func (e *doneError) Error() string {
	return fmt.Sprintf("the same transaction, %s, was refused by a node and is in block %d all the same; nothing was sent", e.Entry.Hash, e.Entry.Block)
}

// readFile reads a small file that a person named; "-" is standard input.
func (a *app) readFile(path string) ([]byte, error) {
	if path == "-" {
		return readAll(a.env.In, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path)
}
