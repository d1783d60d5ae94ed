package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/policy"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// guard is the policy in force, and what it has to know.
type guard struct {
	policy *policy.Policy
	ledger *policy.Ledger
	state  policy.State
	counts func(tao.Hash) bool
}

// policyError says that nothing is signed because the policy itself, or its
// ledger, is not as it was accepted.
type policyError struct {
	Reason string
	Fix    string
}

func (e *policyError) Error() string { return "spend policy: " + e.Reason + "; nothing was signed" }

func (a *app) policyPaths() (file, ledger string, err error) {
	home, err := a.settings.home()
	return filepath.Join(home, "policy.yaml"), filepath.Join(home, "spending.jsonl"), err
}

// guard finds the policy in force; nil if there is none. A policy that was
// changed, taken away or never accepted is an error: nothing is signed until a
// person has looked at it.
func (a *app) guard() (*guard, error) {
	file, path, err := a.policyPaths()
	if err != nil {
		return nil, err
	}
	g := &guard{ledger: policy.OpenLedger(path, a.env.Now)}
	if g.state, err = g.ledger.Read(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && g.state.Accepted == nil:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, &policyError{Reason: file + " is gone", Fix: "put it back, or run \"taoctl policy remove\""}
	case err != nil:
		return nil, fmt.Errorf("read the spend policy: %w", err)
	}
	if g.policy, err = policy.Parse(text); err != nil {
		return nil, err
	}
	switch {
	case g.state.Accepted == nil:
		return nil, &policyError{Reason: file + " was never accepted", Fix: "look at it with \"taoctl policy show\" and run \"taoctl policy accept\""}
	case *g.state.Accepted != g.policy.Digest():
		return nil, &policyError{Reason: file + " was changed since it was accepted at " + g.state.Since.Format(time.RFC3339), Fix: "look at it with \"taoctl policy show\" and run \"taoctl policy accept\""}
	}
	return g, g.readJournal(a)
}

// readJournal compares the ledger with the journal, which must know nothing
// that the ledger does not, and learns from it what can never happen.
func (g *guard) readJournal(a *app) error {
	journal, err := a.journal()
	if err != nil {
		return err
	}
	entries, err := journal.Entries()
	if err != nil {
		return err
	}
	known, dead := map[tao.Hash]bool{}, map[tao.Hash]bool{}
	for _, r := range g.state.Records {
		known[r.Extrinsic] = true
	}
	for _, e := range entries {
		if !e.Time.Before(g.state.Since) && !known[e.Hash] {
			return &policyError{Reason: fmt.Sprintf("its ledger does not know transaction %s of the journal: lines were taken away", e.Hash), Fix: "find out who did that; \"taoctl policy accept\" begins anew"}
		}
		if e.Final && (e.State == tx.Expired || e.State == tx.Refused) {
			dead[e.Hash] = true
		}
	}
	g.counts = func(x tao.Hash) bool { return !dead[x] }
	return nil
}

// spendingOf is what a draft takes. Offline nobody knows what the account holds.
func spendingOf(ctx context.Context, v *chain.View, call chain.Call, signer tao.Account, fee *tao.Amount, tip tao.Amount, plan *tao.Amount) (policy.Spending, error) {
	s := policy.Spending{Parts: policy.Assess(call), Fee: tip, FeeKnown: fee != nil, Known: plan, Holds: ^tao.Amount(0)}
	if fee != nil {
		s.Fee = *fee
	}
	all := slices.ContainsFunc(s.Parts, func(p policy.Part) bool { return p.All })
	if all && v != nil {
		funds, err := tx.FundsOf(ctx, v, signer)
		if err != nil {
			return s, err
		}
		s.Holds = funds[0].Free
	}
	return s, nil
}

// spendingOfSigned is what an extrinsic takes that was signed elsewhere.
func spendingOfSigned(ctx context.Context, v *chain.View, x *tx.Extrinsic) (policy.Spending, error) {
	info, err := v.QueryInfo(ctx, x.Bytes)
	if err != nil {
		return policy.Spending{}, err
	}
	fee, _ := info.PartialFee.Add(x.Tip)
	return spendingOf(ctx, v, x.Call, x.Signer, &fee, x.Tip, nil)
}

// checkPolicy holds a draft against the policy before anybody is asked for
// consent or a password.
func (a *app) checkPolicy(ctx context.Context, v *chain.View, d *tx.Draft) (policy.Spending, error) {
	g, err := a.guard()
	if g == nil || err != nil {
		return policy.Spending{}, err
	}
	s, err := spendingOf(ctx, v, d.Call, d.Signer, d.Fee, d.Tip, d.Spend)
	if err != nil {
		return s, err
	}
	return s, g.policy.Check(s, g.state.Past(d.Genesis, g.counts), a.env.Now())
}

// spend checks again, and writes down, what is signed now. Whoever gets the
// signed bytes from here has them counted.
func (a *app) spend(ctx context.Context, x *tx.Extrinsic, s policy.Spending) error {
	g, err := a.guard()
	if g == nil || err != nil {
		return err
	}
	if s.Parts == nil {
		return &policyError{Reason: "it was put in force just now", Fix: "run the command again"}
	}
	return g.ledger.Spend(context.WithoutCancel(ctx), g.policy, x.Hash(), x.Genesis, s, g.counts)
}

// policyShown is the result of policy show and check.
type policyShown struct {
	File     string        `json:"file"`
	Digest   tao.Hash      `json:"digest"`
	InForce  bool          `json:"in_force" view:"in force"`
	Since    *time.Time    `json:"since,omitempty"`
	Policy   policy.Policy `json:"policy"`
	SpentDay []spentRow    `json:"spent,omitempty" view:"spent in the last 24 hours"`
}

