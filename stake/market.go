package stake

import (
	"context"
	"fmt"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// place is where stake can be: a hotkey in a subnet.
type place struct {
	hotkey tao.Account
	netuid tao.NetUID
}

// market is all that intents need to know of one block, read at once for all
// of them. A trade that is planned changes its pool, so that the next one in
// the same batch meets the price which the first leaves.
type market struct {
	v       *chain.View
	rt      *chain.Runtime
	coldkey tao.Account
	least   tao.Amount // of stake

	funds     tx.Funds
	pools     map[tao.NetUID]subnet.Pool // as trades leave them
	start     map[tao.NetUID]subnet.Pool // as the block has them
	traded    map[tao.NetUID]bool
	open      map[tao.NetUID]bool
	transfers map[tao.NetUID]bool
	owners    map[tao.Account]tao.Account
	coldkeys  map[tao.Account]bool // hotkeys asked about that own hotkeys or stake
	delegates map[tao.Account]bool
	staked    map[place]tao.Alpha
	locks     map[tao.NetUID]Lock
}

// readMarket reads what touches needs, in a fixed number of steps.
func readMarket(ctx context.Context, v *chain.View, coldkey tao.Account, places []place) (*market, error) {
	m := &market{v: v, rt: v.Runtime(), coldkey: coldkey, traded: map[tao.NetUID]bool{}}
	m.least = minimum(m.rt)
	hotkeys, netuids := split(places)
	if !takesNetUID(m.rt) && (len(netuids) > 1 || len(netuids) == 1 && netuids[0] != tao.Root) {
		return nil, noSubnets(m.rt)
	}
	err := together(
		func() error { return m.readSubnets(ctx, netuids) },
		func() error { return m.readHotkeys(ctx, hotkeys) },
		func() error { return m.readStake(ctx) },
		func() error { return m.readFunds(ctx) },
	)
	return m, err
}

// noSubnets is for runtimes before dynamic TAO.
func noSubnets(rt *chain.Runtime) error {
	return &chain.MissingError{Spec: rt.Spec(), What: "stake in a subnet (stake is on hotkeys alone: use netuid 0)"}
}

func split(places []place) (hotkeys []tao.Account, netuids []tao.NetUID) {
	for _, p := range places {
		if !slices.Contains(hotkeys, p.hotkey) {
			hotkeys = append(hotkeys, p.hotkey)
		}
		if !slices.Contains(netuids, p.netuid) {
			netuids = append(netuids, p.netuid)
		}
	}
	return hotkeys, netuids
}

func (m *market) readFunds(ctx context.Context) error {
	funds, err := tx.FundsOf(ctx, m.v, m.coldkey)
	if err == nil {
		m.funds = funds[0]
	}
	return err
}

func (m *market) readSubnets(ctx context.Context, netuids []tao.NetUID) error {
	keys := make([][]any, len(netuids))
	for i, id := range netuids {
		keys[i] = []any{id}
	}
	var exist, open, transfers []bool
	err := together(
		column(ctx, m.v, &exist, networksAdded, keys), column(ctx, m.v, &open, subtokens, keys),
		column(ctx, m.v, &transfers, transferToggle, keys),
		func() (err error) { m.pools, err = subnet.Pools(ctx, m.v, netuids...); return },
	)
	if err != nil {
		return err
	}
	m.start, m.open, m.transfers = map[tao.NetUID]subnet.Pool{}, map[tao.NetUID]bool{}, map[tao.NetUID]bool{}
	for i, id := range netuids {
		if !exist[i] && takesNetUID(m.rt) {
			return &subnet.UnknownError{NetUID: id, Block: m.v.Number()}
		}
		m.start[id], m.transfers[id] = m.pools[id], transfers[i]
		m.open[id] = open[i] || !has(m.rt, subtokens.Pallet, subtokens.Name)
	}
	return nil
}

func (m *market) readHotkeys(ctx context.Context, hotkeys []tao.Account) error {
	keys := keysOf(hotkeys)
	var owner []tao.Account
	var owned, staking [][]tao.Account
	var take []chain.Maybe[uint16]
	err := together(
		column(ctx, m.v, &owner, owners, keys), column(ctx, m.v, &owned, ownedHotkeys, keys),
		column(ctx, m.v, &staking, stakingHotkeys, keys),
		func() (err error) { take, err = takes.Many(ctx, m.v, keys); return },
	)
	if err != nil {
		return fmt.Errorf("read %d hotkeys: %w", len(hotkeys), err)
	}
	m.owners, m.coldkeys, m.delegates = map[tao.Account]tao.Account{}, map[tao.Account]bool{}, map[tao.Account]bool{}
	for i, h := range hotkeys {
		m.owners[h], m.coldkeys[h], m.delegates[h] = owner[i], len(owned[i])+len(staking[i]) > 0, take[i].OK
	}
	return nil
}

func (m *market) readStake(ctx context.Context) error {
	var list []Position
	var locks []Lock
	err := together(
		func() (err error) { list, err = positions(ctx, m.v, []tao.Account{m.coldkey}); return },
		func() (err error) { locks, err = locksOf(ctx, m.v, []tao.Account{m.coldkey}); return },
	)
	if err != nil {
		return fmt.Errorf("read the stake of %s: %w", m.coldkey, err)
	}
	m.staked, m.locks = map[place]tao.Alpha{}, map[tao.NetUID]Lock{}
	for _, p := range list {
		m.staked[place{p.Hotkey, p.NetUID}] = p.Stake
	}
	for _, l := range locks {
		m.locks[l.NetUID] = l
	}
	return nil
}

// minimum is the least stake that the chain keeps. Runtimes from 413 on tell
// it; before, it is pallets/subtensor/src/lib.rs's DefaultMinStake as the
// release tags have it.
func minimum(rt *chain.Runtime) tao.Amount {
	if told, err := minStake.Get(rt); err == nil {
		return tao.Amount(told)
	}
	switch spec := rt.Spec().SpecVersion; {
	case !hasCall(rt, callAddLimit):
		return 0
	case spec < 290:
		return 500_000
	case spec < 292:
		return 20_000_000
	}
	return 2_000_000
}

// checkHotkey refuses accounts that can hold no stake.
func (m *market) checkHotkey(hotkey tao.Account) error {
	owner := m.owners[hotkey]
	switch {
	case owner == (tao.Account{}) && hotkey == m.coldkey:
		return &HotkeyError{Hotkey: hotkey, Reason: "is your own coldkey"}
	case owner == (tao.Account{}) && m.coldkeys[hotkey]:
		return &HotkeyError{Hotkey: hotkey, Reason: "is a coldkey, no hotkey"}
	case owner == (tao.Account{}):
		return &HotkeyError{Hotkey: hotkey, Reason: "was never registered"}
	case owner != m.coldkey && !m.delegates[hotkey] && hasError(m.rt, errOnlyDelegates) && !takesNetUID(m.rt):
		return &HotkeyError{Hotkey: hotkey, Reason: "is neither yours nor a delegate"}
	}
	return nil
}

func (m *market) checkOpen(id tao.NetUID) error {
	if !m.open[id] {
		return &ClosedError{NetUID: id, Reason: "has not been started by its owner: its stake cannot be traded yet"}
	}
	return nil
}

// take finds what is taken from a place: an amount that is there, or all.
func (m *market) take(from place, wanted tao.Alpha, all bool) (tao.Alpha, error) {
	staked := m.staked[from]
	free := staked
	lock, locked := m.locks[from.netuid]
	if locked {
		free = min(staked, lock.Available)
	}
	amount := wanted
	if all {
		amount = free
	}
	if amount == 0 || amount > free {
		e := &NotStakedError{Hotkey: from.hotkey, NetUID: from.netuid, Wanted: wanted, Staked: staked}
		if locked && amount <= staked {
			e.Locked = lock.Locked
		}
		return 0, e
	}
	return amount, nil
}

// buy plans a purchase on a pool: by the runtime's own reckoning where it can
// tell, which it cannot for a pool that an earlier call of the batch changes.
func (m *market) buy(ctx context.Context, id tao.NetUID, in tao.Amount) (t subnet.Trade, err error) {
	p := m.pools[id]
	t = p.Buy(in)
	if !m.traded[id] {
		t, err = p.SimulateBuy(ctx, m.v, in)
	}
	if p.Dynamic {
		p.TAO, _ = p.TAO.Add(in)
		p.Alpha -= min(p.Alpha, t.Alpha)
		p.Price = t.After
		m.pools[id], m.traded[id] = p, true
	}
	return t, err
}

func (m *market) sell(ctx context.Context, id tao.NetUID, in tao.Alpha) (t subnet.Trade, err error) {
	p := m.pools[id]
	t = p.Sell(in)
	if !m.traded[id] {
		t, err = p.SimulateSell(ctx, m.v, in)
	}
	if p.Dynamic {
		p.TAO = p.TAO.Less(t.TAO)
		p.Alpha += in
		p.Price = t.After
		m.pools[id], m.traded[id] = p, true
	}
	return t, err
}
