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
	if err != nil {
		return nil, err
	}
	d, err := namesOf(ctx, v, slices.Concat(three, seats))
	return []Body{
		{Name: triumvirate, Role: "proposes, signed by the member", Members: d.voters(three)},
		{Name: senate, Role: "votes, signed by the coldkey that owns the hotkey", Votes: true, Threshold: threshold(seats), Members: d.voters(seats)},
	}, err
}

func (collective) Voters(ctx context.Context, v *chain.View, coldkey tao.Account, hotkeys []tao.Account) ([]tao.Account, error) {
	keys := make([][]any, len(hotkeys))
	for i, h := range hotkeys {
		keys[i] = []any{h}
	}
	owners, err := hotkeyOwner.Many(ctx, v, keys)
	if err != nil {
		return nil, fmt.Errorf("read the owners of %d hotkeys: %w", len(hotkeys), err)
	}
	var own []tao.Account
	for i, h := range hotkeys {
		if owners[i].OK && owners[i].Value == coldkey {
			own = append(own, h)
		}
	}
	return own, nil
}

// threshold is how many ayes a new proposal needs: more than half of the seats
// (propose, pallets/collective/src/lib.rs:551).
func threshold(seats []tao.Account) uint32 { return uint32(len(seats)/2) + 1 }

// house is what the proposals of a block are read with.
type house struct {
	seats []tao.Account
	prime *tao.Account // whose vote counts for those who have not voted at the end
	names directory
	clock clock
}

func houseOf(ctx context.Context, v *chain.View) (h house, err error) {
	if h.seats, _, err = senators.Get(ctx, v); err != nil {
		return h, err
	}
	if h.names, err = namesOf(ctx, v, h.seats); err != nil {
		return h, err
	}
	first, set, err := prime.Get(ctx, v)
	if err != nil {
		return h, err
	}
	if set {
		h.prime = &first
	}
	h.clock, err = clockOf(ctx, v)
	return h, err
}

func (m collective) Proposals(ctx context.Context, v *chain.View) ([]Proposal, error) {
	hashes, _, err := motions.Get(ctx, v)
	if err != nil {
		return nil, err
	}
	h, err := houseOf(ctx, v)
	if err != nil {
		return nil, err
	}
	list := make([]Proposal, 0, len(hashes))
	for _, hash := range hashes {
		p, err := m.proposal(ctx, v, hash, h)
		if err != nil {
			return nil, fmt.Errorf("read proposal %s: %w", hash, err)
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Proposal) int { return int(int64(a.Index) - int64(b.Index)) })
	return list, nil
}

func (m collective) Find(ctx context.Context, v *chain.View, r Ref) (Proposal, error) {
	list, err := m.Proposals(ctx, v)
	if err != nil {
		return Proposal{}, err
	}
	return r.Find(list)
}

func (collective) proposal(ctx context.Context, v *chain.View, hash tao.Hash, h house) (Proposal, error) {
	votes, _, err := motionVotes.Get(ctx, v, hash)
	if err != nil {
		return Proposal{}, err
	}
	stored, _, err := motionCalls.Get(ctx, v, hash)
	action, err := actionOf(ctx, v, stored, err, &hash)
	if err != nil {
		return Proposal{}, err
	}
	seats := uint32(len(h.seats))
	p := Proposal{
		Index: votes.Index, Hash: &hash, Action: action, Threshold: votes.Threshold, Rejects: rejectsAt(seats, votes.Threshold),
		Seats: seats, Ayes: h.names.voters(votes.Ayes), Nays: h.names.voters(votes.Nays), Waiting: []Voter{},
		End: votes.End, EndsAbout: h.clock.at(votes.End),
	}
	for _, s := range h.names.voters(h.seats) {
		if p.Voted(s.Account) == nil {
			p.Waiting = append(p.Waiting, s)
		}
	}
	p.State, p.ClosesAs = p.closing(v.Number()+1, h.prime)
	return p, nil
}

// rejectsAt is how many nays leave fewer votes than the threshold (do_close,
// pallets/collective/src/lib.rs:824).
func rejectsAt(seats, threshold uint32) uint32 {
	if seats < threshold {
		return 0
	}
	return seats - threshold + 1
}

