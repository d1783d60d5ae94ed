// Package stake knows what coldkeys have staked and plans changes of it:
// adding, removing, moving and giving away stake, takes, children and claims.
//
// It never signs, sends, asks or prints. Every plan that trades with a pool
// carries the worst price that was agreed to inside its call, or says that the
// runtime has no such call and wants that accepted.
package stake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"sync"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
)

// Position is stake of one coldkey on one hotkey in one subnet.
type Position struct {
	Coldkey    tao.Account `json:"coldkey" view:"-"`
	Hotkey     tao.Account `json:"hotkey"`
	Name       string      `json:"name,omitempty"` // that the hotkey's owner chose
	NetUID     tao.NetUID  `json:"netuid"`
	Stake      tao.Alpha   `json:"stake"`                                        // alpha; TAO on netuid 0
	Price      tao.Amount  `json:"price" view:"price (TAO)"`                     // of one alpha
	Value      tao.Amount  `json:"value" view:"value (TAO)"`                     // at that price
	Sells      tao.Amount  `json:"about_sells_for" view:"sells for about (TAO)"` // all of it, alone, fee taken off
	Share      tao.Percent `json:"share"`                                        // of the value of all positions shown
	PerDay     tao.Alpha   `json:"about_per_day" view:"about per day"`           // emission, at the rate of the last epoch
	Registered bool        `json:"registered" view:"-"`                          // the hotkey has a uid there
}

// Lock is a coldkey's alpha on a subnet that may not leave, from spec 423 on.
type Lock struct {
	Coldkey   tao.Account `json:"coldkey" view:"-"`
	NetUID    tao.NetUID  `json:"netuid"`
	Locked    tao.Alpha   `json:"locked"`
	Available tao.Alpha   `json:"available"`
}

// Holdings is all stake of some coldkeys at one block.
type Holdings struct {
	Block     uint32     `json:"block"`
	Positions []Position `json:"positions"`
	Locks     []Lock     `json:"locks,omitempty"`
	Value     tao.Amount `json:"value" view:"value (TAO)"`
	Sells     tao.Amount `json:"about_sells_for" view:"sells for about (TAO)"` // everything sold, each subnet at once
}

// Of reads all stake of coldkeys, with what it is worth. The number of
// requests does not grow with the number of positions where the runtime tells
// them at once (from spec 233); before, it grows by one for each thousand.
func Of(ctx context.Context, v *chain.View, coldkeys ...tao.Account) (Holdings, error) {
	h := Holdings{Block: v.Number()}
	err := together(
		func() (err error) { h.Positions, err = positions(ctx, v, coldkeys); return },
		func() (err error) { h.Locks, err = locksOf(ctx, v, coldkeys); return },
	)
	if err != nil {
		return h, fmt.Errorf("read the stake of %d coldkeys: %w", len(coldkeys), err)
	}
	pools, err := subnet.Pools(ctx, v, netuidsOf(h.Positions)...)
	if err != nil {
		return h, err
	}
	var names []string
	var perDay []tao.Alpha
	err = together(
		func() (err error) { names, err = namesOf(ctx, v, hotkeysOf(h.Positions)); return },
		func() (err error) { perDay, err = emissionOf(ctx, v, h.Positions); return },
	)
	if err != nil {
		return h, err
	}
	for i := range h.Positions {
		h.Positions[i].Name, h.Positions[i].PerDay = names[i], perDay[i]
	}
	h.value(pools)
	return h, nil
}

// Keep drops the positions that want does not want, and sums the others up
// anew. What the rest would sell for is the sum of what each would alone: about
// that, as the sum of all is.
func (h *Holdings) Keep(want func(Position) bool) {
	h.Positions = slices.DeleteFunc(h.Positions, func(p Position) bool { return !want(p) })
	h.Value, h.Sells = 0, 0
	for _, p := range h.Positions {
		h.Value += p.Value
		h.Sells += p.Sells
	}
	for i := range h.Positions {
		h.Positions[i].Share = shareOf(h.Positions[i].Value, h.Value)
	}
}

func netuidsOf(list []Position) []tao.NetUID {
	var ids []tao.NetUID
	for _, p := range list {
		ids = append(ids, p.NetUID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// value prices positions and sums them up, largest first.
func (h *Holdings) value(pools map[tao.NetUID]subnet.Pool) {
	whole := map[tao.NetUID]tao.Alpha{}
	for i := range h.Positions {
		p := &h.Positions[i]
		pool := pools[p.NetUID]
		p.Price, p.Value, p.Sells = pool.Price, pool.Value(p.Stake), pool.Sell(p.Stake).TAO
		h.Value += p.Value
		whole[p.NetUID] += p.Stake
	}
	for id, alpha := range whole {
		h.Sells += pools[id].Sell(alpha).TAO
	}
	for i := range h.Positions {
		h.Positions[i].Share = shareOf(h.Positions[i].Value, h.Value)
	}
	slices.SortFunc(h.Positions, func(a, b Position) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.NetUID, b.NetUID), slices.Compare(a.Hotkey[:], b.Hotkey[:]))
	})
}

