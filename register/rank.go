package register

import (
	"cmp"
	"context"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// neuron is a uid by what decides how long it stays.
type neuron struct {
	uid    uint16
	score  uint64
	since  uint64
	hotkey tao.Account
	owner  bool // the subnet owner's hotkey, which is not pruned
	immune bool
}

// rank lists the neurons of a subnet, the next to be pruned first: the lowest
// score of those that are no longer immune, the longest there of equal ones.
// Immune ones come last, for the chain takes them only if there is nobody else.
// Runtimes differ in detail (from 423 on the scores are gone and emission
// decides), so the order is about.
func rank(ctx context.Context, v *chain.View, netuid tao.NetUID) ([]neuron, error) {
	r := &reader{ctx: ctx, view: v, keys: netuidKeys([]tao.NetUID{netuid})}
	n, period, owner := column(r, neurons)[0], column(r, immunity)[0], column(r, ownerHotkeys)[0]
	low, earned := column(r, scores)[0], column(r, emissions)[0]
	each := &reader{ctx: ctx, view: v, err: r.err}
	for uid := range n {
		each.keys = append(each.keys, []any{netuid, uid})
	}
	since, hotkeys := column(each, joined), column(each, keys)
	if each.err != nil {
		return nil, each.err
	}
	list := make([]neuron, n)
	for i := range list {
		list[i] = neuron{
			uid: uint16(i), since: since[i], hotkey: hotkeys[i],
			owner: hotkeys[i] == owner && !owner.IsZero(), immune: since[i]+uint64(period) > uint64(v.Number()),
		}
		switch {
		case i < len(low):
			list[i].score = uint64(low[i])
		case i < len(earned):
			list[i].score = earned[i]
		}
	}
	slices.SortFunc(list, func(a, b neuron) int {
		return cmp.Or(a.safety()-b.safety(), cmp.Compare(a.score, b.score), cmp.Compare(a.since, b.since), cmp.Compare(a.uid, b.uid))
	})
	return list, nil
}

// safety orders kinds of neurons: those that may go at any time, those that are
// immune yet, and those that stay.
func (n neuron) safety() int {
	switch {
	case n.owner:
		return 2
	case n.immune:
		return 1
	}
	return 0
}

// NextPruned finds who would be replaced on a full subnet. It is nil where
// there is a free slot, or nobody to replace.
func NextPruned(ctx context.Context, v *chain.View, c Cost) (*Candidate, error) {
	if c.Free > 0 || c.Neurons == 0 {
		return nil, nil
	}
	all, err := rank(ctx, v, c.NetUID)
	if err != nil || all[0].owner {
		return nil, err
	}
	return &Candidate{UID: all[0].uid, Hotkey: all[0].hotkey, Registered: all[0].since}, nil
}

// Status is where a hotkey stands on one subnet.
type Status struct {
	Hotkey      tao.Account  `json:"hotkey"`
	NetUID      tao.NetUID   `json:"netuid"`
	Registered  bool         `json:"registered"`
	UID         *uint16      `json:"uid,omitempty"`
	Since       *uint64      `json:"since_block,omitempty" view:"since block"`
	ImmuneUntil *uint64      `json:"immune_until,omitempty" view:"immune until block"`
	Rank        *int         `json:"about_prune_rank,omitempty" view:"pruned as about"` // 1: the next one
	Neurons     uint16       `json:"neurons,omitempty" view:"of"`
	Coldkey     *tao.Account `json:"coldkey,omitempty" view:"-"` // that owns the hotkey
}

// StatusOf tells where hotkeys stand, for each pair of hotkey and subnet. The
// number of requests grows with the number of subnets that any is on.
func StatusOf(ctx context.Context, v *chain.View, hotkeys []tao.Account, netuids []tao.NetUID) ([]Status, error) {
	var list []Status
	var pairs [][]any
	for _, h := range hotkeys {
		for _, n := range netuids {
			pairs = append(pairs, []any{n, h})
			list = append(list, Status{Hotkey: h, NetUID: n})
		}
	}
	if len(list) == 0 {
		return list, nil
	}
	found, err := uids.Many(ctx, v, pairs)
	if err != nil {
		return nil, err
	}
	owner, err := owners.Many(ctx, v, accountKeys(hotkeys))
	if err != nil {
		return nil, err
	}
	ranks := ranking{view: v, known: map[tao.NetUID][]neuron{}}
	for i := range list {
		if o := owner[i/len(netuids)]; o.OK {
			list[i].Coldkey = &o.Value
		}
		if !found[i].OK {
			continue
		}
		list[i].Registered, list[i].UID = true, &found[i].Value
		if err := ranks.place(ctx, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// ranking keeps what was read of a subnet for the next hotkey on it.
type ranking struct {
	view  *chain.View
	known map[tao.NetUID][]neuron
}

// place fills in what a registered hotkey's uid says.
func (r ranking) place(ctx context.Context, s *Status) error {
	order, read := r.known[s.NetUID]
	if !read {
		var err error
		if order, err = rank(ctx, r.view, s.NetUID); err != nil {
			return err
		}
		r.known[s.NetUID] = order
	}
	period, _, err := immunity.Get(ctx, r.view, s.NetUID)
	if err != nil {
		return err
	}
	s.Neurons = uint16(len(order))
	for i, n := range order {
		if n.uid == *s.UID {
			at, since, until := i+1, n.since, n.since+uint64(period)
			s.Since, s.ImmuneUntil, s.Rank = &since, &until, &at
		}
	}
	return nil
}
