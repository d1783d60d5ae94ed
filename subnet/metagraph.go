package subnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Neuron is one uid of a subnet. Scores are in parts of 65,535.
type Neuron struct {
	UID        uint16      `json:"uid"`
	Hotkey     tao.Account `json:"hotkey"`
	Coldkey    tao.Account `json:"coldkey" view:"-"`
	Stake      tao.Alpha   `json:"stake"` // of everybody on this hotkey here: alpha; before dynamic TAO the rao of all subnets
	Trust      uint16      `json:"trust"`
	VTrust     uint16      `json:"validator_trust" view:"vtrust"`
	Consensus  uint16      `json:"consensus"`
	Incentive  uint16      `json:"incentive"`
	Dividends  uint16      `json:"dividends"`
	Emission   tao.Alpha   `json:"emission"` // of the last epoch
	Permit     bool        `json:"validator_permit" view:"permit"`
	Active     bool        `json:"active" view:"-"`
	LastUpdate uint64      `json:"last_update"` // block
	Axon       string      `json:"axon,omitempty"`
}

// UnknownError says that a subnet does not exist at a block.
type UnknownError struct {
	NetUID tao.NetUID
	Block  uint32
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no subnet %d at block %d", e.NetUID, e.Block)
}

// Metagraph reads all neurons of a subnet by uid, in a number of requests that
// does not depend on how many there are. Errors: *UnknownError.
func Metagraph(ctx context.Context, v *chain.View, netuid tao.NetUID) ([]Neuron, error) {
	exists, err := Exist(ctx, v, netuid)
	if err != nil {
		return nil, err
	}
	if !exists[0] {
		return nil, &UnknownError{NetUID: netuid, Block: v.Number()}
	}
	var g graph
	err = together(
		func() (err error) { g.keys, err = keysOf(ctx, v, netuid); return },
		value(ctx, v, &g.consensus, consensus, netuid),
		value(ctx, v, &g.trust, trust, netuid),
		value(ctx, v, &g.vtrust, validatorTrust, netuid),
		value(ctx, v, &g.incentive, incentive, netuid),
		value(ctx, v, &g.dividends, dividends, netuid),
		value(ctx, v, &g.emission, emission, netuid),
		value(ctx, v, &g.updated, lastUpdate, netuid),
		value(ctx, v, &g.permits, permits, netuid),
		value(ctx, v, &g.active, active, netuid),
	)
	if err == nil {
		err = g.join(ctx, v, netuid)
	}
	if err != nil {
		return nil, fmt.Errorf("read the neurons of subnet %d: %w", netuid, err)
	}
	list := make([]Neuron, len(g.keys))
	for i := range list {
		list[i] = g.neuron(i)
	}
	return list, nil
}

// graph is a subnet's columns; the lists of the chain may be shorter than its
// uids.
type graph struct {
	keys, owners                                   []tao.Account
	consensus, trust, vtrust, incentive, dividends []uint16
	emission, updated, stake                       []uint64
	permits, active                                []bool
	axons                                          []chain.Maybe[axonInfo]
}

// keysOf lists hotkeys by uid.
func keysOf(ctx context.Context, v *chain.View, netuid tao.NetUID) ([]tao.Account, error) {
	count, _, err := neurons.Get(ctx, v, netuid)
	if err != nil {
		return nil, err
	}
	ask := make([][]any, count)
	for uid := range ask {
		ask[uid] = []any{netuid, uint16(uid)}
	}
	found, err := keys.Many(ctx, v, ask)
	list := make([]tao.Account, len(found))
	for i, f := range found {
		list[i] = f.Value
	}
	return list, err
}

// join reads what is kept by hotkey.
func (g *graph) join(ctx context.Context, v *chain.View, netuid tao.NetUID) error {
	if len(g.keys) == 0 {
		return nil
	}
	plain, onSubnet, inSubnet := make([][]any, len(g.keys)), make([][]any, len(g.keys)), make([][]any, len(g.keys))
	for i, k := range g.keys {
		plain[i], onSubnet[i], inSubnet[i] = []any{k}, []any{k, netuid}, []any{netuid, k}
	}
	stake, keyed := hotkeyAlpha, onSubnet
	if !has(v.Runtime(), stake.Pallet, stake.Name) {
		stake, keyed = hotkeyStake, plain
	}
	return together(
		func() error { return many(ctx, v, &g.owners, hotkeyOwners, plain) },
		func() error { return many(ctx, v, &g.stake, stake, keyed) },
		func() (err error) { g.axons, err = axons.Many(ctx, v, inSubnet); return },
	)
}

func many[V any](ctx context.Context, v *chain.View, into *[]V, i chain.Item[V], keys [][]any) error {
	found, err := i.Many(ctx, v, keys)
	*into = make([]V, len(keys))
	for n, f := range found {
		(*into)[n] = f.Value
	}
	return err
}

func (g *graph) neuron(i int) Neuron {
	n := Neuron{
		UID: uint16(i), Hotkey: g.keys[i], Coldkey: g.owners[i], Stake: tao.Alpha(g.stake[i]),
		Trust: at(g.trust, i), VTrust: at(g.vtrust, i), Consensus: at(g.consensus, i), Incentive: at(g.incentive, i),
		Dividends: at(g.dividends, i), Emission: tao.Alpha(at(g.emission, i)), Permit: at(g.permits, i),
		Active: at(g.active, i), LastUpdate: at(g.updated, i),
	}
	if a := g.axons[i]; a.OK {
		if ip, err := a.Value.address(); err == nil {
			n.Axon = ip.String()
		}
	}
	return n
}

func at[V any](list []V, i int) (v V) {
	if i < len(list) {
		v = list[i]
	}
	return v
}

// address reads an axon's IP, a number in which a v4 address is its low half.
func (a axonInfo) address() (netip.AddrPort, error) {
	var b [16]byte
	if a.IP.Sign() <= 0 || a.IP.BitLen() > 128 {
		return netip.AddrPort{}, errors.New("no address")
	}
	a.IP.FillBytes(b[:])
	if a.IP.BitLen() <= 32 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:])), a.Port), nil
	}
	return netip.AddrPortFrom(netip.AddrFrom16(b), a.Port), nil
}
