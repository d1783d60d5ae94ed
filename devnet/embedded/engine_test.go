package embedded_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/devnet"
	"github.com/taoctl/taoctl/devnet/embedded"
	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// world is a chain with the client and the keys to use it.
type world struct {
	tb     testing.TB
	net    *devnet.Chain
	client *chain.Client
	keys   map[string]*keystore.Key
	nonces map[string]uint32
}

func start(tb testing.TB, o devnet.Options) *world {
	tb.Helper()
	var accounts []tao.Account
	for _, a := range devnet.Accounts() {
		accounts = append(accounts, a.Account)
	}
	e := embedded.New()
	o.Genesis = time.Unix(1_700_000_000, 0)
	net, err := devnet.New(tb.Context(), e, e.Stored(embedded.Development(accounts)), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = net.Close() })
	client, err := chain.NewClient(tb.Context(), net.Transport())
	if err != nil {
		tb.Fatal(err)
	}
	return &world{tb, net, client, map[string]*keystore.Key{}, map[string]uint32{}}
}

func (w *world) key(name string) *keystore.Key {
	w.tb.Helper()
	if w.keys[name] == nil {
		k, err := keystore.DevKey("//"+name, tao.Sr25519)
		if err != nil {
			w.tb.Fatal(err)
		}
		w.keys[name] = k
	}
	return w.keys[name]
}

func (w *world) view() *chain.View {
	w.tb.Helper()
	v, err := w.client.At(w.tb.Context(), chain.Best())
	if err != nil {
		w.tb.Fatal(err)
	}
	return v
}

// sign makes a transaction of the next nonce, for ever valid.
func (w *world) sign(name, call string, args chain.Args) []byte {
	w.tb.Helper()
	pallet, fn, _ := strings.Cut(call, ".")
	v := w.view()
	d, err := tx.PrepareOffline(v.Runtime(), tx.Plan{Signer: w.key(name).Account(), Call: chain.Call{Pallet: pallet, Name: fn, Args: args}},
		tx.Offline{Genesis: w.client.Genesis(), Nonce: w.nonces[name]})
	if err != nil {
		w.tb.Fatal(err)
	}
	x, err := d.Sign(w.tb.Context(), w.key(name))
	if err != nil {
		w.tb.Fatal(err)
	}
	w.nonces[name]++
	return x.Bytes
}

func (w *world) submit(x []byte) error {
	return w.net.Transport().Call(w.tb.Context(), new(tao.Hash), "author_submitExtrinsic", fmt.Sprintf("%#x", x))
}

// do makes a call in a block of its own, and gives its events by name and what it
// failed with.
func (w *world) do(name, call string, args chain.Args) (events map[string]chain.Event, failure string) {
	w.tb.Helper()
	if err := w.submit(w.sign(name, call, args)); err != nil {
		w.tb.Fatalf("%s: %v", call, err)
	}
	if _, err := w.net.Build(w.tb.Context()); err != nil {
		w.tb.Fatal(err)
	}
	v := w.view()
	all, err := v.Events(w.tb.Context())
	if err != nil {
		w.tb.Fatal(err)
	}
	events = map[string]chain.Event{}
	for _, e := range all {
		if e.Extrinsic != 1 {
			continue
		}
		events[e.Pallet+"."+e.Name] = e
		for _, f := range v.Runtime().Failures(e) {
			failure = strings.TrimPrefix(f.Pallet+"."+f.Name, ".")
		}
	}
	return events, failure
}

func (w *world) free(a tao.Account) uint64 {
	w.tb.Helper()
	type info struct{ Data struct{ Free uint64 } }
	i, _, err := (chain.Item[info]{Pallet: "System", Name: "Account"}).Get(w.tb.Context(), w.view(), a)
	if err != nil {
		w.tb.Fatal(err)
	}
	return i.Data.Free
}