// spentRow is what was spent on one chain, by call.
type spentRow struct {
	Genesis tao.Hash   `json:"genesis"`
	Call    string     `json:"call"` // "fee" is what all of them paid in fees
	TAO     tao.Amount `json:"tao" view:"TAO"`
}

func (a *app) policyCommand() *cobra.Command {
	return group("policy", "Limit what this machine signs",
		a.policyShowCommand(), a.policyCheckCommand(), a.policyAcceptCommand(), a.policyRemoveCommand())
}

func (a *app) policyShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show",
		Short: "Show the spend policy and what was spent in the last 24 hours",
		Args:  arguments(cobra.NoArgs),
	}
	return a.query(c, func(*cobra.Command, []string) (any, error) {
		file, path, err := a.policyPaths()
		if err != nil {
			return nil, err
		}
		shown, err := readPolicy(file)
		if err != nil {
			return nil, err
		}
		state, err := policy.OpenLedger(path, a.env.Now).Read()
		if err != nil {
			return nil, err
		}
		if shown.InForce = state.Accepted != nil && *state.Accepted == shown.Digest; shown.InForce {
			shown.Since = &state.Since
		}
		shown.SpentDay = spentRows(state, a.env.Now())
		return shown, nil
	})
}

func readPolicy(file string) (policyShown, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return policyShown{}, fmt.Errorf("read the spend policy: %w", err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		return policyShown{}, err
	}
	return policyShown{File: file, Digest: p.Digest(), Policy: *p}, nil
}

// spentRows sums up a day by chain and call.
func spentRows(state policy.State, now time.Time) (rows []spentRow) {
	add := func(genesis tao.Hash, call string, amount tao.Amount) {
		i := slices.IndexFunc(rows, func(r spentRow) bool { return r.Genesis == genesis && r.Call == call })
		if i < 0 {
			rows = append(rows, spentRow{Genesis: genesis, Call: call})
			i = len(rows) - 1
		}
		rows[i].TAO, _ = rows[i].TAO.Add(amount)
	}
	for _, r := range state.Records {
		if now.Sub(r.Time) >= policy.Day {
			continue
		}
		for _, call := range r.CallNames() {
			add(r.Genesis, call, r.Calls[call])
		}
		add(r.Genesis, "fee", r.Fee)
	}
	return rows
}

func (a *app) policyCheckCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "check FILE",
		Short:   "Check a policy file and show what it says",
		Example: "  taoctl policy check policy.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	return a.query(c, func(_ *cobra.Command, args []string) (any, error) { return readPolicy(args[0]) })
}

func (a *app) policyAcceptCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "accept [DIGEST]",
		Short: "Put the policy file in force",
		Long: `Put policy.yaml, in taoctl's own folder, in force: from now on every command that
signs is held against it, and nothing is signed if the file is changed or gone.
Whoever sits at the terminal is asked; without a terminal the digest that "policy
show" tells must be given. --yes does not stand for either.`,
		Args: arguments(cobra.MaximumNArgs(1)),
	}
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		file, path, err := a.policyPaths()
		if err != nil {
			return nil, err
		}
		shown, err := readPolicy(file)
		if err != nil {
			return nil, err
		}
		if len(args) == 1 {
			digest, err := parseHash("DIGEST", args[0])
			if err != nil {
				return nil, err
			}
			if digest != shown.Digest {
				return nil, fmt.Errorf("the digest of %s is %s: it is not the file that you looked at", file, shown.Digest)
			}
		} else if err := a.agree(c.Context(), shown, "Put this policy in force?"); err != nil {
			return nil, err
		}
		ledger := policy.OpenLedger(path, a.env.Now)
		if err := ledger.Accept(c.Context(), shown.Digest); err != nil {
			return nil, err
		}
		state, err := ledger.Read()
		shown.InForce, shown.Since = true, &state.Since
		return shown, err
	})
}

// agree asks a person. Nothing stands for the answer.
func (a *app) agree(ctx context.Context, what any, question string) error {
	t, err := a.terminal()
	if err != nil {
		return consentError{}
	}
	if err := a.tell(what); err != nil {
		return err
	}
	agreed, err := t.Confirm(ctx, question)
	switch {
	case errors.Is(err, term.ErrInterrupted):
		return errInterrupted
	case err == nil && !agreed:
		return errDeclined
	}
	return err
}

func (a *app) policyRemoveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "remove",
		Short: "Take the policy out of force",
		Long:  "Take the policy out of force. A person at the terminal is asked; nothing stands for\nthe answer. The file stays where it is, and must be moved away too: a file that was\nnot accepted stops everything.",
		Args:  arguments(cobra.NoArgs),
	}
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		file, path, err := a.policyPaths()
		if err != nil {
			return nil, err
		}
		what := changed{Name: file, Change: "taken out of force", Path: path}
		if err := a.agree(c.Context(), what, "Take the spend policy out of force?"); err != nil {
			return nil, err
		}
		return what, policy.OpenLedger(path, a.env.Now).Remove(c.Context())
	})
}

func hintPolicy(err error) string {
	var broken *policyError
	switch {
	case errors.As(err, &broken):
		return broken.Fix
	case is[*policy.DeniedError](err):
		return "\"taoctl policy show\" tells the rules and what was spent; --yes does not override them"
	case is[*policy.TamperedError](err):
		return "find out who did that; move the file away to begin anew"
	}
	return ""
}
