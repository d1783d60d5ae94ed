package governance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/governance"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

const collectiveMetadata = "devnet-240-v15"

var (
	alice = testnode.NewKey("alice").Account() // in the triumvirate; owns seat
	bob   = testnode.NewKey("bob").Account()   // in neither
	seat  = testnode.NewKey("seat").Account()
	other = testnode.NewKey("other").Account() // a seat that nobody here owns
	third = testnode.NewKey("third").Account()
)

// chamber is a chain with a senate of three and one proposal, number 4.
type chamber struct {
	node  *testnode.Node
	model governance.Model
	hash  tao.Hash
}

var remark = chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte{1}}}

func newChamber(t *testing.T, call chain.Call) chamber {
	t.Helper()
	n := testnode.New(t, testnode.Config{Metadata: collectiveMetadata})
	model, err := governance.Of(n.Runtime())
	if err != nil {
		t.Fatal(err)
	}
	c := chamber{node: n, model: model, hash: tao.Hash{7}}
	n.Set("TriumvirateMembers", "Members", []tao.Account{alice})
	n.Set("SenateMembers", "Members", []tao.Account{seat, other, third})
	n.Set("SubtensorModule", "Owner", alice, seat)
	n.Set("SubtensorModule", "Owner", bob, other)
	n.Set("Sudo", "Key", bob)
	plan, err := model.Propose(t.Context(), c.view(t), governance.Motion{Signer: alice, Call: call})
	if err != nil {
		t.Fatal(err)
	}
	c.hash = *plan.Preview.(governance.MotionPreview).Hash
	n.Set("Triumvirate", "Proposals", []tao.Hash{c.hash})
	n.Set("Triumvirate", "ProposalOf", call, c.hash)
	c.votes(nil, nil)
	return c
}

func (c chamber) votes(ayes, nays []tao.Account) {
	c.node.Set("Triumvirate", "Voting", map[string]any{"index": 4, "threshold": 2, "ayes": ayes, "nays": nays, "end": 50}, c.hash)
	c.node.Build()
}

