package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/stake"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

func (a *app) delegateCommand() *cobra.Command {
	return group("delegate", "Find hotkeys to stake on; set takes and children of your own",
		a.delegateListCommand(), a.delegateShowCommand(), a.delegateTakeCommand(), a.delegateChildrenCommand())
}

// delegates is the result of delegate list.
type delegates struct {
	Block     uint32           `json:"block"`
	Delegates []stake.Delegate `json:"delegates"`
}

var delegateOrders = map[string]func(a, b stake.Delegate) int{
	"stake":      func(a, b stake.Delegate) int { return cmp.Compare(b.Root, a.Root) },
	"take":       func(a, b stake.Delegate) int { return cmp.Compare(a.Take, b.Take) },
	"nominators": func(a, b stake.Delegate) int { return cmp.Compare(b.Nominators, a.Nominators) },
	"name":       func(a, b stake.Delegate) int { return cmp.Compare(a.Name, b.Name) },
}

func (a *app) delegateListCommand() *cobra.Command {
	var at string
	by, limit := "stake", 0
	c := &cobra.Command{
		Use:   "list",
		Short: "List the hotkeys that take stake of others",
		Long: `List the hotkeys that take stake of others, with the part of the earnings that
their owners keep (take), stake on the root, and how many stake on them.`,
		Example: "  taoctl delegate list --limit 20\n  taoctl delegate list --sort take --json",
		Args:    arguments(cobra.NoArgs),
	}
	a.networkFlags(c)
	atFlag(c, &at)
	c.Flags().StringVar(&by, "sort", by, "order by stake, take, nominators or name")
	c.Flags().IntVar(&limit, "limit", 0, "show so many at most; 0 is all")
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		order, known := delegateOrders[by]
		if !known {
			return nil, usagef("--sort %q is not stake, take, nominators or name", by)
		}
		v, err := a.viewAt(c, at)
		if err != nil {
			return nil, err
		}
		list, err := stake.Delegates(c.Context(), v)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(list, order)
		if limit > 0 && len(list) > limit {
			list = list[:limit]
		}
		return delegates{Block: v.Number(), Delegates: list}, nil
	})
}

func (a *app) delegateShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "show HOTKEY",
		Short:   "Show one hotkey that takes stake of others",
		Long:    "Show a delegate's owner, take, stake, nominators and return. HOTKEY is an address or a\nname in the wallet.",
		Example: "  taoctl delegate show 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	a.networkFlags(c)
	a.walletFlags(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		hotkey, err := a.oneHotkey(c.Context(), args[0])
		if err != nil {
			return nil, err
		}
		v, err := a.best(c)
		if err != nil {
			return nil, err
		}
		list, err := stake.Delegates(c.Context(), v)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list, func(d stake.Delegate) bool { return d.Hotkey == hotkey })
		if i < 0 {
			return nil, &stake.HotkeyError{Hotkey: hotkey, Reason: "is no delegate"}
		}
		return list[i], nil
	})
}

func (a *app) delegateTakeCommand() *cobra.Command {
	var take stake.Take
	c := &cobra.Command{
		Use:   "take PERCENT [HOTKEY]",
		Short: "Set the part of a hotkey's earnings that its owner keeps",
		Long: `Set the take of a hotkey of the wallet. Lowering is possible at any time; raising
only so often (by default once in 216,000 blocks, 30 days) and up to the maximum
of the chain (by default 18%). What would be refused is refused before signing.`,
		Example: "  taoctl delegate take 9.5\n  taoctl delegate take 0% miner",
		Args:    arguments(cobra.RangeArgs(1, 2)),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			take, err = parseTake(args[0])
			return err
		},
	}
	a.hotkeyFlag(c)
	return a.transact(c, func(c *cobra.Command, v *chain.View, args []string) (tx.Plan, error) {
		w, hotkey, err := a.ownHotkey(c, args[1:])
		if err != nil {
			return tx.Plan{}, err
		}
		return stake.SetTake{Coldkey: w.Coldkey, Hotkey: hotkey, Take: take}.Plan(c.Context(), v)
	})
}

func parseTake(s string) (stake.Take, error) {
	p, err := tao.ParsePercent(s)
	if err != nil {
		return 0, usage(err)
	}
	return stake.TakeOf(p), nil
}

// ownHotkey is the chosen wallet and the hotkey that is named, or the chosen.
func (a *app) ownHotkey(c *cobra.Command, names []string) (walletAddresses, tao.Account, error) {
	w, err := a.chosenWallet(c.Context())
	if err != nil {
		return w, tao.Account{}, err
	}
	hotkey, err := a.oneHotkey(c.Context(), strings.Join(names, ""))
	return w, hotkey, err
}

