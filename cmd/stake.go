package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/stake"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

func (a *app) stakeCommand() *cobra.Command {
	return group("stake", "See, price, add, remove and move stake",
		a.stakeListCommand(), a.stakeQuoteCommand(), a.stakeAddCommand(), a.stakeRemoveCommand(), a.stakeRemoveAllCommand(),
		a.stakeMoveCommand(), a.stakeSwapCommand(), a.stakeTransferCommand(), a.stakeClaimCommand(), a.stakeAutoCommand(),
		a.stakePlanCommand())
}

// atFlag is for readings that may be of an old block.
func atFlag(c *cobra.Command, at *string) {
	c.Flags().StringVar(at, "at", "", "number or hash of the block to read at (default: the newest)")
}

// viewAt is the view of the block that --at names.
func (a *app) viewAt(c *cobra.Command, at string) (*chain.View, error) {
	ref, err := parseBlock(at)
	if err != nil {
		return nil, err
	}
	client, err := a.dial(c)
	if err != nil {
		return nil, err
	}
	return client.At(c.Context(), ref)
}

// staked is the result of stake list.
type staked struct {
	stake.Holdings
	Coldkeys []owned `json:"coldkeys"`
}

// owned sums up what one coldkey has staked.
type owned struct {
	Name    string      `json:"name,omitempty"`
	Coldkey tao.Account `json:"coldkey"`
	Value   tao.Amount  `json:"value" view:"value (TAO)"`
}

func (a *app) stakeListCommand() *cobra.Command {
	var at string
	var netuids []string
	by := "value"
	c := &cobra.Command{
		Use:   "list [WALLET | ADDRESS]...",
		Short: "List what coldkeys have staked, and what it is worth",
		Long: `List every position of the wallets and addresses named, or of the chosen wallet.
Stake is in alpha of its subnet, on the root (netuid 0) in TAO. "value" counts it
at the price of the block; "sells for about" is what the pool would pay for all of
the position now, which is less. "about per day" is what it earned in the last
epoch, carried on.`,
		Example: "  taoctl stake list\n  taoctl stake list alice bob --sort netuid\n  taoctl stake list --netuid 1,64 --at 7000000 --json",
	}
	a.networkFlags(c)
	a.walletFlags(c)
	atFlag(c, &at)
	c.Flags().StringSliceVar(&netuids, "netuid", nil, "only these subnets")
	c.Flags().StringVar(&by, "sort", by, "order by value, stake, netuid, hotkey or name")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		order, known := positionOrders[by]
		if !known {
			return nil, usagef("--sort %q is not value, stake, netuid, hotkey or name", by)
		}
		only, err := parseNetUIDs(netuids)
		if err != nil {
			return nil, err
		}
		owners, err := a.ownersOf(c.Context(), args)
		if err != nil {
			return nil, err
		}
		v, err := a.viewAt(c, at)
		if err != nil {
			return nil, err
		}
		return listStake(c.Context(), v, owners, only, order)
	})
}

var positionOrders = map[string]func(a, b stake.Position) int{
	"value":  func(a, b stake.Position) int { return cmp.Compare(b.Value, a.Value) },
	"stake":  func(a, b stake.Position) int { return cmp.Compare(b.Stake, a.Stake) },
	"netuid": func(a, b stake.Position) int { return cmp.Compare(a.NetUID, b.NetUID) },
	"hotkey": func(a, b stake.Position) int { return slices.Compare(a.Hotkey[:], b.Hotkey[:]) },
	"name":   func(a, b stake.Position) int { return cmp.Compare(a.Name, b.Name) },
}

// ownersOf reads arguments that are wallets or addresses; none is the chosen
// wallet.
func (a *app) ownersOf(ctx context.Context, args []string) ([]owner, error) {
	if len(args) == 0 {
		w, err := a.chosenWallet(ctx)
		return []owner{{w.name, w.Coldkey}}, err
	}
	var list []owner
	for _, arg := range args {
		o, err := a.owner(arg)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(list, func(before owner) bool { return before.account == o.account }) {
			list = append(list, o)
		}
	}
	return list, nil
}

