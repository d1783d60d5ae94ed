package register_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/register"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

const (
	raonet   = "raonet-218-v14"
	finney   = "finney-393-v16"
	localnet = "localnet-461-v15" // the newest of which there are metadata: register burns
)

var (
	alice = testnode.NewKey("alice").Account() // a coldkey
	bob   = testnode.NewKey("bob").Account()   // another
	miner = testnode.NewKey("miner").Account() // a new hotkey
	other = testnode.NewKey("other").Account() // a hotkey that is registered, bob's
)

const subnet = tao.NetUID(1)

// newNode starts a chain with subnet 1: one neuron, a burn of 2 TAO, a
// difficulty that a test meets at once.
func newNode(t *testing.T, metadata string) *testnode.Node {
	t.Helper()
	n := testnode.New(t, testnode.Config{Metadata: metadata, Manual: true})
	n.Fund(alice, 10*tao.TAO)
	set := func(item string, value any, keys ...any) { n.Set("SubtensorModule", item, value, keys...) }
	set("NetworksAdded", true, subnet)
	set("SubnetworkN", 1, subnet)
	set("MaxAllowedUids", 4, subnet)
	set("Uids", 0, subnet, other)
	set("Keys", other, subnet, 0)
	set("Owner", bob, other)
	set("BlockAtRegistration", 0, subnet, 0)
	set("ImmunityPeriod", 10, subnet)
	set("Burn", 2*tao.TAO, subnet)
	set("MinBurn", tao.TAO, subnet)
	set("MaxBurn", 100*tao.TAO, subnet)
	set("Difficulty", 50, subnet)
	set("MaxRegistrationsPerBlock", 1, subnet)
	set("TargetRegistrationsPerInterval", 2, subnet)
	set("AdjustmentInterval", 100, subnet)
	if metadata != "testfinney-103-v14" {
		set("NetworkRegistrationAllowed", true, subnet)
		set("NetworkPowRegistrationAllowed", true, subnet)
	}
	return n
}