func (c chamber) view(t *testing.T) *chain.View {
	t.Helper()
	client, err := chain.NewClient(t.Context(), c.node.Transport())
	if err != nil {
		t.Fatal(err)
	}
	v, err := client.At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (c chamber) ref() governance.Ref { return governance.Ref{Hash: &c.hash} }

func (c chamber) only(t *testing.T) governance.Proposal {
	t.Helper()
	list, err := c.model.Proposals(t.Context(), c.view(t))
	if err != nil || len(list) != 1 {
		t.Fatalf("%d proposals, %v", len(list), err)
	}
	return list[0]
}

// The model of every known runtime is told by its metadata.
func TestOf(t *testing.T) {
	for _, name := range fixture.Names(t) {
		n := testnode.New(t, testnode.Config{Metadata: name})
		model, err := governance.Of(n.Runtime())
		senate := strings.Contains(name, "-218-") || strings.Contains(name, "-240-")
		var none *governance.NoVotingError
		switch {
		case senate && (err != nil || model.Name() != "collective"):
			t.Errorf("%s: %v, %v; want the collective", name, model, err)
		case !senate && !errors.As(err, &none):
			t.Errorf("%s: %v, %v; want none", name, model, err)
		}
	}
}

func TestVote(t *testing.T) {
	c := newChamber(t, remark)
	vote := func(b governance.Ballot) (governance.VotePreview, error) {
		p, err := c.model.Vote(t.Context(), c.view(t), b)
		if err == nil {
			if _, err := c.node.Runtime().Encode(p.Call); err != nil {
				t.Errorf("the planned call: %v", err)
			}
		}
		preview, _ := p.Preview.(governance.VotePreview)
		return preview, err
	}
	aye := governance.Ballot{Coldkey: alice, Hotkey: seat, Proposal: c.ref(), Aye: true}
	p, err := vote(aye)
	if err != nil || p.Effect != "first vote" || p.Ayes != 1 || p.Nays != 0 || p.Decides != "" {
		t.Errorf("first vote: %+v, %v", p, err)
	}
	c.votes([]tao.Account{other}, []tao.Account{seat})
	p, err = vote(aye)
	if err != nil || p.Effect != "changes the vote from nay to aye" || p.Ayes != 2 || p.Nays != 0 || p.Decides != "approved" {
		t.Errorf("a change: %+v, %v", p, err)
	}
	nay := aye
	nay.Aye = false
	var duplicate *governance.DuplicateVoteError
	if _, err := vote(nay); !errors.As(err, &duplicate) || duplicate.Proposal != 4 {
		t.Errorf("the same vote twice: %v", err)
	}
	var notVoter *governance.NotVoterError
	foreign, absent := aye, aye
	foreign.Hotkey, absent.Hotkey = other, bob
	if _, err := vote(foreign); !errors.As(err, &notVoter) || notVoter.Owner == nil || *notVoter.Owner != bob {
		t.Errorf("another's seat: %v", err)
	}
	if _, err := vote(absent); !errors.As(err, &notVoter) || notVoter.Owner != nil {
		t.Errorf("no seat: %v", err)
	}
}

func TestFind(t *testing.T) {
	c := newChamber(t, remark)
	list := []governance.Proposal{c.only(t)}
	four, five := uint32(4), uint32(5)
	for _, r := range []governance.Ref{{Hash: &c.hash}, {Index: &four}, {Hash: &c.hash, Index: &four}} {
		if p, err := r.Find(list); err != nil || p.Index != 4 {
			t.Errorf("%s: %v", r, err)
		}
	}
	var wrong *governance.IndexError
	if _, err := (governance.Ref{Hash: &c.hash, Index: &five}).Find(list); !errors.As(err, &wrong) || wrong.Index != 4 {
		t.Errorf("a wrong index: %v", err)
	}
	var unknown *governance.UnknownProposalError
	if _, err := (governance.Ref{Hash: &tao.Hash{9}}).Find(list); !errors.As(err, &unknown) {
		t.Errorf("a hash that is no proposal: %v", err)
	}
	if _, err := (governance.Ref{Index: &five}).Find(list); !errors.As(err, &unknown) {
		t.Errorf("an index that is no proposal: %v", err)
	}
}

// A call whose hash is not the proposal's, or that is not there, is never shown
// as one to be trusted.
func TestUntrustedCall(t *testing.T) {
	c := newChamber(t, remark)
	if p := c.only(t); !*p.HashMatches || !p.Trusted() || p.Lines[0] != "System.remark(remark: 0x01)" {
		t.Errorf("honest: %+v", p.Action)
	}
	swapped := chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte{2}}}
	c.node.Set("Triumvirate", "ProposalOf", swapped, c.hash)
	c.node.Build()
	if p := c.only(t); *p.HashMatches || p.Trusted() || !strings.HasPrefix(p.Lines[0], "NOT WHAT IS VOTED ON") {
		t.Errorf("another call under the hash: %+v", p.Action)
	}
	ballot := governance.Ballot{Coldkey: alice, Hotkey: seat, Proposal: c.ref(), Aye: true}
	var unread *governance.UnreadError
	if _, err := c.model.Vote(t.Context(), c.view(t), ballot); !errors.As(err, &unread) {
		t.Errorf("an aye to it: %v", err)
	}
	nay, blind := ballot, ballot
	nay.Aye, blind.Blind = false, true
	for _, b := range []governance.Ballot{nay, blind} {
		p, err := c.model.Vote(t.Context(), c.view(t), b)
		if err != nil || len(p.Warnings) != 1 || p.Warnings[0].Code != "unverified-call" {
			t.Errorf("%+v: %v, %v", b, p.Warnings, err)
		}
	}
	c.votes([]tao.Account{seat, other}, nil)
	if _, err := c.model.Close(t.Context(), c.view(t), bob, c.ref()); !errors.As(err, &unread) {
		t.Errorf("running it: %v", err)
	}
	missing := tao.Hash{3}
	c.node.Set("Triumvirate", "Proposals", []tao.Hash{missing})
	c.node.Build()
	if p := c.only(t); p.Call != nil || p.HashMatches != nil || p.Trusted() || !strings.HasPrefix(p.Lines[0], "UNREADABLE") {
		t.Errorf("no call: %+v", p.Action)
	}
}

func TestChanges(t *testing.T) {
	tempo := chain.Call{Pallet: "AdminUtils", Name: "sudo_set_tempo", Args: chain.Args{"netuid": uint16(1), "tempo": uint16(99)}}
	c := newChamber(t, chain.Call{Pallet: "SubtensorModule", Name: "sudo", Args: chain.Args{"call": tempo}})
	c.node.Set("SubtensorModule", "Tempo", 360, uint16(1))
	c.node.Build()
	p := c.only(t)
	want := []governance.Change{{Setting: "SubtensorModule.Tempo of subnet 1", Old: "360", New: "99"}}
	if !slices.Equal(p.Changes, want) {
		t.Errorf("changes %v, want %v", p.Changes, want)
	}
	if len(p.Lines) != 2 || p.Lines[1] != "> AdminUtils.sudo_set_tempo(netuid: 1, tempo: 99)" {
		t.Errorf("lines %q", p.Lines)
	}
}

