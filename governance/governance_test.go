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
	plan, err := model.Propose(t.Context(), c.view(t), governance.Motion{Signer: alice, Call: call, Duration: 100})
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

// The model of every known runtime is told by its metadata, and each call that
// it plans exists there.
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
	if p := c.only(t); !p.HashMatches || p.Problem != "" || p.Lines[0] != "System.remark(remark: 0x01)" {
		t.Errorf("honest: %+v", p.Action)
	}
	swapped := chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte{2}}}
	c.node.Set("Triumvirate", "ProposalOf", swapped, c.hash)
	c.node.Build()
	if p := c.only(t); p.HashMatches || p.Problem == "" {
		t.Errorf("another call under the hash: %+v", p.Action)
	}
	p, err := c.model.Vote(t.Context(), c.view(t), governance.Ballot{Coldkey: alice, Hotkey: seat, Proposal: c.ref(), Aye: true})
	if err != nil || len(p.Warnings) != 1 || p.Warnings[0].Code != "unverified-call" {
		t.Errorf("a vote on it: %v, %v", p.Warnings, err)
	}
	missing := tao.Hash{3}
	c.node.Set("Triumvirate", "Proposals", []tao.Hash{missing})
	c.node.Build()
	if p := c.only(t); p.Call != nil || p.HashMatches || !strings.HasPrefix(p.Lines[0], "UNREADABLE") {
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

func TestPropose(t *testing.T) {
	c := newChamber(t, remark)
	var not *governance.NotProposerError
	if _, err := c.model.Propose(t.Context(), c.view(t), governance.Motion{Signer: bob, Call: remark}); !errors.As(err, &not) {
		t.Errorf("by an outsider: %v", err)
	}
	var open *governance.OpenProposalError
	if _, err := c.model.Propose(t.Context(), c.view(t), governance.Motion{Signer: alice, Call: remark}); !errors.As(err, &open) || open.Index != 4 {
		t.Errorf("the same call twice: %v", err)
	}
}

func TestClose(t *testing.T) {
	c := newChamber(t, remark)
	c.node.OnAPI("TransactionPaymentCallApi_query_call_info", func([]byte) ([]byte, error) {
		return []byte{4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil // weight 1 and 2, class, fee
	})
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
		if p := c.only(t); p.State != s.state || len(p.Waiting) != 3-len(s.ayes)-len(s.nays) {
			t.Errorf("%d ayes, %d nays: %s, waiting for %d", len(s.ayes), len(s.nays), p.State, len(p.Waiting))
		}
	}
	c.votes(nil, nil)
	c.node.BuildN(60)
	if p := c.only(t); p.State != "ended" {
		t.Errorf("after its end: %s", p.State)
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

// Without votes there is still a key, and what waits for it. A pending call is
// known by its hash alone unless its first approval carried it.
func TestSudo(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	c := chamber{node: n}
	n.Set("Sudo", "Key", bob)
	n.Set("Multisig", "Multisigs", map[string]any{
		"when": map[string]any{"height": 0, "index": 1}, "deposit": 0, "depositor": alice, "approvals": []tao.Account{alice},
	}, bob, tao.Hash{5})
	n.Build()
	s, err := governance.SudoOf(t.Context(), c.view(t))
	if err != nil || s.Key == nil || *s.Key != bob || !s.Multisig || len(s.Pending) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	if o := s.Pending[0]; o.Hash != (tao.Hash{5}) || o.Depositor != alice || !strings.HasPrefix(o.Lines[0], "UNREADABLE") {
		t.Errorf("%+v", o)
	}
}