func listStake(ctx context.Context, v *chain.View, owners []owner, only []tao.NetUID, order func(a, b stake.Position) int) (staked, error) {
	coldkeys := make([]tao.Account, len(owners))
	for i, o := range owners {
		coldkeys[i] = o.account
	}
	held, err := stake.Of(ctx, v, coldkeys...)
	if err != nil {
		return staked{}, err
	}
	if len(only) > 0 {
		held.Keep(func(p stake.Position) bool { return slices.Contains(only, p.NetUID) })
	}
	slices.SortStableFunc(held.Positions, order)
	result := staked{Holdings: held}
	for _, o := range owners {
		sum := owned{Name: o.name, Coldkey: o.account}
		for _, p := range held.Positions {
			if p.Coldkey == o.account {
				sum.Value += p.Value
			}
		}
		result.Coldkeys = append(result.Coldkeys, sum)
	}
	return result, nil
}

// unit is what an amount on the command line is in.
type unit int

const (
	inTAO unit = iota
	inAlpha
)

func (u unit) String() string { return [...]string{"TAO", "alpha"}[u] }

// unitWords are what may stand behind a number.
var unitWords = map[string]unit{"tao": inTAO, "τ": inTAO, "alpha": inAlpha, "α": inAlpha}

// size is an amount as it was typed: so much of a unit, or everything.
type size struct {
	all   bool
	units uint64 // of 1e-9
	named bool   // the unit was typed
	unit  unit
}

// takeSize reads "10", "10 TAO", "10 alpha" or "all" from the front of the
// arguments and returns the others. A unit may be an argument of its own.
func takeSize(args []string) (size, []string, error) {
	text, rest := args[0], args[1:]
	if len(rest) > 0 {
		if _, isUnit := unitWords[strings.ToLower(rest[0])]; isUnit {
			text, rest = text+" "+rest[0], rest[1:]
		}
	}
	s, err := parseSize(text)
	return s, rest, err
}

func parseSize(text string) (s size, err error) {
	number, word, two := strings.Cut(text, " ")
	if two {
		if s.unit, s.named = unitWords[strings.ToLower(word)]; !s.named {
			return s, usagef("amount %q: %q is no unit: write TAO or alpha, or nothing", text, word)
		}
	}
	if number == "all" {
		s.all = true
		return s, nil
	}
	amount, err := tao.ParseAmount(number)
	if err != nil {
		return s, err
	}
	if amount == 0 {
		return s, usagef("an amount of 0 changes nothing")
	}
	s.units = uint64(amount)
	return s, nil
}

// in takes the amount in the unit that a command counts in. Another one is
// refused: an alpha is not worth a TAO.
func (s size) in(want unit) (uint64, error) {
	if s.named && s.unit != want {
		return 0, usagef("the amount is in %s, and %s is asked for: see \"taoctl stake quote\" for what it is worth", s.unit, want)
	}
	return s.units, nil
}

// termsFlags are the price that is agreed to.
type termsFlags struct {
	tolerance string
	partial   bool
	anyPrice  bool
}

func (f *termsFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.tolerance, "tolerance", stake.DefaultTolerance.String(), "how far the price may move against you, from the block that the plan was made at")
	fl.BoolVar(&f.partial, "partial", false, "take as much as the tolerance allows, where all of it would go past it (default: all or nothing)")
	fl.BoolVar(&f.anyPrice, "accept-any-price", false, "agree to whatever price is met, where the runtime has no call with a limit; --yes alone does not")
}

func (f *termsFlags) parse() (stake.Terms, error) {
	p, err := tao.ParsePercent(f.tolerance)
	if err != nil {
		return stake.Terms{}, usagef("--tolerance: %w", err)
	}
	return stake.Terms{Tolerance: p, Partial: f.partial, AcceptNoLimit: f.anyPrice}, nil
}

// stakeFlags are those of commands that change stake.
type stakeFlags struct {
	termsFlags
	netuids []string
}

