package stake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Take is the part of what a hotkey earns that its owner keeps, in parts of
// 65,535.
type Take uint16

// TakeOf is the nearest take to a percentage.
func TakeOf(p tao.Percent) Take {
	return Take((uint64(p)*math.MaxUint16 + uint64(tao.Whole)/2) / uint64(tao.Whole))
}

// Percent is the nearest hundredth of a percent: a take is no finer.
func (t Take) Percent() tao.Percent {
	const hundredth = uint64(tao.OnePercent) / 100
	parts := uint64(tao.Whole) / hundredth
	return tao.Percent((uint64(t)*parts + math.MaxUint16/2) / math.MaxUint16 * hundredth)
}

// String prints the take as a percentage.
func (t Take) String() string { return t.Percent().String() }

// MarshalText prints the take as a percentage.
func (t Take) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Delegate is a hotkey that others can stake to.
type Delegate struct {
	Hotkey     tao.Account  `json:"hotkey"`
	Name       string       `json:"name,omitempty"`
	Owner      tao.Account  `json:"owner" view:"-"`
	Take       Take         `json:"take"`
	Root       tao.Alpha    `json:"root_stake" view:"on root (TAO)"`                   // of everybody on it; before dynamic TAO all of it
	Nominators int          `json:"nominators"`                                        // coldkeys with stake on it, where the runtime tells
	Return     *tao.Amount  `json:"return_per_1000,omitempty" view:"TAO/day per 1000"` // by the runtime's reckoning
	Subnets    []tao.NetUID `json:"registrations,omitempty" view:"-"`
}

// Delegates lists all hotkeys that take stake of others, most root stake first.
func Delegates(ctx context.Context, v *chain.View) ([]Delegate, error) {
	list, err := delegates(ctx, v)
	if err == nil {
		err = addStandings(ctx, v, list)
	}
	if err != nil {
		return nil, fmt.Errorf("list the delegates: %w", err)
	}
	slices.SortFunc(list, func(a, b Delegate) int {
		return cmp.Or(cmp.Compare(b.Root, a.Root), slices.Compare(a.Hotkey[:], b.Hotkey[:]))
	})
	return list, nil
}

