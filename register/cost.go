package register

import (
	"context"
	"math"
	"math/big"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Cost is what joining a subnet takes at one block. Numbers called "about"
// hold only if nobody else registers; the rest is what the chain says.
type Cost struct {
	NetUID tao.NetUID `json:"netuid"`
	Open   bool       `json:"open"`                   // takes registrations by burn
	Burn   tao.Amount `json:"burn" view:"burn (TAO)"` // now

	// NextBurn is the burn at NextBlock: after one half-life where the price
	// falls by itself, else at the next adjustment as the counters stand now.
	NextBlock *uint64     `json:"next_block,omitempty" view:"next at block"`
	NextBurn  *tao.Amount `json:"about_next_burn,omitempty" view:"about (TAO)"`
	AfterOne  *tao.Amount `json:"about_after_one,omitempty" view:"after one more about (TAO)"` // where each registration raises the price
	HalfLife  uint16      `json:"half_life_blocks,omitempty" view:"-"`
	Least     tao.Amount  `json:"least" view:"-"`
	Most      tao.Amount  `json:"most" view:"-"`

	Neurons  uint16 `json:"neurons" view:"-"`
	Slots    uint16 `json:"slots" view:"-"`
	Free     uint16 `json:"free_slots" view:"free slots"`
	Immunity uint16 `json:"immunity_blocks" view:"immune for blocks"`
	PerBlock uint16 `json:"max_per_block" view:"a block at most"`
	Interval uint16 `json:"interval_blocks,omitempty" view:"-"`
	Taken    uint16 `json:"registrations_this_interval" view:"this interval"`
	Limit    uint32 `json:"max_per_interval,omitempty" view:"at most"` // 0: no limit
	Until    uint64 `json:"interval_ends,omitempty" view:"-"`          // the block at which the next interval begins

	Work       bool       `json:"work_accepted" view:"takes work"`
	Difficulty uint64     `json:"difficulty,omitempty"` // seals needed on average; 0 where no work is taken
	Prune      *Candidate `json:"about_next_pruned,omitempty" view:"-"`

	numbers interval
}

// Candidate is the neuron that the next registration on a full subnet would
// replace, by the scores at this block.
type Candidate struct {
	UID        uint16      `json:"uid"`
	Hotkey     tao.Account `json:"hotkey"`
	Registered uint64      `json:"registered_at"`
}

// interval is what the registrations of one have to do with the next price.
type interval struct {
	work, burn, target uint16
	alpha              uint64 // how much the price resists, in parts of 2^64-1
	jump               fixed  // U64F64
}

// Networks lists the subnets of a chain but the root, in order.
func Networks(ctx context.Context, v *chain.View) ([]tao.NetUID, error) {
	var list []tao.NetUID
	for e, err := range networks.All(ctx, v) {
		if err != nil {
			return nil, err
		}
		var n tao.NetUID
		if err := e.Scan(&n); err != nil {
			return nil, err
		}
		if e.Value && n != 0 {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, nil
}

// Costs reads what registration on subnets takes. The number of requests does
// not grow with the number of subnets. A subnet that does not exist is an
// *UnknownSubnetError.
func Costs(ctx context.Context, v *chain.View, netuids ...tao.NetUID) ([]Cost, error) {
	r := &reader{ctx: ctx, view: v, keys: netuidKeys(netuids)}
	exists := column(r, networks)
	list := make([]Cost, len(netuids))
	r.prices(list)
	r.slots(list)
	r.intervals(list)
	r.work(list)
	if r.err != nil {
		return nil, r.err
	}
	for i := range list {
		if !exists[i] || netuids[i] == 0 {
			return nil, &UnknownSubnetError{NetUID: netuids[i]}
		}
		list[i].NetUID = netuids[i]
		list[i].forecast(v)
	}
	return list, nil
}

func (r *reader) prices(list []Cost) {
	now, least, most := column(r, burns), column(r, minBurns), column(r, maxBurns)
	half, jump, is := column(r, halfLives), column(r, jumps), column(r, open)
	always := !has(r.view.Runtime(), entryOpen)
	for i := range list {
		c := &list[i]
		c.Burn, c.Least, c.Most = tao.Amount(now[i]), tao.Amount(least[i]), tao.Amount(most[i])
		c.HalfLife, c.numbers.jump, c.Open = half[i], jump[i], is[i] || always
	}
}

func (r *reader) slots(list []Cost) {
	n, all, immune, block := column(r, neurons), column(r, maxUIDs), column(r, immunity), column(r, perBlock)
	for i := range list {
		c := &list[i]
		c.Neurons, c.Slots, c.Immunity, c.PerBlock = n[i], all[i], immune[i], block[i]
		if all[i] > n[i] {
			c.Free = all[i] - n[i]
		}
	}
}

// intervals reads the counters that limit registrations and set the price, up
// to 393 (registration.rs line 92 of v3.3.13-393: three times the target).
func (r *reader) intervals(list []Cost) {
	if burnsInstead(r.view.Runtime()) {
		return
	}
	taken, aim, alpha := column(r, thisInterval), column(r, target), column(r, alphas)
	length, last := column(r, intervals), column(r, adjusted)
	work, burn := column(r, workInterval), column(r, burnInterval)
	for i := range list {
		c := &list[i]
		c.Taken, c.Interval, c.Limit = taken[i], length[i], 3*uint32(aim[i])
		c.Until = last[i] + uint64(length[i])
		c.numbers.work, c.numbers.burn, c.numbers.target, c.numbers.alpha = work[i], burn[i], aim[i], alpha[i]
	}
}

func (r *reader) work(list []Cost) {
	rt := r.view.Runtime()
	if _, err := RuleOf(rt); err != nil {
		return
	}
	is, hard := column(r, workOpen), column(r, difficulties)
	least, most := column(r, minDifficulty), column(r, maxDifficulty)
	for i := range list {
		c := &list[i]
		c.Work = is[i] || !has(rt, entryWorkOpen)
		switch {
		case !c.Work:
		case hasCall(rt, callWorkV475):
			// The least wins over the most (runtime 475, effective difficulty).
			c.Difficulty = max(min(hard[i], most[i]), least[i], 1)
		default:
			c.Difficulty = max(hard[i], 1)
		}
	}
}

// forecast tells what comes next, by the rule of the runtime's generation.
func (c *Cost) forecast(v *chain.View) {
	if c.HalfLife > 0 {
		at := uint64(v.Number()) + uint64(c.HalfLife)
		half, one := clamp(c.Burn/2, c.Least, c.Most), clamp(c.numbers.raised(c.Burn), c.Least, c.Most)
		c.NextBlock, c.NextBurn, c.AfterOne = &at, &half, &one
		return
	}
	if c.Interval == 0 {
		return
	}
	at, next := max(c.Until, uint64(v.Number())+1), c.Burn
	if c.burnMoves() {
		next = clamp(c.numbers.adjusted(c.Burn, c.Taken), c.Least, c.Most)
	}
	c.NextBlock, c.NextBurn = &at, &next
}

// burnMoves tells whether the next adjustment touches the burn, and not the
// difficulty alone: cases B, C, E and F of
// adjust_registration_terms_for_networks in coinbase/block_step.rs.
func (c *Cost) burnMoves() bool {
	if c.Taken > c.numbers.target {
		return c.numbers.burn >= c.numbers.work
	}
	return c.numbers.work >= c.numbers.burn
}

// adjusted is upgraded_burn of that file:
// alpha × price + (1 - alpha) × price × (taken + target) / (2 × target).
func (n interval) adjusted(price tao.Amount, taken uint16) tao.Amount {
	if n.target == 0 {
		return price
	}
	whole, alpha := new(big.Int).SetUint64(math.MaxUint64), new(big.Int).SetUint64(n.alpha)
	twice := big.NewInt(2 * int64(n.target))
	moved := new(big.Int).Sub(whole, alpha)
	moved.Mul(moved, big.NewInt(int64(taken)+int64(n.target)))
	next := new(big.Int).Add(new(big.Int).Mul(alpha, twice), moved)
	next.Mul(next, new(big.Int).SetUint64(uint64(price)))
	return amount(next.Quo(next, twice.Mul(twice, whole)))
}

// raised is the price after one more registration, where each raises it.
func (n interval) raised(price tao.Amount) tao.Amount {
	p := new(big.Int).Mul(&n.jump.Bits, new(big.Int).SetUint64(uint64(price)))
	return amount(p.Rsh(p, 64))
}

// amount is a number of rao, or the largest that there is.
func amount(n *big.Int) tao.Amount {
	if !n.IsUint64() {
		return math.MaxUint64
	}
	return tao.Amount(n.Uint64())
}

func clamp(a, least, most tao.Amount) tao.Amount {
	if most > 0 {
		a = min(a, most)
	}
	return max(a, least)
}