// netuid reads --netuid of a command that takes one subnet.
func (f *stakeFlags) netuid() (tao.NetUID, error) {
	ids, err := f.all()
	if err == nil && len(ids) > 1 {
		err = usagef("--netuid takes one subnet here, not %d", len(ids))
	}
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

func (f *stakeFlags) all() ([]tao.NetUID, error) {
	if len(f.netuids) == 0 {
		return nil, usagef("name the subnet with --netuid; 0 is the root")
	}
	return parseNetUIDs(f.netuids)
}

// intents is what a command asks of the stake package, made of the coldkey.
type intents func(ctx context.Context, v *chain.View, coldkey tao.Account) ([]stake.Intent, error)

// changeStake is the end of every command that changes stake: read checks the
// command line before anything is opened, asked or read.
func (a *app) changeStake(c *cobra.Command, f *stakeFlags, read func(c *cobra.Command, args []string, t stake.Terms) (intents, error)) *cobra.Command {
	a.hotkeyFlag(c)
	f.add(c)
	c.Flags().StringSliceVar(&f.netuids, "netuid", nil, "subnet; 0 is the root")
	var asked intents
	c.PreRunE = func(c *cobra.Command, args []string) error {
		a.outcome = stakeOutcome
		terms, err := f.parse()
		if err != nil {
			return err
		}
		asked, err = read(c, args, terms)
		return err
	}
	return a.transact(c, func(c *cobra.Command, v *chain.View, _ []string) (tx.Plan, error) {
		w, err := a.chosenWallet(c.Context())
		if err != nil {
			return tx.Plan{}, err
		}
		list, err := asked(c.Context(), v, w.Coldkey)
		if err != nil {
			return tx.Plan{}, err
		}
		return stake.Plan(c.Context(), v, list...)
	})
}

// stakeReceipt is a receipt with what the chain says of stake.
type stakeReceipt struct {
	tx.Receipt
	Stake []stake.Change `json:"stake,omitempty"`
}

func stakeOutcome(r *tx.Receipt) (any, error) {
	changes := stake.Changes(r.Events)
	if len(changes) == 0 {
		return plainOutcome(r)
	}
	_, err := plainOutcome(r)
	return stakeReceipt{Receipt: *r, Stake: changes}, err
}

func (a *app) stakeAddCommand() *cobra.Command {
	var f stakeFlags
	c := &cobra.Command{
		Use:   "add AMOUNT|all [TAO] [HOTKEY]... --netuid N",
		Short: "Stake TAO on hotkeys",
		Long: `Stake TAO of the wallet's coldkey on a hotkey in a subnet: on each of several, if
several hotkeys or subnets are named, all in one transaction or none. The amount
is for each. Hotkeys are names in the wallet or addresses; without any it is the
chosen one.

On subnets with a price the call carries a limit: the price now and --tolerance.
If it does not hold when the call is executed, nothing happens but the fee.`,
		Example: `  taoctl stake add 10 --netuid 1
  taoctl stake add 2.5 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --netuid 1,64 --tolerance 1%
  taoctl stake add all --netuid 0 --dry-run`,
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	return a.changeStake(c, &f, func(c *cobra.Command, args []string, t stake.Terms) (intents, error) {
		s, names, err := takeSize(args)
		if err != nil {
			return nil, err
		}
		amount, err := s.in(inTAO)
		if err != nil {
			return nil, err
		}
		netuids, err := f.all()
		if err != nil {
			return nil, err
		}
		hotkeys, err := a.hotkeysNamed(c.Context(), names, false)
		if err != nil {
			return nil, err
		}
		if s.all && len(hotkeys)*len(netuids) > 1 {
			return nil, usagef("\"all\" can go to one place only")
		}
		return func(_ context.Context, _ *chain.View, coldkey tao.Account) (list []stake.Intent, _ error) {
			for _, h := range hotkeys {
				for _, id := range netuids {
					list = append(list, stake.Add{Coldkey: coldkey, Hotkey: h, NetUID: id, Amount: tao.Amount(amount), All: s.all, Terms: t})
				}
			}
			return list, nil
		}, nil
	})
}

func (a *app) stakeRemoveCommand() *cobra.Command {
	var f stakeFlags
	c := &cobra.Command{
		Use:   "remove AMOUNT|all [alpha] [HOTKEY]... --netuid N",
		Short: "Take stake back as TAO",
		Long: `Take stake back from a hotkey in a subnet: from each of several, if several
hotkeys or subnets are named, all in one transaction or none. The amount is in
alpha of the subnet, on the root (netuid 0) in TAO, and is for each.

On subnets with a price the call carries a limit: the price now and --tolerance.
If it does not hold when the call is executed, nothing happens but the fee.`,
		Example: "  taoctl stake remove 5 --netuid 1\n  taoctl stake remove all --netuid 1 --tolerance 0.5%",
		Args:    arguments(cobra.MinimumNArgs(1)),
	}
	return a.changeStake(c, &f, func(c *cobra.Command, args []string, t stake.Terms) (intents, error) {
		s, names, err := takeSize(args)
		if err != nil {
			return nil, err
		}
		netuids, err := f.all()
		if err != nil {
			return nil, err
		}
		amount, err := s.ofStake(netuids...)
		if err != nil {
			return nil, err
		}
		hotkeys, err := a.hotkeysNamed(c.Context(), names, false)
		if err != nil {
			return nil, err
		}
		return func(_ context.Context, _ *chain.View, coldkey tao.Account) (list []stake.Intent, _ error) {
			for _, h := range hotkeys {
				for _, id := range netuids {
					list = append(list, stake.Remove{Coldkey: coldkey, Hotkey: h, NetUID: id, Amount: amount, All: s.all, Terms: t})
				}
			}
			return list, nil
		}, nil
	})
}

// ofStake takes the amount as stake in subnets: alpha, or on the root TAO.
func (s size) ofStake(netuids ...tao.NetUID) (tao.Alpha, error) {
	for _, id := range netuids {
		want := inAlpha
		if id == tao.Root {
			want = inTAO
		}
		if _, err := s.in(want); err != nil {
			return 0, err
		}
	}
	return tao.Alpha(s.units), nil
}

func (a *app) stakeRemoveAllCommand() *cobra.Command {
	var f stakeFlags
	c := &cobra.Command{
		Use:   "remove-all [HOTKEY]...",
		Short: "Take all stake back as TAO",
		Long: `Take back every position of the wallet's coldkey, or those on the hotkeys and
subnets named, all in one transaction or none. Each call carries its own limit.
The chain's own unstake_all is not used: it sells at any price and passes over
what fails.`,
		Example: "  taoctl stake remove-all --dry-run\n  taoctl stake remove-all --netuid 1,64",
	}
	return a.changeStake(c, &f, func(c *cobra.Command, args []string, t stake.Terms) (intents, error) {
		only, err := parseNetUIDs(f.netuids)
		if err != nil {
			return nil, err
		}
		var hotkeys []tao.Account
		if len(args) > 0 {
			if hotkeys, err = a.hotkeysNamed(c.Context(), args, false); err != nil {
				return nil, err
			}
		}
		return func(ctx context.Context, v *chain.View, coldkey tao.Account) (list []stake.Intent, _ error) {
			held, err := stake.Of(ctx, v, coldkey)
			for _, p := range held.Positions {
				wanted := (len(only) == 0 || slices.Contains(only, p.NetUID)) && (len(hotkeys) == 0 || slices.Contains(hotkeys, p.Hotkey))
				if wanted {
					list = append(list, stake.Remove{Coldkey: coldkey, Hotkey: p.Hotkey, NetUID: p.NetUID, All: true, Terms: t})
				}
			}
			if err == nil && len(list) == 0 {
				err = errors.New("nothing is staked there")
			}
			return list, err
		}, nil
	})
}

func (a *app) stakeMoveCommand() *cobra.Command {
	var f stakeFlags
	var to string
	c := &cobra.Command{
		Use:   "move AMOUNT|all [alpha] TO_HOTKEY --netuid N [--to-netuid M]",
		Short: "Move stake to another hotkey",
		Long: `Move stake from the chosen hotkey (--hotkey) to another one, in the same subnet or
to another. Within a subnet nothing is traded. To another subnet it is sold and
bought; where the runtime knows no price limit for both at once, this is refused
unless --accept-any-price agrees: swap first, then move, is bounded.`,
		Example: "  taoctl stake move all 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --netuid 1",
		Args:    arguments(cobra.RangeArgs(2, 3)),
	}
	c.Flags().StringVar(&to, "to-netuid", "", "subnet to move it to (default: the same)")
	return a.changeStake(c, &f, func(c *cobra.Command, args []string, t stake.Terms) (intents, error) {
		m, rest, err := f.readMove(args, to)
		if err != nil {
			return nil, err
		}
		if len(rest) != 1 {
			return nil, usagef("name one hotkey to move the stake to")
		}
		if m.Hotkey, err = a.oneHotkey(c.Context(), ""); err == nil {
			m.ToHotkey, err = a.oneHotkey(c.Context(), rest[0])
		}
		return moving(m, t), err
	})
}

// oneHotkey is the hotkey of a name or address; without one the chosen hotkey.
func (a *app) oneHotkey(ctx context.Context, name string) (tao.Account, error) {
	var names []string
	if name != "" {
		names = []string{name}
	}
	list, err := a.hotkeysNamed(ctx, names, false)
	if err != nil {
		return tao.Account{}, err
	}
	return list[0], nil
}

// readMove reads the amount and both subnets, and returns the other arguments.
func (f *stakeFlags) readMove(args []string, to string) (m stake.Move, rest []string, err error) {
	s, rest, err := takeSize(args)
	if err != nil {
		return m, nil, err
	}
	if m.NetUID, err = f.netuid(); err != nil {
		return m, nil, err
	}
	if m.Amount, err = s.ofStake(m.NetUID); err != nil {
		return m, nil, err
	}
	m.All, m.ToNetUID = s.all, m.NetUID
	if to != "" {
		if m.ToNetUID, err = parseNetUID(to); err != nil {
			return m, nil, usagef("--to-netuid: %w", err)
		}
	}
	return m, rest, nil
}

func moving(m stake.Move, t stake.Terms) intents {
	return func(_ context.Context, _ *chain.View, coldkey tao.Account) ([]stake.Intent, error) {
		m.Coldkey, m.Terms = coldkey, t
		return []stake.Intent{m}, nil
	}
}

func (a *app) stakeSwapCommand() *cobra.Command {
	var f stakeFlags
	var to string
	c := &cobra.Command{
		Use:   "swap AMOUNT|all [alpha] [HOTKEY] --netuid N --to-netuid M",
		Short: "Swap stake from one subnet to another on the same hotkey",
		Long: `Sell stake in one subnet and buy into another with what it brings, in one call on
the same hotkey. The limit bounds the ratio of both prices.`,
		Example: "  taoctl stake swap 5 --netuid 1 --to-netuid 64",
		Args:    arguments(cobra.RangeArgs(1, 3)),
	}
	c.Flags().StringVar(&to, "to-netuid", "", "subnet to swap into")
	return a.changeStake(c, &f, func(c *cobra.Command, args []string, t stake.Terms) (intents, error) {
		m, rest, err := f.readMove(args, to)
		switch {
		case err != nil:
			return nil, err
		case len(rest) > 1:
			return nil, usagef("name one hotkey, or none for the chosen one")
		case to == "":
			return nil, usagef("name the subnet to swap into with --to-netuid")
		}
		m.Hotkey, err = a.oneHotkey(c.Context(), strings.Join(rest, ""))
		m.ToHotkey = m.Hotkey
		return moving(m, t), err
	})
}

func (a *app) stakeTransferCommand() *cobra.Command {
	var f stakeFlags
	var to string
	c := &cobra.Command{
		Use:   "transfer DEST AMOUNT|all [alpha] [HOTKEY] --netuid N [--to-netuid M]",
		Short: "Give stake to another coldkey",
		Long: `Give stake to another coldkey, on the same hotkey, in the same subnet or traded
into another. The stake belongs to DEST afterwards; there is no way back.`,
		Example: "  taoctl stake transfer 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty 5 --netuid 1",
		Args:    arguments(cobra.RangeArgs(2, 4)),
	}
	c.Flags().StringVar(&to, "to-netuid", "", "subnet to trade it into (default: the same)")
	return a.changeStake(c, &f, func(c *cobra.Command, args []string, t stake.Terms) (intents, error) {
		dest, err := tao.ParseAccount(args[0])
		if err != nil {
			return nil, fmt.Errorf("destination: %w", err)
		}
		m, rest, err := f.readMove(args[1:], to)
		switch {
		case err != nil:
			return nil, err
		case len(rest) > 1:
			return nil, usagef("name one hotkey, or none for the chosen one")
		}
		m.ToColdkey = &dest
		m.Hotkey, err = a.oneHotkey(c.Context(), strings.Join(rest, ""))
		m.ToHotkey = m.Hotkey
		return moving(m, t), err
	})
}

func (a *app) stakeClaimCommand() *cobra.Command {
	var netuids []tao.NetUID
	c := &cobra.Command{
		Use:   "claim NETUID...",
		Short: "Collect what stake on the root has earned in subnets",
		Long: `Collect what the wallet's stake on the root has earned in up to five subnets. What
becomes of it, TAO on the root or alpha, is the coldkey's claim type. Small sums
are passed over by the chain in silence.`,
		Example: "  taoctl stake claim 1 64",
		Args:    arguments(cobra.MinimumNArgs(1)),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			netuids, err = parseNetUIDs(args)
			return err
		},
	}
	return a.transact(c, func(c *cobra.Command, v *chain.View, _ []string) (tx.Plan, error) {
		w, err := a.chosenWallet(c.Context())
		if err != nil {
			return tx.Plan{}, err
		}
		return stake.Claim{Coldkey: w.Coldkey, NetUIDs: netuids}.Plan(c.Context(), v)
	})
}

// autos is the result of stake auto list.
type autos struct {
	Block uint32       `json:"block"`
	Autos []stake.Auto `json:"destinations"`
}

func (a *app) stakeAutoCommand() *cobra.Command {
	list := &cobra.Command{
		Use:   "list [WALLET | ADDRESS]",
		Short: "List where mining rewards are staked",
		Args:  arguments(cobra.MaximumNArgs(1)),
	}
	a.networkFlags(list)
	a.walletFlags(list)
	a.query(list, func(c *cobra.Command, args []string) (any, error) {
		owners, err := a.ownersOf(c.Context(), args)
		if err != nil {
			return nil, err
		}
		v, err := a.best(c)
		if err != nil {
			return nil, err
		}
		found, err := stake.Autos(c.Context(), v, owners[0].account)
		return autos{Block: v.Number(), Autos: found}, err
	})
	var netuid tao.NetUID
	set := &cobra.Command{
		Use:     "set NETUID [HOTKEY]",
		Short:   "Choose the hotkey on which mining rewards are staked",
		Long:    "Choose the hotkey on which the chain stakes what the coldkey's hotkeys earn by\nmining in a subnet.",
		Example: "  taoctl stake auto set 1 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
		Args:    arguments(cobra.RangeArgs(1, 2)),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			netuid, err = parseNetUID(args[0])
			return err
		},
	}
	a.hotkeyFlag(set)
	a.transact(set, func(c *cobra.Command, v *chain.View, args []string) (tx.Plan, error) {
		hotkey, err := a.oneHotkey(c.Context(), strings.Join(args[1:], ""))
		if err != nil {
			return tx.Plan{}, err
		}
		w, err := a.chosenWallet(c.Context())
		if err != nil {
			return tx.Plan{}, err
		}
		return stake.SetAuto{Coldkey: w.Coldkey, Hotkey: hotkey, NetUID: netuid}.Plan(c.Context(), v)
	})
	return group("auto", "Choose where mining rewards are staked", list, set)
}