func delegates(ctx context.Context, v *chain.View) ([]Delegate, error) {
	var list []Delegate
	if isTyped(v.Runtime()) {
		infos, err := delegateAll.Call(ctx, v)
		for _, d := range infos {
			list = append(list, Delegate{
				Hotkey: d.DelegateSs58, Owner: d.OwnerSs58, Take: Take(d.Take), Nominators: len(d.Nominators),
				Return: some(tao.Amount(d.ReturnPer1000)), Subnets: d.Registrations,
			})
		}
		return list, err
	}
	for e, err := range takes.All(ctx, v) {
		if err != nil {
			return nil, err
		}
		d := Delegate{Take: Take(e.Value)}
		if err := e.Scan(&d.Hotkey); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// addStandings reads names, owners and root stake.
func addStandings(ctx context.Context, v *chain.View, list []Delegate) error {
	hotkeys, onRoot := make([]tao.Account, len(list)), make([][]any, len(list))
	for i, d := range list {
		hotkeys[i], onRoot[i] = d.Hotkey, []any{d.Hotkey, tao.Root}
	}
	stake, keys := hotkeyAlpha, onRoot
	if !takesNetUID(v.Runtime()) {
		stake, keys = oldTotal, keysOf(hotkeys)
	}
	var names []string
	var owner []tao.Account
	var root []uint64
	err := together(
		func() (err error) { names, err = namesOf(ctx, v, hotkeys); return },
		column(ctx, v, &owner, owners, keysOf(hotkeys)),
		column(ctx, v, &root, stake, keys),
	)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Name, list[i].Owner, list[i].Root = names[i], owner[i], tao.Alpha(root[i])
	}
	return nil
}

// SetTake changes what the owner of a hotkey keeps. Lowering is possible at any
// time; raising once in TxDelegateTakeRateLimit blocks, 30 days by default.
type SetTake struct {
	Coldkey, Hotkey tao.Account
	Take            Take
}

// TakePreview is what a change of a take does.
type TakePreview struct {
	Hotkey tao.Account `json:"hotkey"`
	NetUID *tao.NetUID `json:"netuid,omitempty"` // of a childkey take
	Now    Take        `json:"now"`
	Take   Take        `json:"take"`
	Raw    uint16      `json:"raw" view:"-"` // in parts of 65,535
}

// Plan checks owner, bounds and rate. Errors: *NotOwnerError, *TakeError,
// *RateLimitError.
func (s SetTake) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) {
	var owner tao.Account
	var now, least, most uint16
	var limit, last, older uint64
	err := together(
		value(ctx, v, &owner, owners, s.Hotkey), value(ctx, v, &now, takes, s.Hotkey),
		value(ctx, v, &least, minTake), value(ctx, v, &most, maxTake), value(ctx, v, &limit, takeLimit),
		value(ctx, v, &last, lastTake, s.Hotkey), value(ctx, v, &older, lastTake, s.Coldkey),
	)
	if err != nil {
		return tx.Plan{}, fmt.Errorf("read the take of %s: %w", s.Hotkey, err)
	}
	if owner != s.Coldkey {
		return tx.Plan{}, &NotOwnerError{Coldkey: s.Coldkey, Hotkey: s.Hotkey, Owner: owner}
	}
	e := &TakeError{Take: s.Take, Now: Take(now), Least: Take(least), Most: Take(most)}
	name := callTakeUp
	switch {
	case s.Take < e.Least || s.Take > e.Most:
		e.Reason = "is out of bounds"
		return tx.Plan{}, e
	case s.Take == e.Now:
		e.Reason = "changes nothing"
		return tx.Plan{}, e
	case s.Take < e.Now:
		name = callTakeDown
	default:
		if err := checkRate("raising the take", max(last, older), limit, v.Number()); err != nil {
			return tx.Plan{}, err
		}
	}
	return plan(v, s.Coldkey, chain.Call{Pallet: module, Name: name, Args: chain.Args{"hotkey": s.Hotkey, "take": uint16(s.Take)}},
		TakePreview{Hotkey: s.Hotkey, Now: e.Now, Take: s.Take, Raw: uint16(s.Take)})
}

// checkRate refuses what comes within limit blocks of the last time.
func checkRate(what string, last, limit uint64, block uint32) error {
	if next := last + limit + 1; last > 0 && limit > 0 && next > uint64(block)+1 {
		return &RateLimitError{What: what, Until: next, Block: block}
	}
	return nil
}

// Numbers of transactions whose last block is kept by hotkey and subnet, and
// the blocks between two changes of children (pallets/subtensor/src/utils/
// rate_limiting.rs, TransactionType).
const (
	settingChildren  uint16 = 0
	settingChildTake uint16 = 1
	childrenInterval        = 150
)

// checkInterval refuses what would be executed less than limit blocks after the
// last time (check_passes_rate_limit of that file).
func checkInterval(what string, last, limit uint64, block uint32) error {
	if next := last + limit; last > 0 && uint64(block)+1 < next {
		return &RateLimitError{What: what, Until: next, Block: block}
	}
	return nil
}

// plan is a plan whose call spends nothing.
func plan(v *chain.View, signer tao.Account, c chain.Call, preview any) (tx.Plan, error) {
	return tx.Plan{Call: c, Signer: signer, Spend: new(tao.Amount), Preview: preview}, v.Runtime().Check(c)
}

// SetChildTake changes what a hotkey keeps of what its parents' stake earns in
// a subnet.
type SetChildTake struct {
	Coldkey, Hotkey tao.Account
	NetUID          tao.NetUID
	Take            Take
}

