package simulate_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/simulate"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

var (
	aliceKey = testnode.NewKey("alice")
	alice    = aliceKey.Account()
	bob      = testnode.NewKey("bob").Account()
)

// act is something that a made-up runtime does with the storage.
type act struct {
	do         string // get, next, set or clear
	key, value []byte
}

// program is a runtime that meets every extrinsic with the same acts and the same
// answer, and begins a block with begin. It stands for a real one where only what
// is made of its doings is tested.
func program(begin, acts []act, answer []byte) []byte {
	const base = 64 // of what is to lie in the memory
	var memory []byte
	span := func(b []byte) []byte { // i64.const of where the bytes lie
		at := uint64(base+len(memory)) | uint64(len(b))<<32
		memory = append(memory, b...)
		return sleb([]byte{0x42}, int64(at))
	}
	functions := map[string]byte{"get": 0, "next": 1, "set": 2, "clear": 3}
	body := func(acts []act, answer []byte) []byte {
		code := []byte{0} // no locals
		for _, a := range acts {
			code = append(code, span(a.key)...)
			if a.do == "set" {
				code = append(code, span(a.value)...)
			}
			code = append(code, 0x10, functions[a.do])
			if a.do == "get" || a.do == "next" {
				code = append(code, 0x1a) // the answer is of no interest
			}
		}
		return append(append(code, span(answer)...), 0x0b)
	}
	apply, open := body(acts, answer), body(begin, nil)
	name := func(s string) []byte { return append(uleb(uint64(len(s))), s...) }
	imported := func(s string, kind ...byte) []byte { return slices.Concat(name("env"), name(s), kind) }
	exported := func(s string, kind, index byte) []byte { return append(name(s), kind, index) }
	section := func(id byte, parts ...[]byte) []byte {
		b := slices.Concat(parts...)
		return slices.Concat([]byte{id}, uleb(uint64(len(b))), b)
	}
	sized := func(b []byte) []byte { return append(uleb(uint64(len(b))), b...) }
	return slices.Concat(
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte{4, 0x60, 2, 0x7f, 0x7f, 1, 0x7e, 0x60, 1, 0x7e, 1, 0x7e, 0x60, 2, 0x7e, 0x7e, 0, 0x60, 1, 0x7e, 0}),
		section(2, []byte{5}, imported("ext_storage_get_version_1", 0, 1), imported("ext_storage_next_key_version_1", 0, 1),
			imported("ext_storage_set_version_1", 0, 2), imported("ext_storage_clear_version_1", 0, 3), imported("memory", 2, 0, 2)),
		section(3, []byte{2, 0, 0}),
		section(6, []byte{1, 0x7f, 0}, sleb([]byte{0x41}, 65536), []byte{0x0b}), // __heap_base
		section(7, []byte{3}, exported("BlockBuilder_apply_extrinsic", 0, 4), exported("Core_initialize_block", 0, 5), exported("__heap_base", 3, 0)),
		section(10, []byte{2}, sized(apply), sized(open)),
		section(11, []byte{1, 0}, sleb([]byte{0x41}, base), []byte{0x0b}, sized(memory)),
	)
}

func uleb(n uint64) (b []byte) {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func sleb(b []byte, n int64) []byte {
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if n == 0 && low&0x40 == 0 || n == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}

// world is a chain on finney's metadata whose node serves made-up code.
type world struct {
	t    *testing.T
	node *testnode.Node
	view *chain.View
	rt   *chain.Runtime
}

func newWorld(t *testing.T, code []byte) *world {
	t.Helper()
	n := testnode.New(t, testnode.Config{Code: code})
	n.Fund(alice, 10*tao.TAO)
	n.Build()
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, n, v, v.Runtime()}
}