// quote is the result of stake quote.
type quote struct {
	Block  uint32     `json:"block"`
	NetUID tao.NetUID `json:"netuid"`
	stake.Quote
	Depth []depthStep `json:"depth,omitempty"`
}

// depthStep is one step of a depth plot.
type depthStep struct {
	stake.Step
	Bar string `json:"bar" view:"slippage"`
}

func (a *app) stakeQuoteCommand() *cobra.Command {
	var netuid, tolerance string
	var sell, depth bool
	c := &cobra.Command{
		Use:   "quote AMOUNT [TAO|alpha] --netuid N",
		Short: "Show what TAO buys, or alpha sells for, now",
		Long: `Show what an amount of TAO buys in a subnet, or with --sell, or an amount "of
alpha", what that sells for: price, slippage, the pool's fee, the least that the
tolerance lets through, and the price that the trade would leave. --depth draws
how slippage grows with the amount. Nothing is signed and no wallet is needed.`,
		Example: "  taoctl stake quote 10 --netuid 1\n  taoctl stake quote 250 alpha --netuid 1 --depth",
		Args:    arguments(cobra.RangeArgs(1, 2)),
	}
	a.networkFlags(c)
	c.Flags().StringVar(&netuid, "netuid", "", "subnet")
	c.Flags().StringVar(&tolerance, "tolerance", stake.DefaultTolerance.String(), "how far the price may move")
	c.Flags().BoolVar(&sell, "sell", false, "the amount is alpha to sell")
	c.Flags().BoolVar(&depth, "depth", false, "draw how slippage grows with the amount")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		q, err := readQuote(args, sell, tolerance, netuid)
		if err != nil {
			return nil, err
		}
		v, err := a.best(c)
		if err != nil {
			return nil, err
		}
		result := quote{Block: v.Number(), NetUID: q.NetUID}
		if result.Quote, err = q.Ask(c.Context(), v); err != nil || !depth {
			return result, err
		}
		steps, err := q.Depth(c.Context(), v)
		for _, s := range steps {
			result.Depth = append(result.Depth, depthStep{Step: s, Bar: bar(s.Slippage)})
		}
		return result, err
	})
}

