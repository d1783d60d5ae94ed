package governance

import (
	"context"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Model is one way of deciding. It has two implementations, and [Of] picks.
type Model interface {
	// Name is "collective" or "referenda".
	Name() string

	// Bodies lists who may propose and who may vote.
	Bodies(ctx context.Context, v *chain.View) ([]Body, error)

	// Voters are the accounts that a coldkey can vote with: itself for referenda,
	// for the senate those of the hotkeys that it owns.
	Voters(ctx context.Context, v *chain.View, coldkey tao.Account, hotkeys []tao.Account) ([]tao.Account, error)

	// Proposals lists what is open, oldest first.
	Proposals(ctx context.Context, v *chain.View) ([]Proposal, error)

	// Find reads one open proposal. Errors: *UnknownProposalError, *IndexError,
	// *AmbiguousError, *ConcludedError.
	Find(ctx context.Context, v *chain.View, r Ref) (Proposal, error)

	// Vote plans a vote. Errors: as Find, *NotVoterError, *DuplicateVoteError,
	// *EndedError unless the ballot is Late and the end not Final, for an aye
	// *UnreadError unless it is Blind, and for referenda *DecidedError and
	// *NotFinalError.
	Vote(ctx context.Context, v *chain.View, b Ballot) (tx.Plan, error)

	// Unvote plans to take a vote back. Errors: as Vote, *NotPossibleError.
	Unvote(ctx context.Context, v *chain.View, b Ballot) (tx.Plan, error)

	// Propose plans to put a call to the vote. Errors: *NotProposerError,
	// *OpenProposalError, *LimitError, *DurationError, *TrackError,
	// *NoVotersError, *chain.MissingError.
	Propose(ctx context.Context, v *chain.View, m Motion) (tx.Plan, error)

	// Close plans to end a vote. Errors: as Find, *TooEarlyError,
	// *RootOnlyError, *NotPossibleError, and *UnreadError where it would run a
	// call that nobody can read.
	Close(ctx context.Context, v *chain.View, signer tao.Account, p Ref) (tx.Plan, error)
}

// Of finds the model of a runtime by its metadata. Errors: *NoVotingError.
func Of(rt *chain.Runtime) (Model, error) {
	switch {
	case has(rt, referendaPallet, referenda.Name) && has(rt, votingPallet, referendaVoter.Name):
		return referendaModel{}, nil
	case has(rt, collectivePallet, motions.Name) && has(rt, senatePallet, senators.Name):
		return collective{}, nil
	}
	return nil, &NoVotingError{Spec: rt.Spec()}
}

// Body is a group of accounts with a part in decisions.
type Body struct {
	Name  string `json:"name"`
	Role  string `json:"role"`
	Votes bool   `json:"votes"`

	// Threshold is how many of its votes approve a new proposal, where that
	// is a number and not a share.
	Threshold uint32 `json:"threshold,omitempty"`

	Members []Voter `json:"members" view:",lines"`
}

// The states of a proposal: what closing it now would find.
const (
	Open        = "open"        // votes can still decide it either way
	Approved    = "approved"    // enough ayes
	Disapproved = "disapproved" // enough nays
	Ended       = "ended"       // undecided at its end
)

// Proposal is a call that is voted on.
type Proposal struct {
	Index uint32    `json:"index"`
	Hash  *tao.Hash `json:"hash,omitempty"` // blake2-256 of the call; a review has none
	State string    `json:"state"`          // Open, Approved, Disapproved or Ended
	Track *uint8    `json:"track,omitempty"`
	Phase string    `json:"phase,omitempty"` // of a referendum: what the votes decide
	By    *Voter    `json:"proposer,omitempty"`

	// ClosesAs is what closing makes of one that is decided or over: Approved
	// or Disapproved. Empty while open.
	ClosesAs string `json:"closes_as,omitempty"`

	Action

	Threshold uint32     `json:"threshold"`  // ayes that approve it
	Rejects   uint32     `json:"rejects_at"` // nays that end it
	Seats     uint32     `json:"seats"`      // votes that there are
	Ayes      []Voter    `json:"ayes" view:",lines"`
	Nays      []Voter    `json:"nays" view:",lines"`
	Waiting   []Voter    `json:"waiting" view:",lines"` // may vote and have not
	End       uint32     `json:"end,omitempty"`         // block at which the votes are over, or the call runs
	EndsAbout *time.Time `json:"ends_about,omitempty"`  // by the chain's own slot time

	review *review // of a referendum that is reviewed
}

// Ended reports whether the voting period is over at a block. The collective
// takes votes even then, until somebody closes the vote.
func (p Proposal) Ended(block uint32) bool { return p.End > 0 && block >= p.End }

// Voted tells how an account voted, nil where it has not.
func (p Proposal) Voted(a tao.Account) *bool {
	aye := holds(p.Ayes, a)
	if !aye && !holds(p.Nays, a) {
		return nil
	}
	return &aye
}

// Ref names a proposal, by its hash or its index.
type Ref struct {
	Hash  *tao.Hash
	Index *uint32
}

// Find looks for a proposal. Errors: *UnknownProposalError, *AmbiguousError where
// a hash alone belongs to several, as it may among referenda, and where hash and
// index belong to different proposals, *IndexError.
func (r Ref) Find(list []Proposal) (Proposal, error) {
	var same []uint32 // the indices of those with the hash
	var found Proposal
	for _, p := range list {
		byHash := r.Hash != nil && p.Hash != nil && *p.Hash == *r.Hash
		byIndex := r.Index != nil && p.Index == *r.Index
		switch {
		case byIndex && (byHash || r.Hash == nil):
			return p, nil
		case byHash:
			same, found = append(same, p.Index), p
		}
	}
	switch {
	case len(same) == 0:
		return Proposal{}, &UnknownProposalError{Ref: r, Open: len(list)}
	case r.Index != nil:
		return Proposal{}, &IndexError{Hash: *r.Hash, Given: *r.Index, Index: same[0]}
	case len(same) > 1:
		return Proposal{}, &AmbiguousError{Hash: *r.Hash, Indices: same}
	}
	return found, nil
}

// Ballot is one vote. Referenda are voted on by coldkeys and ignore Hotkey.
type Ballot struct {
	Coldkey  tao.Account // signs
	Hotkey   tao.Account // has the seat
	Proposal Ref
	Aye      bool
	Late     bool // even though the voting period is over; referenda take no such vote
	Blind    bool // even though nobody can read what is approved
}

// Motion is a call to be voted on.
type Motion struct {
	Signer   tao.Account
	Call     chain.Call
	Duration uint32 // blocks; 0 is seven days. The collective alone is told one
	Track    uint8  // of referenda
}

// VotePreview is what a vote does.
type VotePreview struct {
	Proposal  uint32      `json:"proposal"`
	Hash      *tao.Hash   `json:"hash,omitempty"`
	Voter     tao.Account `json:"voter"`
	Vote      string      `json:"vote"`           // aye, nay or none
	Effect    string      `json:"effect"`         // first vote, change of a vote, vote taken back
	Cost      string      `json:"cost,omitempty"` // what becomes of the fee
	Ayes      int         `json:"ayes_after"`
	Nays      int         `json:"nays_after"`
	Threshold uint32      `json:"threshold"`
	Rejects   uint32      `json:"rejects_at"`
	Decides   string      `json:"decides,omitempty"` // Approved or Disapproved: with this vote that is settled
	End       uint32      `json:"end,omitempty"`
	RunsAbout *uint32     `json:"runs_about,omitempty"` // block to which a review's call would move
	Action    []string    `json:"would_do" view:",lines"`
	Changes   []Change    `json:"changes,omitempty" view:",lines"`
}

// MotionPreview is what proposing or closing does.
type MotionPreview struct {
	Does      string     `json:"does"`
	Proposal  *uint32    `json:"proposal,omitempty"`
	Hash      *tao.Hash  `json:"hash,omitempty"`
	Threshold uint32     `json:"threshold,omitempty"`
	Duration  uint32     `json:"duration,omitempty"` // blocks
	EndAbout  uint32     `json:"end_about,omitempty"`
	EndsAbout *time.Time `json:"ends_about,omitempty"`
	Action    []string   `json:"would_do" view:",lines"`
	Changes   []Change   `json:"changes,omitempty" view:",lines"`

	event  string // that says that it was done
	result string // the event that says what a close decided
}

// noVote stands for a vote taken back.
const noVote = "none"

func word(aye bool) string {
	if aye {
		return "aye"
	}
	return "nay"
}

// clock tells about when a block will be, by the chain's time and slots.
type clock struct {
	block uint32
	now   uint64 // milliseconds
	slot  uint64
}

// clockOf reads the clock. Without a time on the chain, or a slot, it tells no
// time.
func clockOf(ctx context.Context, v *chain.View) (c clock, err error) {
	c.block = v.Number()
	half, err := halfSlot.Get(v.Runtime())
	if err != nil {
		return c, nil //nolint:nilerr // a time is a help, not a need
	}
	c.slot = 2 * half
	c.now, _, err = blockTime.Get(ctx, v)
	return c, err
}

func (c clock) at(block uint32) *time.Time {
	if c.now == 0 || c.slot == 0 || block == 0 {
		return nil
	}
	ahead := (int64(block) - int64(c.block)) * int64(c.slot)
	t := time.UnixMilli(int64(c.now) + ahead).UTC().Truncate(time.Second)
	return &t
}
