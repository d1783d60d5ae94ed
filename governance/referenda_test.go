package governance_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/governance"
	"github.com/taoctl/taoctl/internal/declared"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// forum is a chain with referenda: a proposer, a triumvirate of three, and two
// bodies of two and three that share a member.
type forum struct {
	chamber
	client *chain.Client
}

var (
	proposer = testnode.NewKey("proposer")
	three    = keys("t1", "t2", "t3")
	four     = keys("e1", "e2", "b1", "b2") // e2 is in both bodies
)

func keys(names ...string) (list []testnode.Key) {
	for _, n := range names {
		list = append(list, testnode.NewKey(n))
	}
	return list
}

func accountsOf(keys ...testnode.Key) (list []tao.Account) {
	for _, k := range keys {
		list = append(list, k.Account())
	}
	slices.SortFunc(list, func(a, b tao.Account) int { return slices.Compare(a[:], b[:]) })
	return list
}

func newForum(t *testing.T) forum {
	t.Helper()
	return newForumBehind(t, 0)
}

// newForumBehind has the finalized head so many blocks behind the best one.
func newForumBehind(t *testing.T, lag uint32) forum {
	t.Helper()
	n := testnode.New(t, testnode.Config{Metadata: declared.ReferendaName, Lag: lag})
	n.Referenda()
	for _, k := range slices.Concat(three, four, []testnode.Key{proposer}) {
		n.Fund(k.Account(), tao.TAO)
	}
	n.Set("MultiCollective", "Members", accountsOf(proposer), "Proposers")
	n.Set("MultiCollective", "Members", accountsOf(three...), "Triumvirate")
	n.Set("MultiCollective", "Members", accountsOf(four[:2]...), "Economic")
	n.Set("MultiCollective", "Members", accountsOf(four[1:]...), "Building")
	model, err := governance.Of(n.Runtime())
	if err != nil || model.Name() != "referenda" {
		t.Fatalf("%v, %v", model, err)
	}
	client, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	return forum{chamber{node: n, model: model}, client}
}

