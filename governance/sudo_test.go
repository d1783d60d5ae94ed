package governance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/governance"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"golang.org/x/crypto/blake2b"
)

// The account of a group, as polkadot.js has it: createKeyMulti of //Alice,
// //Bob and //Charlie, two of three (@polkadot/util-crypto 14.0.3).
func TestMultisigAccount(t *testing.T) {
	var list []tao.Account
	for _, s := range []string{
		"5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
		"5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
	} {
		a, err := tao.ParseAccount(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
	if got := governance.MultisigAccount(list, 2).String(); got != "5DjYJStmdZ2rcqXbXGX7TW85JsrW6uG4y9MUcLq2BoPMpRA7" {
		t.Errorf("got %s", got)
	}
}

// board is a chain whose sudo key is a proxied account, and whose proxy is the
// multisig of alice, bob and carol, two of three, as on finney.
type board struct {
	chamber
	keys  [3]testnode.Key
	group tao.Account
}

func newBoard(t *testing.T) board {
	t.Helper()
	n := testnode.New(t, testnode.Config{Manual: true})
	b := board{chamber: chamber{node: n}, keys: [3]testnode.Key{testnode.NewKey("alice"), testnode.NewKey("bob"), testnode.NewKey("carol")}}
	b.group = governance.MultisigAccount(b.members(), 2)
	n.Fund(b.keys[0].Account(), tao.TAO)
	n.Set("Sudo", "Key", third)
	n.Set("Proxy", "Proxies", []any{[]any{map[string]any{"delegate": b.group, "proxy_type": "SudoUncheckedSetCode", "delay": 7}}, 0}, third)
	return b
}

func (b board) members() (list []tao.Account) {
	for _, k := range b.keys {
		list = append(list, k.Account())
	}
	return list
}

// begin makes the first approval of an operation, in a block of its own.
func (b board) begin(t *testing.T, name string, args chain.Args, hash tao.Hash) {
	t.Helper()
	others := b.members()[1:]
	slices.SortFunc(others, func(x, y tao.Account) int { return slices.Compare(x[:], y[:]) })
	args["threshold"], args["other_signatories"], args["maybe_timepoint"] = uint16(2), []any{others[0], others[1]}, nil
	args["max_weight"] = map[string]any{"ref_time": uint64(1), "proof_size": uint64(1)}
	b.node.Rule("Multisig", name, func(c *testnode.Chain, who tao.Account, _ chain.Call) any {
		c.Set("Multisig", "Multisigs", map[string]any{
			"when": map[string]any{"height": c.Number(), "index": uint32(0)}, "deposit": 0, "depositor": who, "approvals": []tao.Account{who},
		}, b.group, hash)
		return nil
	})
	n := b.node
	if err := n.Submit(n.Extrinsic(b.keys[0], chain.Call{Pallet: "Multisig", Name: name, Args: args}, n.Nonce(b.keys[0].Account()))); err != nil {
		t.Fatal(err)
	}
	n.Build()
}

func (b board) status(t *testing.T) governance.Sudo {
	t.Helper()
	s, err := governance.SudoOf(t.Context(), b.view(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.Key == nil || s.Key.Account != third || s.Multisig != nil || len(s.Proxies) != 1 || s.Proxies[0].Delegate.Account != b.group ||
		s.Proxies[0].Type != "SudoUncheckedSetCode" || s.Proxies[0].Delay != 7 {
		t.Fatalf("%+v", s)
	}
	return s
}

var upgrade = chain.Call{Pallet: "Proxy", Name: "proxy", Args: chain.Args{"real": third, "force_proxy_type": nil, "call": chain.Call{
	Pallet: "Sudo", Name: "sudo_unchecked_weight", Args: chain.Args{
		"call":   chain.Call{Pallet: "System", Name: "set_code", Args: chain.Args{"code": make([]byte, 100)}},
		"weight": map[string]any{"ref_time": uint64(0), "proof_size": uint64(0)},
	},
}}}

func (b board) hash(t *testing.T, c chain.Call) tao.Hash {
	t.Helper()
	encoded, err := b.node.Runtime().Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	return blake2b.Sum256(encoded)
}

// An account does not say that it is a multisig. An operation that waits does,
// if the account is the one that its signatories make.
func TestSignatories(t *testing.T) {
	b := newBoard(t)
	if s := b.status(t); s.Proxies[0].Multisig != nil || len(s.Pending) != 0 {
		t.Errorf("nothing waits: %+v", s)
	}
	b.begin(t, "as_multi", chain.Args{"call": upgrade}, b.hash(t, upgrade))
	s := b.status(t)
	m := s.Proxies[0].Multisig
	if m == nil || m.Account != b.group || m.Threshold != 2 || len(m.Signatories) != 3 {
		t.Fatalf("the group: %+v", m)
	}
	o := s.Pending[0]
	if !o.Trusted() || !*o.HashMatches || o.Depositor.Account != b.keys[0].Account() || len(o.Approvals) != 1 || len(o.Lines) != 3 ||
		!strings.HasPrefix(o.Lines[2], "> > System.set_code(code: 0x0000000000000000… (100 bytes, blake2-256 0x") {
		t.Errorf("%+v", o)
	}
	if len(o.Changes) != 1 || !strings.HasPrefix(o.Changes[0].New, "100 bytes") {
		t.Errorf("changes %v", o.Changes)
	}
}

// approve_as_multi tells the group and not the call; a call of another hash is
// not taken for the one that waits.
func TestUnknownOperation(t *testing.T) {
	b := newBoard(t)
	hash := tao.Hash{5}
	b.begin(t, "approve_as_multi", chain.Args{"call_hash": hash}, hash)
	s := b.status(t)
	if o := s.Pending[0]; o.Trusted() || o.Hash != hash || !strings.HasPrefix(o.Lines[0], "UNREADABLE") || s.Proxies[0].Multisig == nil {
		t.Errorf("by its hash: %+v, %+v", o, s.Proxies[0])
	}
	b = newBoard(t)
	b.begin(t, "as_multi", chain.Args{"call": upgrade}, hash)
	if o := b.status(t).Pending[0]; o.Trusted() || !strings.HasPrefix(o.Lines[0], "UNREADABLE") {
		t.Errorf("another call: %+v", o)
	}
	b = newBoard(t)
	b.group = tao.Account{77} // whose signatories are not those of the approval
	b.node.Set("Proxy", "Proxies", []any{[]any{map[string]any{"delegate": b.group, "proxy_type": "SudoUncheckedSetCode", "delay": 7}}, 0}, third)
	b.begin(t, "as_multi", chain.Args{"call": upgrade}, b.hash(t, upgrade))
	if s := b.status(t); s.Proxies[0].Multisig != nil || len(s.Pending) != 1 {
		t.Errorf("another group: %+v", s.Proxies[0].Multisig)
	}
}

// Scheduled calls are read wherever they are kept, and what cannot be read is
// said to be so.
func TestScheduled(t *testing.T) {
	b := newBoard(t)
	n := b.node
	encoded, err := n.Runtime().Encode(upgrade)
	if err != nil {
		t.Fatal(err)
	}
	hash, size := tao.Hash(blake2b.Sum256(encoded)), uint32(len(encoded))
	forged := tao.Hash{8}
	n.Set("Preimage", "PreimageFor", encoded, []any{hash, size})
	n.Set("Preimage", "PreimageFor", encoded, []any{forged, size})
	n.Set("Preimage", "RequestStatusFor", map[string]any{"Requested": map[string]any{"maybe_ticket": nil, "count": 1, "maybe_len": size}}, hash)
	task := func(call any) map[string]any {
		return map[string]any{
			"maybe_id": nil, "priority": 0, "call": call, "maybe_periodic": nil,
			"origin": &scale.Variant{Name: "system", Value: "Root"},
		}
	}
	kept := func(name string, fields map[string]any) any { return &scale.Variant{Name: name, Value: fields} }
	n.Set("Scheduler", "Agenda", []any{
		task(&scale.Variant{Name: "Inline", Value: encoded}), nil,
		task(kept("Lookup", map[string]any{"hash": hash, "len": size})), task(kept("Legacy", map[string]any{"hash": hash})),
		task(kept("Lookup", map[string]any{"hash": forged, "len": size})), task(kept("Lookup", map[string]any{"hash": tao.Hash{9}, "len": 3})),
		task(&scale.Variant{Name: "Inline", Value: []byte{0xff, 0xff}}),
	}, 100)
	n.Set("Scheduler", "Agenda", []any{task(&scale.Variant{Name: "Inline", Value: encoded})}, 40)
	n.Build()
	list := b.status(t).Scheduled
	if len(list) != 7 || list[0].Block != 40 || list[0].Origin != "system(Root)" {
		t.Fatalf("%+v", list)
	}
	for i, want := range []struct {
		trusted bool
		line    string
	}{
		{true, "Proxy.proxy"}, {true, "Proxy.proxy"}, {true, "Proxy.proxy"}, {true, "Proxy.proxy"},
		{false, "NOT WHAT IS VOTED ON"}, {false, "UNREADABLE"}, {false, "UNREADABLE"},
	} {
		if list[i].Trusted() != want.trusted || !strings.HasPrefix(list[i].Lines[0], want.line) {
			t.Errorf("%d: %q, %s", i, list[i].Lines, list[i].Problem)
		}
	}
}