func readQuote(args []string, sell bool, tolerance, netuid string) (q stake.Ask, err error) {
	s, rest, err := takeSize(args)
	switch {
	case err != nil:
		return q, err
	case len(rest) > 0 || s.all:
		return q, usagef("name one amount of TAO or alpha")
	case netuid == "":
		return q, usagef("name the subnet with --netuid")
	}
	want := inTAO
	if sell || s.named && s.unit == inAlpha {
		want, q.Sell = inAlpha, true
	}
	if q.Units, err = s.in(want); err != nil {
		return q, err
	}
	if q.NetUID, err = parseNetUID(netuid); err != nil {
		return q, err
	}
	if q.Tolerance, err = tao.ParsePercent(tolerance); err != nil {
		return q, usagef("--tolerance: %w", err)
	}
	return q, nil
}

// bar draws a percentage, one block for each 2.5%.
func bar(p tao.Percent) string {
	const width, step = 40, tao.Whole / 40
	n := min(int((p+step-1)/step), width)
	return strings.Repeat("█", n) + strings.Repeat("·", width-n) + " " + p.String()
}

func hintStake(err error) string {
	var price *stake.PriceError
	var limit *stake.NoLimitError
	var unknown *subnet.UnknownError
	var minimum *stake.BelowMinimumError
	var none *stake.NotStakedError
	switch {
	case errors.As(err, &limit) && limit.Instead != "":
		return limit.Instead + "; or agree to any price with --accept-any-price"
	case errors.As(err, &limit):
		return "agree to any price with --accept-any-price, after a look at \"taoctl stake quote --depth\""
	case errors.As(err, &price):
		return "lower the amount, raise --tolerance, or add --partial"
	case errors.As(err, &unknown):
		return "\"taoctl subnet list\" shows which there are"
	case errors.As(err, &minimum):
		return "raise the amount; to take back a small rest, take \"all\""
	case errors.As(err, &none) && none.Locked > 0:
		return "\"taoctl stake list\" shows what is locked"
	case errors.As(err, &none):
		return "\"taoctl stake list\" shows what is staked where"
	case is[*stake.HotkeyError](err):
		return "\"taoctl delegate list\" shows hotkeys that take stake"
	case is[*stake.ClosedError](err):
		return "\"taoctl subnet list\" shows which are open"
	case is[*stake.NotOwnerError](err):
		return "choose the wallet that owns it with --wallet"
	case is[*stake.MovedError](err):
		return "look at \"taoctl stake plan diff\" again, and apply it anew if you agree"
	case is[*stake.RateLimitError](err):
		return "wait for that block: a call before it fails and costs its fee"
	}
	return ""
}
