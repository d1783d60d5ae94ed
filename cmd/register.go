package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/register"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

func (a *app) registerCommand() *cobra.Command {
	return group("register", "Get a hotkey into a subnet: by burning TAO, or by proof of work",
		a.registerCostCommand(), a.registerBurnCommand(), a.registerPowCommand(), a.registerRootCommand(),
		a.registerStatusCommand(), a.registerFaucetCommand())
}

// costs is the result of "register cost".
type costs struct {
	Block   uint32      `json:"block"`
	Work    string      `json:"work"`                                                              // how this runtime takes work, or why not
	Rate    *uint64     `json:"about_seals_per_second,omitempty" view:"about seals/s by this CPU"` // measured now
	Subnets []costRow   `json:"subnets"`
	History []costPoint `json:"history,omitempty"`
}

type costRow struct {
	register.Cost
	Expected *int64  `json:"about_milliseconds_of_work,omitempty" view:"-"` // half of all searches take less
	Takes    string  `json:"about_time_of_work,omitempty" view:"work takes about"`
	Pruned   *uint16 `json:"about_next_pruned_uid,omitempty" view:"about next pruned"`
}

type costPoint struct {
	Block uint32     `json:"block"`
	Burn  tao.Amount `json:"burn" view:"burn (TAO)"`
}

func (a *app) registerCostCommand() *cobra.Command {
	var history int
	by := "netuid"
	c := &cobra.Command{
		Use:   "cost [NETUID]...",
		Short: "Show what joining subnets costs, now and soon",
		Long: `Show what registration on some or all subnets costs: the burn now and what it
changes to, free slots, limits, and whether proof of work is accepted, with the
time that it takes on this machine. A burn that is to come holds only if nobody
else registers. For named subnets the neuron is shown that would be replaced.`,
		Example: "  taoctl register cost\n  taoctl register cost --sort burn\n  taoctl register cost 1 --history 24 --json",
	}
	a.networkFlags(c)
	c.Flags().StringVar(&by, "sort", by, "order by netuid, burn, free or difficulty")
	c.Flags().IntVar(&history, "history", 0, "show the burn of one subnet at this many past blocks, 300 apart")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		order, known := costOrders[by]
		if !known {
			return nil, usagef("--sort %q is not netuid, burn, free or difficulty", by)
		}
		if history < 0 || history > 1000 || history > 0 && len(args) != 1 {
			return nil, usagef("--history takes 1 to 1000 blocks of one subnet")
		}
		netuids, err := parseNetUIDs(args)
		if err != nil {
			return nil, err
		}
		v, err := a.best(c)
		if err != nil {
			return nil, err
		}
		result, err := a.costs(c.Context(), v, netuids)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(result.Subnets, order)
		if history > 0 {
			result.History, err = burnHistory(c.Context(), v, netuids[0], history)
		}
		return result, err
	})
}

var costOrders = map[string]func(a, b costRow) int{
	"netuid":     func(a, b costRow) int { return cmp.Compare(a.NetUID, b.NetUID) },
	"burn":       func(a, b costRow) int { return cmp.Compare(a.Burn, b.Burn) },
	"free":       func(a, b costRow) int { return cmp.Compare(b.Free, a.Free) },
	"difficulty": func(a, b costRow) int { return cmp.Compare(a.Difficulty, b.Difficulty) },
}

func parseNetUID(s string) (tao.NetUID, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, usagef("%q is not the number of a subnet", s)
	}
	return tao.NetUID(n), nil
}