// carry sends a plan, and reads what the chain told of it.
func (f forum) carry(t *testing.T, k testnode.Key, p tx.Plan, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	d, err := tx.Prepare(t.Context(), f.view(t), p, tx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := d.Sign(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	j := tx.OpenJournal(filepath.Join(t.TempDir(), "home", "journal.jsonl"), time.Now)
	r, err := tx.Send(ctx, f.client, j, x, tx.WaitIncluded, func(tx.Progress) {})
	if err != nil || r.Failure != nil {
		t.Fatalf("%v, %+v", err, r)
	}
	if outcomes := governance.Outcomes(r.Events); !governance.Confirms(outcomes, p.Preview) {
		t.Fatalf("%+v does not confirm %+v", outcomes, p.Preview)
	}
}

func (f forum) submit(t *testing.T, call chain.Call) {
	t.Helper()
	p, err := f.model.Propose(t.Context(), f.view(t), governance.Motion{Signer: proposer.Account(), Call: call})
	f.carry(t, proposer, p, err)
}

func (f forum) plan(t *testing.T, k testnode.Key, index uint32, aye bool) (governance.VotePreview, tx.Plan, error) {
	t.Helper()
	p, err := f.model.Vote(t.Context(), f.view(t), governance.Ballot{Coldkey: k.Account(), Proposal: governance.Ref{Index: &index}, Aye: aye})
	preview, _ := p.Preview.(governance.VotePreview)
	return preview, p, err
}

func (f forum) vote(t *testing.T, k testnode.Key, index uint32, aye bool) governance.VotePreview {
	t.Helper()
	preview, p, err := f.plan(t, k, index, aye)
	f.carry(t, k, p, err)
	return preview
}

func (f forum) find(t *testing.T, index uint32) (governance.Proposal, error) {
	t.Helper()
	return f.model.Find(t.Context(), f.view(t), governance.Ref{Index: &index})
}

func (f forum) open(t *testing.T, index uint32) governance.Proposal {
	t.Helper()
	p, err := f.find(t, index)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f forum) over(t *testing.T, index uint32, as string) {
	t.Helper()
	_, err := f.find(t, index)
	var over *governance.ConcludedError
	if !errors.As(err, &over) || over.As != as || over.Index != index || over.Block == 0 {
		t.Errorf("referendum %d: %v, want %s", index, err, as)
	}
}

func longRemark() chain.Call {
	return chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": make([]byte, 200)}}
}

// From a submission to its enactment: the triumvirate decides, the bodies hurry.
func TestReferendum(t *testing.T) {
	f := newForum(t)
	f.submit(t, longRemark()) // too long to be kept inline
	p := f.open(t, 0)
	if *p.Track != 0 || p.By.Account != proposer.Account() || p.Threshold != 2 || p.Rejects != 2 || p.Seats != 3 || p.End != 51 ||
		!p.Trusted() || p.Hash == nil || !*p.HashMatches || p.State != governance.Open || len(p.Waiting) != 3 {
		t.Fatalf("%+v", p)
	}
	if v := f.vote(t, three[0], 0, true); v.Effect != "first vote" || v.Ayes != 1 || v.Decides != "" || v.RunsAbout != nil {
		t.Errorf("%+v", v)
	}
	if v := f.vote(t, three[1], 0, false); v.Ayes != 1 || v.Nays != 1 || v.Decides != "" {
		t.Errorf("%+v", v)
	}
	if v := f.vote(t, three[1], 0, true); v.Effect != "changes the vote from nay to aye" || v.Ayes != 2 || v.Nays != 0 || v.Decides != governance.Approved {
		t.Errorf("%+v", v)
	}
	if p := f.open(t, 0); p.State != governance.Approved || p.ClosesAs != governance.Approved {
		t.Errorf("decided, and not looked at yet: %+v", p)
	}
	f.node.Build()
	f.over(t, 0, "Delegated")
	f.review(t)
}

// review goes on with the referendum that the first was delegated to.
func (f forum) review(t *testing.T) {
	t.Helper()
	p := f.open(t, 1)
	begun := p.End - testnode.ReviewDelay
	if *p.Track != 1 || p.Seats != 4 || p.Threshold != 3 || p.Rejects != 3 || !p.Trusted() || len(p.Lines) != 2 ||
		!strings.HasPrefix(p.Lines[0], "Referenda.enact(index: 1)") || !strings.HasPrefix(p.Lines[1], "> System.remark") {
		t.Fatalf("%+v", p)
	}
	// one nay of four is 25 % against a threshold of 51 %: p = 0.49, 1-(1-p)³ = 0.867
	// of the 30 blocks that the delay may grow
	if v := f.vote(t, four[0], 1, false); *v.RunsAbout != begun+30+26 {
		t.Errorf("runs at %d, want %d", *v.RunsAbout, begun+56)
	}
	f.node.Build()
	if p := f.open(t, 1); p.End != begun+56 {
		t.Errorf("moved to %d, want %d", p.End, begun+56)
	}
	index := uint32(1)
	plan, err := f.model.Unvote(t.Context(), f.view(t), governance.Ballot{Coldkey: four[0].Account(), Proposal: governance.Ref{Index: &index}})
	if v := plan.Preview.(governance.VotePreview); v.Effect != "takes the vote nay back" || v.Nays != 0 || *v.RunsAbout != begun+30 {
		t.Errorf("%+v", v)
	}
	f.carry(t, four[0], plan, err)
	f.node.Build()
	if p := f.open(t, 1); p.End != begun+30 || len(p.Waiting) != 4 {
		t.Errorf("%+v", p)
	}
	// one aye of four is a third of the way to 75 %: 1-(2/3)³ = 0.704 of 30 blocks less
	if v := f.vote(t, four[1], 1, true); *v.RunsAbout != begun+8 {
		t.Errorf("runs at %d, want %d", *v.RunsAbout, begun+8)
	}
	// two ayes leave 1 block of the 30: it is past, and the call runs as soon as can be
	now := f.view(t).Number()
	if v := f.vote(t, four[2], 1, true); v.Decides != "" || *v.RunsAbout != now+3 {
		t.Errorf("runs at %d, want %d", *v.RunsAbout, now+3)
	}
	f.node.Build()
	f.over(t, 1, "FastTracked")
	f.node.Build()
	f.over(t, 1, "Enacted")
	events, err := governance.OutcomesAt(t.Context(), f.view(t))
	if err != nil || len(events) != 1 || events[0].Event != "Enacted" || *events[0].Index != 1 || events[0].Result != "ok" {
		t.Errorf("%+v, %v", events, err)
	}
}

// A review may be cancelled, a referendum rejected, and left to expire.
func TestReferendumEnds(t *testing.T) {
	f := newForum(t)
	f.submit(t, remark)
	f.vote(t, three[0], 0, true)
	f.vote(t, three[2], 0, true)
	f.node.Build()
	for i, k := range four[:3] {
		if v := f.vote(t, k, 1, false); (v.Decides == governance.Disapproved) != (i == 2) || (v.RunsAbout == nil) != (i == 2) {
			t.Errorf("nay %d: %+v", i, v)
		}
	}
	f.node.Build()
	f.over(t, 1, "Cancelled")
	f.submit(t, remark)
	f.vote(t, three[0], 2, false)
	f.vote(t, three[1], 2, false)
	f.node.Build()
	f.over(t, 2, "Rejected")
	f.submit(t, longRemark())
	f.node.BuildN(testnode.DecisionPeriod)
	f.over(t, 3, "Expired")
	if list, err := f.model.Proposals(t.Context(), f.view(t)); err != nil || len(list) != 0 {
		t.Errorf("%d are open, %v", len(list), err)
	}
}

// A vote that the next block would refuse is not sent: it would pay a fee for
// nothing. No --late helps.
func TestReferendumTakesNoMore(t *testing.T) {
	f := newForum(t)
	f.submit(t, remark)
	f.vote(t, three[0], 0, true)
	f.vote(t, three[1], 0, true)
	late := func(k testnode.Key, index uint32) governance.Ballot {
		return governance.Ballot{Coldkey: k.Account(), Proposal: governance.Ref{Index: &index}, Late: true}
	}
	for name, plan := range map[string]func(context.Context, *chain.View, governance.Ballot) (tx.Plan, error){"vote": f.model.Vote, "unvote": f.model.Unvote} {
		var decided *governance.DecidedError
		if _, err := plan(t.Context(), f.view(t), late(three[1], 0)); !errors.As(err, &decided) || decided.As != governance.Approved {
			t.Errorf("%s on what is decided: %v", name, err)
		}
	}
	f.node.Build()
	f.submit(t, longRemark())
	end := f.open(t, 2).End
	f.node.BuildN(int(end - 2 - f.view(t).Number()))
	if _, err := f.model.Vote(t.Context(), f.view(t), late(three[0], 2)); err != nil {
		t.Errorf("for the last block that takes votes: %v", err)
	}
	f.node.Build()
	var ended *governance.EndedError
	if _, err := f.model.Vote(t.Context(), f.view(t), late(three[0], 2)); !errors.As(err, &ended) || !ended.Final || ended.End != end || ended.Block != end {
		t.Errorf("for the block that ends it: %v", err)
	}
}

// A vote names its referendum by index alone, which means this call only where no
// fork can take the submission back.
func TestReferendumNotFinal(t *testing.T) {
	f := newForumBehind(t, 3)
	f.submit(t, remark)
	var early *governance.NotFinalError
	if _, _, err := f.plan(t, three[0], 0, true); !errors.As(err, &early) || early.Index != 0 {
		t.Errorf("a vote on what is not final: %v", err)
	}
	f.node.BuildN(3)
	if _, _, err := f.plan(t, three[0], 0, true); err != nil {
		t.Errorf("a vote on what is final: %v", err)
	}
}

// One call may be open twice. Its hash alone then names neither.
func TestFindAmong(t *testing.T) {
	hash, other := tao.Hash{1}, tao.Hash{2}
	list := []governance.Proposal{{Index: 2, Hash: &hash}, {Index: 3, Hash: &hash}, {Index: 4, Hash: &other}, {Index: 5}}
	number := func(n uint32) *uint32 { return &n }
	for _, c := range []struct {
		name string
		ref  governance.Ref
		want uint32
		err  error
	}{
		{"by number", governance.Ref{Index: number(5)}, 5, nil},
		{"by hash", governance.Ref{Hash: &other}, 4, nil},
		{"by both, the second of two", governance.Ref{Hash: &hash, Index: number(3)}, 3, nil},
		{"by the hash of two", governance.Ref{Hash: &hash}, 0, &governance.AmbiguousError{Hash: hash, Indices: []uint32{2, 3}}},
		{"by another's number", governance.Ref{Hash: &other, Index: number(2)}, 0, &governance.IndexError{Hash: other, Given: 2, Index: 4}},
		{"by nothing that is open", governance.Ref{Hash: &tao.Hash{9}, Index: number(2)}, 0, nil},
	} {
		p, err := c.ref.Find(list)
		var unknown *governance.UnknownProposalError
		switch {
		case c.want > 0 && (err != nil || p.Index != c.want):
			t.Errorf("%s: %d, %v", c.name, p.Index, err)
		case c.want == 0 && c.err == nil && !errors.As(err, &unknown),
			c.err != nil && (err == nil || err.Error() != c.err.Error()):
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
	}
}

// What the chain would refuse is refused here, by its name.
func TestReferendumRefusals(t *testing.T) {
	f := newForum(t)
	var not *governance.NotProposerError
	var track *governance.TrackError
	var limit *governance.LimitError
	var nobody *governance.NoVotersError
	propose := func(k testnode.Key, track uint8) error {
		_, err := f.model.Propose(t.Context(), f.view(t), governance.Motion{Signer: k.Account(), Call: remark, Track: track})
		return err
	}
	if err := propose(three[0], 0); !errors.As(err, &not) {
		t.Errorf("by an outsider: %v", err)
	}
	if err := propose(proposer, 1); !errors.As(err, &track) {
		t.Errorf("on the review: %v", err)
	}
	f.submit(t, remark)
	var voter *governance.NotVoterError
	var duplicate *governance.DuplicateVoteError
	var none *governance.NoVoteError
	var unknown *governance.UnknownProposalError
	var impossible *governance.NotPossibleError
	index := uint32(0)
	own := governance.Ballot{Coldkey: three[0].Account(), Proposal: governance.Ref{Index: &index}}
	if _, _, err := f.plan(t, four[0], 0, true); !errors.As(err, &voter) {
		t.Errorf("a vote by no voter: %v", err)
	}
	if _, err := f.model.Unvote(t.Context(), f.view(t), own); !errors.As(err, &none) {
		t.Errorf("no vote to take back: %v", err)
	}
	f.vote(t, three[0], 0, true)
	if _, _, err := f.plan(t, three[0], 0, true); !errors.As(err, &duplicate) {
		t.Errorf("the same vote twice: %v", err)
	}
	if _, _, err := f.plan(t, three[0], 7, true); !errors.As(err, &unknown) {
		t.Errorf("no referendum: %v", err)
	}
	if _, err := f.model.Close(t.Context(), f.view(t), three[0].Account(), own.Proposal); !errors.As(err, &impossible) {
		t.Errorf("close: %v", err)
	}
	// later members do not vote on what is open
	f.node.Set("MultiCollective", "Members", accountsOf(four[0], three[1], three[2]), "Triumvirate")
	f.node.Build()
	if _, _, err := f.plan(t, four[0], 0, true); !errors.As(err, &voter) {
		t.Errorf("a vote by a later member: %v", err)
	}
	for range 4 {
		f.submit(t, remark)
	}
	if err := propose(proposer, 0); !errors.As(err, &limit) || limit.Most != 5 || limit.By == nil {
		t.Errorf("the sixth: %v", err)
	}
	f.node.Set("Referenda", "ActiveCount", 20)
	f.node.Build()
	if err := propose(proposer, 0); !errors.As(err, &limit) || limit.Most != 20 || limit.By != nil {
		t.Errorf("the twenty-first: %v", err)
	}
	f.node.Set("MultiCollective", "Members", []tao.Account{}, "Triumvirate")
	f.node.Build()
	if err := propose(proposer, 0); !errors.As(err, &nobody) {
		t.Errorf("with nobody to vote: %v", err)
	}
}

// A review whose scheduled call is gone or another's is never shown as harmless.
func TestReviewWithoutCall(t *testing.T) {
	f := newForum(t)
	f.submit(t, remark)
	f.submit(t, longRemark())
	for _, index := range []uint32{0, 1} {
		f.vote(t, three[0], index, true)
		f.vote(t, three[1], index, true)
		f.node.Build()
	}
	var unread *governance.UnreadError
	f.node.Set("Scheduler", "Agenda", []any{nil}, f.open(t, 2).End)
	f.node.Build()
	if p := f.open(t, 2); p.Trusted() || !strings.HasPrefix(p.Lines[0], "UNREADABLE") {
		t.Errorf("%+v", p)
	}
	if _, _, err := f.plan(t, four[0], 2, true); !errors.As(err, &unread) {
		t.Errorf("an aye to it: %v", err)
	}
}

func TestReferendaBodies(t *testing.T) {
	f := newForum(t)
	list, err := f.model.Bodies(t.Context(), f.view(t))
	if err != nil || len(list) != 5 {
		t.Fatalf("%v, %v", list, err)
	}
	for i, want := range []int{1, 3, 2, 3, 0} {
		if len(list[i].Members) != want {
			t.Errorf("%s has %d members, want %d", list[i].Name, len(list[i].Members), want)
		}
	}
}