// closing is what a close in that block would find and make of it (do_close,
// pallets/collective/src/lib.rs:808). A decided vote need not wait for its end.
// After it, who has not voted counts as the prime voted, and as a nay where
// there is no prime or it voted nay or not at all (PrimeDefaultVote,
// runtime/src/lib.rs:607).
func (p Proposal) closing(block uint32, prime *tao.Account) (state, outcome string) {
	if decided := p.decided(len(p.Ayes), len(p.Nays)); decided != "" {
		return decided, decided
	}
	if !p.Ended(block) {
		return Open, ""
	}
	if prime != nil && holds(p.Ayes, *prime) {
		if abstained := int(p.Seats) - len(p.Ayes) - len(p.Nays); len(p.Ayes)+max(abstained, 0) >= int(p.Threshold) {
			return Ended, Approved
		}
	}
	return Ended, Disapproved
}

// decided is do_close's early decision for that many votes, "" for none.
func (p Proposal) decided(ayes, nays int) string {
	switch {
	case ayes >= int(p.Threshold):
		return Approved
	case nays >= int(p.Rejects):
		return Disapproved
	}
	return ""
}

func (m collective) Vote(ctx context.Context, v *chain.View, b Ballot) (tx.Plan, error) {
	p, err := m.Find(ctx, v, b.Proposal)
	if err != nil {
		return tx.Plan{}, err
	}
	if err := m.seated(ctx, v, b); err != nil {
		return tx.Plan{}, err
	}
	before := p.Voted(b.Hotkey)
	if err := p.takes(b, b.Hotkey, before, v.Number()+1); err != nil {
		return tx.Plan{}, err
	}
	preview := p.after(b.Hotkey, b.Aye, before)
	preview.Cost = "the chain gives the fee of a first vote back"
	if before != nil {
		preview.Cost = "a changed vote pays the fee"
	}
	return tx.Plan{
		Signer: b.Coldkey,
		Call: chain.Call{Pallet: subtensor, Name: vote, Args: chain.Args{
			"hotkey": b.Hotkey, "proposal": *p.Hash, "index": p.Index, "approve": b.Aye,
		}},
		Preview: preview, Warnings: p.warnings(v.Number() + 1),
	}, nil
}

// takes refuses a vote that is useless, too late, or for who knows what.
func (p Proposal) takes(b Ballot, voter tao.Account, before *bool, block uint32) error {
	switch {
	case before != nil && *before == b.Aye:
		return &DuplicateVoteError{Voter: voter, Proposal: p.Index, Aye: b.Aye}
	case p.Ended(block) && !b.Late:
		return &EndedError{Proposal: p.Index, End: p.End, Block: block}
	case b.Aye && !p.Trusted() && !b.Blind:
		return &UnreadError{Proposal: p.Index, Problem: p.Problem}
	}
	return nil
}

// seated checks that the hotkey has a seat and that the coldkey owns it, which
// the chain does in the other order (do_vote_root,
// pallets/subtensor/src/coinbase/root.rs:849).
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
		Threshold: p.Threshold, Rejects: p.Rejects, End: p.End, Action: p.Lines, Changes: p.Changes,
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
	if !p.Trusted() {
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
	members, _, err := proposers.Get(ctx, v)
	if err != nil {
		return tx.Plan{}, err
	}
	if !slices.Contains(members, motion.Signer) {
		return tx.Plan{}, &NotProposerError{Account: motion.Signer, Body: triumvirate}
	}
	c, err := clockOf(ctx, v)
	if err != nil {
		return tx.Plan{}, err
	}
	if motion.Duration, err = duration(motion.Duration, c); err != nil {
		return tx.Plan{}, err
	}
	call, encoded, err := shown(v.Runtime(), motion.Call)
	if err != nil {
		return tx.Plan{}, err
	}
	hash := tao.Hash(blake2b.Sum256(encoded))
	if err := m.room(ctx, v, hash); err != nil {
		return tx.Plan{}, err
	}
	action, err := describe(ctx, v, call, encoded, &hash)
	if err != nil {
		return tx.Plan{}, err
	}
	return m.proposing(ctx, v, motion, action, hash, c)
}

// shown is a call as it will be signed: encoded, and decoded from those bytes.
func shown(rt *chain.Runtime, call chain.Call) (chain.Call, []byte, error) {
	encoded, err := rt.Encode(call)
	if err != nil {
		return call, nil, fmt.Errorf("encode %s.%s: %w", call.Pallet, call.Name, err)
	}
	call, err = rt.Decode(encoded)
	return call, encoded, err
}

// mostMotions is how many proposals may be open (subtensor v1.2.4 to v3.2.9-326,
// runtime/src/lib.rs, CouncilMaxProposals). Metadata do not tell.
const mostMotions = 10

