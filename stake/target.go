package stake

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
)

// Target is what a plan file wants staked in one place.
type Target struct {
	Hotkey tao.Account
	NetUID tao.NetUID

	// One of them: so much alpha (on the root TAO), or a share of what there
	// is: of the stake in the plan's places, of other stake that is taken back
	// and of the TAO to be spread, less what the amounts want.
	Alpha  *tao.Alpha
	Weight *tao.Percent

	Within tao.Percent // leave it alone while it is off by no more than this part of the target
	Most   *tao.Amount // never let it be worth more (TAO)
}

// Targets are all positions that a plan file wants.
type Targets struct {
	List   []Target
	Free   tao.Amount // TAO of the free balance that is to be spread by weights
	Others bool       // take back what is staked in other places
}

// TargetError says what is wrong with targets, and with which.
type TargetError struct {
	Index  int // from 0; -1: all of them
	Reason string
}

func (e *TargetError) Error() string {
	if e.Index < 0 {
		return e.Reason
	}
	return fmt.Sprintf("position %d: %s", e.Index+1, e.Reason)
}

// Check refuses targets that cannot be meant. Errors: *TargetError.
func (t Targets) Check() error {
	if len(t.List) == 0 {
		return &TargetError{-1, "there are no positions"}
	}
	seen := map[place]bool{}
	var sum tao.Percent
	for i, target := range t.List {
		at := place{target.Hotkey, target.NetUID}
		switch {
		case seen[at]:
			return &TargetError{i, fmt.Sprintf("hotkey %s in subnet %d is there twice", target.Hotkey, target.NetUID)}
		case (target.Alpha == nil) == (target.Weight == nil):
			return &TargetError{i, "it needs either an amount or a weight"}
		}
		seen[at] = true
		if target.Weight != nil {
			if sum += *target.Weight; sum > tao.Whole {
				return &TargetError{i, "with it the weights are over 100%"}
			}
		}
	}
	return nil
}

// Deed is one change that brings stake nearer to its targets. Moves within a
// subnet and swaps on a hotkey come before sales, sales before purchases.
type Deed struct {
	Action   string       `json:"action"` // move, swap, remove or add
	Hotkey   tao.Account  `json:"hotkey"`
	NetUID   tao.NetUID   `json:"netuid"`
	ToHotkey *tao.Account `json:"to_hotkey,omitempty"`
	ToNetUID *tao.NetUID  `json:"to_netuid,omitempty"`
	Alpha    *tao.Alpha   `json:"alpha,omitempty"`
	All      bool         `json:"all,omitempty"`
	TAO      *tao.Amount  `json:"tao,omitempty" view:"TAO"` // of an add
	About    tao.Amount   `json:"about_value" view:"worth about (TAO)"`
	Cost     tao.Amount   `json:"about_cost" view:"costs about (TAO)"` // slippage and swap fee
}

// Intent is the deed as an intent of a coldkey.
func (d Deed) Intent(coldkey tao.Account, t Terms) Intent {
	switch d.Action {
	case "add":
		return Add{Coldkey: coldkey, Hotkey: d.Hotkey, NetUID: d.NetUID, Amount: *d.TAO, Terms: t}
	case "remove":
		return Remove{Coldkey: coldkey, Hotkey: d.Hotkey, NetUID: d.NetUID, Amount: *d.Alpha, All: d.All, Terms: t}
	}
	m := Move{Coldkey: coldkey, Hotkey: d.Hotkey, NetUID: d.NetUID, ToHotkey: d.Hotkey, ToNetUID: d.NetUID, Amount: *d.Alpha, Terms: t}
	if d.ToHotkey != nil {
		m.ToHotkey = *d.ToHotkey
	}
	if d.ToNetUID != nil {
		m.ToNetUID = *d.ToNetUID
	}
	return m
}

// gap is how far a place is from what is wanted there, in alpha.
type gap struct {
	at    place
	now   tao.Alpha
	want  tao.Alpha
	price tao.Amount
}

