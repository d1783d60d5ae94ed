package governance

import (
	"context"
	"fmt"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
	"golang.org/x/crypto/blake2b"
)

// referendaModel is the designed successor, which no live chain has. It follows
// subtensor's branch governance-wiring, commit d0910bde9, and has been run
// against this project's own model of it, never against the runtime itself.
//
// Proposers submit calls on track 0, where the triumvirate decides. What it
// approves goes on as a new referendum on track 1, where two bodies review a
// call that is scheduled already: they hurry, delay or cancel it
// (runtime/src/governance/tracks.rs:68 to :111).
type referendaModel struct{}

// referendaBodies are the CollectiveIds that have a part in decisions
// (runtime/src/governance/collectives.rs:47).
var referendaBodies = []struct {
	id, role string
	votes    bool
}{
	{proposersBody, "submits on track 0", false},
	{triumvirateBody, "decides on track 0 within its time, two of three", true},
	{"Economic", "reviews on track 1", true},
	{"Building", "reviews on track 1", true},
	{"EconomicEligible", "may come into Economic at its next rotation", false},
}

const (
	proposersBody   = "Proposers"
	triumvirateBody = "Triumvirate"

	openTrack = 0 // the only one that takes submissions (runtime/src/governance/tracks.rs:73, :97)

	// Limits that metadata do not tell (runtime/src/governance/mod.rs:196).
	mostReferenda   = 20
	mostByOneAuthor = 5
)

func (referendaModel) Name() string { return "referenda" }

func (referendaModel) Bodies(ctx context.Context, v *chain.View) (list []Body, _ error) {
	var everybody []tao.Account
	members := make([][]tao.Account, len(referendaBodies))
	for i, b := range referendaBodies {
		var err error
		if members[i], _, err = referendaBody.Get(ctx, v, b.id); err != nil {
			return nil, fmt.Errorf("read the members of %s: %w", b.id, err)
		}
		everybody = append(everybody, members[i]...)
	}
	d, err := namesOf(ctx, v, everybody)
	for i, b := range referendaBodies {
		list = append(list, Body{Name: b.id, Role: b.role, Votes: b.votes, Members: d.voters(members[i])})
	}
	return list, err
}

func (referendaModel) Voters(_ context.Context, _ *chain.View, coldkey tao.Account, _ []tao.Account) ([]tao.Account, error) {
	return []tao.Account{coldkey}, nil
}

func (m referendaModel) Proposals(ctx context.Context, v *chain.View) ([]Proposal, error) {
	list := []Proposal{}
	for e, err := range referenda.All(ctx, v) {
		if err != nil {
			return nil, err
		}
		var index uint32
		if err := e.Scan(&index); err != nil {
			return nil, err
		}
		r, ongoing := ongoingOf(e.Value)
		if !ongoing {
			continue
		}
		p, err := m.proposal(ctx, v, index, r)
		if err != nil {
			return nil, fmt.Errorf("read referendum %d: %w", index, err)
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Proposal) int { return int(int64(a.Index) - int64(b.Index)) })
	return list, nil
}

func (m referendaModel) Find(ctx context.Context, v *chain.View, r Ref) (Proposal, error) {
	if r.Hash == nil && r.Index != nil {
		status, stored, err := referenda.Get(ctx, v, *r.Index)
		if err != nil {
			return Proposal{}, err
		}
		if over := concluded(*r.Index, status); stored && over != nil {
			return Proposal{}, over
		}
	}
	list, err := m.Proposals(ctx, v)
	if err != nil {
		return Proposal{}, err
	}
	return r.Find(list)
}

// concluded is nil for a referendum that is ongoing. Every other status holds
// the block of its end (pallets/referenda/src/types.rs:383).
func concluded(index uint32, status any) error {
	s, _ := status.(*scale.Variant)
	if s == nil || s.Name == ongoing {
		return nil
	}
	block, _ := s.Value.(uint32)
	return &ConcludedError{Index: index, As: s.Name, Block: block}
}

// referendum is a ReferendumInfo (pallets/referenda/src/types.rs:359).
type referendum struct {
	track     uint8
	proposer  tao.Account
	submitted uint32
	call      any // the Bounded of an Action; nil for a Review, whose call the scheduler has
	decision  decision
}