// room checks that one more proposal is taken, and not one that is open.
func (m collective) room(ctx context.Context, v *chain.View, hash tao.Hash) error {
	list, err := m.Proposals(ctx, v)
	if err != nil {
		return err
	}
	if open, err := (Ref{Hash: &hash}).Find(list); err == nil {
		return &OpenProposalError{Hash: hash, Index: open.Index}
	}
	if len(list) >= mostMotions {
		return &LimitError{Open: uint32(len(list)), Most: mostMotions}
	}
	return nil
}

const (
	leastHours = 12     // CouncilMotionDuration (subtensor v1.2.4, runtime/src/lib.rs:507)
	week       = 7 * 24 // hours
)

// hours are so many blocks: the runtime counts them in whole blocks of a minute
// (subtensor v1.2.4, runtime/src/lib.rs:248). 0 where the slot is unknown.
func (c clock) hours(n uint32) uint32 {
	if c.slot == 0 {
		return 0
	}
	return uint32(60_000/c.slot) * 60 * n
}

// duration checks how long a vote lasts, in blocks; 0 is seven days.
func duration(given uint32, c clock) (uint32, error) {
	least := c.hours(leastHours)
	switch {
	case given == 0 && least > 0:
		return c.hours(week), nil
	case given < least || given == 0:
		return 0, &DurationError{Given: given, Least: least}
	}
	return given, nil
}

func (collective) proposing(ctx context.Context, v *chain.View, motion Motion, a Action, hash tao.Hash, c clock) (tx.Plan, error) {
	seats, _, err := senators.Get(ctx, v)
	if err != nil {
		return tx.Plan{}, err
	}
	end := v.Number() + 1 + motion.Duration
	plan := tx.Plan{
		Signer: motion.Signer,
		Call: chain.Call{Pallet: collectivePallet, Name: propose, Args: chain.Args{
			"proposal": motion.Call, "length_bound": a.length, "duration": motion.Duration,
		}},
		Preview: MotionPreview{
			Does: "puts this call to the senate's vote", Hash: &hash, Threshold: threshold(seats), Duration: motion.Duration,
			EndAbout: end, EndsAbout: c.at(end), Action: a.Lines, Changes: a.Changes, event: proposed,
		},
	}
	if c := motion.Call; c.Pallet != subtensor || c.Name != collectiveSudo && c.Name != collectiveRoot {
		plan.Warnings = append(plan.Warnings, tx.Warning{Code: "not-root", Text: "an approved call runs with the senate's own power, " +
			"which few calls take: for root's, propose SubtensorModule.sudo around it"})
	}
	return plan, nil
}

func (m collective) Close(ctx context.Context, v *chain.View, signer tao.Account, r Ref) (tx.Plan, error) {
	p, err := m.Find(ctx, v, r)
	switch {
	case err != nil:
		return tx.Plan{}, err
	case p.State == Open:
		return tx.Plan{}, &TooEarlyError{Proposal: p.Index, Ayes: len(p.Ayes), Threshold: p.Threshold, End: p.End, Block: v.Number()}
	case p.ClosesAs == Approved && !p.Trusted():
		return tx.Plan{}, &UnreadError{Proposal: p.Index, Problem: p.Problem}
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
	return tx.Plan{Signer: signer, Call: call, Preview: MotionPreview{
		Does: p.closes(), Proposal: &p.Index, Hash: p.Hash, Threshold: p.Threshold,
		Action: p.Lines, Changes: p.Changes, event: closed, result: p.closesWith(),
	}}, nil
}

// closesWith is the event of what a close decides.
func (p Proposal) closesWith() string {
	if p.ClosesAs == Approved {
		return approved
	}
	return disapproved
}

// closes says what closing does.
func (p Proposal) closes() string {
	text := "rejects the proposal"
	if p.ClosesAs == Approved {
		text = "approves the proposal, and executes its call at once"
	}
	if p.State == Ended {
		text += ": the vote is over, and who has not voted counts as the prime voted, or as a nay"
	}
	return text
}

// closeCall bounds what the close may cost by what the call weighs now. A
// rejection runs nothing, and asks for neither weight nor length.
func closeCall(ctx context.Context, v *chain.View, p Proposal) (chain.Call, error) {
	var weight chain.Weight
	if p.Call != nil && p.ClosesAs == Approved {
		var err error
		if weight, err = weigh(ctx, v, *p.Call); err != nil {
			return chain.Call{}, fmt.Errorf("weigh the call of proposal %d: %w", p.Index, err)
		}
	}
	return chain.Call{Pallet: collectivePallet, Name: closeMotion, Args: chain.Args{
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
	return chain.Call{Pallet: sudoPallet, Name: sudo, Args: chain.Args{"call": call}}, nil
}
