package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/strictyaml"
	"github.com/taoctl/taoctl/stake"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

func (a *app) stakePlanCommand() *cobra.Command {
	return group("plan", "Bring stake to what a file wants", a.stakePlanDiffCommand(), a.stakePlanApplyCommand())
}

// planFile is what a plan file says.
type planFile struct {
	targets   stake.Targets
	keep      tao.Amount
	least     tao.Amount
	tolerance tao.Percent
}

// What a plan file that does not say it means.
const (
	defaultWithin            = 5 * tao.OnePercent
	defaultLeast  tao.Amount = 10_000_000 // 0.01 TAO
)

// planError says what is wrong with a plan file. It is a usage error.
func planError(name string, err error) error { return usagef("%s: %w", name, err) }

// readPlan reads a plan file. Hotkeys are addresses or names in the wallet.
func (a *app) readPlan(ctx context.Context, name string) (planFile, error) {
	text, err := a.readFile(name)
	if err != nil {
		return planFile{}, err
	}
	p, err := parsePlan(text, func(s string) (tao.Account, error) { return a.oneHotkey(ctx, s) })
	if err != nil {
		return p, planError(name, err)
	}
	return p, nil
}

func parsePlan(text []byte, hotkey func(string) (tao.Account, error)) (planFile, error) {
	p := planFile{least: defaultLeast, tolerance: stake.DefaultTolerance}
	root, err := strictyaml.Parse(text)
	if err != nil {
		return p, err
	}
	version, others, kept := "", "keep", false
	var lines []int
	err = strictyaml.Fields(root, map[string]func(*strictyaml.Node) error{
		"version":   func(n *strictyaml.Node) error { return strictyaml.Text(n, &version) },
		"keep":      func(n *strictyaml.Node) error { kept = true; return strictyaml.Value(n, &p.keep, tao.ParseAmount) },
		"least":     func(n *strictyaml.Node) error { return strictyaml.Value(n, &p.least, tao.ParseAmount) },
		"tolerance": func(n *strictyaml.Node) error { return strictyaml.Value(n, &p.tolerance, tao.ParsePercent) },
		"others":    func(n *strictyaml.Node) error { return strictyaml.Text(n, &others) },
		"positions": func(n *strictyaml.Node) error {
			return strictyaml.Items(n, func(item *strictyaml.Node) error {
				lines = append(lines, item.Line)
				return p.position(item, hotkey)
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
	p.targets.Others = others == "remove"
	return p, atLine(p.targets.Check(), lines)
}

// atLine names the line of the position that an error is about.
func atLine(err error, lines []int) error {
	var wrong *stake.TargetError
	if errors.As(err, &wrong) && wrong.Index >= 0 {
		return &strictyaml.Error{Line: lines[wrong.Index], Reason: wrong.Reason}
	}
	return err
}

func (p *planFile) position(n *strictyaml.Node, hotkey func(string) (tao.Account, error)) error {
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
	p.targets.List = append(p.targets.List, t)
	return err
}

// planDiff is the result of stake plan diff, and what plan apply asks about.
type planDiff struct {
	Block     uint32           `json:"block"`
	Coldkey   tao.Account      `json:"coldkey"`
	Free      tao.Amount       `json:"free" view:"free (TAO)"`
	Keep      tao.Amount       `json:"keep" view:"stays free (TAO)"`
	Tolerance tao.Percent      `json:"tolerance"`
	Positions []stake.Position `json:"positions" view:"-"`
	Deeds     []stake.Deed     `json:"changes" view:"changes"`
	Cost      tao.Amount       `json:"about_cost" view:"costs about (TAO)"`       // slippage and swap fees; transaction fees come on top
	Refused   string           `json:"refused,omitempty" view:"would be refused"` // why, of the first transaction

	prices map[tao.NetUID]tao.Amount
}

// diff compares a plan with what is staked at a view.
func (p planFile) diff(ctx context.Context, v *chain.View, coldkey tao.Account) (planDiff, error) {
	held, err := stake.Of(ctx, v, coldkey)
	if err != nil {
		return planDiff{}, err
	}
	funds, err := tx.FundsOf(ctx, v, coldkey)
	if err != nil {
		return planDiff{}, err
	}
	netuids := p.netuids(held.Positions)
	if err := subnet.Check(ctx, v, netuids...); err != nil {
		return planDiff{}, err
	}
	pools, err := subnet.Pools(ctx, v, netuids...)
	if err != nil {
		return planDiff{}, err
	}
	p.targets.Free = funds[0].Spendable(true).Less(p.keep)
	d := planDiff{Block: v.Number(), Coldkey: coldkey, Free: funds[0].Free, Keep: p.keep, Tolerance: p.tolerance, Positions: held.Positions, prices: map[tao.NetUID]tao.Amount{}}
	for id, pool := range pools {
		d.prices[id] = pool.Price
	}
	d.Deeds, err = p.targets.Diff(held.Positions, pools, p.least)
	for _, deed := range d.Deeds {
		d.Cost, _ = d.Cost.Add(deed.Cost)
	}
	return d, err
}

// netuids are those of the plan, and of what is staked.
func (p planFile) netuids(held []stake.Position) []tao.NetUID {
	var list []tao.NetUID
	for _, t := range p.targets.List {
		list = append(list, t.NetUID)
	}
	for _, h := range held {
		list = append(list, h.NetUID)
	}
	slices.Sort(list)
	return slices.Compact(list)
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
		d, err := p.diff(c.Context(), v, w.Coldkey)
		if err != nil || len(d.Deeds) == 0 {
			return d, err
		}
		r := &planRun{app: a, plan: p, coldkey: w.Coldkey, terms: stake.Terms{Tolerance: p.tolerance, AcceptNoLimit: true}}
		if _, err := r.intend(c.Context(), v, r.next(d, false)); err != nil {
			d.Refused = err.Error()
		}
		return d, nil
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
has moved by more than the tolerance since it was agreed to.

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
		r := &planRun{app: a, plan: p, coldkey: w.Coldkey, options: o, wait: wait}
		r.terms = stake.Terms{Tolerance: p.tolerance, AcceptNoLimit: anyPrice}
		return r.run(c)
	}
	return c
}

// planRun brings a coldkey's stake to a plan.
type planRun struct {
	app     *app
	plan    planFile
	coldkey tao.Account
	terms   stake.Terms
	options tx.Options
	wait    tx.Wait
	agreed  planDiff
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
	if r.agreed, err = r.plan.diff(ctx, v, r.coldkey); err != nil {
		return err
	}
	if len(r.agreed.Deeds) == 0 {
		return a.show(planApplied{Done: []stakeReceipt{}, There: true, Block: v.Number()})
	}
	// What the first transaction would be refused for is known before anybody
	// is asked.
	first, err := r.prepare(ctx, v, r.next(r.agreed, false))
	switch {
	case err != nil:
		return err
	case a.change.dryRun:
		return a.show(r.agreed)
	case a.change.trial != "":
		return a.simulateDraft(ctx, v, first, r.agreed)
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
// only cost fees.
func (r *planRun) rounds(ctx context.Context, client *chain.Client, key tx.Signer, result *planApplied) error {
	buying := false
	for range sellRounds + 1 {
		d, v, err := r.look(ctx, client)
		if err != nil {
			return err
		}
		result.Block, result.Left = v.Number(), d.Deeds
		deeds := r.next(d, buying)
		if len(deeds) == 0 || buying && deeds[0].Action != "add" {
			return nil
		}
		buying = deeds[0].Action == "add"
		receipt, err := r.send(ctx, v, key, deeds)
		if receipt != nil {
			result.Done = append(result.Done, stakeReceipt{Receipt: *receipt, Stake: stake.Changes(receipt.Events)})
		}
		if err != nil {
			return err
		}
		if buying {
			d, v, err := r.look(ctx, client)
			result.Block, result.Left = v.Number(), d.Deeds
			return err
		}
	}
	return nil
}

// look compares anew, at the newest block, and checks that prices are still
// about those that were agreed to.
func (r *planRun) look(ctx context.Context, client *chain.Client) (planDiff, *chain.View, error) {
	v, err := client.At(ctx, chain.Best())
	if err != nil {
		return planDiff{}, nil, err
	}
	d, err := r.plan.diff(ctx, v, r.coldkey)
	return d, v, err
}

// next are the changes of the next transaction: all that come before purchases,
// or if there are none, or they are done, the purchases.
func (r *planRun) next(d planDiff, buying bool) []stake.Deed {
	sales := slices.Clone(d.Deeds)
	sales = slices.DeleteFunc(sales, func(deed stake.Deed) bool { return deed.Action == "add" })
	if len(sales) > 0 && !buying {
		return sales
	}
	return slices.DeleteFunc(slices.Clone(d.Deeds), func(deed stake.Deed) bool { return deed.Action != "add" })
}

// intend plans the transaction of some changes.
func (r *planRun) intend(ctx context.Context, v *chain.View, deeds []stake.Deed) (tx.Plan, error) {
	intents := make([]stake.Intent, len(deeds))
	var spends tao.Amount
	for i, d := range deeds {
		intents[i] = d.Intent(r.coldkey, r.terms)
		if d.TAO != nil {
			spends, _ = spends.Add(*d.TAO)
		}
	}
	funds, err := tx.FundsOf(ctx, v, r.coldkey)
	if err != nil {
		return tx.Plan{}, err
	}
	if free := funds[0].Spendable(true).Less(r.plan.keep); spends > free {
		return tx.Plan{}, fmt.Errorf("the plan takes %s TAO, and beside the %s that stay there are %s", spends, r.plan.keep, free)
	}
	return stake.Plan(ctx, v, intents...)
}

// prepare makes the transaction of some changes.
func (r *planRun) prepare(ctx context.Context, v *chain.View, deeds []stake.Deed) (*tx.Draft, error) {
	p, err := r.intend(ctx, v, deeds)
	if err != nil {
		return nil, err
	}
	return tx.Prepare(ctx, v, p, r.options)
}

// send makes, signs and sends one transaction of the plan.
func (r *planRun) send(ctx context.Context, v *chain.View, key tx.Signer, deeds []stake.Deed) (*tx.Receipt, error) {
	a := r.app
	if err := r.steady(ctx, v, deeds); err != nil {
		return nil, err
	}
	draft, err := r.prepare(ctx, v, deeds)
	if err != nil {
		return nil, err
	}
	spending, err := a.checkPolicy(ctx, v, draft)
	if err != nil {
		return nil, err
	}
	// A plan's next transaction has other amounts when prices moved, so any that
	// is open counts: what it changes is not yet in what was compared.
	if err := a.checkOpenOf(ctx, v, draft.Signer, draft.Nonce, func(tx.Entry) bool { return true }); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	x, err := a.signCounted(ctx, draft, key, spending)
	if err != nil {
		return nil, err
	}
	journal, err := a.journal()
	if err != nil {
		return nil, err
	}
	receipt, err := a.follow(ctx, v.Client(), journal, x, r.wait)
	if err == nil && receipt.Failure != nil {
		err = receipt.Failure
	}
	return receipt, err
}

// movedError says that a price is no longer about the one that was agreed to.
type movedError struct {
	NetUID      tao.NetUID
	Agreed, Now tao.Amount
	Tolerance   tao.Percent
}

func (e *movedError) Error() string {
	return fmt.Sprintf("the price of subnet %d was %s TAO when the plan was agreed to and is %s now, which is more than %s off; nothing more was sent", e.NetUID, e.Agreed, e.Now, e.Tolerance)
}

// steady checks that the prices at which a plan buys have not risen, and those
// at which it sells not fallen, by more than the tolerance since it was agreed
// to. The plan's own sales may have moved them; they count like all others.
func (r *planRun) steady(ctx context.Context, v *chain.View, deeds []stake.Deed) error {
	for _, d := range deeds {
		id, buys := d.NetUID, d.Action == "add"
		pools, err := subnet.Pools(ctx, v, id)
		if err != nil {
			return err
		}
		agreed, now := r.agreed.prices[id], pools[id].Price
		if buys && now > agreed && stake.Apart(agreed, now) > r.terms.Tolerance || !buys && now < agreed && stake.Apart(agreed, now) > r.terms.Tolerance {
			return &movedError{NetUID: id, Agreed: agreed, Now: now, Tolerance: r.terms.Tolerance}
		}
	}
	return nil
}