// decision is a DecisionStrategy (pallets/referenda/src/types.rs:91).
type decision struct {
	kind             string // passOrFail or adjustable
	period           uint32 // blocks from submission to the deadline of the first
	approve, reject  uint32 // shares in billionths: of the first to decide, of the second to hurry and to cancel
	review           bool   // what the first approves is reviewed, not run
	initial, longest uint32 // blocks from submission until the call of the second runs: without votes, and at most
}

// ongoingOf reads a ReferendumStatus; ok is false for one that is over, or that
// is not of the form known here.
func ongoingOf(status any) (r referendum, ok bool) {
	v, _ := status.(*scale.Variant)
	if v == nil || v.Name != ongoing {
		return r, false
	}
	info, _ := v.Value.(*scale.Record)
	if info == nil {
		return r, false
	}
	r.track, _ = field[uint8](info, "track")
	r.proposer, _ = field[tao.Account](info, "proposer")
	r.submitted, _ = field[uint32](info, "submitted")
	if p, ok := field[*scale.Variant](info, "proposal"); ok && p.Name == "Action" {
		r.call = p.Value
	}
	strategy, _ := field[*scale.Variant](info, "decision_strategy")
	r.decision, ok = decisionOf(strategy)
	return r, ok
}

func decisionOf(v *scale.Variant) (d decision, ok bool) {
	if v == nil {
		return d, false
	}
	r, _ := v.Value.(*scale.Record)
	if r == nil {
		return d, false
	}
	d.kind = v.Name
	var known [4]bool
	switch d.kind {
	case passOrFail:
		d.period, known[0] = field[uint32](r, "decision_period")
		d.approve, known[1] = field[uint32](r, "approve_threshold")
		d.reject, known[2] = field[uint32](r, "reject_threshold")
		d.review, known[3] = nameOf(r, "on_approval") == "Review", true
	case adjustable:
		d.initial, known[0] = field[uint32](r, "initial_delay")
		d.longest, known[1] = field[uint32](r, "max_delay")
		d.approve, known[2] = field[uint32](r, "fast_track_threshold")
		d.reject, known[3] = field[uint32](r, "cancel_threshold")
	}
	return d, known == [4]bool{true, true, true, true}
}

func (m referendaModel) proposal(ctx context.Context, v *chain.View, index uint32, r referendum) (Proposal, error) {
	seats, _, err := referendaVoter.Get(ctx, v, index)
	if err != nil {
		return Proposal{}, err
	}
	names, err := namesOf(ctx, v, append(slices.Clone(seats), r.proposer))
	if err != nil {
		return Proposal{}, err
	}
	c, err := clockOf(ctx, v)
	if err != nil {
		return Proposal{}, err
	}
	total := uint32(len(seats))
	p := Proposal{
		Index: index, Track: &r.track, By: &names.voters([]tao.Account{r.proposer})[0], Seats: total,
		Threshold: votesFor(r.decision.approve, total), Rejects: votesFor(r.decision.reject, total),
	}
	if err := p.readVotes(ctx, v, names.voters(seats)); err != nil {
		return p, err
	}
	if r.decision.kind == adjustable {
		err = p.readReview(ctx, v, r)
	} else {
		err = p.readDecision(ctx, v, r)
	}
	p.EndsAbout = c.at(p.End)
	p.State = Open
	if decided := p.decided(len(p.Ayes), len(p.Nays)); decided != "" {
		p.State, p.ClosesAs = decided, decided // the next block concludes it
	}
	return p, err
}

// readVotes reads how the snapshot of the voters has voted so far.
func (p *Proposal) readVotes(ctx context.Context, v *chain.View, seats []Voter) error {
	p.Ayes, p.Nays, p.Waiting = []Voter{}, []Voter{}, []Voter{}
	keys := make([][]any, len(seats))
	for i, s := range seats {
		keys[i] = []any{p.Index, s.Account}
	}
	if len(keys) == 0 {
		return nil
	}
	votes, err := referendaVotes.Many(ctx, v, keys)
	if err != nil {
		return err
	}
	for i, s := range seats {
		switch {
		case !votes[i].OK:
			p.Waiting = append(p.Waiting, s)
		case votes[i].Value:
			p.Ayes = append(p.Ayes, s)
		default:
			p.Nays = append(p.Nays, s)
		}
	}
	return nil
}

