package governance

import (
	"context"
	"fmt"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// referendaModel is the designed successor, which no live chain has. It follows
// subtensor's branch governance-wiring, commit d0910bde9:
// pallets/referenda/src/types.rs:359 (ReferendumInfo) and :383
// (ReferendumStatus), pallets/signed-voting/src/lib.rs:186 to :248 and :332.
// It has been run on made-up values only, never on a runtime.
type referendaModel struct{}

// referendaBodies are the CollectiveIds that have a part in decisions, by the
// number that the enum gives them.
var referendaBodies = []struct{ id, role string }{
	{"Proposers", "submits on track 0"},
	{"Triumvirate", "votes on track 0"},
	{"Economic", "reviews on track 1"},
	{"Building", "reviews on track 1"},
}

func (referendaModel) Name() string { return "referenda" }

func (referendaModel) Bodies(ctx context.Context, v *chain.View) (list []Body, _ error) {
	for _, b := range referendaBodies {
		members, _, err := referendaBody.Get(ctx, v, b.id)
		if err != nil {
			return nil, fmt.Errorf("read the members of %s: %w", b.id, err)
		}
		list = append(list, Body{Name: b.id, Role: b.role, Votes: b.id != "Proposers", Members: members})
	}
	return list, nil
}

func (m referendaModel) Proposals(ctx context.Context, v *chain.View) ([]Proposal, error) {
	c, err := clockOf(ctx, v)
	if err != nil {
		return nil, err
	}
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
		p.EndsAbout = c.at(p.End)
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Proposal) int { return int(int64(a.Index) - int64(b.Index)) })
	return list, nil
}

// referendum is what is known of an ongoing one without asking further.
type referendum struct {
	track     uint8
	submitted uint32
	period    uint32 // blocks from submission to the deadline, or to enactment
	kind      string // PassOrFail or Adjustable
	call      []byte // nil where it is not in the referendum itself
	review    bool   // the call waits in the scheduler
}

// ongoingOf reads a ReferendumStatus; ok is false for one that is over.
func ongoingOf(status any) (r referendum, ok bool) {
	v, _ := status.(*scale.Variant)
	if v == nil || v.Name != "Ongoing" {
		return r, false
	}
	info, _ := v.Value.(*scale.Record)
	if info == nil {
		return r, false
	}
	r.track, _ = field[uint8](info, "track")
	r.submitted, _ = field[uint32](info, "submitted")
	if strategy, ok := field[*scale.Variant](info, "decision_strategy"); ok {
		r.kind = strategy.Name
		if s, ok := strategy.Value.(*scale.Record); ok {
			if r.period, ok = field[uint32](s, "decision_period"); !ok {
				r.period, _ = field[uint32](s, "initial_delay")
			}
		}
	}
	if p, ok := field[*scale.Variant](info, "proposal"); ok {
		r.review = p.Name == "Review"
		r.call = inline(p.Value)
	}
	return r, true
}

// inline is the encoded call of a Bounded that holds it itself (Substrate,
// frame/support/src/traits/preimages.rs): others hold a hash.
func inline(bounded any) []byte {
	b, _ := bounded.(*scale.Variant)
	if b == nil || b.Name != "Inline" {
		return nil
	}
	call, _ := b.Value.([]byte)
	return call
}

func (referendaModel) proposal(ctx context.Context, v *chain.View, index uint32, r referendum) (Proposal, error) {
	p := Proposal{
		Index: index, State: "open", Track: &r.track, End: r.submitted + r.period,
		Ayes: []tao.Account{}, Nays: []tao.Account{}, Waiting: []tao.Account{},
	}
	voters, _, err := referendaVoter.Get(ctx, v, index)
	if err != nil {
		return p, err
	}
	p.Seats = uint32(len(voters))
	if p.Action, err = r.action(ctx, v); err != nil {
		return p, err
	}
	for _, a := range voters {
		aye, voted, err := referendaVotes.Get(ctx, v, index, a)
		switch {
		case err != nil:
			return p, err
		case !voted:
			p.Waiting = append(p.Waiting, a)
		case aye:
			p.Ayes = append(p.Ayes, a)
		default:
			p.Nays = append(p.Nays, a)
		}
	}
	return p, nil
}