func parseNetUIDs(args []string) ([]tao.NetUID, error) {
	list := make([]tao.NetUID, len(args))
	for i, arg := range args {
		var err error
		if list[i], err = parseNetUID(arg); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// costs reads the named subnets, or all. Who would be pruned is read of named
// ones alone: it takes the scores of every neuron.
func (a *app) costs(ctx context.Context, v *chain.View, netuids []tao.NetUID) (costs, error) {
	named := len(netuids) > 0
	if !named {
		var err error
		if netuids, err = register.Networks(ctx, v); err != nil {
			return costs{}, err
		}
	}
	list, err := register.Costs(ctx, v, netuids...)
	if err != nil {
		return costs{}, err
	}
	result := costs{Block: v.Number(), Subnets: make([]costRow, len(list))}
	rule, ruleErr := register.RuleOf(v.Runtime())
	result.Work = fmt.Sprintf("%s seal, %s, signed by the %s", rule.Seal, rule.Order, rule.Signer)
	if ruleErr != nil {
		result.Work = "none: " + ruleErr.Error()
	}
	for i, cost := range list {
		if named {
			if cost.Prune, err = register.NextPruned(ctx, v, cost); err != nil {
				return costs{}, err
			}
		}
		result.Subnets[i] = costRow{Cost: cost}
		if cost.Prune != nil {
			result.Subnets[i].Pruned = &cost.Prune.UID
		}
	}
	return result, a.expectWork(ctx, &result)
}

// burnHistory reads the burn at past blocks, the oldest first. A node that has
// pruned their state ends it early.
func burnHistory(ctx context.Context, v *chain.View, netuid tao.NetUID, points int) ([]costPoint, error) {
	const apart = 300 // an hour, at 12 seconds a block
	var list []costPoint
	for i := range points {
		back := uint32(i) * apart
		if back >= v.Number() {
			break
		}
		at, err := v.Client().At(ctx, chain.AtNumber(v.Number()-back))
		if err == nil {
			var burn tao.Amount
			burn, err = register.Price(ctx, at, netuid)
			list = append(list, costPoint{Block: v.Number() - back, Burn: burn})
		}
		if is[*chain.RPCError](err) && i > 0 {
			list = list[:i]
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Reverse(list)
	return list, nil
}

// standings is the result of "register status".
type standings struct {
	Block    uint32            `json:"block"`
	Standing []register.Status `json:"registrations"`
}

func (a *app) registerStatusCommand() *cobra.Command {
	var on []uint
	c := &cobra.Command{
		Use:   "status [HOTKEY]...",
		Short: "Show where hotkeys are registered, and how safe they are there",
		Long: `Show the uids of hotkeys: since when, until when they are immune, and how many
others would be pruned before them. Hotkeys are names in the wallet or
addresses; without any, all hotkeys of the wallet are shown.`,
		Example: "  taoctl register status\n  taoctl register status default --netuid 1 --json",
	}
	a.networkFlags(c)
	a.walletFlags(c)
	c.Flags().UintSliceVar(&on, "netuid", nil, "look only at these subnets, and show too where the hotkey is not registered")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		hotkeys, err := a.hotkeysNamed(c.Context(), args, true)
		if err != nil {
			return nil, err
		}
		v, err := a.best(c)
		if err != nil {
			return nil, err
		}
		netuids := make([]tao.NetUID, len(on))
		for i, n := range on {
			if netuids[i], err = parseNetUID(strconv.FormatUint(uint64(n), 10)); err != nil {
				return nil, err
			}
		}
		if len(on) == 0 {
			if netuids, err = register.Networks(c.Context(), v); err != nil {
				return nil, err
			}
			netuids = append([]tao.NetUID{0}, netuids...)
		}
		list, err := register.StatusOf(c.Context(), v, hotkeys, netuids)
		if len(on) == 0 {
			list = slices.DeleteFunc(list, func(s register.Status) bool { return !s.Registered })
		}
		return standings{Block: v.Number(), Standing: list}, err
	})
}

// hotkeysNamed are the hotkeys that arguments name: addresses, or names in the
// chosen wallet. No name is the chosen hotkey, or with all every one.
func (a *app) hotkeysNamed(ctx context.Context, names []string, all bool) ([]tao.Account, error) {
	var w walletAddresses
	if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return !looksLikeAddress(n) }) {
		var err error
		if w, err = a.chosenWallet(ctx); err != nil {
			return nil, err
		}
	}
	switch {
	case len(names) == 0 && all:
		for _, h := range w.hotkeys {
			names = append(names, h.Ref.Hotkey)
		}
	case len(names) == 0:
		names = []string{a.hotkeyName()}
	}
	chosen := a.settings.hotkey
	defer func() { a.settings.hotkey = chosen }()
	list := make([]tao.Account, 0, len(names))
	for _, name := range names {
		a.settings.hotkey = name
		h, err := a.hotkey(w)
		if err != nil {
			return nil, fmt.Errorf("hotkey %s: %w", name, err)
		}
		if slices.Contains(list, h) {
			return nil, usagef("hotkey %s is named twice", name)
		}
		list = append(list, h)
	}
	return list, nil
}

func (a *app) registerRootCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "root",
		Short: "Register a hotkey on the root subnet",
		Long: `Register the chosen hotkey on the root subnet. Nothing is burnt. If the root is
full, the hotkey with the least stake gives way, provided it has less.`,
		Example: "  taoctl register root --hotkey default",
		Args:    arguments(cobra.NoArgs),
	}
	a.hotkeyFlag(c)
	return a.transact(c, func(c *cobra.Command, v *chain.View, _ []string) (tx.Plan, error) {
		w, err := a.chosenWallet(c.Context())
		if err != nil {
			return tx.Plan{}, err
		}
		hotkey, err := a.hotkey(w)
		if err != nil {
			return tx.Plan{}, err
		}
		return register.Root{Coldkey: w.Coldkey, Hotkey: hotkey}.Plan(c.Context(), v)
	})
}