func (p *Proposal) readDecision(ctx context.Context, v *chain.View, r referendum) (err error) {
	p.End = r.submitted + r.decision.period
	p.Phase = "decision: what is approved runs at once"
	if r.decision.review {
		p.Phase = "decision: what is approved goes on to the review"
	}
	if b, ok := boundedOf(r.call); ok {
		p.Hash = b.hash
	}
	p.Action, err = boundedAction(ctx, v, r.call)
	return err
}

// readReview finds the call where it is scheduled, under a name that is made of
// the referendum's index (pallets/referenda/src/types.rs:415).
func (p *Proposal) readReview(ctx context.Context, v *chain.View, r referendum) error {
	p.Phase = "review: the call runs at the end unless it is cancelled"
	p.review = &review{decision: r.decision, submitted: r.submitted, total: p.Seats}
	block, task, err := taskOf(ctx, v, p.Index)
	if err != nil {
		return err
	}
	if task == nil {
		p.Action = unreadable("nothing is scheduled for this review")
		return nil
	}
	p.End = block
	if p.Action, err = taskAction(ctx, v, task); err != nil || p.Call == nil {
		return err
	}
	if c := p.Call; c.Pallet != referendaPallet || c.Name != enact || c.Args["index"] != p.Index {
		p.Problem = "what is scheduled under this review's name is not its enactment"
	}
	return nil
}

// taskOf finds a referendum's scheduled enactment; nil where there is none.
func taskOf(ctx context.Context, v *chain.View, index uint32) (block uint32, task *scale.Record, _ error) {
	stored, set, err := lookup.Get(ctx, v, taskName(index))
	if err != nil || !set {
		return 0, nil, err
	}
	at, _ := stored.([]any)
	if len(at) != 2 {
		return 0, nil, nil
	}
	block, _ = at[0].(uint32)
	slot, _ := at[1].(uint32)
	tasks, _, err := agenda.Get(ctx, v, block)
	if err != nil {
		return 0, nil, err
	}
	list, _ := tasks.([]any)
	if uint64(slot) < uint64(len(list)) {
		task, _ = list[slot].(*scale.Record)
	}
	return block, task, nil
}

// taskName is the scheduler's name of a referendum's enactment: blake2-256 of
// the lock identifier, the word as SCALE text, and the index
// (pallets/referenda/src/types.rs:28, :415).
func taskName(index uint32) tao.Hash {
	b := append([]byte("referend"), scale.EncodeCompact(nil, uint64(len("enactment")))...)
	b = append(b, "enactment"...)
	return blake2b.Sum256(append(b, byte(index), byte(index>>8), byte(index>>16), byte(index>>24)))
}

func (m referendaModel) Vote(ctx context.Context, v *chain.View, b Ballot) (tx.Plan, error) {
	p, err := m.ownProposal(ctx, v, b)
	if err != nil {
		return tx.Plan{}, err
	}
	before := p.Voted(b.Coldkey)
	if err := p.takes(b, b.Coldkey, before, v.Number()+1); err != nil {
		return tx.Plan{}, err
	}
	preview := p.after(b.Coldkey, b.Aye, before)
	preview.RunsAbout = p.review.runs(preview, v.Number())
	return tx.Plan{
		Signer: b.Coldkey, Preview: preview, Warnings: p.warnings(v.Number() + 1),
		Call: chain.Call{Pallet: votingPallet, Name: vote, Args: chain.Args{"poll_index": p.Index, "approve": b.Aye}},
	}, nil
}

// ownProposal finds the proposal of a ballot, if it takes votes in the next block,
// and the coldkey is in the snapshot of the voters
// (pallets/signed-voting/src/lib.rs:460).
func (m referendaModel) ownProposal(ctx context.Context, v *chain.View, b Ballot) (Proposal, error) {
	p, err := m.Find(ctx, v, b.Proposal)
	if err != nil {
		return p, err
	}
	if p.Voted(b.Coldkey) == nil && !holds(p.Waiting, b.Coldkey) {
		return p, &NotVoterError{Voter: b.Coldkey, Body: fmt.Sprintf("voters of referendum %d", p.Index)}
	}
	// What is decided or over is concluded when the next block begins, before
	// any vote in it.
	switch next := v.Number() + 1; {
	case p.State != Open:
		return p, &DecidedError{Index: p.Index, As: p.State}
	case p.Ended(next):
		return p, &EndedError{Proposal: p.Index, End: p.End, Block: next, Final: true}
	}
	return p, m.final(ctx, v, p.Index)
}