// action reads the call. One that is kept elsewhere is not followed there.
func (r referendum) action(ctx context.Context, v *chain.View) (Action, error) {
	switch {
	case r.review:
		return unreadable("a review holds no call: look at the scheduled call of \"governance status\""), nil
	case r.call == nil:
		return unreadable("the call is kept as a preimage, which is not read here"), nil
	}
	return decodeAction(ctx, v, r.call)
}

// decodeAction reads an encoded call.
func decodeAction(ctx context.Context, v *chain.View, encoded []byte) (Action, error) {
	call, err := v.Runtime().Decode(encoded)
	if err != nil {
		return unreadable(fmt.Sprintf("the call does not decode: %v", err)), nil
	}
	return describe(ctx, v, call, nil)
}

func (m referendaModel) find(ctx context.Context, v *chain.View, b Ballot) (Proposal, error) {
	list, err := m.Proposals(ctx, v)
	if err != nil {
		return Proposal{}, err
	}
	p, err := b.Proposal.Find(list)
	if err != nil {
		return p, err
	}
	if p.Voted(b.Coldkey) == nil && !slices.Contains(p.Waiting, b.Coldkey) {
		return p, &NotVoterError{Voter: b.Coldkey, Body: fmt.Sprintf("voters of referendum %d", p.Index)}
	}
	return p, nil
}

func (m referendaModel) Vote(ctx context.Context, v *chain.View, b Ballot) (tx.Plan, error) {
	p, err := m.find(ctx, v, b)
	if err != nil {
		return tx.Plan{}, err
	}
	before := p.Voted(b.Coldkey)
	if before != nil && *before == b.Aye {
		return tx.Plan{}, &DuplicateVoteError{Voter: b.Coldkey, Proposal: p.Index, Aye: b.Aye}
	}
	preview := p.after(b.Coldkey, b.Aye, before)
	preview.Decides = "" // the track's thresholds are shares, which this program does not judge
	return tx.Plan{
		Signer: b.Coldkey, Preview: preview, Warnings: p.warnings(v.Number()),
		Call: chain.Call{Pallet: votingPallet, Name: "vote", Args: chain.Args{"poll_index": p.Index, "approve": b.Aye}},
	}, nil
}

func (m referendaModel) Unvote(ctx context.Context, v *chain.View, b Ballot) (tx.Plan, error) {
	p, err := m.find(ctx, v, b)
	if err != nil {
		return tx.Plan{}, err
	}
	if p.Voted(b.Coldkey) == nil {
		return tx.Plan{}, &NoVoteError{Voter: b.Coldkey, Proposal: p.Index}
	}
	return tx.Plan{
		Signer: b.Coldkey,
		Call:   chain.Call{Pallet: votingPallet, Name: "remove_vote", Args: chain.Args{"poll_index": p.Index}},
		Preview: VotePreview{
			Proposal: p.Index, Voter: b.Coldkey, Vote: "none", Effect: "takes the vote back",
			Ayes: without(p.Ayes, b.Coldkey), Nays: without(p.Nays, b.Coldkey), End: p.End, Action: p.Lines, Changes: p.Changes,
		},
	}, nil
}

func without(list []tao.Account, a tao.Account) int {
	if slices.Contains(list, a) {
		return len(list) - 1
	}
	return len(list)
}

func (referendaModel) Propose(ctx context.Context, v *chain.View, m Motion) (tx.Plan, error) {
	members, _, err := referendaBody.Get(ctx, v, "Proposers")
	if err != nil {
		return tx.Plan{}, err
	}
	if !slices.Contains(members, m.Signer) {
		return tx.Plan{}, &NotProposerError{Account: m.Signer, Body: "Proposers"}
	}
	action, err := describe(ctx, v, m.Call, nil)
	return tx.Plan{
		Signer:  m.Signer,
		Call:    chain.Call{Pallet: referendaPallet, Name: "submit", Args: chain.Args{"track": m.Track, "call": m.Call}},
		Preview: MotionPreview{Does: fmt.Sprintf("submits this call on track %d", m.Track), Action: action.Lines, Changes: action.Changes},
	}, err
}

func (referendaModel) Close(context.Context, *chain.View, tao.Account, Ref) (tx.Plan, error) {
	return tx.Plan{}, &NotPossibleError{What: "referenda close by themselves: nobody needs to, and nobody can"}
}