// What calls do, and how they fail: names and errors are the real chain's.
func TestCalls(t *testing.T) {
	bob, err := tao.ParseAccount("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty")
	if err != nil {
		t.Fatal(err)
	}
	nobody := tao.Account{7}
	w := start(t, devnet.Options{Manual: true})
	alice := w.key("Alice").Account()
	for _, c := range []struct {
		call string
		args chain.Args
		want string // an event, or the failure
	}{
		{"System.remark", chain.Args{"remark": []byte("x")}, "System.ExtrinsicSuccess"},
		{"Balances.transfer_keep_alive", chain.Args{"dest": bob, "value": uint64(1)}, "Balances.Transfer"},
		{"Balances.transfer_keep_alive", chain.Args{"dest": nobody, "value": uint64(499)}, "BelowMinimum"},
		{"Balances.transfer_keep_alive", chain.Args{"dest": nobody, "value": uint64(500)}, "Balances.Endowed"},
		{"Balances.transfer_keep_alive", chain.Args{"dest": bob, "value": uint64(2e15)}, "FundsUnavailable"},
		{"Balances.force_transfer", chain.Args{"source": bob, "dest": alice, "value": uint64(1)}, "BadOrigin"},
		{"SubtensorModule.add_stake", chain.Args{"hotkey": alice, "netuid": uint16(1), "amount_staked": uint64(1e10)}, "SubtensorModule.StakeAdded"},
		{"SubtensorModule.add_stake", chain.Args{"hotkey": alice, "netuid": uint16(9), "amount_staked": uint64(1e10)}, "SubtensorModule.SubnetNotExists"},
		{"SubtensorModule.add_stake", chain.Args{"hotkey": nobody, "netuid": uint16(1), "amount_staked": uint64(1e10)}, "SubtensorModule.HotKeyAccountNotExists"},
		{"SubtensorModule.add_stake", chain.Args{"hotkey": alice, "netuid": uint16(1), "amount_staked": uint64(1000)}, "SubtensorModule.AmountTooLow"},
		{"SubtensorModule.add_stake", chain.Args{"hotkey": alice, "netuid": uint16(0), "amount_staked": uint64(2e15)}, "SubtensorModule.NotEnoughBalanceToStake"},
		{"SubtensorModule.add_stake_limit", chain.Args{"hotkey": alice, "netuid": uint16(1), "amount_staked": uint64(1e10), "limit_price": uint64(5e8), "allow_partial": true}, "Swap.PriceLimitExceeded"},
		{"SubtensorModule.add_stake_limit", chain.Args{"hotkey": alice, "netuid": uint16(1), "amount_staked": uint64(1e13), "limit_price": uint64(1.01e9), "allow_partial": false}, "SubtensorModule.SlippageTooHigh"},
		{"SubtensorModule.add_stake_limit", chain.Args{"hotkey": alice, "netuid": uint16(1), "amount_staked": uint64(1e13), "limit_price": uint64(1.01e9), "allow_partial": true}, "SubtensorModule.StakeAdded"},
		{"SubtensorModule.remove_stake", chain.Args{"hotkey": alice, "netuid": uint16(1), "amount_unstaked": uint64(1e15)}, "SubtensorModule.NotEnoughStakeToWithdraw"},
		{"SubtensorModule.remove_stake_full_limit", chain.Args{"hotkey": alice, "netuid": uint16(1), "limit_price": nil}, "SubtensorModule.StakeRemoved"},
		{"SubtensorModule.swap_stake", chain.Args{"hotkey": alice, "origin_netuid": uint16(1), "destination_netuid": uint16(1), "alpha_amount": uint64(1)}, "SubtensorModule.SameNetuid"},
		{"SubtensorModule.burned_register", chain.Args{"netuid": uint16(1), "hotkey": alice}, "SubtensorModule.NeuronRegistered"},
		{"SubtensorModule.burned_register", chain.Args{"netuid": uint16(1), "hotkey": alice}, "SubtensorModule.HotKeyAlreadyRegisteredInSubNet"},
		{"SubtensorModule.burned_register", chain.Args{"netuid": uint16(0), "hotkey": alice}, "SubtensorModule.RegistrationNotPermittedOnRootSubnet"},
		{"SubtensorModule.burned_register", chain.Args{"netuid": uint16(2), "hotkey": bob}, "SubtensorModule.NonAssociatedColdKey"},
		{"SubtensorModule.register_limit", chain.Args{"netuid": uint16(2), "hotkey": alice, "limit_price": uint64(1)}, "SubtensorModule.RegistrationPriceLimitExceeded"},
		{"SubtensorModule.root_register", chain.Args{"hotkey": alice}, "SubtensorModule.NeuronRegistered"},
		{"SubtensorModule.decrease_take", chain.Args{"hotkey": alice, "take": uint16(100)}, "SubtensorModule.TakeDecreased"},
		{"SubtensorModule.increase_take", chain.Args{"hotkey": alice, "take": uint16(200)}, "SubtensorModule.TakeIncreased"},
		{"SubtensorModule.increase_take", chain.Args{"hotkey": alice, "take": uint16(300)}, "SubtensorModule.DelegateTxRateLimitExceeded"},
		{"SubtensorModule.increase_take", chain.Args{"hotkey": alice, "take": uint16(60000)}, "SubtensorModule.DelegateTakeTooHigh"},
		{"SubtensorModule.set_children", chain.Args{"hotkey": alice, "netuid": uint16(1), "children": []any{[]any{uint64(1), alice}}}, "SubtensorModule.InvalidChild"},
		{"SubtensorModule.set_children", chain.Args{"hotkey": alice, "netuid": uint16(1), "children": []any{[]any{uint64(1), bob}}}, "SubtensorModule.SetChildrenScheduled"},
		{"SubtensorModule.set_children", chain.Args{"hotkey": alice, "netuid": uint16(1), "children": []any{}}, "SubtensorModule.TxRateLimitExceeded"},
		{"Sudo.sudo", chain.Args{"call": chain.Call{Pallet: "AdminUtils", Name: "sudo_set_network_registration_allowed", Args: chain.Args{"netuid": uint16(2), "registration_allowed": false}}}, "Sudo.Sudid"},
		{"SubtensorModule.burned_register", chain.Args{"netuid": uint16(2), "hotkey": alice}, "SubtensorModule.SubNetRegistrationDisabled"},
		{"Sudo.sudo", chain.Args{"call": chain.Call{Pallet: "System", Name: "remark_with_event", Args: chain.Args{"remark": []byte{}}}}, "BadOrigin"},
	} {
		before := w.free(alice)
		events, failure := w.do("Alice", c.call, c.args)
		if _, there := events[c.want]; !there && failure != c.want || there && failure != "" {
			t.Errorf("%s %v: failed with %q, want %s", c.call, c.args, failure, c.want)
		}
		// Whatever failed has paid its fee and nothing else.
		fee, _ := events["TransactionPayment.TransactionFeePaid"].Fields.Get("actual_fee")
		if after := w.free(alice); failure != "" && before-after != fee.(uint64) {
			t.Errorf("%s failed, and %d went, fee %v", c.call, before-after, fee)
		}
	}
}

