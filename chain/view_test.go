package chain_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/tao"
)

var (
	alice = tao.Account{1, 2, 3}
	bob   = tao.Account{4, 5, 6}
)

type accountInfo struct {
	Nonce uint32
	Data  struct{ Free tao.Amount }
}

var accounts = chain.Item[accountInfo]{Pallet: "System", Name: "Account"}

// clients runs a test over each way to reach a node.
func clients(t *testing.T, cfg testnode.Config, test func(t *testing.T, n *testnode.Node, c *chain.Client)) {
	t.Helper()
	dial := map[string]func(n *testnode.Node) (*chain.Client, error){
		"memory": func(n *testnode.Node) (*chain.Client, error) {
			return chain.NewClient(t.Context(), n.Transport())
		},
		"websocket": func(n *testnode.Node) (*chain.Client, error) {
			ws, _ := n.Listen()
			return chain.Dial(t.Context(), ws)
		},
		"http": func(n *testnode.Node) (*chain.Client, error) {
			_, http := n.Listen()
			return chain.Dial(t.Context(), http)
		},
	}
	for name, open := range dial {
		t.Run(name, func(t *testing.T) {
			n := testnode.New(t, cfg)
			c, err := open(n)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			test(t, n, c)
		})
	}
}

func view(t *testing.T, c *chain.Client, b chain.BlockRef) *chain.View {
	t.Helper()
	v, err := c.At(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestReadEveryGeneration(t *testing.T) {
	for _, name := range fixture.Names(t) {
		t.Run(name, func(t *testing.T) {
			clients(t, testnode.Config{Metadata: name}, func(t *testing.T, n *testnode.Node, c *chain.Client) {
				n.Fund(alice, 7*tao.TAO)
				v := view(t, c, chain.Best())
				got, stored, err := accounts.Get(t.Context(), v, alice)
				if err != nil || !stored || got.Data.Free != 7*tao.TAO {
					t.Errorf("account: %+v, %v, %v", got, stored, err)
				}
				got, stored, err = accounts.Get(t.Context(), v, bob.String())
				if err != nil || stored || got.Data.Free != 0 {
					t.Errorf("empty account: %+v, %v, %v", got, stored, err)
				}
				nonce, err := v.Nonce(t.Context(), alice)
				if err != nil || nonce != 0 {
					t.Errorf("nonce: %d, %v", nonce, err)
				}
				info, err := v.QueryInfo(t.Context(), make([]byte, 100))
				if err != nil || info.PartialFee != testnode.BaseFee+100 || info.Class != "Normal" || info.Weight.RefTime != 1000 {
					t.Errorf("query_info: %+v, %v", info, err)
				}
				if v.Runtime().Spec().Code != n.Runtime().Spec().Code {
					t.Error("the code hash was not read")
				}
			})
		})
	}
}

func TestBlocks(t *testing.T) {
	clients(t, testnode.Config{Lag: 2}, func(t *testing.T, n *testnode.Node, c *chain.Client) {
		n.BuildN(5)
		number, hash := n.Head()
		best := view(t, c, chain.Best())
		if best.Number() != number || best.Hash() != hash {
			t.Errorf("best block %d %s, want %d %s", best.Number(), best.Hash(), number, hash)
		}
		if v := view(t, c, chain.Finalized()); v.Number() != 3 {
			t.Errorf("finalized block %d, want 3", v.Number())
		}
		third := view(t, c, chain.AtNumber(3))
		if v := view(t, c, chain.AtHash(third.Hash())); v.Number() != 3 || v.Parent() != third.Parent() {
			t.Errorf("block by hash: %d", v.Number())
		}
		for _, missing := range []chain.BlockRef{chain.AtNumber(6), chain.AtHash(tao.Hash{1})} {
			_, err := c.At(t.Context(), missing)
			var none *chain.NoBlockError
			if !errors.As(err, &none) {
				t.Errorf("%s: %v, want *NoBlockError", missing, err)
			}
		}
		if x, err := best.Extrinsics(t.Context()); err != nil || len(x) != 0 {
			t.Errorf("extrinsics: %v, %v", x, err)
		}
		if events, err := best.Events(t.Context()); err != nil || len(events) != 0 {
			t.Errorf("events: %v, %v", events, err)
		}
	})
}

// gap answers like Chopsticks after a jump in time: numbers that no block has
// lead to the genesis.
type gap struct {
	chain.Transport
	genesis tao.Hash
}

func (g gap) Call(ctx context.Context, result any, method string, params ...any) error {
	if hash, ok := result.(*tao.Hash); ok && method == "chain_getBlockHash" && len(params) == 1 {
		*hash = g.genesis
		return nil
	}
	return g.Transport.Call(ctx, result, method, params...)
}

func TestNumberInAGap(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	c, err := chain.NewClient(t.Context(), gap{n.Transport(), n.Genesis()})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.At(t.Context(), chain.AtNumber(0)); err != nil || v.Hash() != n.Genesis() {
		t.Errorf("block 0: %v", err)
	}
	var none *chain.NoBlockError
	if _, err := c.At(t.Context(), chain.AtNumber(7)); !errors.As(err, &none) {
		t.Errorf("%v, want *NoBlockError", err)
	}
}

// A view stays where it was taken while the chain goes on.
func TestViewDoesNotMove(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	n.Fund(alice, tao.TAO)
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	before := view(t, c, chain.Best())
	n.Build()
	n.Fund(alice, 2*tao.TAO)
	n.Build()
	got, _, err := accounts.Get(t.Context(), before, alice)
	if err != nil || got.Data.Free != tao.TAO {
		t.Errorf("%v, %v: the view moved", got.Data.Free, err)
	}
}

func TestMap(t *testing.T) {
	clients(t, testnode.Config{}, func(t *testing.T, n *testnode.Node, c *chain.Client) {
		want := map[tao.Account]tao.Amount{}
		for i := range 2100 { // three pages
			a := tao.Account{byte(i), byte(i >> 8), 9}
			want[a] = tao.Amount(1000 + i)
			n.Fund(a, want[a])
		}
		v := view(t, c, chain.Best())
		seen := map[tao.Account]bool{}
		for e, err := range accounts.All(t.Context(), v) {
			if err != nil {
				t.Fatal(err)
			}
			var a tao.Account
			if err := e.Scan(&a); err != nil {
				t.Fatal(err)
			}
			if e.Keys[0] != a || e.Value.Data.Free != want[a] || seen[a] {
				t.Fatalf("entry %v %v", e.Keys, e.Value)
			}
			seen[a] = true
		}
		if len(seen) != len(want) {
			t.Errorf("%d entries, want %d", len(seen), len(want))
		}
		keys := [][]any{{alice}, {tao.Account{1, 0, 9}}}
		many, err := accounts.Many(t.Context(), v, keys)
		if err != nil || many[0].OK || !many[1].OK || many[1].Value.Data.Free != 1001 {
			t.Errorf("many: %+v, %v", many, err)
		}
	})
}

// A node without state_queryStorageAt is asked for one value at a time.
func TestManyWithoutQueryStorageAt(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	n.Fund(alice, tao.TAO)
	n.Fail(testnode.Fault{Method: "state_queryStorageAt", Kind: testnode.Refuse, Error: chain.RPCError{Code: -32601, Message: "Method not found"}})
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	many, err := accounts.Many(t.Context(), view(t, c, chain.Best()), [][]any{{bob}, {alice}})
	if err != nil || many[0].OK || many[1].Value.Data.Free != tao.TAO {
		t.Errorf("%+v, %v", many, err)
	}
}

func TestMissing(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	v := view(t, c, chain.Best())
	_, _, storage := chain.Item[any]{Pallet: "Balances", Name: "Nothing"}.Get(t.Context(), v)
	_, pallet := chain.Item[any]{Pallet: "Nothing", Name: "Nothing"}.Many(t.Context(), v, [][]any{{}})
	_, api := chain.API[any]{Trait: "Core", Method: "nothing"}.Call(t.Context(), v)
	_, constant := chain.Const[any]{Pallet: "Balances", Name: "Nothing"}.Get(v.Runtime())
	var iterated error
	for _, err := range (chain.Item[any]{Pallet: "Nothing", Name: "Nothing"}).All(t.Context(), v) {
		iterated = err
	}
	for what, err := range map[string]error{"storage": storage, "pallet": pallet, "API": api, "constant": constant, "map": iterated} {
		var missing *chain.MissingError
		if !errors.As(err, &missing) || missing.Spec.SpecVersion != 393 {
			t.Errorf("%s: %v, want *MissingError", what, err)
		}
	}
	if _, _, err := accounts.Get(t.Context(), v); err == nil {
		t.Error("a map was read without its key")
	}
}

// Chains without code hashes (Chopsticks) work, and an upgrade is noticed with
// either kind of node; views taken before keep their runtime.
func TestUpgrade(t *testing.T) {
	for _, noCode := range []bool{false, true} {
		n := testnode.New(t, testnode.Config{Metadata: "devnet-240-v15", NoCode: noCode})
		n.Fund(alice, tao.TAO)
		c, err := chain.NewClient(t.Context(), n.Transport())
		if err != nil {
			t.Fatal(err)
		}
		before := view(t, c, chain.Best())
		n.Upgrade("finney-393-v16")
		after := view(t, c, chain.Best())
		if before.Runtime().Spec().SpecVersion != 240 || after.Runtime().Spec().SpecVersion != 393 {
			t.Errorf("runtimes %s and %s", before.Runtime().Spec(), after.Runtime().Spec())
		}
		if after.Runtime().Spec().Code.IsZero() != noCode {
			t.Errorf("code hash %s", after.Runtime().Spec().Code)
		}
		if _, err := after.Events(t.Context()); err != nil {
			t.Errorf("events of the block that brings the upgrade: %v", err)
		}
		asked := n.Calls("state_call")
		view(t, c, chain.Best())
		view(t, c, chain.AtNumber(0))
		if n.Calls("state_call") != asked {
			t.Error("metadata was fetched twice")
		}
	}
}

func TestHeaders(t *testing.T) {
	n := testnode.New(t, testnode.Config{Lag: 1})
	ws, _ := n.Listen()
	c, err := chain.Dial(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var numbers []uint32
	for h, err := range c.Headers(ctx, true) {
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, h.Number)
		if len(numbers) == 3 {
			break
		}
		n.BuildN(2)
	}
	if numbers[0] != 0 || numbers[2] != 2 {
		t.Errorf("finalized heads %v", numbers)
	}
	// Breaking out of the loop unsubscribes.
	for n.Subscriptions() > 0 {
		if err := ctx.Err(); err != nil {
			t.Fatal("the subscription was left open")
		}
		time.Sleep(time.Millisecond)
	}
}
