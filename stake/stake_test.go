package stake_test

import (
	"errors"
	"fmt"
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

// Each generation has its own calls: limits where there are some, and what is
// missing is named.
func TestCalls(t *testing.T) {
	terms := stake.Terms{Tolerance: stake.DefaultTolerance, AcceptNoLimit: true}
	const missing = ""
	add := stake.Add{Coldkey: alice, Hotkey: valid, NetUID: 1, Amount: tao.TAO, Terms: terms}
	remove := stake.Remove{Coldkey: alice, Hotkey: valid, NetUID: 1, Amount: tao.OneAlpha, Terms: terms}
	within := stake.Move{Coldkey: alice, Hotkey: valid, NetUID: 1, ToHotkey: other, ToNetUID: 1, Amount: tao.OneAlpha, Terms: terms}
	everything, swap, across, give := remove, within, within, within
	everything.All = true
	swap.ToHotkey, swap.ToNetUID = valid, 2
	across.ToNetUID = 2
	give.ToHotkey, give.ToColdkey = valid, &bob
	for name, want := range map[string][]string{
		"testfinney-103-v14": {missing, missing, missing, missing, missing, missing, missing},
		"raonet-218-v14":     {"add_stake", "remove_stake", "remove_stake", "move_stake", "move_stake", "move_stake", missing},
		"devnet-240-v15":     {"add_stake_limit", "remove_stake_limit", "remove_stake_limit", "move_stake", "swap_stake_limit", "move_stake", "transfer_stake"},
		"finney-393-v16":     {"add_stake_limit", "remove_stake_limit", "remove_stake_full_limit", "move_stake", "swap_stake_limit", "move_stake", "transfer_stake"},
		"localnet-461-v15":   {"add_stake_limit", "remove_stake_limit", "remove_stake_full_limit", "move_stake", "swap_stake_limit", "move_stake_limit", "transfer_stake"},
	} {
		n := start(t, name)
		if has(n, module, "SubnetTAO") {
			own(t, n, []held{{valid, 1, 40 * tao.OneAlpha}})
		}
		v := viewOf(t, n)
		for i, intent := range []stake.Intent{add, remove, everything, within, swap, across, give} {
			p, err := stake.Plan(t.Context(), v, intent)
			var lacks *chain.MissingError
			switch {
			case want[i] == missing && !errors.As(err, &lacks):
				t.Errorf("%s, intent %d: %s, %v", name, i, p.Call.Name, err)
			case want[i] != missing && (err != nil || p.Call.Name != want[i]):
				t.Errorf("%s, intent %d: %s, %v; want %s", name, i, p.Call.Name, err, want[i])
			}
		}
	}
}

// Without agreement to any price nothing is planned that trades without a
// limit; with limits none is needed.
func TestNoLimit(t *testing.T) {
	across := stake.Move{Coldkey: alice, Hotkey: valid, NetUID: 1, ToHotkey: other, ToNetUID: 2, Amount: tao.OneAlpha}
	for _, c := range []struct {
		metadata string
		intent   stake.Intent
		refused  bool
	}{
		{"raonet-218-v14", stake.Add{Coldkey: alice, Hotkey: valid, NetUID: 1, Amount: tao.TAO}, true},
		{"raonet-218-v14", stake.Add{Coldkey: alice, Hotkey: valid, NetUID: 0, Amount: tao.TAO}, false},
		{"raonet-218-v14", stake.Remove{Coldkey: alice, Hotkey: valid, NetUID: 1, Amount: tao.OneAlpha}, true},
		{"raonet-218-v14", across, true},
		{"finney-393-v16", across, true},
		{"localnet-461-v15", across, false},
	} {
		n := start(t, c.metadata)
		own(t, n, []held{{valid, 1, 40 * tao.OneAlpha}})
		terms := stake.Terms{Tolerance: stake.DefaultTolerance}
		switch i := c.intent.(type) {
		case stake.Add:
			i.Terms, c.intent = terms, i
		case stake.Remove:
			i.Terms, c.intent = terms, i
		case stake.Move:
			i.Terms = terms
			c.intent = i
		}
		_, err := stake.Plan(t.Context(), viewOf(t, n), c.intent)
		var unlimited *stake.NoLimitError
		if errors.As(err, &unlimited) != c.refused || !c.refused && err != nil {
			t.Errorf("%s, %T: %v", c.metadata, c.intent, err)
		}
	}
}

// What the chain would refuse is refused by the type of what is wrong.
func TestRefusals(t *testing.T) {
	n := start(t, "finney-393-v16")
	own(t, n, []held{{valid, 1, 40 * tao.OneAlpha}})
	n.Set(module, "SubtokenEnabled", false, 2)
	n.Set(module, "StakingHotkeys", []tao.Account{valid}, other2)
	v := viewOf(t, n)
	terms := stake.Terms{Tolerance: tao.OnePercent}
	add := func(h tao.Account, id tao.NetUID, amount tao.Amount) stake.Intent {
		return stake.Add{Coldkey: alice, Hotkey: h, NetUID: id, Amount: amount, Terms: terms}
	}
	remove := func(h tao.Account, id tao.NetUID, amount tao.Alpha) stake.Intent {
		return stake.Remove{Coldkey: alice, Hotkey: h, NetUID: id, Amount: amount, Terms: terms}
	}
	for what, c := range map[string]struct {
		intent stake.Intent
		is     func(error) bool
	}{
		"no such subnet":      {add(valid, 9, tao.TAO), as[*subnet.UnknownError]},
		"never registered":    {add(bob, 1, tao.TAO), as[*stake.HotkeyError]},
		"somebody's coldkey":  {add(other2, 1, tao.TAO), as[*stake.HotkeyError]},
		"own coldkey":         {add(alice, 1, tao.TAO), as[*stake.HotkeyError]},
		"not started":         {add(valid, 2, tao.TAO), as[*stake.ClosedError]},
		"below the minimum":   {add(valid, 1, 1_000_000), as[*stake.BelowMinimumError]},
		"past the price":      {add(valid, 1, 500*tao.TAO), as[*stake.PriceError]},
		"more than is staked": {remove(valid, 1, 41*tao.OneAlpha), as[*stake.NotStakedError]},
		"nothing staked":      {remove(other, 1, tao.OneAlpha), as[*stake.NotStakedError]},
		"dust":                {remove(valid, 1, 100), as[*stake.BelowMinimumError]},
	} {
		if _, err := stake.Plan(t.Context(), v, c.intent); !c.is(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := stake.Plan(t.Context(), v, add(valid, 1, tao.TAO), add(valid, 1, tao.TAO)); err == nil {
		t.Error("one place twice in a batch")
	}
}

var other2 = testnode.NewKey("somebody").Account()

func as[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// The bound inside the call is what the preview promises.
func TestBound(t *testing.T) {
	n := start(t, "finney-393-v16")
	own(t, n, []held{{valid, 1, 400 * tao.OneAlpha}})
	v := viewOf(t, n)
	p, err := stake.Plan(t.Context(), v, stake.Add{Coldkey: alice, Hotkey: valid, NetUID: 1, Amount: 100 * tao.TAO, Terms: stake.Terms{Tolerance: 5 * tao.OnePercent}})
	if err != nil {
		t.Fatal(err)
	}
	shown := p.Preview.(stake.Preview)
	if p.Call.Args["limit_price"] != tao.Amount(525_000_000) || *shown.Limit != 525_000_000 || p.Call.Args["allow_partial"] != false {
		t.Errorf("%s", p.Call)
	}
	// 100 TAO less a fee of 33/65535, at 0.525 at the worst.
	if fee := *shown.FeeTAO; fee != 50_354_772 || *shown.LeastAlpha != 190_380_276_624 || *shown.AboutAlpha < *shown.LeastAlpha {
		t.Errorf("%+v: fee %s, least %s, about %s", shown, fee, shown.LeastAlpha, shown.AboutAlpha)
	}
	batch, err := stake.Plan(t.Context(), v,
		stake.Add{Coldkey: alice, Hotkey: valid, NetUID: 1, Amount: tao.TAO, Terms: stake.Terms{Tolerance: 5 * tao.OnePercent}},
		stake.Add{Coldkey: alice, Hotkey: other, NetUID: 1, Amount: tao.TAO, Terms: stake.Terms{Tolerance: 5 * tao.OnePercent}})
	if err != nil || batch.Call.Name != "batch_all" || *batch.Spend != 2*tao.TAO {
		t.Fatalf("%s, %v", batch.Call, err)
	}
	two := batch.Preview.([]any)
	if first, second := two[0].(stake.Preview), two[1].(stake.Preview); *second.AboutAlpha >= *first.AboutAlpha {
		t.Errorf("the second meets the price that the first leaves: %s, %s", first.AboutAlpha, second.AboutAlpha)
	}
}

// many is a coldkey with so many positions.
func many(t testing.TB, count int) *testnode.Node {
	n := start(t, "finney-393-v16")
	list := make([]held, count)
	for i := range list {
		list[i] = held{testnode.NewKey(fmt.Sprint("hotkey", i)).Account(), tao.NetUID(i % 3), tao.Alpha(i+1) * tao.OneAlpha}
	}
	own(t, n, list)
	return n
}

// How often a node is asked does not grow with the number of positions.
func TestRequestsDoNotGrow(t *testing.T) {
	asked := func(count int) (calls, positions int) {
		n := many(t, count)
		v := viewOf(t, n)
		before := n.Calls("state_call") + n.Calls("state_queryStorageAt") + n.Calls("state_getStorage") + n.Calls("state_getKeysPaged")
		h, err := stake.Of(t.Context(), v, alice)
		if err != nil {
			t.Fatal(err)
		}
		return n.Calls("state_call") + n.Calls("state_queryStorageAt") + n.Calls("state_getStorage") + n.Calls("state_getKeysPaged") - before, len(h.Positions)
	}
	one, first := asked(1)
	all, held := asked(500)
	if first != 1 || held != 500 || one == 0 || all != one {
		t.Errorf("%d requests for %d positions, %d for %d", one, first, all, held)
	}
}

func BenchmarkOf(b *testing.B) {
	for _, count := range []int{1, 100, 1000, 10000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			v := viewOf(b, many(b, count))
			for b.Loop() {
				if h, err := stake.Of(b.Context(), v, alice); err != nil || len(h.Positions) != count {
					b.Fatal(len(h.Positions), err)
				}
			}
		})
	}
}