// Proxies act within their kind, and a multisig when enough have signed; deposits
// come back.
func TestOnBehalf(t *testing.T) {
	w := start(t, devnet.Options{Manual: true})
	alice, bob, charlie := w.key("Alice").Account(), w.key("Bob").Account(), w.key("Charlie").Account()
	call := func(name string, args chain.Args) chain.Call {
		return chain.Call{Pallet: "Balances", Name: name, Args: args}
	}
	send := call("transfer_keep_alive", chain.Args{"dest": tao.Account{1}, "value": uint64(1e9)})
	group, err := tao.ParseAccount("5DjYJStmdZ2rcqXbXGX7TW85JsrW6uG4y9MUcLq2BoPMpRA7") // of the three, two are needed
	if err != nil {
		t.Fatal(err)
	}
	before := w.free(alice)
	multi := func(others []tao.Account, when any) chain.Args {
		return chain.Args{"threshold": uint16(2), "other_signatories": others, "maybe_timepoint": when, "call": send, "max_weight": map[string]any{"ref_time": uint64(1e10), "proof_size": uint64(0)}}
	}
	proxy := func(kind any) chain.Args {
		return chain.Args{"real": alice, "force_proxy_type": kind, "call": send}
	}
	for i, c := range []struct {
		by, call string
		args     chain.Args
		want     string
	}{
		{"Alice", "Balances.transfer_keep_alive", chain.Args{"dest": group, "value": uint64(5e9)}, "Balances.Transfer"},
		{"Alice", "Proxy.add_proxy", chain.Args{"delegate": bob, "proxy_type": "Staking", "delay": uint32(0)}, "Proxy.ProxyAdded"},
		{"Bob", "Proxy.proxy", proxy(nil), "System.CallFiltered"},
		{"Bob", "Proxy.proxy", proxy("Any"), "Proxy.NotProxy"},
		{"Alice", "Proxy.add_proxy", chain.Args{"delegate": bob, "proxy_type": "Transfer", "delay": uint32(0)}, "Proxy.ProxyAdded"},
		{"Bob", "Proxy.proxy", proxy("Transfer"), "Proxy.ProxyExecuted"},
		{"Charlie", "Proxy.proxy", proxy(nil), "Proxy.NotProxy"},
		{"Alice", "Proxy.remove_proxies", chain.Args{}, "Balances.Unreserved"},
		{"Bob", "Multisig.as_multi", multi([]tao.Account{alice, charlie}, nil), "Multisig.SignatoriesOutOfOrder"},
		{"Bob", "Multisig.as_multi", multi([]tao.Account{charlie, alice}, nil), "Multisig.NewMultisig"},
		{"Charlie", "Multisig.as_multi", multi([]tao.Account{bob, alice}, nil), "Multisig.NoTimepoint"},
		{"Bob", "Multisig.as_multi", multi([]tao.Account{charlie, alice}, map[string]any{"height": uint32(10), "index": uint32(1)}), "Multisig.AlreadyApproved"},
		{"Charlie", "Multisig.as_multi", multi([]tao.Account{bob, alice}, map[string]any{"height": uint32(10), "index": uint32(1)}), "Multisig.MultisigExecuted"},
	} {
		events, failure := w.do(c.by, c.call, c.args)
		if _, there := events[c.want]; !there && failure != c.want || there && failure != "" {
			t.Errorf("%d: %s by %s: failed with %q, want %s", i, c.call, c.by, failure, c.want)
		}
	}
	if got := w.free(tao.Account{1}); got != 2e9 {
		t.Errorf("%d came", got)
	}
	if paid := before - w.free(alice); paid > 5e9+1e9+1e6 {
		t.Errorf("Alice is short of %d", paid)
	}
}

