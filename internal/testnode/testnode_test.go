package testnode_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/tao"
)

var (
	alice = testnode.NewKey("alice")
	bob   = testnode.NewKey("bob")
)

func transfer(name string, to tao.Account, value tao.Amount) chain.Call {
	return chain.Call{Pallet: "Balances", Name: name, Args: chain.Args{"dest": to, "value": value}}
}

func client(t *testing.T, n *testnode.Node) *chain.Client {
	t.Helper()
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// events reads the events of the newest block.
func events(t *testing.T, n *testnode.Node) []chain.Event {
	t.Helper()
	v, err := client(t, n).At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	list, err := v.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func names(list []chain.Event) []string {
	var out []string
	for _, e := range list {
		out = append(out, e.Pallet+"."+e.Name)
	}
	return out
}

func TestTransferInEveryGeneration(t *testing.T) {
	for _, name := range fixture.Names(t) {
		t.Run(name, func(t *testing.T) {
			n := testnode.New(t, testnode.Config{Metadata: name})
			n.Fund(alice.Account(), 10*tao.TAO)
			x := n.Extrinsic(alice, transfer("transfer_keep_alive", bob.Account(), 3*tao.TAO), 0)
			if err := n.Submit(x); err != nil {
				t.Fatal(err)
			}
			fee := testnode.BaseFee + tao.Amount(len(x))
			if got := n.Free(alice.Account()); got != 7*tao.TAO-fee {
				t.Errorf("alice has %s", got)
			}
			if got := n.Free(bob.Account()); got != 3*tao.TAO {
				t.Errorf("bob has %s", got)
			}
			if n.Nonce(alice.Account()) != 1 {
				t.Error("the nonce was not counted")
			}
			list := events(t, n)
			i := slices.IndexFunc(list, func(e chain.Event) bool { return e.Is("TransactionPayment", "TransactionFeePaid") })
			if i < 0 || list[i].Field("actual_fee") != uint64(fee) || list[i].Extrinsic != 0 {
				t.Errorf("events %v", list)
			}
			if !slices.Contains(names(list), "System.ExtrinsicSuccess") {
				t.Errorf("events %v", names(list))
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	n := testnode.New(t, testnode.Config{Manual: true})
	n.Fund(alice.Account(), tao.TAO)
	n.Fund(bob.Account(), 10)
	call := transfer("transfer_keep_alive", bob.Account(), 1000)
	good := n.Extrinsic(alice, call, 0)
	tampered := slices.Clone(good)
	tampered[60] ^= 1 // in the signature
	rt := n.Runtime()
	check := func(what string, x []byte, want string) {
		t.Helper()
		bad := rt.Refusal(n.Submit(x))
		if want == "" && bad != nil || want != "" && (bad == nil || bad.Reason != want) {
			t.Errorf("%s: %v, want %s", what, bad, want)
		}
	}
	check("bad signature", tampered, "BadProof")
	check("no money", n.Extrinsic(bob, call, 0), "Payment")
	check("no extrinsic", []byte{4, 1}, "BadFormat")
	check("good", good, "")
	check("twice", good, "AlreadyImported")
	check("same nonce", n.Extrinsic(alice, transfer("transfer_keep_alive", bob.Account(), 2000), 0), "TooLowPriority")
	check("future", n.Extrinsic(alice, call, 1), "")
	n.Build()
	check("used nonce", good, "Stale")
	if got := n.Nonce(alice.Account()); got != 2 {
		t.Errorf("nonce %d after two extrinsics", got)
	}
}

func TestFailuresOnChain(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	n.Fund(alice.Account(), tao.TAO)
	stake := chain.Call{Pallet: "SubtensorModule", Name: "add_stake",
		Args: chain.Args{"hotkey": bob.Account(), "netuid": 1, "amount_staked": tao.TAO}}
	n.On("SubtensorModule", "add_stake", testnode.Result{Err: n.ModuleError("SubtensorModule", "AmountTooLow")})
	calls := []struct {
		call chain.Call
		want []string // failures of the extrinsic's events, in order
	}{
		{transfer("transfer_keep_alive", bob.Account(), 2*tao.TAO), []string{"Token.FundsUnavailable"}},
		{transfer("transfer_allow_death", bob.Account(), 1), []string{"Token.BelowMinimum"}},
		{chain.Call{Pallet: "Balances", Name: "burn", Args: chain.Args{"value": 1, "keep_alive": true}}, []string{"System.CallFiltered"}},
		{stake, []string{"SubtensorModule.AmountTooLow"}},
		{chain.Call{Pallet: "Utility", Name: "batch", Args: chain.Args{"calls": []chain.Call{transfer("transfer_keep_alive", bob.Account(), 1000), stake}}}, []string{"SubtensorModule.AmountTooLow"}},
		{chain.Call{Pallet: "Utility", Name: "batch_all", Args: chain.Args{"calls": []chain.Call{transfer("transfer_keep_alive", bob.Account(), 1000), stake}}}, []string{"SubtensorModule.AmountTooLow"}},
		{chain.Call{Pallet: "Utility", Name: "force_batch", Args: chain.Args{"calls": []chain.Call{stake, transfer("transfer_keep_alive", bob.Account(), 1000)}}}, []string{"SubtensorModule.AmountTooLow"}},
		{chain.Call{Pallet: "System", Name: "remark_with_event", Args: chain.Args{"remark": "hello"}}, nil},
	}
	for i, c := range calls {
		if err := n.Submit(n.Extrinsic(alice, c.call, uint32(i))); err != nil {
			t.Fatalf("%s: %v", c.call, err)
		}
		var got []string
		for _, e := range events(t, n) {
			for _, f := range n.Runtime().Failures(e) {
				where := f.Pallet
				if where == "" {
					where = f.Kind
				}
				got = append(got, where+"."+f.Name)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: failures %v, want %v", c.call, got, c.want)
		}
	}
	if got := n.Free(bob.Account()); got != 2000 { // batch keeps, batch_all undoes, force_batch goes on
		t.Errorf("bob has %d rao, want 2000", got)
	}
}

func TestTransferAll(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	n.Fund(alice.Account(), tao.TAO)
	all := chain.Call{Pallet: "Balances", Name: "transfer_all", Args: chain.Args{"dest": bob.Account(), "keep_alive": false}}
	if err := n.Submit(n.Extrinsic(alice, all, 0)); err != nil {
		t.Fatal(err)
	}
	if n.Free(alice.Account()) != 0 || !slices.Contains(names(events(t, n)), "System.KilledAccount") {
		t.Errorf("alice has %s, events %v", n.Free(alice.Account()), names(events(t, n)))
	}
}

// follow reads the fate of an extrinsic; between statuses it does what comes
// next on the list.
func follow(t *testing.T, n *testnode.Node, x []byte, steps ...func()) []string {
	t.Helper()
	var got []string
	for status, err := range n.Transport().Subscribe(t.Context(), "author_submitAndWatchExtrinsic", "0x"+hex(x)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(status))
		steps[0]()
		if steps = steps[1:]; len(steps) == 0 {
			return got
		}
	}
	return got
}

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for _, x := range b {
		out = append(out, digits[x>>4], digits[x&15])
	}
	return string(out)
}

func TestReorganization(t *testing.T) {
	n := testnode.New(t, testnode.Config{Lag: 3, Manual: true})
	n.Fund(alice.Account(), tao.TAO)
	x := n.Extrinsic(alice, transfer("transfer_keep_alive", bob.Account(), 1000), 0)
	nothing := func() {}
	got := follow(t, n, x,
		n.Build,                    // ready
		func() { n.Reorganize(1) }, // inBlock
		n.Build,                    // retracted
		func() { n.BuildN(3) },     // inBlock again
		nothing)                    // finalized
	kinds := []string{`"ready"`, `{"inBlock":`, `{"retracted":`, `{"inBlock":`, `{"finalized":`}
	for i, k := range kinds {
		if i >= len(got) || !strings.HasPrefix(got[i], k) {
			t.Fatalf("statuses %v", got)
		}
	}
	if n.Free(bob.Account()) != 1000 {
		t.Errorf("bob has %d", n.Free(bob.Account()))
	}
}

func TestSwallow(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	n.Fund(alice.Account(), tao.TAO)
	n.Fail(testnode.Fault{Method: "author_submitExtrinsic", Kind: testnode.Swallow})
	if err := n.Submit(n.Extrinsic(alice, transfer("transfer_keep_alive", bob.Account(), 1000), 0)); err != nil {
		t.Fatal(err)
	}
	if n.Free(bob.Account()) != 0 || n.Nonce(alice.Account()) != 0 {
		t.Error("the extrinsic was carried out")
	}
}

// A dropped line leaves the doubt whether the node has the request.
func TestDropAfter(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	n.Fund(alice.Account(), tao.TAO)
	n.Fail(testnode.Fault{Method: "author_submitExtrinsic", Kind: testnode.DropAfter, Times: 1})
	err := n.Submit(n.Extrinsic(alice, transfer("transfer_keep_alive", bob.Account(), 1000), 0))
	var lost *chain.LostError
	if !errors.As(err, &lost) || !lost.Sent {
		t.Errorf("%v", err)
	}
	if n.Free(bob.Account()) != 1000 {
		t.Error("the extrinsic was not carried out")
	}
}
