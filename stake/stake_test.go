package stake_test

import (
	"errors"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/stake"
	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
)

var (
	alice = testnode.NewKey("alice").Account()
	bob   = testnode.NewKey("bob").Account()
	valid = testnode.NewKey("validator").Account()
	other = testnode.NewKey("other").Account()
)

const module = "SubtensorModule"

func has(n *testnode.Node, pallet, item string) bool {
	p := n.Runtime().Metadata().Pallet(pallet)
	return p != nil && p.Entry(item) != nil
}

// set stores a value where the runtime has the entry.
func set(n *testnode.Node, pallet, item string, value any, keys ...any) {
	if has(n, pallet, item) {
		n.Set(pallet, item, value, keys...)
	}
}

// start is a chain with subnets 0, 1 and 2, two hotkeys that take stake, and
// alice's 1000 TAO. The pools hold 10,000 TAO and 20,000 alpha: a price of 0.5.
func start(t testing.TB, metadata string) *testnode.Node {
	n := testnode.New(t, testnode.Config{Metadata: metadata})
	rt := n.Runtime() // the answers run while the node is locked
	n.Fund(alice, 1000*tao.TAO)
	for _, id := range []tao.NetUID{0, 1, 2} {
		set(n, module, "NetworksAdded", true, id)
		set(n, module, "SubtokenEnabled", true, id)
		if id > 0 {
			set(n, module, "SubnetMechanism", uint16(1), id)
			set(n, module, "SubnetTAO", 10_000*tao.TAO, id)
			set(n, module, "SubnetAlphaIn", 20_000*tao.OneAlpha, id)
		}
	}
	for _, h := range []tao.Account{valid, other} {
		set(n, module, "Owner", bob, h)
		set(n, module, "Delegates", uint16(11796), h)
	}
	n.OnAPI("SwapRuntimeApi_current_alpha_price_all", func([]byte) ([]byte, error) {
		return encode(t, rt, "SwapRuntimeApi", "current_alpha_price_all", []any{
			map[string]any{"netuid": 1, "price": 500_000_000}, map[string]any{"netuid": 2, "price": 500_000_000},
		}), nil
	})
	n.OnAPI("SwapRuntimeApi_sim_swap_tao_for_alpha", func(b []byte) ([]byte, error) { return simulate(t, rt, b, true), nil })
	n.OnAPI("SwapRuntimeApi_sim_swap_alpha_for_tao", func(b []byte) ([]byte, error) { return simulate(t, rt, b, false), nil })
	own(t, n, nil)
	n.OnAPI("StakeInfoRuntimeApi_get_stake_availability_for_coldkeys", func([]byte) ([]byte, error) {
		return encode(t, rt, "StakeInfoRuntimeApi", "get_stake_availability_for_coldkeys", []any{}), nil
	})
	return n
}

// simulate answers as a pool of these reserves with the default fee does.
func simulate(t testing.TB, rt *chain.Runtime, b []byte, buy bool) []byte {
	var in uint64
	for i := range 8 {
		in |= uint64(b[2+i]) << (8 * i)
	}
	p := subnet.Pool{Dynamic: true, TAO: 10_000 * tao.TAO, Alpha: 20_000 * tao.OneAlpha, FeeRate: 33, Exact: true}
	var s subnet.Trade
	method := "sim_swap_alpha_for_tao"
	if buy {
		s, method = p.Buy(tao.Amount(in)), "sim_swap_tao_for_alpha"
	} else {
		s = p.Sell(tao.Alpha(in))
	}
	return encode(t, rt, "SwapRuntimeApi", method, map[string]any{
		"tao_amount": s.TAO, "alpha_amount": s.Alpha, "tao_fee": s.TAOFee, "alpha_fee": s.AlphaFee, "tao_slippage": 0, "alpha_slippage": 0,
	})
}

func encode(t testing.TB, rt *chain.Runtime, trait, method string, v any) []byte {
	m := rt.Metadata()
	def := m.API(trait, method)
	if def == nil {
		return nil
	}
	b, err := m.Encode(nil, def.Output, v)
	if err != nil {
		t.Errorf("%s_%s: %v", trait, method, err)
	}
	return b
}