// A batch that fails whole leaves nothing behind, one that stops keeps what it did.
func TestBatches(t *testing.T) {
	w := start(t, devnet.Options{Manual: true})
	to := tao.Account{9}
	good := chain.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chain.Args{"dest": to, "value": uint64(1e9)}}
	bad := chain.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chain.Args{"dest": to, "value": uint64(9e15)}}
	for _, c := range []struct {
		call, event string
		left        uint64
	}{
		{"batch_all", "System.ExtrinsicFailed", 0}, {"batch", "Utility.BatchInterrupted", 1e9}, {"force_batch", "Utility.BatchCompletedWithErrors", 3e9},
	} {
		events, _ := w.do("Alice", "Utility."+c.call, chain.Args{"calls": []chain.Call{good, bad, good}})
		if _, ok := events[c.event]; !ok || w.free(to) != c.left {
			t.Errorf("%s: %d came, %v", c.call, w.free(to), events)
		}
	}
}

// What a transaction must be to be taken.
func TestTransactions(t *testing.T) {
	w := start(t, devnet.Options{Manual: true})
	x := w.sign("Alice", "System.remark", chain.Args{"remark": []byte("x")})
	refused := func(what string, x []byte, reason string) {
		t.Helper()
		var rpc *chain.RPCError
		err := w.submit(x)
		if !errors.As(err, &rpc) || w.view().Runtime().Refusal(err).Reason != reason {
			t.Errorf("%s: %v, want %s", what, err, reason)
		}
	}
	for at, reason := range map[int]string{len(x) - 1: "BadProof", 50: "BadProof", 10: "BadProof"} {
		bad := append([]byte{}, x...)
		bad[at] ^= 1
		refused(fmt.Sprintf("byte %d is another", at), bad, reason)
	}
	refused("cut short", x[:40], "BadFormat")
	refused("no bytes", []byte{0}, "BadFormat")
	if err := w.submit(x); err != nil {
		t.Fatal(err)
	}
	if _, err := w.net.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused("once more", x, "Stale")
	refused("of one who has nothing", w.sign("Poor", "System.remark", chain.Args{"remark": []byte("x")}), "Payment")
	if other := start(t, devnet.Options{Manual: true, Name: "other"}); other.client.Genesis() != w.client.Genesis() {
		t.Error("the same beginning has another genesis")
	}
}

