package devnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// What goes into a block, and in which order.
func TestPool(t *testing.T) {
	for _, c := range []struct {
		name   string
		send   []letter
		blocks int
		want   string // what was done, in order
		left   int    // what waits
	}{
		{"by arrival", []letter{{'b', 0, 0, 1}, {'a', 0, 0, 1}}, 1, "b0a0", 0},
		{"by priority", []letter{{'a', 0, 1, 1}, {'b', 0, 2, 1}}, 1, "b0a0", 0},
		{"a sender's own in their order", []letter{{'a', 1, 9, 1}, {'a', 0, 1, 1}, {'b', 0, 5, 1}}, 1, "b0a0a1", 0},
		{"one that comes too early", []letter{{'a', 2, 0, 1}, {'a', 0, 0, 1}}, 2, "a0", 1},
		{"its gap is filled later", []letter{{'a', 2, 0, 1}, {'a', 0, 0, 1}, {'a', 1, 0, 1}}, 1, "a0a1a2", 0},
		{"a dearer one replaces", []letter{{'a', 0, 1, 1}, {'a', 0, 2, 2}}, 1, "a0", 0},
		{"a block is full", []letter{{'a', 0, 0, 6}, {'b', 0, 0, 6}, {'c', 0, 0, 1}}, 1, "a0", 2},
		{"the rest comes into the next", []letter{{'a', 0, 0, 6}, {'b', 0, 0, 6}, {'c', 0, 0, 1}}, 2, "a0b0c0", 0},
		{"one that the runtime refuses in the block", []letter{{'x', 0, 9, 1}, {'a', 0, 0, 1}}, 1, "a0", 0},
		{"one whose time is over", []letter{{'a', 1, 0, 1}}, 6, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			net := toyChain(t, Options{Manual: true})
			send(t, net, c.send...)
			for range c.blocks {
				build(t, net)
			}
			if got := net.log(); got != c.want {
				t.Errorf("done: %s, want %s", got, c.want)
			}
			if got := len(ask[[]string](t, net, "author_pendingExtrinsics")); got != c.left {
				t.Errorf("%d wait, want %d", got, c.left)
			}
		})
	}
}

// What a node answers to an extrinsic that it does not take.
func TestRefused(t *testing.T) {
	net := toyChain(t, Options{Manual: true})
	send(t, net, letter{'a', 0, 1, 1})
	for _, c := range []struct {
		extrinsic string
		code      int
		text      string
	}{
		{letter{'a', 0, 1, 1}.hex(), 1013, "already imported"},
		{letter{'a', 0, 1, 2}.hex(), 1014, "too low"},
		{"0x1061", 1002, "length"},
		{"0x107b000000", 1010, "bad signature"},
		{"1061", -32602, "not hex"},
	} {
		err := net.Transport().Call(t.Context(), nil, "author_submitExtrinsic", c.extrinsic)
		var rpc *chain.RPCError
		if !errors.As(err, &rpc) || rpc.Code != c.code || !strings.Contains(rpc.Error(), c.text) {
			t.Errorf("%s: %v, want %d %s", c.extrinsic, err, c.code, c.text)
		}
	}
	build(t, net)
	err := net.Transport().Call(t.Context(), nil, "author_submitExtrinsic", letter{'a', 0, 1, 1}.hex())
	if err == nil || !strings.Contains(err.Error(), "outdated") {
		t.Errorf("once more after it is done: %v", err)
	}
}

// follow collects a subscription's notices as JSON, until n came.
func follow(t *testing.T, net *Chain, n int, do func(), method string, args ...any) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var list []string
	for notice, err := range net.Transport().Subscribe(ctx, method, args...) {
		if err != nil {
			t.Fatalf("%s after %v: %v", method, list, err)
		}
		list = append(list, string(notice))
		if len(list) == 1 {
			go do()
		}
		if len(list) == n {
			break
		}
	}
	return list
}

