package governance

import (
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/declared"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
)

func runtimeOf(tb testing.TB, blob []byte) *chain.Runtime {
	tb.Helper()
	m, err := scale.ParseMetadata(blob)
	if err != nil {
		tb.Fatal(err)
	}
	return chain.NewRuntime(chain.Spec{Name: "node-subtensor", SpecVersion: 424, TxVersion: 1}, m)
}

// FuzzStatus reads whatever a node may give as the state of a referendum. What is
// taken for an ongoing one has a known way of deciding, and nothing is both
// ongoing and over.
func FuzzStatus(f *testing.F) {
	m := runtimeOf(f, declared.Referenda(f)).Metadata()
	status := m.Pallet(referendaPallet).Entry(referenda.Name).Value
	for _, seed := range []any{
		&scale.Variant{Name: "Enacted", Value: uint32(9)}, &scale.Variant{Name: "Killed", Value: uint32(1 << 31)},
		ongoingSeed(&scale.Variant{Name: "Review"}, &scale.Variant{Name: adjustable, Value: map[string]any{
			"initial_delay": uint32(7200), "max_delay": uint32(14400), "fast_track_threshold": uint32(750_000_000), "cancel_threshold": uint32(510_000_000),
		}}),
		ongoingSeed(&scale.Variant{Name: "Action", Value: &scale.Variant{Name: "Inline", Value: []byte{0, 0, 4, 1}}},
			&scale.Variant{Name: passOrFail, Value: map[string]any{
				"decision_period": uint32(50_400), "approve_threshold": uint32(666_666_666), "reject_threshold": uint32(666_666_666), "on_approval": "Execute",
			}}),
	} {
		b, err := m.Encode(nil, status, seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint32(3), uint32(1), uint32(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, seats, ayes, nays uint32) {
		var value any
		if m.Decode(status, b, &value) != nil {
			return
		}
		r, open := ongoingOf(value)
		if over := concluded(1, value); open && over != nil || !open && over == nil && value.(*scale.Variant).Name != ongoing {
			t.Fatalf("%v is open: %v, over: %v", value, open, over)
		}
		boundedOf(r.call)
		if !open {
			return
		}
		if r.decision.kind != passOrFail && r.decision.kind != adjustable {
			t.Fatalf("%v is decided by %q", value, r.decision.kind)
		}
		checkReview(t, review{decision: r.decision, total: seats % 64}, ayes%65, nays%65)
	})
}

// checkReview wants no date before the submission, and none after the longest.
func checkReview(t *testing.T, r review, ayes, nays uint32) {
	t.Helper()
	n := votesFor(r.approve, r.total)
	if n > max(r.total, 1) || r.total > 0 && n > 1 && share(n-1, r.total) >= r.approve {
		t.Fatalf("%d of %d votes for %d", n, r.total, r.approve)
	}
	if ayes+nays > r.total || r.kind != adjustable {
		return
	}
	if d := r.delay(ayes, nays); d > max(r.initial, r.longest) {
		t.Fatalf("%d ayes and %d nays make %d of %+v", ayes, nays, d, r)
	}
}

func ongoingSeed(proposal, strategy any) any {
	return &scale.Variant{Name: ongoing, Value: map[string]any{
		"track": uint8(1), "proposal": proposal, "proposer": make([]byte, 32), "submitted": uint32(100), "decision_strategy": strategy,
		"tally": map[string]any{"approval": uint32(0), "rejection": uint32(0), "abstention": uint32(billion)},
	}}
}

// FuzzLines puts whatever decodes as a call in words. Every call inside it has a
// line of its own, and no line is endless.
func FuzzLines(f *testing.F) {
	rt := runtimeOf(f, fixture.Metadata(f, "finney-393-v16"))
	remark := chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": make([]byte, 300)}}
	for _, c := range []chain.Call{
		remark,
		{Pallet: "Utility", Name: "batch", Args: chain.Args{"calls": []any{remark, remark}}},
		{Pallet: "Sudo", Name: "sudo", Args: chain.Args{"call": chain.Call{Pallet: "Utility", Name: "batch", Args: chain.Args{"calls": []any{}}}}},
		{Pallet: "Utility", Name: "if_else", Args: chain.Args{"main": remark, "fallback": remark}},
	} {
		if b, err := rt.Encode(c); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		call, err := rt.Decode(b)
		if err != nil {
			return
		}
		list := lines(call, 0)
		if want := 1 + len(call.Inner()); len(list) != want {
			t.Fatalf("%d lines for %d calls: %q", len(list), want, list)
		}
		for i, l := range list {
			if (i > 0) != strings.HasPrefix(l, deeper) {
				t.Fatalf("line %d is %q", i, l)
			}
		}
	})
}

// FuzzOutcome reads whatever events a block holds.
func FuzzOutcome(f *testing.F) {
	rt := runtimeOf(f, fixture.Metadata(f, "devnet-240-v15"))
	forum := runtimeOf(f, declared.Referenda(f))
	f.Add([]byte{4, 0, 0, 0, 0, 0, 8, 2, 0})
	f.Add(make([]byte, 100))
	for _, seed := range []struct {
		rt   *chain.Runtime
		name string
		v    *scale.Variant
	}{
		{rt, collectivePallet, &scale.Variant{Name: closed, Value: map[string]any{"proposal_hash": make([]byte, 32), "yes": uint32(2), "no": uint32(1)}}},
		{rt, collectivePallet, &scale.Variant{Name: "Executed", Value: map[string]any{"proposal_hash": make([]byte, 32), "result": map[string]any{"Err": "BadOrigin"}}}},
		{forum, referendaPallet, &scale.Variant{Name: "Enacted", Value: map[string]any{"index": uint32(1), "when": uint32(2), "error": "BadOrigin"}}},
		{forum, votingPallet, &scale.Variant{Name: voteRemoved, Value: map[string]any{
			"who": make([]byte, 32), "poll_index": uint32(1), "tally": map[string]any{"ayes": uint32(1), "nays": uint32(0), "total": uint32(3)},
		}}},
	} {
		m := seed.rt.Metadata()
		b, err := m.Encode(nil, m.EventRecords(), []any{map[string]any{
			"phase": map[string]any{"ApplyExtrinsic": uint32(0)}, "event": &scale.Variant{Name: seed.name, Value: seed.v}, "topics": []any{},
		}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, r := range []*chain.Runtime{rt, forum} {
			events, err := r.DecodeEvents(b)
			if err != nil {
				continue
			}
			for _, e := range events {
				if o, ok := outcomeOf(e.Pallet, e.Name, e.Fields); ok && o.Event != e.Name {
					t.Fatalf("%s is told as %+v", e.Name, o)
				}
			}
		}
	})
}
