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

// collective is the model of Triumvirate and Senate: the first proposes, the
// second votes with hotkeys (subtensor v1.2.4, pallets/collective/src/lib.rs).
type collective struct{}

const (
	triumvirate = "triumvirate"
	senate      = "senate"

	// lastOpenClose is the last spec at which any account may close a vote;
	// from 219 on root alone may. Metadata do not tell.
	lastOpenClose = 218
)

func (collective) Name() string { return "collective" }

func (collective) Bodies(ctx context.Context, v *chain.View) ([]Body, error) {
	three, _, err := proposers.Get(ctx, v)
	if err != nil {
		return nil, err
	}
	seats, _, err := senators.Get(ctx, v)
	return []Body{
		{Name: triumvirate, Role: "proposes, signed by the member", Members: three},
		{Name: senate, Role: "votes, signed by the coldkey that owns the hotkey", Votes: true, Members: seats},
	}, err
}

func (m collective) Proposals(ctx context.Context, v *chain.View) ([]Proposal, error) {
	hashes, _, err := motions.Get(ctx, v)
	if err != nil {
		return nil, err
	}
	seats, _, err := senators.Get(ctx, v)
	if err != nil {
		return nil, err
	}
	c, err := clockOf(ctx, v)
	if err != nil {
		return nil, err
	}
	list := make([]Proposal, 0, len(hashes))
	for _, h := range hashes {
		p, err := m.proposal(ctx, v, h, seats, c)
		if err != nil {
			return nil, fmt.Errorf("read proposal %s: %w", h, err)
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Proposal) int { return int(int64(a.Index) - int64(b.Index)) })
	return list, nil
}

func (collective) proposal(ctx context.Context, v *chain.View, h tao.Hash, seats []tao.Account, c clock) (Proposal, error) {
	votes, _, err := motionVotes.Get(ctx, v, h)
	if err != nil {
		return Proposal{}, err
	}
	stored, _, err := motionCalls.Get(ctx, v, h)
	action, err := actionOf(ctx, v, stored, err, &h)
	if err != nil {
		return Proposal{}, err
	}
	p := Proposal{
		Index: votes.Index, Hash: &h, Action: action, Threshold: votes.Threshold, Seats: uint32(len(seats)),
		Ayes: votes.Ayes, Nays: votes.Nays, Waiting: []tao.Account{}, End: votes.End, EndsAbout: c.at(votes.End),
	}
	for _, s := range seats {
		if p.Voted(s) == nil {
			p.Waiting = append(p.Waiting, s)
		}
	}
	p.State = p.state(v.Number())
	return p, nil
}

// state is what closing the vote now would make of it. A decided vote need not
// wait for its end. After the end whoever has not voted counts as the prime did,
// and as a nay without one; no chain's senate has a prime, so "ended" it is.
func (p Proposal) state(block uint32) string {
	switch decided := p.decided(len(p.Ayes), len(p.Nays)); {
	case decided != "":
		return decided
	case p.Ended(block):
		return "ended"
	}
	return "open"
}

// decided is do_close's early decision for that many votes, "" for none.
func (p Proposal) decided(ayes, nays int) string {
	switch {
	case uint32(ayes) >= p.Threshold:
		return "approved"
	case int(p.Seats)-nays < int(p.Threshold):
		return "disapproved"
	}
	return ""
}

func (m collective) Vote(ctx context.Context, v *chain.View, b Ballot) (tx.Plan, error) {
	list, err := m.Proposals(ctx, v)
	if err != nil {
		return tx.Plan{}, err
	}
	p, err := b.Proposal.Find(list)
	if err != nil {
		return tx.Plan{}, err
	}
	if err := m.seated(ctx, v, b); err != nil {
		return tx.Plan{}, err
	}
	before := p.Voted(b.Hotkey)
	if before != nil && *before == b.Aye {
		return tx.Plan{}, &DuplicateVoteError{Voter: b.Hotkey, Proposal: p.Index, Aye: b.Aye}
	}
	return tx.Plan{
		Signer: b.Coldkey,
		Call: chain.Call{Pallet: subtensor, Name: "vote", Args: chain.Args{
			"hotkey": b.Hotkey, "proposal": *p.Hash, "index": p.Index, "approve": b.Aye,
		}},
		Preview: p.after(b.Hotkey, b.Aye, before), Warnings: p.warnings(v.Number()),
	}, nil
}