// Plan checks owner, bounds and rate. Errors: *NotOwnerError, *TakeError,
// *RateLimitError.
func (s SetChildTake) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) {
	var owner tao.Account
	var now, least, most uint16
	var limit, last uint64
	err := together(
		value(ctx, v, &owner, owners, s.Hotkey), value(ctx, v, &now, childTakes, s.Hotkey, s.NetUID),
		value(ctx, v, &least, minChildTake), value(ctx, v, &most, maxChildTake),
		value(ctx, v, &limit, childTakeLimit), value(ctx, v, &last, lastByKey, s.Hotkey, s.NetUID, settingChildTake),
	)
	if err != nil {
		return tx.Plan{}, fmt.Errorf("read the childkey take of %s: %w", s.Hotkey, err)
	}
	if owner != s.Coldkey {
		return tx.Plan{}, &NotOwnerError{Coldkey: s.Coldkey, Hotkey: s.Hotkey, Owner: owner}
	}
	if s.Take < Take(least) || s.Take > Take(most) {
		return tx.Plan{}, &TakeError{Take: s.Take, Now: Take(now), Least: Take(least), Most: Take(most), Reason: "is out of bounds"}
	}
	if s.Take > Take(now) {
		if err := checkInterval("raising the childkey take", last, limit, v.Number()); err != nil {
			return tx.Plan{}, err
		}
	}
	return plan(v, s.Coldkey, chain.Call{Pallet: module, Name: callChildTake, Args: chain.Args{"hotkey": s.Hotkey, "netuid": s.NetUID, "take": uint16(s.Take)}},
		TakePreview{Hotkey: s.Hotkey, NetUID: &s.NetUID, Now: Take(now), Take: s.Take, Raw: uint16(s.Take)})
}

// Child is a hotkey that works with part of another's stake in one subnet.
type Child struct {
	Hotkey tao.Account `json:"hotkey"`
	Share  tao.Percent `json:"share"` // of the parent's stake, to a thousandth of a percent
}

// Family is who works with whose stake, of one hotkey in one subnet.
type Family struct {
	Hotkey   tao.Account `json:"hotkey"`
	NetUID   tao.NetUID  `json:"netuid"`
	Take     Take        `json:"childkey_take"`
	Children []Child     `json:"children"`
	Parents  []Child     `json:"parents"`
	Pending  []Child     `json:"pending,omitempty"` // children to come, which replace the others
	From     uint64      `json:"pending_from,omitempty" view:"pending from block"`
}

// FamilyOf reads a hotkey's children and parents in a subnet.
func FamilyOf(ctx context.Context, v *chain.View, hotkey tao.Account, netuid tao.NetUID) (Family, error) {
	f := Family{Hotkey: hotkey, NetUID: netuid}
	var children, parents []relative
	var pending pendingChildren
	err := together(
		value(ctx, v, &children, childKeys, hotkey, netuid), value(ctx, v, &parents, parentKeys, hotkey, netuid),
		value(ctx, v, &pending, pendingKids, netuid, hotkey), value(ctx, v, (*uint16)(&f.Take), childTakes, hotkey, netuid),
	)
	if err != nil {
		return f, fmt.Errorf("read the children of %s: %w", hotkey, err)
	}
	f.Children, f.Parents, f.Pending, f.From = shown(children), shown(parents), shown(pending.Children), pending.Block
	return f, nil
}

func shown(list []relative) []Child {
	children := make([]Child, len(list))
	for i, r := range list {
		children[i] = Child{Hotkey: r.Hotkey, Share: nearest(r.Share)}
	}
	return children
}

// nearest is the percentage nearest to parts of 2^64-1.
func nearest(parts uint64) tao.Percent {
	hi, lo := bits.Mul64(parts, uint64(tao.Whole))
	lo, carry := bits.Add64(lo, math.MaxUint64/2, 0)
	q, _ := bits.Div64(hi+carry, lo, math.MaxUint64)
	return tao.Percent(q)
}

// maxChildren is the most that a hotkey may have in a subnet
// (pallets/subtensor/src/staking/set_children.rs, TooManyChildren).
const maxChildren = 5