// What money there is stays what there is: with accounts, with what is staked, and
// what was burned.
func TestMoneyIsConserved(t *testing.T) {
	w := start(t, devnet.Options{Manual: true})
	alice := w.key("Alice").Account()
	sum := func() (balances, issued uint64) {
		v := w.view()
		type info struct{ Data struct{ Free uint64 } }
		for e, err := range (chain.Item[info]{Pallet: "System", Name: "Account"}).All(t.Context(), v) {
			if err != nil {
				t.Fatal(err)
			}
			balances += e.Value.Data.Free
		}
		issued, _, err := (chain.Item[uint64]{Pallet: "Balances", Name: "TotalIssuance"}).Get(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		return balances, issued
	}
	w.do("Alice", "SubtensorModule.add_stake", chain.Args{"hotkey": alice, "netuid": uint16(1), "amount_staked": uint64(5e11)})
	w.do("Alice", "SubtensorModule.burned_register", chain.Args{"netuid": uint16(1), "hotkey": alice})
	w.do("Alice", "SubtensorModule.unstake_all", chain.Args{"hotkey": alice})
	w.do("Alice", "Balances.transfer_all", chain.Args{"dest": tao.Account{5}, "keep_alive": false})
	if balances, issued := sum(); balances != issued {
		t.Errorf("accounts have %d, and %d was issued", balances, issued)
	}
	if w.free(alice) != 0 {
		t.Errorf("%d is left", w.free(alice))
	}
}

// transfers sends so many from several accounts, a thousand for each block, and makes
// blocks until none waits.
func (w *world) transfers(count int, to tao.Account) {
	w.tb.Helper()
	names := []string{"Alice", "Bob", "Charlie", "Dave", "Eve"}
	for sent := range count {
		x := w.sign(names[sent%len(names)], "Balances.transfer_keep_alive", chain.Args{"dest": to, "value": uint64(1000)})
		if err := w.submit(x); err != nil {
			w.tb.Fatalf("transfer %d: %v", sent, err)
		}
		if sent%1000 == 999 {
			w.build()
		}
	}
	for range 1 + count/1000 {
		w.build()
	}
}

func (w *world) build() {
	w.tb.Helper()
	if _, err := w.net.Build(w.tb.Context()); err != nil {
		w.tb.Fatal(err)
	}
}

// Of many transfers none is lost, and none waits when all were made.
func TestLoad(t *testing.T) {
	w := start(t, devnet.Options{Manual: true})
	to, count := tao.Account{42}, 2000
	w.transfers(count, to)
	var waiting []json.RawMessage
	if err := w.net.Transport().Call(t.Context(), &waiting, "author_pendingExtrinsics"); err != nil {
		t.Fatal(err)
	}
	if got := w.free(to); got != uint64(count)*1000 || len(waiting) > 0 {
		t.Errorf("%d of %d came, %d wait", got/1000, count, len(waiting))
	}
}

// BenchmarkTransfers makes ten thousand: signing, pool and blocks. The memory that
// stays is that of the blocks, which are kept.
func BenchmarkTransfers(b *testing.B) {
	for b.Loop() {
		w := start(b, devnet.Options{Manual: true})
		before := heap()
		w.transfers(10_000, tao.Account{42})
		b.ReportMetric(float64(heap()-before)/1e6, "MB-kept")
		_ = w.net.Close()
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkBlock makes an empty block, and BenchmarkStart a chain.
func BenchmarkBlock(b *testing.B) {
	w := start(b, devnet.Options{Manual: true})
	for b.Loop() {
		w.build()
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		_ = start(b, devnet.Options{Manual: true}).net.Close()
	}
}

// Whatever is sent is taken, refused, or said to be no transaction.
func FuzzExtrinsic(f *testing.F) {
	w := start(f, devnet.Options{Manual: true})
	f.Add(w.sign("Alice", "System.remark", chain.Args{"remark": []byte("x")}))
	f.Add(w.sign("Alice", "Utility.batch", chain.Args{"calls": []chain.Call{{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte{}}}}}))
	f.Add([]byte{0x10, 4, 0, 0, 0})
	e := embedded.New()
	stored := state(e.Stored(embedded.Development(nil)))
	f.Fuzz(func(t *testing.T, x []byte) {
		_, err := e.Call(t.Context(), stored, "TaggedTransactionQueue_validate_transaction", append(append([]byte{2}, x...), make([]byte, 32)...))
		var trap *executor.TrapError
		if err != nil && !errors.As(err, &trap) {
			t.Error(err)
		}
	})
}