// seated checks that the hotkey has a seat and that the coldkey owns it, in the
// chain's order (SubtensorModule.vote, NonAssociatedColdKey, NotSenateMember).
func (collective) seated(ctx context.Context, v *chain.View, b Ballot) error {
	owner, known, err := hotkeyOwner.Get(ctx, v, b.Hotkey)
	if err != nil {
		return err
	}
	seats, _, err := senators.Get(ctx, v)
	switch {
	case err != nil:
		return err
	case !slices.Contains(seats, b.Hotkey):
		return &NotVoterError{Voter: b.Hotkey, Body: senate}
	case !known || owner != b.Coldkey:
		return &NotVoterError{Voter: b.Hotkey, Body: senate, Owner: &owner}
	}
	return nil
}

// after is what a vote makes of a proposal.
func (p Proposal) after(voter tao.Account, aye bool, before *bool) VotePreview {
	ayes, nays := len(p.Ayes), len(p.Nays)
	preview := VotePreview{
		Proposal: p.Index, Hash: p.Hash, Voter: voter, Vote: word(aye), Effect: "first vote",
		Threshold: p.Threshold, End: p.End, Action: p.Lines, Changes: p.Changes,
	}
	if before != nil {
		preview.Effect = fmt.Sprintf("changes the vote from %s to %s", word(*before), word(aye))
		if *before {
			ayes--
		} else {
			nays--
		}
	}
	if aye {
		ayes++
	} else {
		nays++
	}
	preview.Ayes, preview.Nays = ayes, nays
	preview.Decides = p.decided(ayes, nays)
	return preview
}

func (p Proposal) warnings(block uint32) (list []tx.Warning) {
	if p.Problem != "" {
		list = append(list, tx.Warning{Code: "unverified-call", Text: p.Problem + ": nobody can say what is voted on"})
	}
	if p.Ended(block) {
		list = append(list, tx.Warning{Code: "ended", Text: fmt.Sprintf(
			"the vote ended at block %d; votes count until somebody closes it, which may be before this one", p.End)})
	}
	return list
}

func (collective) Unvote(context.Context, *chain.View, Ballot) (tx.Plan, error) {
	return tx.Plan{}, &NotPossibleError{What: "the senate's votes can be changed, not taken back"}
}

func (m collective) Propose(ctx context.Context, v *chain.View, motion Motion) (tx.Plan, error) {
	rt := v.Runtime()
	members, _, err := proposers.Get(ctx, v)
	if err != nil {
		return tx.Plan{}, err
	}
	if !slices.Contains(members, motion.Signer) {
		return tx.Plan{}, &NotProposerError{Account: motion.Signer, Body: triumvirate}
	}
	encoded, hash, err := hashOf(rt, motion.Call)
	if err != nil {
		return tx.Plan{}, err
	}
	list, err := m.Proposals(ctx, v)
	if err != nil {
		return tx.Plan{}, err
	}
	if open, err := (Ref{Hash: &hash}).Find(list); err == nil {
		return tx.Plan{}, &OpenProposalError{Hash: hash, Index: open.Index}
	}
	call, err := rt.Decode(encoded) // what is shown is what is signed
	if err != nil {
		return tx.Plan{}, err
	}
	action, err := describe(ctx, v, call, &hash)
	if err != nil {
		return tx.Plan{}, err
	}
	return m.proposing(ctx, v, motion, action, hash)
}

func (collective) proposing(ctx context.Context, v *chain.View, motion Motion, a Action, hash tao.Hash) (tx.Plan, error) {
	seats, _, err := senators.Get(ctx, v)
	if err != nil {
		return tx.Plan{}, err
	}
	c, err := clockOf(ctx, v)
	end := v.Number() + 1 + motion.Duration
	return tx.Plan{
		Signer: motion.Signer,
		Call: chain.Call{Pallet: collectivePallet, Name: "propose", Args: chain.Args{
			"proposal": motion.Call, "length_bound": a.length, "duration": motion.Duration,
		}},
		Preview: MotionPreview{
			Does: "puts this call to the senate's vote", Hash: &hash, Threshold: uint32(len(seats)/2) + 1,
			End: end, EndsAbout: c.at(end), Action: a.Lines, Changes: a.Changes,
		},
	}, err
}