// What becomes of an extrinsic is told as it happens.
func TestWatch(t *testing.T) {
	hash := func(b Block, err error) string {
		if err != nil {
			t.Error(err)
		}
		return b.Hash.String()
	}
	for _, c := range []struct {
		name string
		opts Options
		sent letter
		do   func(c *Chain) (blocks []string)
		want []string // %s: the blocks
	}{
		{"done", Options{Manual: true}, letter{'a', 0, 0, 1}, func(c *Chain) []string { return []string{hash(c.Build(t.Context()))} },
			[]string{`"ready"`, `{"inBlock":"%s"}`, `{"finalized":"%s"}`}},
		{"too early", Options{Manual: true}, letter{'a', 1, 0, 1}, func(c *Chain) []string {
			send(t, c, letter{'a', 0, 0, 1})
			return []string{hash(c.Build(t.Context()))}
		}, []string{`"future"`, `{"inBlock":"%s"}`}},
		{"replaced", Options{Manual: true}, letter{'a', 0, 0, 1}, func(c *Chain) []string {
			send(t, c, letter{'a', 0, 3, 1})
			return nil
		}, []string{`"ready"`, `{"usurped":`}},
		{"refused in the block", Options{Manual: true}, letter{'x', 0, 0, 1}, func(c *Chain) []string { return []string{hash(c.Build(t.Context()))} },
			[]string{`"ready"`, `"invalid"`}},
		{"the head moves", Options{Manual: true}, letter{'a', 0, 0, 1}, func(c *Chain) []string {
			if err := c.Restore(0); err != nil {
				t.Error(err)
			}
			return nil
		}, []string{`"ready"`, `"dropped"`}},
		{"reorganized", Options{Manual: true, Lag: 3}, letter{'a', 0, 0, 1}, func(c *Chain) []string {
			first := hash(c.Build(t.Context()))
			if err := c.Reorganize(t.Context(), 1); err != nil {
				t.Error(err)
			}
			return []string{first, first, c.head().hash.String()}
		}, []string{`"ready"`, `{"inBlock":"%s"}`, `{"retracted":"%s"}`, `{"inBlock":"%s"}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			net := toyChain(t, c.opts)
			blocks := make(chan []string, 1)
			got := follow(t, net, len(c.want), func() { blocks <- c.do(net) }, "author_submitAndWatchExtrinsic", c.sent.hex())
			known := <-blocks
			for i, want := range c.want {
				if strings.Contains(want, "%s") && len(known) > 0 {
					want = fmt.Sprintf(want, known[min(max(i-1, 0), len(known)-1)])
				}
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("notice %d: %s, want %s", i, got[i], want)
				}
			}
		})
	}
}

// Blocks are made for what comes, and at an interval.
func TestBuildsByItself(t *testing.T) {
	for name, o := range map[string]Options{"for each": {}, "every": {Every: 20 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			net := toyChain(t, o)
			got := follow(t, net, 3, func() {}, "author_submitAndWatchExtrinsic", letter{'a', 0, 0, 1}.hex())
			if !strings.HasPrefix(got[2], `{"finalized"`) {
				t.Error(got)
			}
		})
	}
}

// Finality lags, heads are told, and one that was forked off stays readable.
func TestHeads(t *testing.T) {
	net := toyChain(t, Options{Manual: true, Lag: 2})
	heads := follow(t, net, 4, func() {
		for range 3 {
			if _, err := net.Build(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}, "chain_subscribeNewHeads")
	for i, h := range heads {
		if !strings.Contains(h, fmt.Sprintf(`"number":"0x%x"`, i)) {
			t.Errorf("head %d: %s", i, h)
		}
	}
	final := ask[tao.Hash](t, net, "chain_getFinalizedHead")
	if one := ask[tao.Hash](t, net, "chain_getBlockHash", 1); final != one {
		t.Errorf("finalized is %s, block 1 is %s", final, one)
	}
	old := ask[tao.Hash](t, net, "chain_getBlockHash", 3)
	if err := net.Reorganize(t.Context(), 3); err == nil {
		t.Error("a finalized block was replaced")
	}
	if err := net.Reorganize(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if now := ask[tao.Hash](t, net, "chain_getBlockHash", 3); now == old {
		t.Error("block 3 is what it was")
	}
	if h := ask[*chain.Header](t, net, "chain_getHeader", old); h == nil || h.Number != 3 {
		t.Errorf("the old block 3: %v", h)
	}
	if got := net.Status().Best.Number; got != 4 {
		t.Errorf("best is %d", got)
	}
	list := ask[[]*tao.Hash](t, net, "chain_getBlockHash", []any{"0x1", 99})
	if len(list) != 2 || *list[0] != final || list[1] != nil {
		t.Errorf("a list of hashes: %v", list)
	}
}

// The clock goes by slots, so the same chain has the same hashes; it can be moved
// on, and not back.
func TestClock(t *testing.T) {
	a, b := toyChain(t, Options{Manual: true}), toyChain(t, Options{Manual: true})
	if build(t, a) != build(t, b) {
		t.Error("the same chain has other hashes")
	}
	if at := a.head().time; !at.Equal(time.Unix(1_700_000_001, 0)) {
		t.Errorf("block 1 is of %v", at)
	}
	later := time.Unix(1_800_000_000, 5)
	ask[int64](t, a, "dev_timeTravel", later.UnixMilli())
	if build(t, a); !a.head().time.Equal(time.Unix(1_800_000_000, 0)) {
		t.Errorf("after the journey: %v", a.head().time)
	}
	for _, back := range []any{1000, "2020-01-01T00:00:00Z", "soon"} {
		if err := a.Transport().Call(t.Context(), nil, "dev_timeTravel", back); err == nil {
			t.Errorf("to %v", back)
		}
	}
	ask[tao.Hash](t, a, "dev_newBlock", map[string]int{"unsafeBlockHeight": 100})
	if n := a.Status().Best.Number; n != 100 {
		t.Errorf("jumped to %d", n)
	}
	if h := ask[*tao.Hash](t, a, "chain_getBlockHash", 50); h != nil {
		t.Errorf("block 50, which was never made: %v", h)
	}
	ask[tao.Hash](t, a, "dev_newBlock", map[string]int{"to": 103})
	if n := a.Status().Best.Number; n != 103 {
		t.Errorf("made up to %d", n)
	}
}

// A snapshot brings back blocks, state and clock.
func TestSnapshot(t *testing.T) {
	net := toyChain(t, Options{Manual: true})
	send(t, net, letter{'a', 0, 0, 1})
	one := build(t, net)
	id := ask[int](t, net, "dev_snapshot")
	ask[tao.Hash](t, net, "dev_setStorage", [][]any{{"0x6c6f67", "0x6869"}, {"0x6b657074", nil}})
	if net.log() != "hi" {
		t.Errorf("set: %q", net.log())
	}
	send(t, net, letter{'a', 1, 0, 1})
	two := build(t, net)
	send(t, net, letter{'a', 2, 0, 1})
	ask[tao.Hash](t, net, "dev_restore", id)
	if s := net.Status(); s.Best != one || net.log() != "a0" || len(net.pending()) != 0 {
		t.Errorf("restored: %v %q, %d wait", s.Best, net.log(), len(net.pending()))
	}
	if v := ask[*string](t, net, "state_getStorage", "0x6b657074", one.Hash); v == nil || *v != "0x" {
		t.Errorf("an empty value that was removed: %v", v)
	}
	ask[tao.Hash](t, net, "dev_setHead", two.Hash)
	if net.log() != "hia1" {
		t.Errorf("the other fork: %q", net.log())
	}
	ask[tao.Hash](t, net, "dev_setHead", 1)
	if got := net.Status().Best; got != one {
		t.Errorf("by number: %v", got)
	}
	for _, bad := range []any{99, tao.Hash{1}, nil} {
		if err := net.Transport().Call(t.Context(), nil, "dev_setHead", bad); err == nil {
			t.Errorf("head %v", bad)
		}
	}
	if err := net.Restore(7); err == nil {
		t.Error("a snapshot that there is none of")
	}
}

// Values are also set by the names of the runtime's metadata; new code is a new
// runtime, for who follows it too.
func TestSetStorage(t *testing.T) {
	net := toyChain(t, Options{Manual: true})
	alice := Accounts()[0].Account
	ask[tao.Hash](t, net, "dev_setStorage", map[string]any{
		"Sudo":            map[string]any{"Key": alice},
		"SubtensorModule": map[string]any{"Burn": [][]any{{[]int{7}, 500}}, "TxRateLimit": 0},
	})
	client, err := chain.NewClient(t.Context(), net.Transport())
	if err != nil {
		t.Fatal(err)
	}
	v, err := client.At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	if key, ok, err := (chain.Item[tao.Account]{Pallet: "Sudo", Name: "Key"}).Get(t.Context(), v); err != nil || !ok || key != alice {
		t.Errorf("sudo: %v %v %v", key, ok, err)
	}
	if burn, ok, err := (chain.Item[uint64]{Pallet: "SubtensorModule", Name: "Burn"}).Get(t.Context(), v, uint16(7)); err != nil || !ok || burn != 500 {
		t.Errorf("burn: %v %v %v", burn, ok, err)
	}
	for _, bad := range []any{
		map[string]any{"Nothing": map[string]any{"Key": 1}}, map[string]any{"Sudo": map[string]any{"Key": "alice"}},
		map[string]any{"SubtensorModule": map[string]any{"Burn": 5}}, "hello", [][]any{{nil, "0x"}}, [][]any{{"x", "0x"}},
	} {
		if err := net.Transport().Call(t.Context(), nil, "dev_setStorage", bad); err == nil {
			t.Errorf("set %v", bad)
		}
	}
	got := follow(t, net, 2, func() { ask[tao.Hash](t, net, "dev_setStorage", [][]string{{"0x3a636f6465", "0x02"}}) }, "state_subscribeRuntimeVersion")
	if !strings.Contains(got[0], `"specVersion":1`) || !strings.Contains(got[1], `"specVersion":2`) {
		t.Error(got)
	}
}

// Changes of storage are told to who follows keys, and only then.
func TestStorageSubscription(t *testing.T) {
	net := toyChain(t, Options{Manual: true})
	got := follow(t, net, 2, func() {
		for _, l := range []letter{{'b', 0, 0, 1}, {'a', 0, 0, 1}} {
			send(t, net, l)
			if _, err := net.Build(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}, "state_subscribeStorage", []string{"0x61", "0x6b657074"})
	var first, second changeJSON
	if err := errors.Join(json.Unmarshal([]byte(got[0]), &first), json.Unmarshal([]byte(got[1]), &second)); err != nil {
		t.Fatal(err)
	}
	if len(first.Changes) != 2 || first.Changes[0][1] != nil || *first.Changes[1][1] != "0x" {
		t.Errorf("at first: %s", got[0])
	}
	if len(second.Changes) != 1 || *second.Changes[0][1] != "0x01" || second.Block != net.head().hash {
		t.Errorf("then: %s", got[1])
	}
}

type changeJSON struct {
	Block   tao.Hash
	Changes [][2]*string
}

// The next number counts what waits.
func TestNextIndex(t *testing.T) {
	net := toyChain(t, Options{Manual: true})
	if n := ask[int](t, net, "system_accountNextIndex", tao.Account{'a'}); n != 0 {
		t.Errorf("at first: %d", n)
	}
	send(t, net, letter{'a', 0, 0, 1})
	build(t, net)
	if n := ask[int](t, net, "system_accountNextIndex", tao.Account{'a'}); n != 1 {
		t.Errorf("then: %d", n)
	}
	if v := ask[map[string]any](t, net, "payment_queryInfo", letter{'a', 1, 0, 1}.hex()); v["partialFee"] != "7" || v["class"] != "normal" {
		t.Errorf("fee: %v", v)
	}
}

// What a fork leaves without what it stands on waits, and no blocks are made for it.
func TestPutOff(t *testing.T) {
	net := toyChain(t, Options{Manual: true, Lag: 9})
	send(t, net, letter{'a', 0, 0, 1}, letter{'a', 1, 0, 1})
	build(t, net)
	if err := net.Reorganize(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if net.log() != "a0a1" {
		t.Errorf("after the fork: %s", net.log())
	}
	net.mu.Lock()
	net.pool.waiting = append(net.pool.waiting, &transaction{bytes: letter{'b', 3, 0, 1}.bytes(), expires: 1 << 62})
	net.opts.Manual = false
	net.mu.Unlock()
	before := net.Status().Best.Number
	send(t, net, letter{'c', 0, 0, 1})
	for net.Status().Best.Number == before {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	// One for c, one that finds that b is put off, and one that an earlier send may
	// still have asked for.
	if now := net.Status().Best.Number; now > before+3 {
		t.Errorf("%d blocks were made", now-before)
	}
}