// final refuses a vote on a referendum that the finalized block does not have. A
// vote names it by its index alone, and on another branch that may be another call.
func (referendaModel) final(ctx context.Context, v *chain.View, index uint32) error {
	head, err := v.Client().At(ctx, chain.Finalized())
	if err != nil {
		return fmt.Errorf("find the finalized block: %w", err)
	}
	_, stored, err := referenda.Get(ctx, head, index)
	if err == nil && !stored {
		return &NotFinalError{Index: index, Finalized: head.Number()}
	}
	return err
}

func (m referendaModel) Unvote(ctx context.Context, v *chain.View, b Ballot) (tx.Plan, error) {
	p, err := m.ownProposal(ctx, v, b)
	if err != nil {
		return tx.Plan{}, err
	}
	before := p.Voted(b.Coldkey)
	if before == nil {
		return tx.Plan{}, &NoVoteError{Voter: b.Coldkey, Proposal: p.Index}
	}
	preview := VotePreview{
		Proposal: p.Index, Hash: p.Hash, Voter: b.Coldkey, Vote: noVote, Effect: fmt.Sprintf("takes the vote %s back", word(*before)),
		Ayes: len(p.Ayes), Nays: len(p.Nays), Threshold: p.Threshold, Rejects: p.Rejects, End: p.End, Action: p.Lines, Changes: p.Changes,
	}
	if *before {
		preview.Ayes--
	} else {
		preview.Nays--
	}
	preview.RunsAbout = p.review.runs(preview, v.Number())
	return tx.Plan{
		Signer: b.Coldkey, Preview: preview, Warnings: p.warnings(v.Number() + 1),
		Call: chain.Call{Pallet: votingPallet, Name: removeVote, Args: chain.Args{"poll_index": p.Index}},
	}, nil
}

// Propose follows submit's own order of refusals (pallets/referenda/src/lib.rs:484).
func (m referendaModel) Propose(ctx context.Context, v *chain.View, motion Motion) (tx.Plan, error) {
	if motion.Track != openTrack {
		return tx.Plan{}, &TrackError{Track: motion.Track}
	}
	members, _, err := referendaBody.Get(ctx, v, proposersBody)
	if err != nil {
		return tx.Plan{}, err
	}
	if !slices.Contains(members, motion.Signer) {
		return tx.Plan{}, &NotProposerError{Account: motion.Signer, Body: proposersBody}
	}
	if err := m.room(ctx, v, motion.Signer); err != nil {
		return tx.Plan{}, err
	}
	call, encoded, err := shown(v.Runtime(), motion.Call)
	if err != nil {
		return tx.Plan{}, err
	}
	action, err := describe(ctx, v, call, encoded, nil)
	return tx.Plan{
		Signer: motion.Signer,
		Call:   chain.Call{Pallet: referendaPallet, Name: submit, Args: chain.Args{"track": motion.Track, "call": motion.Call}},
		Preview: MotionPreview{
			Does:   "submits this call to the triumvirate; what it approves is reviewed, and then runs with root's power",
			Action: action.Lines, Changes: action.Changes, event: submitted,
		},
	}, err
}

// room checks that there is anybody to vote, and that one more is taken.
func (referendaModel) room(ctx context.Context, v *chain.View, author tao.Account) error {
	voters, _, err := referendaBody.Get(ctx, v, triumvirateBody)
	if err != nil {
		return err
	}
	all, _, err := referendaActive.Get(ctx, v)
	if err != nil {
		return err
	}
	own, _, err := referendaByAuthor.Get(ctx, v, author)
	switch {
	case err != nil:
		return err
	case len(voters) == 0:
		return &NoVotersError{Body: triumvirateBody}
	case all >= mostReferenda:
		return &LimitError{Open: all, Most: mostReferenda}
	case own >= mostByOneAuthor:
		return &LimitError{Open: own, Most: mostByOneAuthor, By: &author}
	}
	return nil
}

func (referendaModel) Close(context.Context, *chain.View, tao.Account, Ref) (tx.Plan, error) {
	return tx.Plan{}, &NotPossibleError{What: "referenda close by themselves: nobody needs to, and nobody can"}
}
