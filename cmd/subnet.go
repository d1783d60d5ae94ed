package cmd

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
)

func (a *app) subnetCommand() *cobra.Command {
	return group("subnet", "Look at subnets, their prices and their neurons",
		a.subnetListCommand(), a.subnetShowCommand(), a.subnetPriceCommand())
}

// subnets is the result of subnet list.
type subnets struct {
	Block   uint32          `json:"block"`
	Subnets []subnet.Subnet `json:"subnets"`
}

var subnetOrders = map[string]func(a, b subnet.Subnet) int{
	"netuid":   func(a, b subnet.Subnet) int { return cmp.Compare(a.NetUID, b.NetUID) },
	"price":    func(a, b subnet.Subnet) int { return cmp.Compare(b.Price, a.Price) },
	"pool":     func(a, b subnet.Subnet) int { return cmp.Compare(b.TAO, a.TAO) },
	"emission": func(a, b subnet.Subnet) int { return cmp.Compare(b.TAOPer, a.TAOPer) },
	"name":     func(a, b subnet.Subnet) int { return cmp.Compare(a.Name, b.Name) },
}

func (a *app) subnetListCommand() *cobra.Command {
	var at string
	by := "netuid"
	c := &cobra.Command{
		Use:   "list [NETUID]...",
		Short: "List subnets with price, pool and emission",
		Long: `List the subnets named, or all, with the price of their alpha, the reserves of
their pools, what they are given in a block, and whether stake may be added.`,
		Example: "  taoctl subnet list\n  taoctl subnet list --sort pool --csv\n  taoctl subnet list 1 64 --at 7000000",
	}
	a.networkFlags(c)
	atFlag(c, &at)
	c.Flags().StringVar(&by, "sort", by, "order by netuid, price, pool, emission or name")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		order, known := subnetOrders[by]
		if !known {
			return nil, usagef("--sort %q is not netuid, price, pool, emission or name", by)
		}
		netuids, err := parseNetUIDs(args)
		if err != nil {
			return nil, err
		}
		v, err := a.viewAt(c, at)
		if err != nil {
			return nil, err
		}
		if err := subnet.Check(c.Context(), v, netuids...); err != nil {
			return nil, err
		}
		list, err := subnet.List(c.Context(), v, netuids...)
		slices.SortStableFunc(list, order)
		return subnets{Block: v.Number(), Subnets: list}, err
	})
}

// subnetDetails is the result of subnet show.
type subnetDetails struct {
	Block   uint32          `json:"block"`
	Subnet  subnet.Subnet   `json:"subnet"`
	Neurons []subnet.Neuron `json:"neurons"`
}

var neuronOrders = map[string]func(a, b subnet.Neuron) int{
	"uid":         func(a, b subnet.Neuron) int { return cmp.Compare(a.UID, b.UID) },
	"stake":       func(a, b subnet.Neuron) int { return cmp.Compare(b.Stake, a.Stake) },
	"trust":       func(a, b subnet.Neuron) int { return cmp.Compare(b.Trust, a.Trust) },
	"consensus":   func(a, b subnet.Neuron) int { return cmp.Compare(b.Consensus, a.Consensus) },
	"incentive":   func(a, b subnet.Neuron) int { return cmp.Compare(b.Incentive, a.Incentive) },
	"dividends":   func(a, b subnet.Neuron) int { return cmp.Compare(b.Dividends, a.Dividends) },
	"emission":    func(a, b subnet.Neuron) int { return cmp.Compare(b.Emission, a.Emission) },
	"last-update": func(a, b subnet.Neuron) int { return cmp.Compare(b.LastUpdate, a.LastUpdate) },
}

func (a *app) subnetShowCommand() *cobra.Command {
	var at string
	by := "uid"
	c := &cobra.Command{
		Use:   "show NETUID",
		Short: "Show a subnet and its neurons (the metagraph)",
		Long: `Show a subnet and every uid in it: keys, stake, trust, consensus, incentive,
dividends (in parts of 65535), emission of the last epoch in alpha, validator
permit, axon and the block of the last update.`,
		Example: "  taoctl subnet show 1\n  taoctl subnet show 1 --sort stake --csv",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	a.networkFlags(c)
	atFlag(c, &at)
	c.Flags().StringVar(&by, "sort", by, "order by uid, stake, trust, consensus, incentive, dividends, emission or last-update")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		order, known := neuronOrders[by]
		if !known {
			return nil, usagef("--sort %q is not uid, stake, trust, consensus, incentive, dividends, emission or last-update", by)
		}
		netuid, err := parseNetUID(args[0])
		if err != nil {
			return nil, err
		}
		v, err := a.viewAt(c, at)
		if err != nil {
			return nil, err
		}
		neurons, err := subnet.Metagraph(c.Context(), v, netuid)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(neurons, order)
		list, err := subnet.List(c.Context(), v, netuid)
		if err != nil {
			return nil, err
		}
		return subnetDetails{Block: v.Number(), Subnet: list[0], Neurons: neurons}, nil
	})
}

// prices is the result of subnet price.
type prices struct {
	Block  uint32     `json:"block"`
	Prices []priceRow `json:"prices"`
}

type priceRow struct {
	NetUID tao.NetUID `json:"netuid"`
	Price  tao.Amount `json:"price" view:"price (TAO)"`
}

func (a *app) subnetPriceCommand() *cobra.Command {
	var at string
	c := &cobra.Command{
		Use:     "price NETUID...",
		Short:   "Show what one alpha costs in TAO",
		Long:    "Show the price of one whole alpha in TAO at a block, before any trade. On the root,\nand before dynamic TAO, it is 1.",
		Example: "  taoctl subnet price 1\n  taoctl subnet price 1 --at 7000000 --json",
		Args:    arguments(cobra.MinimumNArgs(1)),
	}
	a.networkFlags(c)
	atFlag(c, &at)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		netuids, err := parseNetUIDs(args)
		if err != nil {
			return nil, err
		}
		v, err := a.viewAt(c, at)
		if err != nil {
			return nil, err
		}
		if err := subnet.Check(c.Context(), v, netuids...); err != nil {
			return nil, err
		}
		pools, err := subnet.Pools(c.Context(), v, netuids...)
		result := prices{Block: v.Number()}
		for _, id := range netuids {
			result.Prices = append(result.Prices, priceRow{id, pools[id].Price})
		}
		return result, err
	})
}

// supply is the result of chain supply.
type supply struct {
	Block uint32 `json:"block"`
	subnet.Supply
}

func (a *app) chainSupplyCommand() *cobra.Command {
	var at string
	c := &cobra.Command{
		Use:     "supply",
		Short:   "Show how much TAO there is, and when emission halves",
		Example: "  taoctl chain supply --json",
		Args:    arguments(cobra.NoArgs),
	}
	a.networkFlags(c)
	atFlag(c, &at)
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		v, err := a.viewAt(c, at)
		if err != nil {
			return nil, err
		}
		s, err := subnet.SupplyOf(c.Context(), v)
		return supply{Block: v.Number(), Supply: s}, err
	})
}