func clientOf(t *testing.T, n *testnode.Node) *chain.Client {
	t.Helper()
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func viewOf(t *testing.T, c *chain.Client) *chain.View {
	t.Helper()
	v, err := c.At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What a runtime does with work decides whether money is burnt, so every
// generation that is known has its row.
func TestRuleOf(t *testing.T) {
	legacy := func(o powsolver.Order) register.Rule {
		return register.Rule{Seal: powsolver.Legacy, Order: o, Signer: register.ByHotkey, Window: 2}
	}
	for _, test := range []struct {
		metadata string
		spec     uint32
		want     register.Rule
		refused  bool
		burns    bool
	}{
		{metadata: "testfinney-103-v14", spec: 103, refused: true},
		{metadata: raonet, spec: 120, refused: true},
		{metadata: raonet, spec: 121, want: legacy(powsolver.BigEndian)},
		{metadata: raonet, spec: 218, want: legacy(powsolver.BigEndian)},
		{metadata: finney, spec: 277, want: legacy(powsolver.BigEndian)},
		{metadata: finney, spec: 278, refused: true},
		{metadata: finney, spec: 282, refused: true},
		{metadata: finney, spec: 283, want: legacy(powsolver.LittleEndian)},
		{metadata: finney, spec: 393, want: legacy(powsolver.LittleEndian)},
		{metadata: finney, spec: 400, want: legacy(powsolver.LittleEndian)},
		{metadata: finney, spec: 401, refused: true, burns: true},
		{metadata: localnet, spec: 461, refused: true, burns: true},
		// Whatever number it gives itself: its names say that register burns.
		{metadata: localnet, spec: 218, refused: true, burns: true},
		{metadata: localnet, spec: 393, refused: true, burns: true},
	} {
		m, err := scale.ParseMetadata(fixture.Metadata(t, test.metadata))
		if err != nil {
			t.Fatal(err)
		}
		got, err := register.RuleOf(chain.NewRuntime(chain.Spec{SpecVersion: test.spec}, m))
		var none *register.NoWorkError
		switch {
		case test.refused && (!errors.As(err, &none) || none.Burns != test.burns || none.Spec != test.spec):
			t.Errorf("%s as %d: %v", test.metadata, test.spec, err)
		case !test.refused && (err != nil || got != test.want):
			t.Errorf("%s as %d: %+v, %v; want %+v", test.metadata, test.spec, got, err, test.want)
		}
	}
}

// Everything that this package reads and calls exists on every runtime that is
// known, or is left out with a reason.
func TestSurface(t *testing.T) {
	for _, name := range fixture.Names(t) {
		v := viewOf(t, clientOf(t, newNode(t, name)))
		if _, err := register.Costs(t.Context(), v, subnet); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := register.StatusOf(t.Context(), v, []tao.Account{other}, []tao.NetUID{subnet}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		burn, err := register.Burn{Coldkey: alice, Hotkey: miner, NetUID: subnet}.Plan(t.Context(), v)
		var closed *register.ClosedError
		if name == "testfinney-103-v14" {
			if !errors.As(err, &closed) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		root, err := register.Root{Coldkey: alice, Hotkey: miner}.Plan(t.Context(), v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, call := range []chain.Call{burn.Call, root.Call} {
			if _, err := v.Runtime().Encode(call); err != nil {
				t.Errorf("%s: %s: %v", name, call, err)
			}
		}
	}
}

func TestBurnPlan(t *testing.T) {
	v := viewOf(t, clientOf(t, newNode(t, finney)))
	three := 3 * tao.TAO
	p, err := register.Burn{Coldkey: alice, Hotkey: miner, NetUID: subnet, Max: &three}.Plan(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	preview := p.Preview.(register.BurnPreview)
	if p.Signer != alice || *p.Spend != 2*tao.TAO || preview.Burn != nil || *preview.Checked != three || preview.Keeps != 8*tao.TAO ||
		preview.FreeSlots != 3 || preview.Replaces != nil || len(p.Warnings) != 2 || p.Warnings[0].Code != "no-limit" || p.Warnings[1].Code != "new-hotkey" {
		t.Errorf("%+v, %+v", p, preview)
	}

	// The newest runtime takes the limit into the call.
	v = viewOf(t, clientOf(t, newNode(t, localnet)))
	p, err = register.Burn{Coldkey: alice, Hotkey: miner, NetUID: subnet, Max: &three}.Plan(t.Context(), v)
	if err != nil || p.Call.Name != "register_limit" || p.Call.Args["limit_price"] != three || *p.Preview.(register.BurnPreview).Burn != three {
		t.Errorf("%s, %v", p.Call, err)
	}
	// Without a limit from its user, the price that is shown is the limit.
	p, err = register.Burn{Coldkey: alice, Hotkey: miner, NetUID: subnet}.Plan(t.Context(), v)
	if err != nil || p.Call.Args["limit_price"] != 2*tao.TAO {
		t.Errorf("%s, %v", p.Call, err)
	}
}

func TestBurnRefused(t *testing.T) {
	one := tao.TAO
	for _, test := range []struct {
		name string
		set  func(n *testnode.Node)
		burn register.Burn
		want any
	}{
		{"too dear", nil, register.Burn{Coldkey: alice, Hotkey: miner, NetUID: subnet, Max: &one}, new(*register.PriceError)},
		{"no such subnet", nil, register.Burn{Coldkey: alice, Hotkey: miner, NetUID: 9}, new(*register.UnknownSubnetError)},
		{"root", nil, register.Burn{Coldkey: alice, Hotkey: miner}, new(*register.UnknownSubnetError)},
		{"registered", nil, register.Burn{Coldkey: bob, Hotkey: other, NetUID: subnet}, new(*register.RegisteredError)},
		{"another's hotkey", func(n *testnode.Node) { n.Set("SubtensorModule", "Owner", bob, miner) },
			register.Burn{Coldkey: alice, Hotkey: miner, NetUID: subnet}, new(*register.NotOwnerError)},
		{"switched off", func(n *testnode.Node) { n.Set("SubtensorModule", "NetworkRegistrationAllowed", false, subnet) },
			register.Burn{Coldkey: alice, Hotkey: miner, NetUID: subnet}, new(*register.ClosedError)},
		{"no slots", func(n *testnode.Node) { n.Set("SubtensorModule", "MaxAllowedUids", 0, subnet) },
			register.Burn{Coldkey: alice, Hotkey: miner, NetUID: subnet}, new(*register.ClosedError)},
		{"interval used up", func(n *testnode.Node) { n.Set("SubtensorModule", "RegistrationsThisInterval", 6, subnet) },
			register.Burn{Coldkey: alice, Hotkey: miner, NetUID: subnet}, new(*register.IntervalError)},
	} {
		n := newNode(t, finney)
		if test.set != nil {
			test.set(n)
		}
		if _, err := test.burn.Plan(t.Context(), viewOf(t, clientOf(t, n))); !errors.As(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// The forecast is the chain's own reckoning, in coinbase/block_step.rs.
func TestForecast(t *testing.T) {
	for _, test := range []struct {
		taken, work, burn uint16
		alpha             uint64
		price, want       tao.Amount
	}{
		{0, 0, 0, 0, 4 * tao.TAO, 2 * tao.TAO},       // nobody came: half
		{2, 0, 2, 0, 4 * tao.TAO, 4 * tao.TAO},       // case D: few, most of them by burn: only the difficulty falls
		{2, 2, 0, 0, 4 * tao.TAO, 4 * tao.TAO},       // case C, as many as aimed at: (2+2)/4
		{6, 0, 6, 0, 4 * tao.TAO, 8 * tao.TAO},       // case B: (6+2)/4
		{6, 6, 0, 0, 4 * tao.TAO, 4 * tao.TAO},       // case A: only the difficulty rises
		{6, 3, 3, 0, 4 * tao.TAO, 8 * tao.TAO},       // case F
		{0, 0, 0, 1 << 63, 4 * tao.TAO, 3 * tao.TAO}, // alpha of one half: half of the way
		{0, 0, 0, 0, tao.TAO, tao.TAO},               // never below the least
		{6, 0, 6, 0, 90 * tao.TAO, 100 * tao.TAO},    // nor above the most
	} {
		n := newNode(t, finney)
		set := func(item string, value any) { n.Set("SubtensorModule", item, value, subnet) }
		set("Burn", test.price)
		set("RegistrationsThisInterval", test.taken)
		set("POWRegistrationsThisInterval", test.work)
		set("BurnRegistrationsThisInterval", test.burn)
		set("AdjustmentAlpha", test.alpha)
		list, err := register.Costs(t.Context(), viewOf(t, clientOf(t, n)), subnet)
		if err != nil {
			t.Fatal(err)
		}
		if c := list[0]; *c.NextBurn != test.want || *c.NextBlock != 100 || c.Limit != 6 || c.AfterOne != nil {
			t.Errorf("%+v: next %s at %d, limit %d", test, c.NextBurn, *c.NextBlock, c.Limit)
		}
	}
}

// From 401 on the price falls by half in a half-life and rises with each
// registration.
func TestForecastFalling(t *testing.T) {
	n := newNode(t, localnet)
	n.Set("SubtensorModule", "BurnHalfLife", 360, subnet)
	n.Set("SubtensorModule", "BurnIncreaseMult", map[string]any{"bits": json.Number("23242897532874035036")}, subnet) // 1.26
	list, err := register.Costs(t.Context(), viewOf(t, clientOf(t, n)), subnet)
	if err != nil {
		t.Fatal(err)
	}
	if c := list[0]; *c.NextBurn != tao.TAO || *c.NextBlock != 360 || *c.AfterOne < 2_519_999_999 || *c.AfterOne > 2_520_000_000 || c.Limit != 0 || c.Work {
		t.Errorf("%+v: next %s at %d, after one %s", c, c.NextBurn, *c.NextBlock, c.AfterOne)
	}
}

// The number of requests does not grow with the number of subnets.
func TestCostsRoundTrips(t *testing.T) {
	requests := func(count int) int {
		n := newNode(t, finney)
		var netuids []tao.NetUID
		for i := 1; i <= count; i++ {
			netuids = append(netuids, tao.NetUID(i))
			n.Set("SubtensorModule", "NetworksAdded", true, tao.NetUID(i))
		}
		v := viewOf(t, clientOf(t, n))
		before := n.Calls("state_queryStorageAt")
		if _, err := register.Costs(t.Context(), v, netuids...); err != nil {
			t.Fatal(err)
		}
		return n.Calls("state_queryStorageAt") - before
	}
	if one, many := requests(1), requests(100); one == 0 || one != many {
		t.Errorf("%d requests for one subnet, %d for a hundred", one, many)
	}
}

func TestStatusAndPruning(t *testing.T) {
	n := newNode(t, finney)
	owner, young, low := testnode.NewKey("owner").Account(), testnode.NewKey("young").Account(), testnode.NewKey("low").Account()
	set := func(item string, value any, keys ...any) { n.Set("SubtensorModule", item, value, keys...) }
	set("SubnetworkN", 4, subnet)
	set("SubnetOwnerHotkey", owner, subnet)
	set("PruningScores", []uint16{5, 0, 0, 3}, subnet)
	for uid, h := range []tao.Account{1: owner, 2: young, 3: low} {
		if uid > 0 {
			set("Keys", h, subnet, uid)
			set("Uids", uid, subnet, h)
		}
	}
	n.BuildN(20)
	set("BlockAtRegistration", 15, subnet, 2) // immune until 25
	n.Build()
	v := viewOf(t, clientOf(t, n))
	list, err := register.StatusOf(t.Context(), v, []tao.Account{low, other, young, owner, miner}, []tao.NetUID{subnet})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 2, 3, 4} {
		if s := list[i]; !s.Registered || *s.Rank != want || s.Neurons != 4 {
			t.Errorf("%d: %+v, rank %d", i, s, *s.Rank)
		}
	}
	if s := list[2]; *s.UID != 2 || *s.Since != 15 || *s.ImmuneUntil != 25 {
		t.Errorf("young: %+v", s)
	}
	if s := list[4]; s.Registered || s.UID != nil || s.Coldkey != nil {
		t.Errorf("a stranger: %+v", s)
	}
	if s := list[1]; s.Coldkey == nil || *s.Coldkey != bob {
		t.Errorf("the coldkey of %s: %v", other, s.Coldkey)
	}
	costs, err := register.Costs(t.Context(), v, subnet)
	if err != nil {
		t.Fatal(err)
	}
	next, err := register.NextPruned(t.Context(), v, costs[0])
	if err != nil || next == nil || next.UID != 3 || next.Hotkey != low {
		t.Errorf("%+v, %v", next, err)
	}
}

// solve finds a nonce as a solver would.
func solve(t *testing.T, p powsolver.Puzzle) uint64 {
	t.Helper()
	for nonce := range uint64(1 << 20) {
		if _, meets := powsolver.Verify(p, nonce); meets {
			return nonce
		}
	}
	t.Fatal("nothing found")
	return 0
}

func TestWorkPlan(t *testing.T) {
	for _, metadata := range []string{raonet, finney} {
		n := newNode(t, metadata)
		c := clientOf(t, n)
		n.BuildN(3)
		w := register.Work{Coldkey: alice, Hotkey: miner, NetUID: subnet}
		ch, err := w.Challenge(t.Context(), viewOf(t, c))
		if err != nil {
			t.Fatal(err)
		}
		nonce := solve(t, ch.Puzzle)
		p, err := ch.Plan(t.Context(), viewOf(t, c), nonce)
		if err != nil {
			t.Fatal(err)
		}
		seal, _ := powsolver.Verify(ch.Puzzle, nonce)
		if p.Signer != miner || p.Call.Name != "register" || p.Call.Args["block_number"] != uint64(3) || p.Call.Args["nonce"] != nonce ||
			string(p.Call.Args["work"].([]byte)) != string(seal[:]) || p.Call.Args["coldkey"] != alice {
			t.Errorf("%s: %+v", metadata, p)
		}
		if _, err := viewOf(t, c).Runtime().Encode(p.Call); err != nil {
			t.Error(err)
		}
		// One block later it is still in time for the next, two later it is not.
		n.Build()
		if _, err := ch.Plan(t.Context(), viewOf(t, c), nonce); err != nil {
			t.Errorf("%s, one block later: %v", metadata, err)
		}
		n.Build()
		var stale *register.StaleError
		if _, err := ch.Plan(t.Context(), viewOf(t, c), nonce); !errors.As(err, &stale) || stale.Work != 3 || stale.Head != 5 {
			t.Errorf("%s, two blocks later: %v", metadata, err)
		}
	}
}

func TestWorkRefused(t *testing.T) {
	work := register.Work{Coldkey: alice, Hotkey: miner, NetUID: subnet}
	for _, test := range []struct {
		name, metadata string
		set            func(n *testnode.Node)
		want           any
	}{
		{"not allowed", finney, func(n *testnode.Node) { n.Set("SubtensorModule", "NetworkPowRegistrationAllowed", false, subnet) }, new(*register.ClosedError)},
		{"interval", finney, func(n *testnode.Node) { n.Set("SubtensorModule", "RegistrationsThisInterval", 6, subnet) }, new(*register.IntervalError)},
		{"in already", finney, func(n *testnode.Node) { n.Set("SubtensorModule", "Uids", 0, subnet, miner) }, new(*register.RegisteredError)},
		{"another's", finney, func(n *testnode.Node) { n.Set("SubtensorModule", "Owner", bob, miner) }, new(*register.NotOwnerError)},
		{"old", "testfinney-103-v14", nil, new(*register.NoWorkError)},
	} {
		n := newNode(t, test.metadata)
		if test.set != nil {
			test.set(n)
		}
		if _, err := work.Challenge(t.Context(), viewOf(t, clientOf(t, n))); !errors.As(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	// Where register burns, the refusal tells the price, and there is no plan.
	var none *register.NoWorkError
	_, err := work.Challenge(t.Context(), viewOf(t, clientOf(t, newNode(t, localnet))))
	if !errors.As(err, &none) || !none.Burns || none.Price == nil || *none.Price != 2*tao.TAO {
		t.Errorf("a runtime that burns: %v", err)
	}
}

// Work is checked again before it is planned: a risen difficulty, another
// fork, a wrong nonce.
func TestWorkChecked(t *testing.T) {
	n := newNode(t, finney)
	n.BuildN(2)
	c := clientOf(t, n)
	ch, err := register.Work{Coldkey: alice, Hotkey: miner, NetUID: subnet}.Challenge(t.Context(), viewOf(t, c))
	if err != nil {
		t.Fatal(err)
	}
	nonce := solve(t, ch.Puzzle)
	wrong := nonce + 1
	for _, meets := powsolver.Verify(ch.Puzzle, wrong); meets; _, meets = powsolver.Verify(ch.Puzzle, wrong) {
		wrong++
	}
	var bad *register.WrongWorkError
	if _, err := ch.Plan(t.Context(), viewOf(t, c), wrong); !errors.As(err, &bad) || bad.Nonce != wrong {
		t.Errorf("a wrong nonce: %v", err)
	}
	forked := ch
	forked.Puzzle.Block[0] ^= 1
	var stale *register.StaleError
	if _, err := forked.Plan(t.Context(), viewOf(t, c), nonce); !errors.As(err, &stale) {
		t.Errorf("another fork: %v", err)
	}
	n.Set("SubtensorModule", "Difficulty", uint64(1<<63), subnet)
	n.Build()
	if _, err := ch.Plan(t.Context(), viewOf(t, c), nonce); !errors.As(err, &bad) || bad.Difficulty != 1<<63 {
		t.Errorf("a risen difficulty: %v", err)
	}
}

func solver(t *testing.T) *powsolver.Solver {
	t.Helper()
	e, _ := powsolver.Select()
	if e == nil {
		t.Fatal("no engine agrees with the definition")
	}
	return powsolver.NewSolver(e.Worker())
}

// A search moves to each new block, and what it finds is for the newest: the
// first puzzle here cannot be solved, the second at once.
func TestSearchFollowsHeads(t *testing.T) {
	n := newNode(t, finney)
	n.Set("SubtensorModule", "Difficulty", ^uint64(0), subnet)
	n.BuildN(2)
	c := clientOf(t, n)
	var blocks []uint32
	ch, nonce, err := register.Search(t.Context(), c, solver(t), register.Work{Coldkey: alice, Hotkey: miner, NetUID: subnet}, func(ch register.Challenge) {
		blocks = append(blocks, ch.Block)
		if len(blocks) == 1 {
			n.Set("SubtensorModule", "Difficulty", 50, subnet)
			go n.Build()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if ch.Block != 3 || len(blocks) != 2 {
		t.Errorf("found for block %d, after %v", ch.Block, blocks)
	}
	if _, err := ch.Plan(t.Context(), viewOf(t, c), nonce); err != nil {
		t.Error(err)
	}
}

// A subnet that closes meanwhile, a line that breaks and a person's Ctrl-C end
// the search.
func TestSearchEnds(t *testing.T) {
	work := register.Work{Coldkey: alice, Hotkey: miner, NetUID: subnet}
	for _, test := range []struct {
		name string
		do   func(n *testnode.Node, cancel context.CancelFunc)
		want any
	}{
		{"closed", func(n *testnode.Node, _ context.CancelFunc) {
			n.Set("SubtensorModule", "NetworkPowRegistrationAllowed", false, subnet)
			n.Build()
		}, new(*register.ClosedError)},
		{"registered by another way", func(n *testnode.Node, _ context.CancelFunc) {
			n.Set("SubtensorModule", "Uids", 1, subnet, miner)
			n.Build()
		}, new(*register.RegisteredError)},
		{"cancelled", func(_ *testnode.Node, cancel context.CancelFunc) { cancel() }, nil},
	} {
		n := newNode(t, finney)
		n.Set("SubtensorModule", "Difficulty", ^uint64(0), subnet)
		n.BuildN(2)
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := register.Search(ctx, clientOf(t, n), solver(t), work, func(register.Challenge) { go test.do(n, cancel) })
		cancel()
		if test.want == nil && !errors.Is(err, context.Canceled) || test.want != nil && !errors.As(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
