// Package subnet reads what subnets are: their pools and prices, who is in
// them, and what is issued. It only reads; what is done with a subnet belongs
// to the domains that use it.
package subnet

import (
	"context"
	"fmt"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Subnet is one subnet at one block. What its runtime does not know is zero.
type Subnet struct {
	NetUID   tao.NetUID  `json:"netuid"`
	Name     string      `json:"name,omitempty"`                     // chosen by its owner
	Symbol   string      `json:"symbol,omitempty"`                   // of its alpha
	Dynamic  bool        `json:"dynamic"`                            // has an alpha with a price
	Price    tao.Amount  `json:"price" view:"price (TAO)"`           // of one alpha
	TAO      tao.Amount  `json:"pool_tao" view:"pool (TAO)"`         // reserve
	AlphaIn  tao.Alpha   `json:"pool_alpha" view:"pool (alpha)"`     // reserve
	AlphaOut tao.Alpha   `json:"staked_alpha" view:"staked (alpha)"` // outside the pool
	TAOPer   tao.Amount  `json:"tao_per_block" view:"TAO/block"`
	AlphaPer tao.Alpha   `json:"alpha_per_block" view:"alpha/block"`
	Neurons  uint16      `json:"neurons"`
	Tempo    uint16      `json:"tempo"` // blocks between epochs, less one
	Burn     tao.Amount  `json:"burn" view:"registration (TAO)"`
	Since    uint64      `json:"registered_at" view:"since block"`
	Open     bool        `json:"open"`              // stake may be added: its alpha has been started
	Transfer bool        `json:"transfer" view:"-"` // stake may be given to another coldkey
	Owner    tao.Account `json:"owner" view:"-"`
}

// Numbers lists the subnets that exist, in order.
func Numbers(ctx context.Context, v *chain.View) ([]tao.NetUID, error) {
	var list []tao.NetUID
	for e, err := range networksAdded.All(ctx, v) {
		if err != nil {
			return nil, fmt.Errorf("list the subnets: %w", err)
		}
		var id tao.NetUID
		if err := e.Scan(&id); err != nil {
			return nil, err
		}
		if e.Value {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list, nil
}

// Exist tells which subnets there are, in one request.
func Exist(ctx context.Context, v *chain.View, netuids ...tao.NetUID) ([]bool, error) {
	var found []bool
	return found, column(ctx, v, &found, networksAdded, netuids)()
}

// Check refuses subnets that do not exist. Errors: *UnknownError.
func Check(ctx context.Context, v *chain.View, netuids ...tao.NetUID) error {
	if len(netuids) == 0 {
		return nil
	}
	found, err := Exist(ctx, v, netuids...)
	for i, exists := range found {
		if err == nil && !exists {
			return &UnknownError{NetUID: netuids[i], Block: v.Number()}
		}
	}
	return err
}

// List reads subnets: those named, or all. The number of requests does not
// depend on how many there are.
func List(ctx context.Context, v *chain.View, netuids ...tao.NetUID) ([]Subnet, error) {
	if len(netuids) == 0 {
		var err error
		if netuids, err = Numbers(ctx, v); err != nil {
			return nil, err
		}
	}
	var (
		c     columns
		pools map[tao.NetUID]Pool
	)
	err := together(
		func() error { return c.read(ctx, v, netuids) },
		func() (err error) { pools, err = Pools(ctx, v, netuids...); return },
	)
	if err != nil {
		return nil, fmt.Errorf("read %d subnets: %w", len(netuids), err)
	}
	list := make([]Subnet, len(netuids))
	for i, id := range netuids {
		list[i] = c.subnet(v.Runtime(), i, id, pools[id])
	}
	return list, nil
}

// columns are the entries of subnets, one list for each.
type columns struct {
	names, symbols                  [][]byte
	neurons, tempos                 []uint16
	burns, since, out, taoP, alphaP []uint64
	owners                          []tao.Account
	open, transfer                  []bool
	identities                      [3][]identity
}

func (c *columns) read(ctx context.Context, v *chain.View, netuids []tao.NetUID) error {
	items := identityItems()
	return together(
		column(ctx, v, &c.names, names, netuids),
		column(ctx, v, &c.symbols, symbols, netuids),
		column(ctx, v, &c.neurons, neurons, netuids),
		column(ctx, v, &c.tempos, tempos, netuids),
		column(ctx, v, &c.burns, burns, netuids),
		column(ctx, v, &c.since, registeredAt, netuids),
		column(ctx, v, &c.out, alphaOut, netuids),
		column(ctx, v, &c.taoP, taoEmission, netuids),
		column(ctx, v, &c.alphaP, alphaEmission, netuids),
		column(ctx, v, &c.owners, owners, netuids),
		column(ctx, v, &c.open, subtokens, netuids),
		column(ctx, v, &c.transfer, transfers, netuids),
		column(ctx, v, &c.identities[0], items[0], netuids),
		column(ctx, v, &c.identities[1], items[1], netuids),
		column(ctx, v, &c.identities[2], items[2], netuids),
	)
}

func (c *columns) subnet(rt *chain.Runtime, i int, id tao.NetUID, p Pool) Subnet {
	s := Subnet{
		NetUID: id, Name: c.name(i, id), Symbol: string(c.symbols[i]), Dynamic: p.Dynamic, Price: p.Price,
		TAO: p.TAO, AlphaIn: p.Alpha, AlphaOut: tao.Alpha(c.out[i]),
		TAOPer: tao.Amount(c.taoP[i]), AlphaPer: tao.Alpha(c.alphaP[i]),
		Neurons: c.neurons[i], Tempo: c.tempos[i], Burn: tao.Amount(c.burns[i]), Since: c.since[i],
		Open: c.open[i], Transfer: c.transfer[i], Owner: c.owners[i],
	}
	if !has(rt, subtokens.Pallet, subtokens.Name) {
		s.Open = true // before spec 273 nothing had to be started
	}
	return s
}

func (c *columns) name(i int, id tao.NetUID) string {
	for _, form := range c.identities {
		if len(form[i].Name) > 0 {
			return string(form[i].Name)
		}
	}
	if id == tao.Root {
		return "root"
	}
	return string(c.names[i])
}