// shareOf is part/whole, floored to a thousandth of a percent.
func shareOf(part, whole tao.Amount) tao.Percent {
	if whole == 0 || part > whole {
		return 0
	}
	return tao.Percent(mulDiv(uint64(part), uint64(tao.Whole), uint64(whole)))
}

// mulDiv is floor(a*b/c); a or b must not be above c.
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if c == 0 || hi >= c {
		return 0
	}
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// positions finds what is staked, by whichever way this generation has.
func positions(ctx context.Context, v *chain.View, coldkeys []tao.Account) ([]Position, error) {
	rt := v.Runtime()
	switch {
	case isTyped(rt):
		return askPositions(ctx, v, coldkeys)
	case has(rt, stakingHotkeys.Pallet, stakingHotkeys.Name):
		return readPositions(ctx, v, coldkeys)
	default:
		return walkPositions(ctx, v, coldkeys)
	}
}

// isTyped reports whether metadata describe the stake API's result: between
// specs 149 and 232 it is bytes that they do not describe.
func isTyped(rt *chain.Runtime) bool {
	def := rt.Metadata().API(stakeInfos.Trait, stakeInfos.Method)
	if def == nil {
		return false
	}
	t := rt.Metadata().Type(def.Output)
	return t != nil && t.Kind == scale.KindSequence && rt.Metadata().TypeName(def.Output) != "Vec<u8>"
}

func askPositions(ctx context.Context, v *chain.View, coldkeys []tao.Account) ([]Position, error) {
	answer, err := stakeInfos.Call(ctx, v, coldkeys)
	var list []Position
	for _, of := range answer {
		for _, s := range of.Value {
			if s.Stake > 0 {
				list = append(list, Position{
					Coldkey: of.Account, Hotkey: s.Hotkey, NetUID: s.NetUID,
					Stake: tao.Alpha(s.Stake), Registered: s.IsRegistered,
				})
			}
		}
	}
	return list, err
}

// readPositions reads the storage of generations whose coldkeys list the
// hotkeys that they have staked to: raonet, and mainnet before dynamic TAO.
func readPositions(ctx context.Context, v *chain.View, coldkeys []tao.Account) ([]Position, error) {
	var lists [][]tao.Account
	if err := column(ctx, v, &lists, stakingHotkeys, keysOf(coldkeys))(); err != nil {
		return nil, err
	}
	netuids := []tao.NetUID{tao.Root}
	if takesNetUID(v.Runtime()) {
		var err error
		if netuids, err = subnet.Numbers(ctx, v); err != nil {
			return nil, err
		}
	}
	var places []Position
	for i, hotkeys := range lists {
		for _, hotkey := range hotkeys {
			for _, id := range netuids {
				places = append(places, Position{Coldkey: coldkeys[i], Hotkey: hotkey, NetUID: id})
			}
		}
	}
	if err := readStakes(ctx, v, places); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(places, func(p Position) bool { return p.Stake == 0 }), nil
}

func keysOf(accounts []tao.Account) [][]any {
	keys := make([][]any, len(accounts))
	for i, a := range accounts {
		keys[i] = []any{a}
	}
	return keys
}

// readStakes fills in the stake of places.
func readStakes(ctx context.Context, v *chain.View, places []Position) error {
	if !takesNetUID(v.Runtime()) {
		keys := make([][]any, len(places))
		for i, p := range places {
			keys[i] = []any{p.Hotkey, p.Coldkey}
		}
		var found []uint64
		err := column(ctx, v, &found, oldStake, keys)()
		for i, s := range found {
			places[i].Stake = tao.Alpha(s)
		}
		return err
	}
	three, two := make([][]any, len(places)), make([][]any, len(places))
	for i, p := range places {
		three[i], two[i] = []any{p.Hotkey, p.Coldkey, p.NetUID}, []any{p.Hotkey, p.NetUID}
	}
	var own, all, alpha []uint64
	var member []bool
	err := together(
		column(ctx, v, &own, shares, three), column(ctx, v, &all, sharesTotal, two),
		column(ctx, v, &alpha, hotkeyAlpha, two), column(ctx, v, &member, registered, two),
	)
	if err != nil {
		return err
	}
	for i := range places {
		places[i].Stake, places[i].Registered = ofShares(alpha[i], own[i], all[i]), member[i]
	}
	return nil
}

