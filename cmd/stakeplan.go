package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/strictyaml"
	"github.com/taoctl/taoctl/stake"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

func (a *app) stakePlanCommand() *cobra.Command {
	return group("plan", "Bring stake to what a file wants", a.stakePlanDiffCommand(), a.stakePlanApplyCommand())
}

// What a plan file that does not say it means.
const (
	defaultWithin            = 5 * tao.OnePercent
	defaultLeast  tao.Amount = 10_000_000 // 0.01 TAO
)

// planError says what is wrong with a plan file. It is a usage error.
func planError(name string, err error) error { return usagef("%s: %w", name, err) }

// readPlan reads a plan file. Hotkeys are addresses or names in the wallet.
func (a *app) readPlan(ctx context.Context, name string) (stake.Want, error) {
	text, err := a.readFile(name)
	if err != nil {
		return stake.Want{}, err
	}
	p, err := parsePlan(text, func(s string) (tao.Account, error) { return a.oneHotkey(ctx, s) })
	if err != nil {
		return p, planError(name, err)
	}
	return p, nil
}

func parsePlan(text []byte, hotkey func(string) (tao.Account, error)) (stake.Want, error) {
	p := stake.Want{Least: defaultLeast, Terms: stake.Terms{Tolerance: stake.DefaultTolerance}}
	root, err := strictyaml.Parse(text)
	if err != nil {
		return p, err
	}
	version, others, kept := "", "keep", false
	var lines []int
	err = strictyaml.Fields(root, map[string]func(*strictyaml.Node) error{
		"version":   func(n *strictyaml.Node) error { return strictyaml.Text(n, &version) },
		"keep":      func(n *strictyaml.Node) error { kept = true; return strictyaml.Value(n, &p.Keep, tao.ParseAmount) },
		"least":     func(n *strictyaml.Node) error { return strictyaml.Value(n, &p.Least, tao.ParseAmount) },
		"tolerance": func(n *strictyaml.Node) error { return strictyaml.Value(n, &p.Terms.Tolerance, tao.ParsePercent) },
		"others":    func(n *strictyaml.Node) error { return strictyaml.Text(n, &others) },
		"positions": func(n *strictyaml.Node) error {
			return strictyaml.Items(n, func(item *strictyaml.Node) error {
				lines = append(lines, item.Line)
				t, err := parseTarget(item, hotkey)
				p.List = append(p.List, t)
				return err
			})
		},
	})
	switch {
	case err != nil:
		return p, err
	case version != "1":
		return p, &strictyaml.Error{Reason: "its first field must be \"version: 1\""}
	case !kept:
		return p, &strictyaml.Error{Reason: "say how much TAO stays free, with \"keep\""}
	case others != "keep" && others != "remove":
		return p, &strictyaml.Error{Reason: fmt.Sprintf("others is %q: write keep or remove", others)}
	}
	p.Others = others == "remove"
	return p, atLine(p.Check(), lines)
}

// atLine names the line of the position that an error is about.
func atLine(err error, lines []int) error {
	var wrong *stake.TargetError
	if errors.As(err, &wrong) && wrong.Index >= 0 {
		return &strictyaml.Error{Line: lines[wrong.Index], Reason: wrong.Reason}
	}
	return err
}

func parseTarget(n *strictyaml.Node, hotkey func(string) (tao.Account, error)) (stake.Target, error) {
	t := stake.Target{Within: defaultWithin}
	hasKey, hasNet := false, false
	err := strictyaml.Fields(n, map[string]func(*strictyaml.Node) error{
		"hotkey": func(n *strictyaml.Node) error { hasKey = true; return strictyaml.Value(n, &t.Hotkey, hotkey) },
		"netuid": func(n *strictyaml.Node) error { hasNet = true; return strictyaml.Value(n, &t.NetUID, parseNetUID) },
		"amount": func(n *strictyaml.Node) error {
			t.Alpha = new(tao.Alpha)
			return strictyaml.Value(n, t.Alpha, tao.ParseAlpha)
		},
		"weight": func(n *strictyaml.Node) error {
			t.Weight = new(tao.Percent)
			return strictyaml.Value(n, t.Weight, tao.ParsePercent)
		},
		"within": func(n *strictyaml.Node) error { return strictyaml.Value(n, &t.Within, tao.ParsePercent) },
		"most": func(n *strictyaml.Node) error {
			t.Most = new(tao.Amount)
			return strictyaml.Value(n, t.Most, tao.ParseAmount)
		},
	})
	if err == nil && (!hasKey || !hasNet) {
		err = strictyaml.At(n, "a position needs a hotkey and a netuid")
	}
	return t, err
}