func (m collective) Close(ctx context.Context, v *chain.View, signer tao.Account, r Ref) (tx.Plan, error) {
	list, err := m.Proposals(ctx, v)
	if err != nil {
		return tx.Plan{}, err
	}
	p, err := r.Find(list)
	if err != nil {
		return tx.Plan{}, err
	}
	if p.State == "open" {
		return tx.Plan{}, &TooEarlyError{Proposal: p.Index, Ayes: len(p.Ayes), Threshold: p.Threshold, End: p.End, Block: v.Number()}
	}
	call, err := closeCall(ctx, v, p)
	if err != nil {
		return tx.Plan{}, err
	}
	if v.Runtime().Spec().SpecVersion > lastOpenClose {
		if call, err = asRoot(ctx, v, signer, call); err != nil {
			return tx.Plan{}, err
		}
	}
	return tx.Plan{Signer: signer, Call: call, Warnings: p.closeWarnings(), Preview: MotionPreview{
		Does: closing(p.State), Proposal: &p.Index, Hash: p.Hash, Threshold: p.Threshold, End: p.End,
		Action: p.Lines, Changes: p.Changes,
	}}, nil
}

func closing(state string) string {
	switch state {
	case "approved":
		return "approves the proposal, and executes its call at once"
	case "disapproved":
		return "rejects the proposal"
	}
	return "ends the vote: whoever has not voted counts as the prime voted, or as a nay"
}

func (p Proposal) closeWarnings() []tx.Warning {
	if p.State == "disapproved" {
		return nil
	}
	return p.warnings(0)
}

// closeCall bounds what the close may cost by what the call weighs now.
func closeCall(ctx context.Context, v *chain.View, p Proposal) (chain.Call, error) {
	var weight chain.Weight
	if p.Call != nil {
		var err error
		if weight, err = weigh(ctx, v, *p.Call); err != nil {
			return chain.Call{}, fmt.Errorf("weigh the call of proposal %d: %w", p.Index, err)
		}
	}
	return chain.Call{Pallet: collectivePallet, Name: "close", Args: chain.Args{
		"proposal_hash": *p.Hash, "index": p.Index, "length_bound": p.length,
		"proposal_weight_bound": map[string]any{"ref_time": weight.RefTime, "proof_size": weight.ProofSize},
	}}, nil
}

// weigh asks what a call weighs. query_call_info gives a RuntimeDispatchInfo,
// which begins with the weight as two compacts.
func weigh(ctx context.Context, v *chain.View, call chain.Call) (w chain.Weight, err error) {
	encoded, err := v.Runtime().Encode(call)
	if err != nil {
		return w, err
	}
	n := uint32(len(encoded))
	answer, err := v.StateCall(ctx, "TransactionPaymentCallApi_query_call_info",
		append(encoded, byte(n), byte(n>>8), byte(n>>16), byte(n>>24)))
	if err != nil {
		return w, err
	}
	if w.RefTime, answer, err = scale.DecodeCompact(answer); err != nil {
		return w, err
	}
	w.ProofSize, _, err = scale.DecodeCompact(answer)
	return w, err
}

// asRoot wraps a call for the sudo key, and refuses it to everybody else.
func asRoot(ctx context.Context, v *chain.View, signer tao.Account, call chain.Call) (chain.Call, error) {
	key, _, err := sudoKey.Get(ctx, v)
	if err != nil {
		return call, err
	}
	if key != signer {
		return call, &RootOnlyError{Call: call.Pallet + "." + call.Name, Key: key, Spec: v.Runtime().Spec()}
	}
	return chain.Call{Pallet: sudoPallet, Name: "sudo", Args: chain.Args{"call": call}}, nil
}