func (g gap) over() tao.Alpha  { return sub(g.now, g.want) }
func (g gap) under() tao.Alpha { return sub(g.want, g.now) }

func sub(a, b tao.Alpha) tao.Alpha {
	if a <= b {
		return 0
	}
	return a - b
}

// Diff lists what has to be done, from what a coldkey has staked now: few
// changes, each place once, none where it is near enough already. least is the
// smallest trade (TAO) that is worth making. It knows no chain: prices are those
// before any trade, so what comes of it is compared again after it was done.
// Errors: *TargetError.
func (t Targets) Diff(held []Position, pools map[tao.NetUID]subnet.Pool, least tao.Amount) ([]Deed, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	gaps, err := t.gaps(held, pools)
	if err != nil {
		return nil, err
	}
	d := &differ{gaps: gaps, pools: pools, least: least, used: map[place]bool{}}
	d.pair("move", func(from, to gap) bool { return from.at.netuid == to.at.netuid })
	d.pair("swap", func(from, to gap) bool { return from.at.hotkey == to.at.hotkey })
	for i := range d.gaps {
		d.sell(&d.gaps[i])
	}
	for i := range d.gaps {
		d.buy(&d.gaps[i])
	}
	return d.deeds, nil
}

// gaps compares what is with what is wanted, by place.
func (t Targets) gaps(held []Position, pools map[tao.NetUID]subnet.Pool) ([]gap, error) {
	now := map[place]tao.Alpha{}
	for _, p := range held {
		now[place{p.Hotkey, p.NetUID}] += p.Stake
	}
	whole := t.Free // that weights divide
	wanted := map[place]bool{}
	var list []gap
	for i, target := range t.List {
		pool, known := pools[target.NetUID]
		if !known || pool.Price == 0 {
			return nil, &TargetError{i, fmt.Sprintf("subnet %d has no price", target.NetUID)}
		}
		at := place{target.Hotkey, target.NetUID}
		wanted[at] = true
		whole = more(whole, pool.Value(now[at]))
	}
	for _, p := range held {
		if at := (place{p.Hotkey, p.NetUID}); t.Others && !wanted[at] {
			whole = more(whole, pools[p.NetUID].Value(p.Stake))
			list = append(list, gap{at: at, now: p.Stake, price: pools[p.NetUID].Price})
		}
	}
	// What amounts want is taken off first; weights divide the rest.
	for _, target := range t.List {
		if target.Alpha != nil {
			g := target.gap(now[place{target.Hotkey, target.NetUID}], 0, pools[target.NetUID].Price)
			whole = whole.Less(g.value(g.want))
			list = append(list, g)
		}
	}
	for _, target := range t.List {
		if target.Weight != nil {
			list = append(list, target.gap(now[place{target.Hotkey, target.NetUID}], whole, pools[target.NetUID].Price))
		}
	}
	slices.SortFunc(list, func(a, b gap) int {
		return cmp.Or(cmp.Compare(a.at.netuid, b.at.netuid), slices.Compare(a.at.hotkey[:], b.at.hotkey[:]))
	})
	return list, nil
}

// gap is the target's, closed where it is near enough.
func (t Target) gap(now tao.Alpha, whole, price tao.Amount) gap {
	g := gap{at: place{t.Hotkey, t.NetUID}, now: now, price: price}
	if t.Alpha != nil {
		g.want = *t.Alpha
	} else {
		g.want = worth(tao.Amount(mulDiv(uint64(whole), uint64(*t.Weight), uint64(tao.Whole))), price)
	}
	if t.Most != nil {
		g.want = min(g.want, worth(*t.Most, price))
	}
	slack := tao.Alpha(ratio(uint64(g.want), uint64(t.Within), uint64(tao.Whole)))
	over := t.Most != nil && now > worth(*t.Most, price)
	if !over && g.over() <= slack && g.under() <= slack {
		g.want = now
	}
	return g
}