// A vote that comes too late is refused, unless it is wanted all the same.
func TestLateVote(t *testing.T) {
	c := newChamber(t, remark)
	c.node.BuildN(48 - int(c.view(t).Number()))
	b := governance.Ballot{Coldkey: alice, Hotkey: seat, Proposal: c.ref(), Aye: true}
	if p, err := c.model.Vote(t.Context(), c.view(t), b); err != nil || len(p.Warnings) != 0 {
		t.Errorf("for block 49 of 50: %v, %v", p.Warnings, err)
	}
	c.node.Build()
	var ended *governance.EndedError
	if _, err := c.model.Vote(t.Context(), c.view(t), b); !errors.As(err, &ended) || ended.End != 50 || ended.Block != 50 {
		t.Errorf("for block 50 of 50: %v", err)
	}
	b.Late = true
	if p, err := c.model.Vote(t.Context(), c.view(t), b); err != nil || len(p.Warnings) != 1 || p.Warnings[0].Code != "ended" {
		t.Errorf("late, and meant: %v, %v", p.Warnings, err)
	}
}

func TestPropose(t *testing.T) {
	c := newChamber(t, remark)
	propose := func(m governance.Motion) (tx.Plan, error) { return c.model.Propose(t.Context(), c.view(t), m) }
	var not *governance.NotProposerError
	if _, err := propose(governance.Motion{Signer: bob, Call: remark}); !errors.As(err, &not) {
		t.Errorf("by an outsider: %v", err)
	}
	var open *governance.OpenProposalError
	if _, err := propose(governance.Motion{Signer: alice, Call: remark}); !errors.As(err, &open) || open.Index != 4 {
		t.Errorf("the same call twice: %v", err)
	}
	another := chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte{9}}}
	// a slot of this runtime has 250 milliseconds: 12 hours are 172,800 blocks
	var short *governance.DurationError
	if _, err := propose(governance.Motion{Signer: alice, Call: another, Duration: 172_799}); !errors.As(err, &short) || short.Least != 172_800 {
		t.Errorf("too short: %v", err)
	}
	for given, want := range map[uint32]uint32{172_800: 172_800, 0: 14 * 172_800} {
		p, err := propose(governance.Motion{Signer: alice, Call: another, Duration: given})
		if err != nil || p.Call.Args["duration"] != want || p.Preview.(governance.MotionPreview).Threshold != 2 {
			t.Errorf("%d blocks: %v, %v", given, p.Call, err)
		}
		if len(p.Warnings) != 1 || p.Warnings[0].Code != "not-root" {
			t.Errorf("warnings %v", p.Warnings)
		}
	}
	hashes := make([]tao.Hash, 10)
	for i := range hashes {
		hashes[i] = tao.Hash{byte(i), 1}
	}
	c.node.Set("Triumvirate", "Proposals", hashes)
	c.node.Build()
	var limit *governance.LimitError
	if _, err := propose(governance.Motion{Signer: alice, Call: another}); !errors.As(err, &limit) || limit.Most != 10 {
		t.Errorf("the eleventh: %v", err)
	}
}

// What long bytes are is told by their length and hash, and no call inside
// another is left out.
func TestLines(t *testing.T) {
	code := chain.Call{Pallet: "System", Name: "set_code", Args: chain.Args{"code": make([]byte, 1000)}}
	key := chain.Call{Pallet: "Sudo", Name: "set_key", Args: chain.Args{"new": alice}}
	c := newChamber(t, chain.Call{Pallet: "Utility", Name: "batch", Args: chain.Args{"calls": []any{
		chain.Call{Pallet: "SubtensorModule", Name: "sudo", Args: chain.Args{"call": code}}, key,
	}}})
	p := c.only(t)
	if len(p.Lines) != 4 || p.Lines[0] != "Utility.batch()" || p.Lines[1] != "> SubtensorModule.sudo()" ||
		!strings.HasPrefix(p.Lines[2], "> > System.set_code(code: 0x0000000000000000… (1000 bytes, blake2-256 0x") ||
		!strings.HasPrefix(p.Lines[3], "> Sudo.set_key(new: ") {
		t.Errorf("%q", p.Lines)
	}
	if len(p.Changes) != 2 || !strings.HasPrefix(p.Changes[0].New, "1000 bytes, blake2-256 0x") ||
		p.Changes[1].Old != bob.String() || p.Changes[1].New != alice.String() {
		t.Errorf("%v", p.Changes)
	}
}

// Members are called as their owners call themselves.
func TestNames(t *testing.T) {
	c := newChamber(t, remark)
	name := func(a tao.Account, text string) {
		c.node.Set("SubtensorModule", "IdentitiesV2", map[string]any{
			"name": []byte(text), "url": "", "github_repo": "", "image": "", "discord": "", "description": "", "additional": "",
		}, a)
	}
	name(alice, "Alice & Co")
	name(third, "Third")
	c.votes([]tao.Account{seat}, nil)
	p := c.only(t)
	if p.Ayes[0].String() != seat.String()+` "Alice & Co"` || len(p.Waiting) != 2 || p.Waiting[0].Name != "" || p.Waiting[1].Name != "Third" {
		t.Errorf("%v, %v", p.Ayes, p.Waiting)
	}
	bodies, err := c.model.Bodies(t.Context(), c.view(t))
	if err != nil || len(bodies) != 2 || bodies[0].Members[0].Name != "Alice & Co" || bodies[1].Members[0].Name != "Alice & Co" {
		t.Errorf("%v, %v", bodies, err)
	}
}