// planDiff is the result of stake plan diff.
type planDiff struct {
	stake.Difference
	Refused string `json:"refused,omitempty" view:"would be refused"` // why, of the first transaction
}

const planHelp = `A plan file:

  version: 1
  keep: 10
  positions:
    - {hotkey: miner, netuid: 1, weight: 60%, within: 2%}
    - {hotkey: 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty, netuid: 0, weight: 40%}

It names positions by hotkey and subnet, each with an amount of stake (alpha; on the
root TAO) or a weight: its share of what is staked in the plan's places and what is
free beyond "keep", less what the amounts want. "within" is how far off it may be
(5%), "most" the most TAO that it may be worth, "others: remove" takes back all other
stake, "least" is the smallest trade, and the smallest stake that is taken back
(0.01 TAO), "tolerance" how far each trade may move a price (5%).`

func (a *app) stakePlanDiffCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "diff FILE",
		Short:   "Show what would bring stake to what a file wants",
		Long:    "Show the changes that would bring the wallet's stake to what a file wants, and what\nthey cost. Nothing is signed.\n\n" + planHelp,
		Example: "  taoctl stake plan diff plan.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	a.networkFlags(c)
	a.walletFlags(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		w, err := a.chosenWallet(c.Context())
		if err != nil {
			return nil, err
		}
		p, err := a.readPlan(c.Context(), args[0])
		if err != nil {
			return nil, err
		}
		v, err := a.best(c)
		if err != nil {
			return nil, err
		}
		p.Terms.AcceptNoLimit = true // nothing is signed
		d, err := p.Compare(c.Context(), v, w.Coldkey)
		if err != nil || len(d.Deeds) == 0 {
			return planDiff{Difference: d}, err
		}
		shown := planDiff{Difference: d}
		if _, err := p.Plan(c.Context(), v, d, d.First()); err != nil {
			shown.Refused = err.Error()
		}
		return shown, nil
	})
}

