package tx_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

var (
	alice = testnode.NewKey("alice")
	bob   = testnode.NewKey("bob")
)

// road is a node, a client of it, and a journal.
type road struct {
	node    *testnode.Node
	client  *chain.Client
	journal *tx.Journal
}

func newRoad(t *testing.T, cfg testnode.Config) *road {
	t.Helper()
	n := testnode.New(t, cfg)
	n.Fund(alice.Account(), 10*tao.TAO)
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	return &road{n, c, tx.OpenJournal(filepath.Join(t.TempDir(), "home", "journal.jsonl"), clock)}
}

func pay(value tao.Amount) tx.Plan {
	return tx.Plan{
		Signer: alice.Account(), Spend: &value, KeepAlive: true,
		Call: chain.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chain.Args{"dest": bob.Account(), "value": value}},
	}
}

func (r *road) draft(t *testing.T, p tx.Plan, o tx.Options) *tx.Draft {
	t.Helper()
	v, err := r.client.At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	d, err := tx.Prepare(t.Context(), v, p, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (r *road) signed(t *testing.T, p tx.Plan, o tx.Options) *tx.Extrinsic {
	t.Helper()
	x, err := r.draft(t, p, o).Sign(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (r *road) send(t *testing.T, x *tx.Extrinsic, wait tx.Wait) (*tx.Receipt, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return tx.Send(ctx, r.client, r.journal, x, wait, func(tx.Progress) {})
}

// state is what the journal says of an extrinsic.
func (r *road) state(t *testing.T, x *tx.Extrinsic) tx.Entry {
	t.Helper()
	e, err := r.journal.Entry(x.Hash())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// On every generation of the chain: the fee shown is the fee charged, and the
// balances add up to the rao.
func TestTransferOnEveryRuntime(t *testing.T) {
	for _, name := range fixture.Names(t) {
		t.Run(name, func(t *testing.T) {
			r := newRoad(t, testnode.Config{Metadata: name})
			d := r.draft(t, pay(3*tao.TAO), tx.Options{Tip: 77})
			x, err := d.Sign(t.Context(), alice)
			if err != nil {
				t.Fatal(err)
			}
			receipt, err := r.send(t, x, tx.WaitFinalized)
			if err != nil {
				t.Fatal(err)
			}
			if receipt.Status != tx.Finalized || receipt.Failure != nil || !receipt.Final {
				t.Errorf("receipt %+v", receipt)
			}
			if receipt.Fee == nil || *receipt.Fee != *d.Fee {
				t.Errorf("fee shown %s, charged %v", d.Fee, receipt.Fee)
			}
			if got, want := r.node.Free(alice.Account()), 7*tao.TAO-*d.Fee; got != want {
				t.Errorf("alice has %s, want %s", got, want)
			}
			if got := r.node.Free(bob.Account()); got != 3*tao.TAO {
				t.Errorf("bob has %s", got)
			}
			if e := r.state(t, x); e.State != tx.Finalized || !e.Final || e.Block != receipt.Block {
				t.Errorf("journal says %+v", e)
			}
		})
	}
}

func TestPrepareRefuses(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	v, err := r.client.At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	prepare := func(p tx.Plan) error {
		_, err := tx.Prepare(t.Context(), v, p, tx.Options{})
		return err
	}
	var insufficient *tx.InsufficientError
	if err := prepare(pay(10 * tao.TAO)); !errors.As(err, &insufficient) || insufficient.Deposit == 0 {
		t.Errorf("everything without the fee: %v", err)
	}
	poor := pay(1)
	poor.Signer = bob.Account()
	if err := prepare(poor); !errors.As(err, &insufficient) {
		t.Errorf("a signer without money: %v", err)
	}
	var missing *chain.MissingError
	gone := tx.Plan{Signer: alice.Account(), Call: chain.Call{Pallet: "SubtensorModule", Name: "vote"}}
	if err := prepare(gone); !errors.As(err, &missing) {
		t.Errorf("a call that this runtime lacks: %v", err)
	}
	wide := pay(1)
	wide.Call.Args["value"] = "ten"
	if err := prepare(wide); err == nil {
		t.Error("a text for a number passed")
	}
}

// Spendable follows the chain: locks hold back what reserves do not cover.
func TestSpendable(t *testing.T) {
	const ed = 500
	for _, c := range []struct {
		free, reserved, frozen tao.Amount
		keepAlive              bool
		want                   tao.Amount
	}{
		{10_000, 0, 0, false, 10_000},
		{10_000, 0, 0, true, 9_500},
		{10_000, 0, 3_000, false, 7_000},
		{10_000, 2_000, 3_000, false, 9_000},
		{10_000, 2_900, 3_000, false, 9_500},
		{10_000, 5_000, 3_000, false, 10_000},
		{100, 0, 0, true, 0},
		{0, 0, 0, false, 0},
	} {
		f := tx.Funds{Free: c.free, Reserved: c.reserved, Frozen: c.frozen, Deposit: ed}
		if got := f.Spendable(c.keepAlive); got != c.want {
			t.Errorf("%+v keepAlive %v: %d, want %d", f, c.keepAlive, got, c.want)
		}
	}
}

// What fails on chain is a failure, also where the extrinsic itself succeeds.
func TestFailures(t *testing.T) {
	tooMuch := chain.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chain.Args{"dest": bob.Account(), "value": 99 * tao.TAO}}
	remark := chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte{1}}}
	batch := func(kind string, calls ...any) chain.Call {
		return chain.Call{Pallet: "Utility", Name: kind, Args: chain.Args{"calls": calls}}
	}
	for _, c := range []struct {
		what         string
		call         chain.Call
		name, inside string
		done         int
	}{
		{"alone", tooMuch, "FundsUnavailable", "", 0},
		{"in an atomic batch", batch("batch_all", remark, tooMuch), "FundsUnavailable", "", 0},
		{"in a batch that stops", batch("batch", remark, remark, tooMuch, remark), "FundsUnavailable", "Utility.BatchInterrupted", 2},
		{"at the start of a batch", batch("batch", tooMuch, remark), "FundsUnavailable", "Utility.BatchInterrupted", 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRoad(t, testnode.Config{})
			x := r.signed(t, tx.Plan{Signer: alice.Account(), Call: c.call}, tx.Options{})
			receipt, err := r.send(t, x, tx.WaitIncluded)
			if err != nil {
				t.Fatal(err)
			}
			f := receipt.Failure
			if receipt.Status != tx.Failed || f == nil || f.Name != c.name || f.Inside != c.inside || f.Done != c.done {
				t.Errorf("status %s, failure %+v", receipt.Status, f)
			}
			if receipt.Fee == nil || *receipt.Fee == 0 {
				t.Errorf("a failed call's fee is %v", receipt.Fee)
			}
			if e := r.state(t, x); e.State != tx.Failed {
				t.Errorf("journal says %s", e.State)
			}
		})
	}
}

func TestRefusedByThePool(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	var refused *tx.RefusedError
	var invalid *chain.InvalidError
	first := r.signed(t, pay(tao.TAO), tx.Options{})
	if _, err := r.send(t, first, tx.WaitIncluded); err != nil {
		t.Fatal(err)
	}
	past := uint32(0)
	other := r.signed(t, pay(2*tao.TAO), tx.Options{Nonce: &past})
	_, err := r.send(t, other, tx.WaitIncluded)
	if !errors.As(err, &refused) || !errors.As(err, &invalid) || invalid.Reason != "Stale" {
		t.Errorf("a used nonce: %v", err)
	}
	if e := r.state(t, other); !e.Doubtful() {
		t.Errorf("journal takes one node's word for the end: %s, final %v", e.State, e.Final)
	}
	// The same bytes once more are not a refusal: they were done.
	again, err := r.send(t, first, tx.WaitIncluded)
	if err != nil || again.Status != tx.Finalized {
		t.Errorf("sent twice: %+v, %v", again, err)
	}
	if got := r.node.Free(bob.Account()); got != tao.TAO {
		t.Errorf("bob has %s: paid twice?", got)
	}
}

// A node that refuses and passes on all the same cannot hide what happened, and
// a refusal becomes final only with the extrinsic's last block.
func TestRefusedAndDoneAllTheSame(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	lie := testnode.Fault{Method: "author_submit", Kind: testnode.Betray, Times: 1, Error: chain.RPCError{Code: 1014, Message: "Priority is too low"}}
	r.node.Fail(lie)
	x := r.signed(t, pay(tao.TAO), tx.Options{})
	var refused *tx.RefusedError
	if _, err := r.send(t, x, tx.WaitIncluded); !errors.As(err, &refused) {
		t.Fatalf("a refusal: %v", err)
	}
	receipt, e, err := tx.Find(t.Context(), r.client, r.journal, x.Hash())
	if err != nil || receipt == nil || e.State != tx.Finalized || !e.Final {
		t.Errorf("found as %+v, %+v, %v", receipt, e, err)
	}
	past := uint32(0)
	honest := r.signed(t, pay(tao.TAO), tx.Options{Nonce: &past, Period: 4})
	if _, err := r.send(t, honest, tx.WaitIncluded); !errors.As(err, &refused) {
		t.Fatalf("a used nonce: %v", err)
	}
	r.node.BuildN(8)
	if _, e, err := tx.Find(t.Context(), r.client, r.journal, honest.Hash()); err != nil || e.State != tx.Refused || !e.Final {
		t.Errorf("after its last block: %+v, %v", e, err)
	}
}

// A node that takes the extrinsic and then falls silent is not waited for beyond
// the last block that may hold it.
func TestSilentNode(t *testing.T) {
	r := newRoad(t, testnode.Config{Manual: true})
	x := r.signed(t, pay(tao.TAO), tx.Options{Period: 4})
	r.node.Fail(testnode.Fault{Method: "author_submit", Kind: testnode.Swallow, Times: 1})
	_, err := tx.Send(t.Context(), r.client, r.journal, x, tx.WaitIncluded, func(p tx.Progress) {
		if p.Stage == "ready" {
			r.node.BuildN(9)
		}
	})
	var expired *tx.ExpiredError
	if !errors.As(err, &expired) {
		t.Errorf("a silent node: %v", err)
	}
	if e := r.state(t, x); e.State != tx.Expired || !e.Final {
		t.Errorf("journal says %+v", e)
	}
}

// A line that breaks after the node got the extrinsic leaves the outcome
// unknown, never failed, and settling finds it.
func TestLostLineThenSettled(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	x := r.signed(t, pay(tao.TAO), tx.Options{})
	r.node.Fail(testnode.Fault{Method: "author_submitAndWatchExtrinsic", Kind: testnode.DropAfter, Times: 1})
	_, err := r.send(t, x, tx.WaitIncluded)
	var unknown *tx.UnknownError
	if !errors.As(err, &unknown) || unknown.Extrinsic != x.Hash() || unknown.Until == 0 {
		t.Fatalf("a broken line: %v", err)
	}
	if e := r.state(t, x); e.State != tx.Unknown || e.Final || !e.Pending() {
		t.Errorf("journal says %+v", e)
	}
	receipt, entry, err := tx.Find(t.Context(), r.client, r.journal, x.Hash())
	if err != nil || receipt == nil || receipt.Status != tx.Finalized || entry.State != tx.Finalized {
		t.Errorf("settled: %+v, %+v, %v", receipt, entry, err)
	}
}

// A line that breaks before the node looked may or may not have carried the
// extrinsic; blocks without it, up to its last one, prove that it is dead.
func TestLostThenExpired(t *testing.T) {
	r := newRoad(t, testnode.Config{Manual: true})
	x := r.signed(t, pay(tao.TAO), tx.Options{Period: 4})
	r.node.Fail(testnode.Fault{Method: "author_submitAndWatchExtrinsic", Kind: testnode.DropBefore, Times: 1})
	_, err := r.send(t, x, tx.WaitIncluded)
	var unknown *tx.UnknownError
	if !errors.As(err, &unknown) {
		t.Fatalf("a broken line: %v", err)
	}
	find := func() tx.Entry {
		t.Helper()
		receipt, e, err := tx.Find(t.Context(), r.client, r.journal, x.Hash())
		if err != nil || receipt != nil {
			t.Fatalf("receipt %+v, %v", receipt, err)
		}
		return e
	}
	if e := find(); e.State != tx.Unknown {
		t.Errorf("before its last block: %s", e.State)
	}
	r.node.BuildN(2)
	if e := find(); !e.Pending() {
		t.Errorf("before its last block: %s", e.State)
	}
	r.node.BuildN(8)
	if e := find(); e.State != tx.Expired || !e.Final {
		t.Errorf("after its last block: %+v", e)
	}
}

// Another extrinsic that took the number ends the waiting, and is no proof.
func TestNumberTaken(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	x := r.signed(t, pay(tao.TAO), tx.Options{})
	r.node.Fail(testnode.Fault{Method: "author_submitAndWatchExtrinsic", Kind: testnode.DropBefore, Times: 1})
	if _, err := r.send(t, x, tx.WaitIncluded); err == nil {
		t.Fatal("a broken line passed")
	}
	if _, err := r.send(t, r.signed(t, pay(2*tao.TAO), tx.Options{}), tx.WaitIncluded); err != nil {
		t.Fatal(err)
	}
	var taken *tx.TakenError
	if _, e, err := tx.Await(t.Context(), r.client, r.journal, x.Hash(), false); !errors.As(err, &taken) || !e.Pending() {
		t.Errorf("%+v, %v", e, err)
	}
}

// Finality lags: a block that is not final yet is not called final, and an
// extrinsic is not called dead before the block is.
func TestExpiryWaitsForFinality(t *testing.T) {
	r := newRoad(t, testnode.Config{Manual: true, Lag: 3})
	r.node.BuildN(5)
	x := r.signed(t, pay(tao.TAO), tx.Options{Period: 4})
	r.node.Fail(testnode.Fault{Method: "author_submitAndWatchExtrinsic", Kind: testnode.DropBefore, Times: 1})
	if _, err := r.send(t, x, tx.WaitIncluded); err == nil {
		t.Fatal("a broken line passed")
	}
	last, _ := x.Era.Last()
	for {
		head, _ := r.node.Head()
		_, e, err := tx.Find(t.Context(), r.client, r.journal, x.Hash())
		if err != nil {
			t.Fatal(err)
		}
		if dead := head >= last+3; dead != (e.State == tx.Expired) {
			t.Errorf("head %d, last %d: %s", head, last, e.State)
		}
		if e.State == tx.Expired || head > last+4 {
			return
		}
		r.node.Build()
	}
}

// A block that is undone takes its receipt with it: what counts is the block
// that becomes final.
func TestReorganized(t *testing.T) {
	r := newRoad(t, testnode.Config{Manual: true, Lag: 2})
	r.node.BuildN(3)
	x := r.signed(t, pay(tao.TAO), tx.Options{})
	var stages []string
	receipt, err := tx.Send(t.Context(), r.client, r.journal, x, tx.WaitFinalized, func(p tx.Progress) {
		stages = append(stages, p.Stage)
		switch {
		case p.Stage == "ready":
			r.node.Build()
		case p.Stage == "included" && len(stages) == 2:
			r.node.Reorganize(1)
			r.node.Build()
		case p.Stage == "included":
			r.node.BuildN(4)
		}
	})
	if err != nil || receipt.Status != tx.Finalized {
		t.Fatalf("stages %v: %+v, %v", stages, receipt, err)
	}
	if !slices.Contains(stages, "retracted") {
		t.Errorf("stages %v", stages)
	}
	if e := r.state(t, x); e.State != tx.Finalized || *e.BlockHash != *receipt.BlockHash {
		t.Errorf("journal says %+v", e)
	}
}

func TestWaitNone(t *testing.T) {
	r := newRoad(t, testnode.Config{Manual: true})
	x := r.signed(t, pay(tao.TAO), tx.Options{})
	receipt, err := r.send(t, x, tx.WaitNone)
	if err != nil || receipt.Status != tx.Submitted {
		t.Fatalf("%+v, %v", receipt, err)
	}
	r.node.Build()
	if _, e, err := tx.Find(t.Context(), r.client, r.journal, x.Hash()); err != nil || e.State != tx.Finalized {
		t.Errorf("settled: %+v, %v", e, err)
	}
}

// A nonce ahead of the account's waits for those before it; when the wait ends,
// nobody knows what will become of it.
func TestFutureNonce(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	far := uint32(9)
	x := r.signed(t, pay(tao.TAO), tx.Options{Nonce: &far})
	ctx, cancel := context.WithCancel(t.Context())
	var stages []string
	_, err := tx.Send(ctx, r.client, r.journal, x, tx.WaitIncluded, func(p tx.Progress) {
		stages = append(stages, p.Stage)
		cancel()
	})
	var unknown *tx.UnknownError
	if !errors.As(err, &unknown) || !r.state(t, x).Pending() {
		t.Errorf("stages %v, error %v", stages, err)
	}
}

// Over plain HTTP nothing is pushed; blocks are searched instead.
func TestOverHTTP(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	_, http := r.node.Listen()
	client, err := chain.Dial(t.Context(), http)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r.client = client
	receipt, err := r.send(t, r.signed(t, pay(tao.TAO), tx.Options{}), tx.WaitIncluded)
	if err != nil || receipt.Status != tx.Finalized {
		t.Errorf("%+v, %v", receipt, err)
	}
}

func TestCancelledWhileWaiting(t *testing.T) {
	r := newRoad(t, testnode.Config{Manual: true})
	x := r.signed(t, pay(tao.TAO), tx.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := tx.Send(ctx, r.client, r.journal, x, tx.WaitIncluded, func(p tx.Progress) {
		if p.Stage == "ready" {
			cancel()
		}
	})
	var unknown *tx.UnknownError
	if !errors.As(err, &unknown) {
		t.Errorf("cancelled after sending: %v", err)
	}
	if e := r.state(t, x); e.State != tx.Unknown {
		t.Errorf("journal says %s", e.State)
	}
}

// An extrinsic that cannot be written down is not sent.
func TestNoJournalNoSending(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	x := r.signed(t, pay(tao.TAO), tx.Options{})
	r.journal = tx.OpenJournal(filepath.Join("/dev/null", "journal.jsonl"), time.Now)
	if _, err := r.send(t, x, tx.WaitIncluded); err == nil || !strings.Contains(err.Error(), "nothing was sent") {
		t.Errorf("no journal: %v", err)
	}
	if n := r.node.Calls("author_submitAndWatchExtrinsic") + r.node.Calls("author_submitExtrinsic"); n != 0 {
		t.Errorf("it was submitted %d times", n)
	}
}

func TestOtherChain(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	x := r.signed(t, pay(tao.TAO), tx.Options{})
	other := newRoad(t, testnode.Config{Salt: "another"})
	if _, err := other.send(t, x, tx.WaitIncluded); err == nil || !strings.Contains(err.Error(), "nothing was sent") {
		t.Errorf("an extrinsic of another chain: %v", err)
	}
}

func TestSignerMustFit(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	if _, err := r.draft(t, pay(1000), tx.Options{}).Sign(t.Context(), bob); err == nil {
		t.Error("another account's key signed")
	}
}

func TestBatch(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	p, err := tx.Batch(pay(tao.TAO), pay(2*tao.TAO))
	if err != nil || p.Spend == nil || *p.Spend != 3*tao.TAO {
		t.Fatalf("%+v, %v", p, err)
	}
	receipt, err := r.send(t, r.signed(t, p, tx.Options{}), tx.WaitIncluded)
	if err != nil || receipt.Failure != nil {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if got := r.node.Free(bob.Account()); got != 3*tao.TAO {
		t.Errorf("bob has %s", got)
	}
	other := pay(1)
	other.Signer = bob.Account()
	if _, err := tx.Batch(pay(1), other); err == nil {
		t.Error("a batch of two signers passed")
	}
	if _, err := tx.Batch(); err == nil {
		t.Error("an empty batch passed")
	}
}

// A draft file tells all that is signed; whatever is changed in it is noticed.
func TestDraftFile(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	d := r.draft(t, pay(tao.TAO), tx.Options{Tip: 5})
	file, err := d.File(true)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	back, err := tx.ReadDraft(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(back.SignedMessage()) != string(d.SignedMessage()) || *back.Fee != *d.Fee {
		t.Error("a draft read back is another draft")
	}
	x, err := back.Sign(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if receipt, err := r.send(t, x, tx.WaitIncluded); err != nil || receipt.Failure != nil {
		t.Errorf("a draft signed elsewhere: %+v, %v", receipt, err)
	}
	for field, value := range map[string]any{
		"nonce": 9, "tip": "1", "signer": "nobody", "era": "immortal", "call": "0x0000", "extra": "0x00",
		"genesis": tao.Hash{1}, "spec_version": 999, "tx_version": 9, "payload": "0x", "signed_message": "0x00",
		"additional": "0x", "format": "other", "metadata": nil, "decoded": map[string]any{"call": "System.remark", "args": map[string]any{}},
	} {
		var changed map[string]any
		if err := json.Unmarshal(text, &changed); err != nil {
			t.Fatal(err)
		}
		changed[field] = value
		bad, _ := json.Marshal(changed)
		if _, err := tx.ReadDraft(bad, nil); err == nil {
			t.Errorf("a draft with another %s was read", field)
		}
	}
}

func TestDecode(t *testing.T) {
	r := newRoad(t, testnode.Config{})
	d := r.draft(t, pay(tao.TAO), tx.Options{Tip: 5})
	x, err := d.Sign(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	rt := r.node.Runtime()
	for _, c := range []struct {
		kind tx.Kind
		raw  []byte
	}{{tx.KindExtrinsic, x.Bytes}, {tx.KindCall, d.CallBytes()}, {tx.KindPayload, d.Payload()}} {
		got, err := tx.Decode(rt, c.raw, d.Head)
		if err != nil {
			t.Errorf("%s: %v", c.kind, err)
			continue
		}
		if got.Kind != c.kind || got.Call.String() != d.Call.String() || got.CallHash != d.CallHash() {
			t.Errorf("%s: read as %+v", c.kind, got)
		}
		if c.kind != tx.KindCall && (got.Tip != 5 || got.Nonce != d.Nonce || got.Era.Period != d.Era.Period || got.Era.Birth != d.Era.Birth) {
			t.Errorf("%s: nonce, tip or era differ: %+v", c.kind, got)
		}
		if c.kind == tx.KindExtrinsic && (got.Signer != alice.Account() || got.Hash != x.Hash()) {
			t.Errorf("signer %s, hash %s", got.Signer, got.Hash)
		}
		for cut := range len(c.raw) {
			if short, err := tx.Decode(rt, c.raw[:cut], d.Head); err == nil && short.Kind == c.kind {
				t.Errorf("%s cut to %d bytes was read as one", c.kind, cut)
			}
		}
	}
}