// SetChildren gives parts of a hotkey's stake in a subnet to other hotkeys to
// work with; none revokes all. The list replaces the one before.
type SetChildren struct {
	Coldkey, Hotkey tao.Account
	NetUID          tao.NetUID
	Children        []Child
}

// ChildrenPreview is what a change of children does.
type ChildrenPreview struct {
	Hotkey tao.Account `json:"hotkey"`
	NetUID tao.NetUID  `json:"netuid"`
	Now    []Child     `json:"now"`
	Then   []Child     `json:"then"`
}

// ChildrenError says why a list of children is not possible.
type ChildrenError struct{ Reason string }

func (e *ChildrenError) Error() string { return "children: " + e.Reason }

// Plan checks owner, subnet and the list. Errors: *NotOwnerError,
// *ChildrenError, *subnet.UnknownError, *RateLimitError.
func (s SetChildren) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) {
	if err := s.check(); err != nil {
		return tx.Plan{}, err
	}
	var owner tao.Account
	var now, parents []relative
	var exists bool
	var last uint64
	err := together(
		value(ctx, v, &owner, owners, s.Hotkey), value(ctx, v, &exists, networksAdded, s.NetUID),
		value(ctx, v, &last, lastByKey, s.Hotkey, s.NetUID, settingChildren),
		value(ctx, v, &now, childKeys, s.Hotkey, s.NetUID), value(ctx, v, &parents, parentKeys, s.Hotkey, s.NetUID),
	)
	switch {
	case err != nil:
		return tx.Plan{}, fmt.Errorf("read the children of %s: %w", s.Hotkey, err)
	case !exists:
		return tx.Plan{}, &subnet.UnknownError{NetUID: s.NetUID, Block: v.Number()}
	case owner != s.Coldkey:
		return tx.Plan{}, &NotOwnerError{Coldkey: s.Coldkey, Hotkey: s.Hotkey, Owner: owner}
	}
	if err := checkInterval("setting children", last, childrenInterval, v.Number()); err != nil {
		return tx.Plan{}, err
	}
	list := make([]relative, len(s.Children))
	for i, c := range s.Children {
		list[i] = relative{Share: ratio(math.MaxUint64, uint64(c.Share), uint64(tao.Whole)), Hotkey: c.Hotkey}
		if slices.ContainsFunc(parents, func(p relative) bool { return p.Hotkey == c.Hotkey }) {
			return tx.Plan{}, &ChildrenError{Reason: fmt.Sprintf("%s is a parent of this hotkey", c.Hotkey)}
		}
	}
	return plan(v, s.Coldkey, chain.Call{Pallet: module, Name: callChildren, Args: chain.Args{"hotkey": s.Hotkey, "netuid": s.NetUID, "children": list}},
		ChildrenPreview{Hotkey: s.Hotkey, NetUID: s.NetUID, Now: shown(now), Then: s.Children})
}

func (s SetChildren) check() error {
	var sum uint64
	seen := map[tao.Account]bool{}
	for _, c := range s.Children {
		switch {
		case c.Hotkey == s.Hotkey:
			return &ChildrenError{Reason: "a hotkey cannot be its own child"}
		case seen[c.Hotkey]:
			return &ChildrenError{Reason: fmt.Sprintf("%s is named twice", c.Hotkey)}
		case c.Share == 0:
			return &ChildrenError{Reason: fmt.Sprintf("%s would get nothing", c.Hotkey)}
		}
		seen[c.Hotkey], sum = true, sum+uint64(c.Share)
	}
	switch {
	case s.NetUID == tao.Root:
		return &ChildrenError{Reason: "the root network has none"}
	case len(s.Children) > maxChildren:
		return &ChildrenError{Reason: fmt.Sprintf("%d are too many: %d at most", len(s.Children), maxChildren)}
	case sum > uint64(tao.Whole):
		return &ChildrenError{Reason: "together they get " + tao.Percent(sum).String() + ", which is over 100%"}
	}
	return nil
}

// errNothing is for a claim of no subnet.
var errNothing = errors.New("name the subnets to claim from")