// weighs has the node say what a call weighs.
func (c chamber) weighs() {
	c.node.OnAPI("TransactionPaymentCallApi_query_call_info", func([]byte) ([]byte, error) {
		return []byte{4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil // weight 1 and 2, class, fee
	})
}

func TestClose(t *testing.T) {
	c := newChamber(t, remark)
	c.weighs()
	var early *governance.TooEarlyError
	if _, err := c.model.Close(t.Context(), c.view(t), bob, c.ref()); !errors.As(err, &early) || early.End != 50 {
		t.Errorf("undecided: %v", err)
	}
	c.votes([]tao.Account{seat, other}, nil)
	var root *governance.RootOnlyError
	if _, err := c.model.Close(t.Context(), c.view(t), alice, c.ref()); !errors.As(err, &root) || root.Key != bob {
		t.Errorf("by another than the sudo key: %v", err)
	}
	p, err := c.model.Close(t.Context(), c.view(t), bob, c.ref())
	if err != nil || p.Call.Pallet != "Sudo" || len(p.Call.Inner()) != 1 {
		t.Fatalf("by the sudo key: %v, %v", p.Call, err)
	}
	if _, err := c.node.Runtime().Encode(p.Call); err != nil {
		t.Error(err)
	}
}

func TestState(t *testing.T) {
	c := newChamber(t, remark)
	for _, s := range []struct {
		ayes, nays []tao.Account
		state      string
	}{
		{nil, nil, "open"},
		{[]tao.Account{seat}, []tao.Account{other}, "open"},
		{[]tao.Account{seat, other}, nil, "approved"},
		{nil, []tao.Account{seat, other}, "disapproved"},
	} {
		c.votes(s.ayes, s.nays)
		if p := c.only(t); p.State != s.state || p.ClosesAs != strings.TrimPrefix(s.state, "open") || len(p.Waiting) != 3-len(s.ayes)-len(s.nays) {
			t.Errorf("%d ayes, %d nays: %s, waiting for %d", len(s.ayes), len(s.nays), p.State, len(p.Waiting))
		}
	}
	c.votes(nil, nil)
	c.node.BuildN(60)
	if p := c.only(t); p.State != governance.Ended || p.ClosesAs != governance.Disapproved {
		t.Errorf("after its end: %s, %s", p.State, p.ClosesAs)
	}
	// the prime's vote counts for those who have not voted, if the prime has
	c.node.Set("Triumvirate", "Prime", seat)
	c.votes([]tao.Account{seat}, nil)
	if p := c.only(t); p.State != governance.Ended || p.ClosesAs != governance.Approved {
		t.Errorf("with the prime's aye: %s, %s", p.State, p.ClosesAs)
	}
	c.votes([]tao.Account{other}, []tao.Account{seat})
	if p := c.only(t); p.ClosesAs != governance.Disapproved {
		t.Errorf("with the prime's nay: %s", p.ClosesAs)
	}
}

// A vote that arrives before a close may turn what the close decides: then it did not
// do what was agreed to.
func TestTurnedClose(t *testing.T) {
	c := newChamber(t, remark)
	c.weighs()
	c.votes([]tao.Account{seat, other}, nil)
	p, err := c.model.Close(t.Context(), c.view(t), bob, c.ref())
	if err != nil {
		t.Fatal(err)
	}
	told := func(events ...string) (list []governance.Outcome) {
		for _, name := range events {
			list = append(list, governance.Outcome{Event: name, Hash: p.Preview.(governance.MotionPreview).Hash})
		}
		return list
	}
	if !governance.Confirms(told("Closed", "Approved", "Executed"), p.Preview) {
		t.Error("approved as foretold, and not confirmed")
	}
	for _, other := range [][]governance.Outcome{told("Closed", "Disapproved"), told("Approved"), nil} {
		if governance.Confirms(other, p.Preview) {
			t.Errorf("%v confirms an approval", other)
		}
	}
}

// What cannot be taken back is said so.
func TestUnvote(t *testing.T) {
	c := newChamber(t, remark)
	var not *governance.NotPossibleError
	if _, err := c.model.Unvote(t.Context(), c.view(t), governance.Ballot{Proposal: c.ref()}); !errors.As(err, &not) {
		t.Error(err)
	}
}
