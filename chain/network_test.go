package chain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/tao"
)

func TestNetworks(t *testing.T) {
	pinned := map[string]bool{"finney": true, "test": true, "archive": true, "local": false}
	for _, n := range chain.Networks() {
		want, known := pinned[n.Name]
		if !known || n.Genesis.IsZero() == want {
			t.Errorf("%s: genesis %s", n.Name, n.Genesis)
		}
		for _, e := range n.Endpoints {
			if want && !strings.HasPrefix(e, "wss://") {
				t.Errorf("%s: %s is not encrypted", n.Name, e)
			}
			if _, err := chain.Lookup(e); err != nil {
				t.Error(err)
			}
		}
		if got, err := chain.Lookup(n.Name); err != nil || got.Genesis != n.Genesis {
			t.Errorf("%s: %v, %v", n.Name, got, err)
		}
	}
}

func TestLookup(t *testing.T) {
	for _, name := range []string{
		"", "mainnet", "Finney", "finney ", "devnet", "ftp://host", "ws://", "ws://:9944", "://host", "wss://host/#x", "ws://ho st", "127.0.0.1:9944",
	} {
		n, err := chain.Lookup(name)
		var bad *chain.NetworkError
		if !errors.As(err, &bad) {
			t.Errorf("%q: %v, %v, want *NetworkError", name, n, err)
		}
	}
	n, err := chain.Lookup("wss://user:secret@node.example/key/secret?token=secret")
	if err != nil || n.Name != "wss://node.example" || !n.Genesis.IsZero() || len(n.Endpoints) != 1 {
		t.Errorf("%+v, %v", n, err)
	}
}

func FuzzLookup(f *testing.F) {
	for _, s := range []string{"finney", "ws://127.0.0.1:9944", "https://node.example/key?x=1#y", "ws://[::1]:9", "ws://%zz", "://"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		n, err := chain.Lookup(name)
		switch {
		case err == nil && len(n.Endpoints) == 0:
			t.Errorf("%q: no endpoint", name)
		case err != nil && !errors.As(err, new(*chain.NetworkError)):
			t.Errorf("%q: %v", name, err)
		}
	})
}

func TestWrongChain(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	ws, http := n.Listen()
	other := tao.Hash{1}
	dials := map[string]func() error{
		"websocket": func() error { _, err := chain.Dial(t.Context(), ws, chain.WithGenesis(other)); return err },
		"http":      func() error { _, err := chain.Dial(t.Context(), http, chain.WithGenesis(other)); return err },
		"memory": func() error {
			_, err := chain.NewClient(t.Context(), n.Transport(), chain.WithGenesis(other))
			return err
		},
		"network": func() error {
			_, err := chain.DialNetwork(t.Context(), chain.Network{Name: "x", Endpoints: []string{ws}, Genesis: other})
			return err
		},
	}
	for name, dial := range dials {
		var wrong *chain.WrongChainError
		if err := dial(); !errors.As(err, &wrong) || wrong.Want != other || wrong.Got != n.Genesis() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c, err := chain.Dial(t.Context(), ws, chain.WithGenesis(n.Genesis())); err != nil || c.Genesis() != n.Genesis() {
		t.Errorf("the right chain: %v", err)
	}
}

// The second endpoint serves where the first does not answer; where the line
// breaks later, reads go on over a new one, and an extrinsic is not sent again.
func TestFallback(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	n.Fund(alice, tao.TAO)
	ws, _ := n.Listen()
	c, err := chain.Dial(t.Context(), "ws://127.0.0.1:1", chain.WithFallback(ws))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	v := view(t, c, chain.Best())
	for _, kind := range []testnode.FaultKind{testnode.DropBefore, testnode.DropAfter, testnode.Garbage, testnode.WrongID, testnode.Truncated} {
		n.Fail(testnode.Fault{Method: "state_getStorage", Kind: kind, Times: 1})
		if _, _, err := accounts.Get(t.Context(), v, alice); err != nil {
			t.Errorf("a read after fault %d: %v", kind, err)
		}
	}
	n.Fail(testnode.Fault{Method: "author_submitExtrinsic", Kind: testnode.DropAfter, Times: 1})
	err = c.Transport().Call(t.Context(), nil, "author_submitExtrinsic", "0x00")
	var lost *chain.LostError
	if !errors.As(err, &lost) || !lost.Sent || n.Calls("author_submitExtrinsic") != 1 {
		t.Errorf("%v after %d submissions", err, n.Calls("author_submitExtrinsic"))
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.At(t.Context(), chain.Best()); err == nil {
		t.Error("a closed client reads")
	}
}

// A new line that leads to another chain is not used.
func TestReconnectChecksTheChain(t *testing.T) {
	first, second := testnode.New(t, testnode.Config{}), testnode.New(t, testnode.Config{Salt: "other"})
	ws1, _ := first.Listen()
	ws2, _ := second.Listen()
	c, err := chain.Dial(t.Context(), ws1, chain.WithFallback(ws2))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	first.Fail(testnode.Fault{Method: "", Kind: testnode.DropBefore}) // from now on
	_, err = c.At(t.Context(), chain.Best())
	var wrong *chain.WrongChainError
	if !errors.As(err, &wrong) || wrong.Got != second.Genesis() {
		t.Errorf("%v, want *WrongChainError", err)
	}
}

func TestNobodyServes(t *testing.T) {
	_, err := chain.Dial(t.Context(), "ws://127.0.0.1:1", chain.WithFallback("http://127.0.0.1:1"))
	var lost *chain.LostError
	if !errors.As(err, &lost) || !strings.Contains(err.Error(), "none of 2 endpoints") {
		t.Errorf("%v", err)
	}
	if _, err := chain.DialNetwork(t.Context(), chain.Network{Name: "empty"}); err == nil {
		t.Error("a network without endpoints was dialled")
	}
}