// burnFlags are the choices of "register burn".
type burnFlags struct {
	max      string
	watch    bool
	attempts int
}

func (a *app) registerBurnCommand() *cobra.Command {
	var f burnFlags
	c := &cobra.Command{
		Use:   "burn NETUID [HOTKEY]...",
		Short: "Register hotkeys on a subnet by burning TAO",
		Long: `Register hotkeys on a subnet, one after another, each by burning what the subnet
asks. Hotkeys are names in the wallet or addresses; without any it is the chosen
one. Those that are registered already are passed over, so the same command goes
on where it was broken off.

Never more than --max-price is burnt for one; without it, no more than the price
that is shown. Where the runtime has a registration with a limit, the chain
enforces that. Where it has none, the price is compared right before signing, as
the warning says, and the transaction stays valid for 8 blocks without --era.

With --watch nothing is signed until the price is within --max-price and the
subnet takes a registration.`,
		Example: `  taoctl register burn 1
  taoctl register burn 1 miner1 miner2 --max-price 0.5
  taoctl register burn 1 --max-price 0.1 --watch --yes`,
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	a.changeFlagsOf(c)
	a.hotkeyFlag(c)
	c.Flags().StringVar(&f.max, "max-price", "", "burn no more than so many TAO for a hotkey (default: the price shown)")
	c.Flags().BoolVar(&f.watch, "watch", false, "wait for the price and a place, then register")
	c.Flags().IntVar(&f.attempts, "max-attempts", 1, "how often to try each hotkey, where the chain refused it")
	a.formFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error { return a.burn(c, f, args) }
	return c
}

// uncheckedPeriod is how many blocks a registration stays valid that burns whatever
// the price is by then: long enough to get into a block beyond the newest, as the era
// begins at the finalized one.
const uncheckedPeriod = 8

func (a *app) burn(c *cobra.Command, f burnFlags, args []string) error {
	netuid, err := parseNetUID(args[0])
	if err != nil {
		return err
	}
	most, err := f.parse()
	if err != nil {
		return err
	}
	q := &queue{app: a, command: c, attempts: f.attempts, watch: f.watch, netuid: netuid, anew: true}
	if q.options, q.wait, err = a.change.parse(); err != nil {
		return err
	}
	w, err := a.chosenWallet(c.Context())
	if err != nil {
		return err
	}
	hotkeys, err := a.hotkeysNamed(c.Context(), args[1:], false)
	if err != nil {
		return err
	}
	v, err := a.best(c)
	if err != nil {
		return err
	}
	if !register.Enforces(v.Runtime()) && !c.Flags().Changed("era") {
		q.options.Period = uncheckedPeriod
	}
	if most == nil {
		price, err := register.Price(c.Context(), v, netuid)
		if err != nil {
			return err
		}
		most = &price
	}
	for _, h := range hotkeys {
		b := register.Burn{Coldkey: w.Coldkey, Hotkey: h, NetUID: netuid, Max: most}
		q.jobs = append(q.jobs, job{hotkey: h, signer: w.Coldkey, plan: b.Plan})
	}
	q.bound = most
	return q.run(v)
}

func (f burnFlags) parse() (*tao.Amount, error) {
	switch {
	case f.attempts < 1:
		return nil, usagef("--max-attempts must be at least 1")
	case f.max == "" && f.watch:
		return nil, usagef("--watch needs --max-price: how much may be burnt must be agreed to before")
	case f.max == "":
		return nil, nil
	}
	most, err := tao.ParseAmount(f.max)
	if err != nil {
		return nil, usagef("--max-price: %w", err)
	}
	return &most, nil
}

// passing tells errors that may be gone with a later block.
func passing(err error) bool {
	var failure *tx.Failure
	if errors.As(err, &failure) {
		return slices.Contains(passingFailures, failure.Name)
	}
	var closed *register.ClosedError
	if errors.As(err, &closed) {
		return !closed.ForGood
	}
	return is[*register.PriceError](err) || is[*register.IntervalError](err) || is[*register.StaleError](err) || is[*register.WrongWorkError](err)
}

// passingFailures are the chain's names for what another attempt may get round.
var passingFailures = []string{
	"TooManyRegistrationsThisBlock", "TooManyRegistrationsThisInterval", "RegistrationPriceLimitExceeded",
	"InvalidWorkBlock", "InvalidDifficulty", "NoNeuronIdAvailable",
}