// ofShares is the alpha behind shares as raonet counts it: alpha / all as a
// fixed-point number of 32 binary places, times own (facts of spec 218,
// pallets/subtensor/src/staking/stake_utils.rs at c39109d32).
func ofShares(alpha, own, all uint64) tao.Alpha {
	if all == 0 {
		return 0
	}
	q := new(big.Int).Lsh(new(big.Int).SetUint64(alpha), 32)
	q.Quo(q, new(big.Int).SetUint64(all))
	q.Mul(q, new(big.Int).SetUint64(own)).Rsh(q, 32)
	if !q.IsUint64() {
		return 0
	}
	return tao.Alpha(q.Uint64())
}

// walkPositions reads the whole map of stake, by hotkey: at spec 103 nothing
// leads from a coldkey to its stake.
func walkPositions(ctx context.Context, v *chain.View, coldkeys []tao.Account) ([]Position, error) {
	var list []Position
	for e, err := range oldStake.All(ctx, v) {
		if err != nil {
			return nil, err
		}
		p := Position{Stake: tao.Alpha(e.Value)}
		if err := e.Scan(&p.Hotkey, &p.Coldkey); err != nil {
			return nil, err
		}
		if p.Stake > 0 && slices.Contains(coldkeys, p.Coldkey) {
			list = append(list, p)
		}
	}
	return list, nil
}

// locksOf reads what may not leave, where stake can be locked.
func locksOf(ctx context.Context, v *chain.View, coldkeys []tao.Account) ([]Lock, error) {
	if v.Runtime().Metadata().API(coldLocks.Trait, coldLocks.Method) == nil {
		return nil, nil
	}
	answer, err := coldLocks.Call(ctx, v, coldkeys, nil)
	var list []Lock
	for _, of := range answer {
		for _, a := range of.Value {
			if a.Stake.Locked > 0 {
				list = append(list, Lock{
					Coldkey: of.Account, NetUID: a.NetUID,
					Locked: tao.Alpha(a.Stake.Locked), Available: tao.Alpha(a.Stake.Available),
				})
			}
		}
	}
	return list, err
}

func hotkeysOf(list []Position) []tao.Account {
	hotkeys := make([]tao.Account, len(list))
	for i, p := range list {
		hotkeys[i] = p.Hotkey
	}
	return hotkeys
}

// namesOf reads the names of hotkeys' owners: of each hotkey once.
func namesOf(ctx context.Context, v *chain.View, hotkeys []tao.Account) ([]string, error) {
	once := slices.Clone(hotkeys)
	slices.SortFunc(once, func(a, b tao.Account) int { return slices.Compare(a[:], b[:]) })
	once = slices.Compact(once)
	var owner []tao.Account
	if err := column(ctx, v, &owner, owners, keysOf(once))(); err != nil {
		return nil, fmt.Errorf("read the owners of hotkeys: %w", err)
	}
	var now, before []identity
	err := together(
		column(ctx, v, &now, identities, keysOf(owner)),
		column(ctx, v, &before, oldIdentities, keysOf(owner)),
	)
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	byHotkey := map[tao.Account]string{}
	for i, h := range once {
		byHotkey[h] = cmp.Or(string(now[i].Name), string(before[i].Name))
	}
	names := make([]string, len(hotkeys))
	for i, h := range hotkeys {
		names[i] = byHotkey[h]
	}
	return names, nil
}

// blocksPerDay at 12 seconds each.
const blocksPerDay = 7200

// emissionOf estimates what each position earns in a day: its part of what its
// hotkey's stakers got in the last epoch, which comes every tempo+1 blocks. It is
// zero where the runtime does not keep that.
func emissionOf(ctx context.Context, v *chain.View, list []Position) ([]tao.Alpha, error) {
	perDay := make([]tao.Alpha, len(list))
	if !has(v.Runtime(), dividends.Pallet, dividends.Name) {
		return perDay, nil
	}
	byHotkey, bySubnet, netuids := make([][]any, len(list)), make([][]any, len(list)), make([][]any, len(list))
	for i, p := range list {
		byHotkey[i], bySubnet[i], netuids[i] = []any{p.Hotkey, p.NetUID}, []any{p.NetUID, p.Hotkey}, []any{p.NetUID}
	}
	var earned, alpha []uint64
	var tempo []uint16
	err := together(
		column(ctx, v, &earned, dividends, bySubnet),
		column(ctx, v, &alpha, hotkeyAlpha, byHotkey),
		column(ctx, v, &tempo, tempos, netuids),
	)
	if err != nil {
		return nil, fmt.Errorf("read what hotkeys earned: %w", err)
	}
	for i := range list {
		mine := mulDiv(earned[i], min(uint64(list[i].Stake), alpha[i]), alpha[i])
		perDay[i] = tao.Alpha(mine / (uint64(tempo[i]) + 1) * blocksPerDay)
	}
	return perDay, nil
}

// together runs the functions at once and joins their errors.
func together(fs ...func() error) error {
	errs := make([]error, len(fs))
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
