package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/simulate"
	"github.com/taoctl/taoctl/stake"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// What --simulate may be.
const (
	trialCall  = "call"  // and stop
	trialBlock = "block" // what the next block does by itself first, and stop
	trialFirst = "first" // and go on if it would succeed
)

// parseTrial checks --simulate.
func parseTrial(s string) error {
	switch s {
	case "", trialCall, trialBlock, trialFirst:
		return nil
	}
	return usagef("--simulate=%s is none of call, block and first", s)
}

// simulation is what a transaction would do, by the chain's own runtime.
type simulation struct {
	simulate.Outcome
	Stake  []stakeChanged `json:"stake,omitempty"`
	Caught string         `json:"stake_unknown,omitempty" view:"stake unknown"` // why the stake could not be compared
	Cost   simulate.Cost  `json:"cost"`                                         // asked of the node
}

// stakeChanged is a position that it would change.
type stakeChanged struct {
	stake.Place
	Before tao.Alpha `json:"before" view:"before (alpha)"`
	After  tao.Alpha `json:"after" view:"after (alpha)"`
}

// simulated is the result of --simulate and tx simulate.
type simulated struct {
	Transaction any        `json:"transaction"`
	Simulation  simulation `json:"simulation"`
}

// simulateDraft shows a draft and what it would do, and is an error where that
// is a failure: a script that asks first need not read the answer.
func (a *app) simulateDraft(ctx context.Context, v *chain.View, draft *tx.Draft, summary any) error {
	if a.change.trial == trialFirst {
		return usagef("--simulate=first takes a command that signs one transaction: use --simulate alone")
	}
	result, failure, err := a.tryDraft(ctx, v, draft, summary)
	if err != nil {
		return err
	}
	return cmp.Or(a.show(result), failure)
}

// tryDraft runs a draft. failure is why it would fail; err is why that is not
// known.
func (a *app) tryDraft(ctx context.Context, v *chain.View, draft *tx.Draft, summary any) (result simulated, failure, err error) {
	spin := a.busy("simulating")
	defer spin.Stop()
	o, err := simulate.Draft(ctx, v, draft, a.trialOptions())
	if err != nil {
		return simulated{}, nil, err
	}
	return outcomeOf(ctx, v, o, summary), o.Err(), nil
}

// trySigned is tryDraft of what is signed already.
func (a *app) trySigned(ctx context.Context, v *chain.View, x *tx.Extrinsic) (result simulated, failure, err error) {
	spin := a.busy("simulating")
	defer spin.Stop()
	o, err := simulate.Extrinsic(ctx, v, x, a.trialOptions())
	if err != nil {
		return simulated{}, nil, err
	}
	signed := signedFile{Extrinsic: x.Hash(), Signer: x.Signer, Nonce: x.Nonce, Call: x.Call, Bytes: x.Bytes}
	return outcomeOf(ctx, v, o, signed), o.Err(), nil
}

func (a *app) trialOptions() simulate.Options {
	return simulate.Options{Block: a.change.trial == trialBlock, Cache: a.codeCache()}
}

// outcomeOf reads what else is to be told of an outcome, and closes it.
func outcomeOf(ctx context.Context, v *chain.View, o *simulate.Outcome, summary any) simulated {
	defer func() { _ = o.Close() }()
	s := simulation{Outcome: *o}
	if o.Refused == nil {
		var err error
		if s.Stake, err = stakeChanges(ctx, v, o); err != nil {
			s.Caught = err.Error()
		}
	}
	s.Cost = o.Cost()
	return simulated{Transaction: summary, Simulation: s}
}

// stakeChanges compares the stake in the places that it writes to.
func stakeChanges(ctx context.Context, v *chain.View, o *simulate.Outcome) ([]stakeChanged, error) {
	places := stake.PlacesOf(v.Runtime(), o.Changed())
	if o.WholeBlock {
		// A block's emission goes to everybody.
		places = slices.DeleteFunc(places, func(p stake.Place) bool { return !slices.Contains(o.Touched, p.Coldkey) })
	}
	if len(places) == 0 {
		return nil, nil
	}
	before, err := stake.At(ctx, v, places...)
	if err != nil {
		return nil, err
	}
	after, err := stake.At(ctx, o.After(), places...)
	if err != nil {
		return nil, err
	}
	var list []stakeChanged
	for i, p := range places {
		if before[i] != after[i] {
			list = append(list, stakeChanged{Place: p, Before: before[i], After: after[i]})
		}
	}
	return list, nil
}

// codeCache is where runtimes are kept; "" without a home.
func (a *app) codeCache() string {
	home, err := a.settings.home()
	if err != nil {
		return ""
	}
	return filepath.Join(home, "cache", "code")
}

func (a *app) txSimulateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate FILE|0xHEX",
		Short: "Show what a transaction would do, without sending it",
		Long: `Run a transaction in the chain's own runtime, on the state of the newest block, on
this machine: whether it succeeds, its fee, its events, and the balances and stake
that it changes. FILE is an unsigned draft ("--out") or a signed transaction ("tx
sign"). It runs as the first of the next block. What that block does by itself, such
as emission, runs before it with --whole-block; that reads much on a large chain.
Nothing is sent. The exit code is 5 if it would fail in a block, and 1 if no block
would take it.`,
		Example: "  taoctl tx simulate draft.json\n  taoctl tx simulate signed.json --whole-block",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	a.networkFlags(c)
	whole := c.Flags().Bool("whole-block", false, "run what the next block does by itself beforehand")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *whole {
			a.change.trial = trialBlock
		}
		return a.simulateFile(c, args[0])
	}
	return c
}

// simulateFile shows what the transaction in a file, or in hex, would do.
func (a *app) simulateFile(c *cobra.Command, arg string) error {
	text, isDraft, err := a.draftText(arg)
	if err != nil {
		return err
	}
	var raw []byte
	if !isDraft {
		if raw, err = signedBytes(arg, text); err != nil {
			return err
		}
	}
	v, err := a.best(c)
	if err != nil {
		return err
	}
	if isDraft {
		d, err := tx.ReadDraft(text, v.Runtime())
		if err != nil {
			return err
		}
		return a.simulateDraft(c.Context(), v, d, a.summaryOf(c, v.Client(), d))
	}
	x, err := tx.ReadExtrinsic(v.Runtime(), v.Client().Genesis(), raw, v.Number())
	if err != nil {
		return err
	}
	result, failure, err := a.trySigned(c.Context(), v, x)
	if err != nil {
		return err
	}
	return cmp.Or(a.show(result), failure)
}

// draftText reads a file, or takes hex as it is, and tells whether it is a draft.
func (a *app) draftText(arg string) (text []byte, isDraft bool, err error) {
	if strings.HasPrefix(arg, "0x") {
		return []byte(arg), false, nil
	}
	if text, err = a.readFile(arg); err != nil {
		return nil, false, err
	}
	var draft struct {
		Format string `json:"format"`
	}
	return text, json.Unmarshal(text, &draft) == nil && draft.Format != "", nil
}

func hintSimulate(err error) string {
	var wrong *simulate.Error
	var host *executor.HostError
	switch {
	case !errors.As(err, &wrong):
		return ""
	case errors.As(err, &host):
		return "this runtime is newer than taoctl: look for a newer taoctl; --dry-run shows what would be signed"
	}
	return "--dry-run shows what would be signed and what it costs, without running it"
}