func (a *app) delegateChildrenCommand() *cobra.Command {
	return group("children", "See and set which hotkeys work with a hotkey's stake",
		a.childrenListCommand(), a.childrenSetCommand(), a.childrenRevokeCommand(), a.childrenTakeCommand())
}

func (a *app) childrenListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "list NETUID [HOTKEY]",
		Short:   "List the children and parents of a hotkey in a subnet",
		Example: "  taoctl delegate children list 1",
		Args:    arguments(cobra.RangeArgs(1, 2)),
	}
	a.networkFlags(c)
	a.walletFlags(c)
	a.hotkeyFlag(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		netuid, err := parseNetUID(args[0])
		if err != nil {
			return nil, err
		}
		hotkey, err := a.oneHotkey(c.Context(), strings.Join(args[1:], ""))
		if err != nil {
			return nil, err
		}
		v, err := a.best(c)
		if err != nil {
			return nil, err
		}
		return stake.FamilyOf(c.Context(), v, hotkey, netuid)
	})
}

func (a *app) childrenSetCommand() *cobra.Command {
	var netuid tao.NetUID
	var children []stake.Child
	c := &cobra.Command{
		Use:   "set NETUID CHILD=PERCENT...",
		Short: "Give parts of a hotkey's stake in a subnet to other hotkeys to work with",
		Long: `Give parts of the chosen hotkey's stake in a subnet to up to five other hotkeys to
work with. The stake stays where it is. The list replaces the one before, and on
newer runtimes comes into force after a delay, by default 7,200 blocks (a day).`,
		Example: "  taoctl delegate children set 1 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty=25%",
		Args:    arguments(cobra.MinimumNArgs(2)),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			if netuid, err = parseNetUID(args[0]); err == nil {
				children, err = parseChildren(args[1:])
			}
			return err
		},
	}
	a.hotkeyFlag(c)
	return a.transact(c, func(c *cobra.Command, v *chain.View, _ []string) (tx.Plan, error) {
		return a.planChildren(c, v, netuid, children)
	})
}

func (a *app) planChildren(c *cobra.Command, v *chain.View, netuid tao.NetUID, children []stake.Child) (tx.Plan, error) {
	w, hotkey, err := a.ownHotkey(c, nil)
	if err != nil {
		return tx.Plan{}, err
	}
	return stake.SetChildren{Coldkey: w.Coldkey, Hotkey: hotkey, NetUID: netuid, Children: children}.Plan(c.Context(), v)
}

func parseChildren(args []string) ([]stake.Child, error) {
	var list []stake.Child
	for _, arg := range args {
		address, share, found := strings.Cut(arg, "=")
		if !found {
			return nil, usagef("%q is not ADDRESS=PERCENT", arg)
		}
		account, err := tao.ParseAccount(address)
		if err != nil {
			return nil, fmt.Errorf("child: %w", err)
		}
		p, err := tao.ParsePercent(share)
		if err != nil {
			return nil, usage(err)
		}
		list = append(list, stake.Child{Hotkey: account, Share: p})
	}
	return list, nil
}

func (a *app) childrenRevokeCommand() *cobra.Command {
	var netuid tao.NetUID
	c := &cobra.Command{
		Use:     "revoke NETUID",
		Short:   "Take a hotkey's stake in a subnet back from all its children",
		Example: "  taoctl delegate children revoke 1",
		Args:    arguments(cobra.ExactArgs(1)),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			netuid, err = parseNetUID(args[0])
			return err
		},
	}
	a.hotkeyFlag(c)
	return a.transact(c, func(c *cobra.Command, v *chain.View, _ []string) (tx.Plan, error) {
		return a.planChildren(c, v, netuid, nil)
	})
}

func (a *app) childrenTakeCommand() *cobra.Command {
	var netuid tao.NetUID
	var take stake.Take
	c := &cobra.Command{
		Use:     "take NETUID PERCENT [HOTKEY]",
		Short:   "Set what a hotkey keeps of what its parents' stake earns in a subnet",
		Example: "  taoctl delegate children take 1 5%",
		Args:    arguments(cobra.RangeArgs(2, 3)),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			if netuid, err = parseNetUID(args[0]); err == nil {
				take, err = parseTake(args[1])
			}
			return err
		},
	}
	a.hotkeyFlag(c)
	return a.transact(c, func(c *cobra.Command, v *chain.View, args []string) (tx.Plan, error) {
		w, hotkey, err := a.ownHotkey(c, args[2:])
		if err != nil {
			return tx.Plan{}, err
		}
		return stake.SetChildTake{Coldkey: w.Coldkey, Hotkey: hotkey, NetUID: netuid, Take: take}.Plan(c.Context(), v)
	})
}

func hintDelegate(err error) string {
	var take *stake.TakeError
	if errors.As(err, &take) {
		return "the bounds are the chain's; \"taoctl delegate show\" tells the take of now"
	}
	return ""
}