type held struct {
	hotkey tao.Account
	netuid tao.NetUID
	amount tao.Alpha
}

// own gives alice stake, in the way of the runtime's generation.
func own(t testing.TB, n *testnode.Node, list []held) {
	rt := n.Runtime()
	var hotkeys []tao.Account
	infos := []any{}
	for _, h := range list {
		hotkeys = append(hotkeys, h.hotkey)
		infos = append(infos, map[string]any{
			"hotkey": h.hotkey, "coldkey": alice, "netuid": h.netuid, "stake": h.amount,
			"locked": 0, "emission": 0, "tao_emission": 0, "drain": 0, "is_registered": true,
		})
		if has(n, module, "TotalHotkeyStake") {
			n.Set(module, "Stake", h.amount, h.hotkey, alice)
			continue
		}
		set(n, module, "TotalHotkeyAlpha", 2*h.amount, h.hotkey, h.netuid)
		if n.Runtime().Metadata().API("StakeInfoRuntimeApi", "get_stake_info_for_coldkeys") == nil {
			n.Set(module, "TotalHotkeyShares", 2*h.amount, h.hotkey, h.netuid)
			n.Set(module, "Alpha", h.amount, h.hotkey, alice, h.netuid)
		}
	}
	set(n, module, "StakingHotkeys", hotkeys, alice)
	n.OnAPI("StakeInfoRuntimeApi_get_stake_info_for_coldkeys", func([]byte) ([]byte, error) {
		return encode(t, rt, "StakeInfoRuntimeApi", "get_stake_info_for_coldkeys", []any{[]any{alice, infos}}), nil
	})
}

func viewOf(t testing.TB, n *testnode.Node) *chain.View {
	t.Helper()
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Every call that this package plans exists on every runtime that is known, in
// that runtime's own form, or is refused by the name of what is missing.
func TestSurface(t *testing.T) {
	terms := stake.Terms{Tolerance: stake.DefaultTolerance, AcceptNoLimit: true}
	for _, name := range fixture.Names(t) {
		n := start(t, name)
		own(t, n, []held{{valid, 0, 40 * tao.OneAlpha}})
		netuid := tao.NetUID(0)
		if has(n, module, "SubnetTAO") {
			netuid = 1
			own(t, n, []held{{valid, 0, 40 * tao.OneAlpha}, {valid, 1, 40 * tao.OneAlpha}, {other, 1, tao.OneAlpha}})
		}
		v := viewOf(t, n)
		move := stake.Move{Coldkey: alice, Hotkey: valid, NetUID: 1, ToHotkey: other, ToNetUID: 1, Amount: tao.OneAlpha, Terms: terms}
		swap, both, give := move, move, move
		swap.ToHotkey, swap.ToNetUID = valid, 2
		both.ToNetUID = 2
		give.ToHotkey, give.ToColdkey = valid, &bob
		for _, i := range []stake.Intent{
			stake.Add{Coldkey: alice, Hotkey: valid, NetUID: 0, Amount: tao.TAO, Terms: terms},
			stake.Add{Coldkey: alice, Hotkey: valid, NetUID: netuid, Amount: tao.TAO, Terms: terms},
			stake.Add{Coldkey: alice, Hotkey: valid, NetUID: 0, All: true, Terms: terms},
			stake.Remove{Coldkey: alice, Hotkey: valid, NetUID: netuid, Amount: tao.OneAlpha, Terms: terms},
			stake.Remove{Coldkey: alice, Hotkey: valid, NetUID: netuid, All: true, Terms: terms},
			move, swap, both, give,
		} {
			p, err := stake.Plan(t.Context(), v, i)
			var missing *chain.MissingError
			if errors.As(err, &missing) {
				continue
			}
			if err != nil {
				t.Errorf("%s: %+v: %v", name, i, err)
				continue
			}
			if _, err := v.Runtime().Encode(p.Call); err != nil {
				t.Errorf("%s: %s: %v", name, p.Call, err)
			}
		}
	}
}