func (a *app) stakePlanApplyCommand() *cobra.Command {
	anyPrice := false
	c := &cobra.Command{
		Use:   "apply FILE",
		Short: "Bring stake to what a file wants",
		Long: `Bring the wallet's stake to what a file wants: moves, swaps and sales in one
transaction, then purchases in another, each of all changes or none. What is there
already is left alone, so the same command goes on where it was broken off; while
the outcome of a transaction is unknown, no other is made. It stops if a price
has moved by more than the tolerance since it was agreed to, and spends no TAO that
came in since.

` + planHelp,
		Example: "  taoctl stake plan apply plan.yaml --dry-run\n  taoctl stake plan apply plan.yaml --yes",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	a.changeFlagsOf(c)
	a.formFlags(c)
	c.Flags().BoolVar(&anyPrice, "accept-any-price", false, "agree to whatever price is met, where the runtime has no call with a limit; --yes alone does not")
	c.RunE = func(c *cobra.Command, args []string) error {
		o, wait, err := a.change.parse()
		if err != nil {
			return err
		}
		if a.change.out != "" || o.Nonce != nil || wait == tx.WaitNone {
			return usagef("a plan may take several transactions, each waited for: --out, --nonce and --wait none make no sense")
		}
		w, err := a.chosenWallet(c.Context())
		if err != nil {
			return err
		}
		p, err := a.readPlan(c.Context(), args[0])
		if err != nil {
			return err
		}
		p.Terms.AcceptNoLimit = anyPrice
		r := &planRun{app: a, want: p, coldkey: w.Coldkey, options: o, wait: wait}
		return r.run(c)
	}
	return c
}

// planRun brings a coldkey's stake to a plan.
type planRun struct {
	app     *app
	want    stake.Want
	coldkey tao.Account
	options tx.Options
	wait    tx.Wait
	agreed  stake.Difference
}

// planApplied is the result of stake plan apply.
type planApplied struct {
	Done  []stakeReceipt `json:"transactions"`
	Left  []stake.Deed   `json:"left,omitempty"` // what the plan would still change; small if prices moved
	There bool           `json:"in_place" view:"all is in place"`
	Block uint32         `json:"block"`
}

func (r *planRun) run(c *cobra.Command) error {
	ctx, a := c.Context(), r.app
	v, err := a.best(c)
	if err != nil {
		return err
	}
	if r.agreed, err = r.want.Compare(ctx, v, r.coldkey); err != nil {
		return err
	}
	if len(r.agreed.Deeds) == 0 {
		return a.show(planApplied{Done: []stakeReceipt{}, There: true, Block: v.Number()})
	}
	// What the first transaction would be refused for is known before anybody
	// is asked.
	first, err := r.prepare(ctx, v, r.agreed, r.agreed.First())
	switch {
	case err != nil:
		return err
	case a.change.dryRun:
		return a.show(r.agreed)
	case a.change.trial != "":
		return a.simulateDraft(ctx, v, first, r.agreed)
	}
	if _, err := a.checkPolicy(ctx, v, first); err != nil {
		return err
	}
	if err := a.checkOpenOf(ctx, v, first.Signer, first.Nonce, anyOpen); err != nil {
		return err
	}
	if err := a.consent(ctx, r.agreed, "Apply this plan?"); err != nil {
		return err
	}
	key, err := a.unlock(ctx, r.coldkey)
	if err != nil {
		return err
	}
	defer key.Wipe()
	result := planApplied{Done: []stakeReceipt{}}
	err = r.rounds(ctx, v.Client(), key, &result)
	if err != nil && len(result.Done) > 0 && !certain(err) {
		err = &partialError{err}
	}
	result.There = err == nil && len(result.Left) == 0
	if shown := a.show(result); err == nil {
		err = shown
	}
	return err
}

// sellRounds is how often what is to be moved, swapped and sold is looked at
// again: places that have a part in two changes need two.
const sellRounds = 4

// rounds sells first, in as many transactions as it takes, and then buys in one.
// It never sells what it bought: purchases move the price, and chasing that would
// only cost fees. It buys with what was free when the plan was agreed to and what
// its own sales bring; what comes in from elsewhere meanwhile was not agreed to.
func (r *planRun) rounds(ctx context.Context, client *chain.Client, key tx.Signer, result *planApplied) error {
	spend := r.agreed.Spread
	r.want.Spend = &spend
	for range sellRounds {
		v, d, err := r.look(ctx, client, result)
		if err != nil {
			return err
		}
		sales := d.Sales()
		if len(sales) == 0 {
			break
		}
		changes, err := r.send(ctx, v, key, d, sales, result)
		if err != nil {
			return err
		}
		var fits bool
		if spend, fits = spend.Add(stake.Proceeds(changes)); !fits {
			return errors.New("what the sales brought is more than there can be: the node is wrong")
		}
	}
	v, d, err := r.look(ctx, client, result)
	if err != nil || len(d.Purchases()) == 0 {
		return err
	}
	if _, err := r.send(ctx, v, key, d, d.Purchases(), result); err != nil {
		return err
	}
	_, _, err = r.look(ctx, client, result)
	return err
}

// look compares anew, at the newest block.
func (r *planRun) look(ctx context.Context, client *chain.Client, result *planApplied) (*chain.View, stake.Difference, error) {
	v, err := client.At(ctx, chain.Best())
	if err != nil {
		return nil, stake.Difference{}, err
	}
	d, err := r.want.Compare(ctx, v, r.coldkey)
	if err == nil {
		result.Block, result.Left = d.Block, d.Deeds
	}
	return v, d, err
}

// prepare makes the transaction of some changes.
func (r *planRun) prepare(ctx context.Context, v *chain.View, d stake.Difference, deeds []stake.Deed) (*tx.Draft, error) {
	p, err := r.want.Plan(ctx, v, d, deeds)
	if err != nil {
		return nil, err
	}
	return tx.Prepare(ctx, v, p, r.options)
}

// send makes, signs and sends one transaction of the plan, if prices are still
// about those that were agreed to.
func (r *planRun) send(ctx context.Context, v *chain.View, key tx.Signer, d stake.Difference, deeds []stake.Deed, result *planApplied) ([]stake.Change, error) {
	if err := r.agreed.Steady(d, deeds); err != nil {
		return nil, err
	}
	draft, err := r.prepare(ctx, v, d, deeds)
	if err != nil {
		return nil, err
	}
	receipt, err := r.app.signAndFollow(ctx, v, draft, key, r.wait, anyOpen)
	if receipt == nil {
		return nil, err
	}
	changes := stake.Changes(receipt.Events)
	result.Done = append(result.Done, stakeReceipt{Receipt: *receipt, Stake: changes})
	if err == nil && receipt.Failure != nil {
		err = receipt.Failure
	}
	return changes, err
}

// anyOpen: a plan's next transaction has other amounts when prices moved, so any
// that is open counts; what it changes is not yet in what was compared.
func anyOpen(tx.Entry) bool { return true }