// more adds, and stays at the largest amount.
func more(a, b tao.Amount) tao.Amount {
	if sum, ok := a.Add(b); ok {
		return sum
	}
	return ^tao.Amount(0)
}

// worth is how much alpha an amount of TAO is at a price.
func worth(a, price tao.Amount) tao.Alpha {
	return tao.Alpha(ratio(uint64(a), subnet.Unit, uint64(price)))
}

// Apart is how far a price is from another, as a part of the first, rounded up.
func Apart(from, to tao.Amount) tao.Percent {
	off := max(from, to) - min(from, to)
	if from == 0 {
		return tao.Whole
	}
	parts := ratio(uint64(off), uint64(tao.Whole), uint64(from)) + 1
	return tao.Percent(min(parts, uint64(tao.Whole)))
}

// differ collects deeds. A place has a part in one deed at most: the chain takes
// one change of a place in a block, and the next comparison sees the rest.
type differ struct {
	gaps  []gap
	pools map[tao.NetUID]subnet.Pool
	least tao.Amount
	deeds []Deed
	used  map[place]bool
}

func (d *differ) do(deed Deed, at ...place) {
	deed.Cost = d.cost(deed)
	for _, p := range at {
		d.used[p] = true
	}
	d.deeds = append(d.deeds, deed)
}

// cost is what a deed loses by own arithmetic: slippage and the pools' fees.
func (d *differ) cost(deed Deed) (lost tao.Amount) {
	if deed.Action == "move" {
		return 0
	}
	in := deed.About
	if deed.Alpha != nil {
		in = d.pools[deed.NetUID].Sell(*deed.Alpha).TAO
		lost = deed.About.Less(in)
	}
	target := deed.NetUID
	switch {
	case deed.Action == "remove":
		return lost
	case deed.ToNetUID != nil:
		target = *deed.ToNetUID
	}
	pool := d.pools[target]
	return lost + in.Less(pool.Value(pool.Buy(in).Alpha))
}

// value is what alpha is worth at a gap's price.
func (g gap) value(a tao.Alpha) tao.Amount {
	hi, lo := bits.Mul64(uint64(a), uint64(g.price))
	if hi >= subnet.Unit {
		return ^tao.Amount(0)
	}
	q, _ := bits.Div64(hi, lo, subnet.Unit)
	return tao.Amount(q)
}

// pair closes gaps against each other where one trade can.
func (d *differ) pair(action string, fits func(from, to gap) bool) {
	for i := range d.gaps {
		for j := range d.gaps {
			from, to := &d.gaps[i], &d.gaps[j]
			if i == j || d.used[from.at] || d.used[to.at] || from.over() == 0 || to.under() == 0 || !fits(*from, *to) {
				continue
			}
			alpha := min(from.over(), worth(to.value(to.under()), from.price))
			if about := from.value(alpha); about >= d.least && alpha > 0 {
				d.do(between(action, *from, *to, alpha, about), from.at, to.at)
			}
		}
	}
}

func between(action string, from, to gap, alpha tao.Alpha, about tao.Amount) Deed {
	deed := Deed{Action: action, Hotkey: from.at.hotkey, NetUID: from.at.netuid, Alpha: &alpha, About: about}
	if action == "move" {
		deed.ToHotkey = &to.at.hotkey
	} else {
		deed.ToNetUID = &to.at.netuid
	}
	return deed
}

func (d *differ) sell(g *gap) {
	alpha := g.over()
	about := g.value(alpha)
	if d.used[g.at] || about < d.least || about == 0 {
		return
	}
	d.do(Deed{Action: "remove", Hotkey: g.at.hotkey, NetUID: g.at.netuid, Alpha: &alpha, All: g.want == 0, About: about}, g.at)
}

func (d *differ) buy(g *gap) {
	about := g.value(g.under())
	if d.used[g.at] || about < d.least || about == 0 {
		return
	}
	d.do(Deed{Action: "add", Hotkey: g.at.hotkey, NetUID: g.at.netuid, TAO: &about, About: about}, g.at)
}