func (w *world) draft() *tx.Draft {
	w.t.Helper()
	d, err := tx.Prepare(w.t.Context(), w.view, tx.Plan{
		Signer: alice, Call: chain.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chain.Args{"dest": bob, "value": uint64(tao.TAO)}},
	}, tx.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// The parts of runtimes, encoded by finney's metadata.
type encoder struct {
	t  *testing.T
	rt *chain.Runtime
}

func (e encoder) key(pallet, name string, keys ...any) []byte {
	e.t.Helper()
	m := e.rt.Metadata()
	key, err := m.StorageKey(m.Pallet(pallet).Entry(name), keys...)
	if err != nil {
		e.t.Fatal(err)
	}
	return key
}

func (e encoder) events(list ...map[string]any) act {
	e.t.Helper()
	var records []any
	for _, event := range list {
		records = append(records, map[string]any{"phase": map[string]any{"ApplyExtrinsic": uint32(0)}, "event": event, "topics": []any{}})
	}
	m := e.rt.Metadata()
	value, err := m.Encode(nil, m.EventRecords(), records)
	if err != nil {
		e.t.Fatal(err)
	}
	return act{"set", e.key("System", "Events"), value}
}

// holds sets an account's free balance, in rao.
func (e encoder) holds(a tao.Account, free uint64) act {
	e.t.Helper()
	m := e.rt.Metadata()
	value, err := m.Encode(nil, m.Pallet("System").Entry("Account").Value, map[string]any{
		"nonce": uint32(1), "consumers": uint32(0), "providers": uint32(1), "sufficients": uint32(0),
		"data": map[string]any{"free": free, "reserved": uint64(0), "frozen": uint64(0), "flags": m0},
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return act{"set", e.key("System", "Account", a), value}
}

var m0 = scale.Text("0")

func event(pallet, name string, fields map[string]any) map[string]any {
	return map[string]any{pallet: map[string]any{name: fields}}
}

func weight() map[string]any {
	return map[string]any{"weight": map[string]any{"ref_time": uint64(1), "proof_size": uint64(1)}, "class": "Normal", "pays_fee": "Yes"}
}

var (
	success = event("System", "ExtrinsicSuccess", map[string]any{"dispatch_info": weight()})
	failure = event("System", "ExtrinsicFailed", map[string]any{"dispatch_error": map[string]any{"Token": "FundsUnavailable"}, "dispatch_info": weight()})
	paid    = event("TransactionPayment", "TransactionFeePaid", map[string]any{"who": alice, "actual_fee": uint64(125_000), "tip": uint64(0)})
)

func run(t *testing.T, w *world, o simulate.Options) *simulate.Outcome {
	t.Helper()
	out, err := simulate.Draft(t.Context(), w.view, w.draft(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	return out
}

func encoderOf(t *testing.T) encoder { return encoder{t, newWorld(t, nil).rt} }

func TestSuccess(t *testing.T) {
	e := encoderOf(t)
	moved := event("Balances", "Transfer", map[string]any{"from": alice, "to": bob, "amount": uint64(tao.TAO)})
	w := newWorld(t, program(nil, []act{
		{do: "get", key: e.key("System", "Account", alice)}, {do: "get", key: e.key("Timestamp", "Now")}, {do: "next", key: e.key("System", "Account")},
		e.holds(alice, 8_999_875_000), e.holds(bob, 1e9), e.events(paid, moved, success),
	}, []byte{0, 0}))
	cache := filepath.Join(t.TempDir(), "code")
	o := run(t, w, simulate.Options{Cache: cache})
	if !o.Succeeds || o.Err() != nil || o.Fee == nil || *o.Fee != 125_000 || len(o.Events) != 3 || o.WholeBlock {
		t.Errorf("%+v", o)
	}
	want := []simulate.Account{{Account: alice, Before: 10 * tao.TAO, After: 8_999_875_000}, {Account: bob, After: tao.TAO}}
	if !slices.Equal(o.Accounts, want) || !slices.Equal(o.Touched, []tao.Account{alice, bob}) {
		t.Errorf("accounts %v, touched %v", o.Accounts, o.Touched)
	}
	for _, key := range [][]byte{e.key("System", "Events"), e.key("System", "Number"), e.key("System", "Account", bob)} {
		if !slices.ContainsFunc(o.Changed(), func(k []byte) bool { return string(k) == string(key) }) {
			t.Errorf("%x is not among what it would change", key)
		}
	}
	if w.node.Calls("author_submitExtrinsic") != 0 || w.node.Calls("author_submitAndWatchExtrinsic") != 0 {
		t.Error("something was sent")
	}
	// The state of the node is what it was, that of the outcome is another.
	before, after := funds(t, w.view), funds(t, o.After())
	if before != 10*tao.TAO || after != 8_999_875_000 {
		t.Errorf("before %s, after %s", before, after)
	}

	// The second time the code comes from the disk, and what was read in one go.
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	again := run(t, w, simulate.Options{Cache: cache})
	if first, second := o.Cost(), again.Cost(); second.Requests >= first.Requests || second.Values != first.Values {
		t.Errorf("first %+v, then %+v", first, second)
	}
	if again.Succeeds != o.Succeeds || *again.Fee != *o.Fee || !slices.Equal(again.Accounts, want) {
		t.Errorf("%+v", again)
	}
}

func funds(t *testing.T, v *chain.View) tao.Amount {
	t.Helper()
	f, err := tx.FundsOf(t.Context(), v, alice)
	if err != nil {
		t.Fatal(err)
	}
	return f[0].Free
}

func TestFailure(t *testing.T) {
	e := encoderOf(t)
	o := run(t, newWorld(t, program(nil, []act{e.events(paid, failure)}, []byte{0, 1, 7})), simulate.Options{})
	var failed *tx.Failure
	if o.Succeeds || !errors.As(o.Err(), &failed) || failed.Name != "FundsUnavailable" || *o.Fee != 125_000 {
		t.Errorf("%+v, %v", o, o.Err())
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		answer []byte
		reason string // "": it is not known, and nothing is said
	}{
		{[]byte{1, 0, 3}, "Stale"}, {[]byte{1, 0, 1}, "Payment"}, {[]byte{1, 0, 7, 9}, "TransferDisallowed"}, {[]byte{1, 1, 0}, "CannotLookup"},
		{[]byte{1, 0, 99}, ""}, {[]byte{1, 2, 0}, ""}, {[]byte{1}, ""}, {[]byte{}, ""},
	} {
		w := newWorld(t, program(nil, nil, c.answer))
		o, err := simulate.Draft(t.Context(), w.view, w.draft(), simulate.Options{})
		if c.reason == "" {
			if is := new(simulate.Error); !errors.As(err, &is) {
				t.Errorf("%x: %v", c.answer, err)
			}
			continue
		}
		var refused *chain.InvalidError
		if err != nil || o.Succeeds || o.Fee != nil || !errors.As(o.Err(), &refused) || !strings.Contains(o.Reason, c.reason) {
			t.Errorf("%x: %+v, %v", c.answer, o, err)
		}
	}
}

// Where nothing can be found out, nothing is said.
func TestNothing(t *testing.T) {
	e := encoderOf(t)
	fails := func(what string, w *world, is any) {
		t.Helper()
		o, err := simulate.Draft(t.Context(), w.view, w.draft(), simulate.Options{Cache: t.TempDir()})
		if wrong := new(simulate.Error); o != nil || !errors.As(err, &wrong) || is != nil && !errors.As(err, is) {
			t.Errorf("%s: %+v, %T %v", what, o, err, err)
		}
	}
	fails("no code", newWorld(t, nil), nil)
	fails("no WebAssembly", newWorld(t, []byte("no code")), new(*executor.CodeError))
	fails("no events", newWorld(t, program(nil, nil, []byte{0, 0})), nil)
	fails("an outcome that its events do not tell", newWorld(t, program(nil, []act{e.events(success)}, []byte{0, 1})), nil)
	fails("events that are none", newWorld(t, program(nil, []act{{"set", e.key("System", "Events"), []byte{0xff}}}, []byte{0, 0})), nil)

	w := newWorld(t, program(nil, []act{{do: "get", key: e.key("System", "Account", bob)}}, []byte{0, 0}))
	w.node.Fail(testnode.Fault{Method: "state_getStorage", Kind: testnode.Refuse, Skip: 1, Times: math.MaxInt, Error: chain.RPCError{Code: 4003, Message: "pruned"}})
	fails("a node without the state", w, new(*chain.RPCError))

	good := program(nil, []act{e.events(success)}, []byte{0, 0})
	w = newWorld(t, good)
	d := w.draft()
	w = newWorld(t, append(slices.Clone(good), 0, 1, 0)) // with a custom section
	other, err := chain.NewClient(t.Context(), w.node.Transport())
	if err != nil {
		t.Fatal(err)
	}
	if w.view, err = other.At(t.Context(), chain.Best()); err != nil {
		t.Fatal(err)
	}
	if _, err := simulate.Draft(t.Context(), w.view, d, simulate.Options{}); err != nil {
		t.Errorf("code with a custom section: %v", err)
	}
}

// A file on the disk that is not the chain's code is not run.
func TestForeignCache(t *testing.T) {
	e := encoderOf(t)
	w := newWorld(t, program(nil, []act{e.events(success)}, []byte{0, 0}))
	cache := t.TempDir()
	run(t, w, simulate.Options{Cache: cache})
	files, err := filepath.Glob(filepath.Join(cache, "*.wasm"))
	if err != nil || len(files) != 1 {
		t.Fatalf("cached %v, %v", files, err)
	}
	if err := os.WriteFile(files[0], program(nil, []act{e.events(failure)}, []byte{0, 1, 7}), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := run(t, w, simulate.Options{Cache: cache}); !o.Succeeds {
		t.Error("other code was run")
	}
	// Neither is what was read earlier believed: only keys are kept.
	if err := os.WriteFile(strings.TrimSuffix(files[0], ".wasm")+".keys", []byte("zz\n00\n\n"+strings.Repeat("ab", 70_000)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := run(t, w, simulate.Options{Cache: cache}); !o.Succeeds {
		t.Error("a broken memory changes the outcome")
	}
}

// The folder does not grow for ever, and nothing else in it is touched.
func TestPrune(t *testing.T) {
	e := encoderOf(t)
	cache := t.TempDir()
	for i := range 20 {
		for _, kind := range []string{".wasm", ".keys", ".txt"} {
			if err := os.WriteFile(filepath.Join(cache, strings.Repeat("0", i+1)+kind), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := newWorld(t, program(nil, []act{e.events(success)}, []byte{0, 0}))
	if err := run(t, w, simulate.Options{Cache: cache}).Close(); err != nil {
		t.Fatal(err)
	}
	code := w.rt.Spec().Code
	for kind, want := range map[string]int{".wasm": 8, ".keys": 8, ".txt": 20} {
		files, err := filepath.Glob(filepath.Join(cache, "*"+kind))
		newest := slices.ContainsFunc(files, func(f string) bool { return strings.Contains(f, code.String()[2:]) })
		if err != nil || len(files) != want || newest != (kind != ".txt") {
			t.Errorf("%d files %s are left, want %d; the newest one %v", len(files), kind, want, newest)
		}
	}
}

// The whole block is begun where that is asked for.
func TestWholeBlock(t *testing.T) {
	e := encoderOf(t)
	w := newWorld(t, program([]act{e.holds(bob, 7)}, []act{e.events(success)}, []byte{0, 0}))
	o := run(t, w, simulate.Options{Block: true})
	if f, err := tx.FundsOf(t.Context(), o.After(), bob); err != nil || f[0].Free != 7 || !o.WholeBlock {
		t.Errorf("%v, %v", f, err)
	}
}

// A signed extrinsic is the same, but its signature is the runtime's business.
func TestExtrinsic(t *testing.T) {
	e := encoderOf(t)
	w := newWorld(t, program(nil, []act{e.events(paid, success)}, []byte{0, 0}))
	x, err := w.draft().Sign(t.Context(), aliceKey)
	if err != nil {
		t.Fatal(err)
	}
	o, err := simulate.Extrinsic(t.Context(), w.view, x, simulate.Options{})
	if err != nil || !o.Succeeds {
		t.Errorf("%+v, %v", o, err)
	}
}

// A map of more than one page is read to its end although the outcome removes
// entries of it, and adds others.
func TestPages(t *testing.T) {
	e := encoderOf(t)
	const entries = 1200 // a reader asks for 1,000 keys at a time
	added := tao.Account{0xff, 0xff, 1}
	acts := []act{e.holds(added, 9), e.events(success)}
	gone := make([]tao.Account, 20) // of which most stand on the first page
	for i := range gone {
		gone[i] = tao.Account{0, byte(i)}
		acts = append(acts, act{do: "clear", key: e.key("System", "Account", gone[i])})
	}
	w := newWorld(t, program(nil, acts, []byte{0, 0}))
	for i := range entries {
		w.node.Fund(tao.Account{byte(i >> 8), byte(i)}, tao.TAO)
	}
	w.node.Build()
	view, err := w.view.Client().At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	w.view = view
	o := run(t, w, simulate.Options{})
	accounts := chain.Item[*scale.Record]{Pallet: "System", Name: "Account"}
	read := func(v *chain.View) map[tao.Account]bool {
		found := map[tao.Account]bool{}
		for entry, err := range accounts.All(t.Context(), v) {
			var a tao.Account
			if err == nil {
				err = entry.Scan(&a)
			}
			if err != nil {
				t.Fatal(err)
			}
			found[a] = true
		}
		return found
	}
	before, after := read(w.view), read(o.After())
	if len(before) < entries || len(after) != len(before)-len(gone)+1 || !before[gone[0]] || after[gone[0]] || !after[added] {
		t.Errorf("%d accounts before, %d after", len(before), len(after))
	}
}
