package governance

import (
	"fmt"
	"strings"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// NoVotingError says that a runtime has no pallet to vote with.
type NoVotingError struct{ Spec chain.Spec }

func (e *NoVotingError) Error() string {
	return fmt.Sprintf("%s has nothing to vote on: neither a senate nor referenda", e.Spec)
}

// UnknownProposalError says that no open proposal has that hash or index: it
// never was, or it is closed.
type UnknownProposalError struct {
	Ref  Ref
	Open int // how many proposals are open
}

func (e *UnknownProposalError) Error() string {
	return fmt.Sprintf("no open proposal is %s (%d are open)", e.Ref, e.Open)
}

// String prints the hash or the index.
func (r Ref) String() string {
	switch {
	case r.Hash != nil:
		return r.Hash.String()
	case r.Index != nil:
		return fmt.Sprintf("number %d", *r.Index)
	}
	return "unnamed"
}

// IndexError says that a hash belongs to a proposal of another index.
type IndexError struct {
	Hash         tao.Hash
	Given, Index uint32
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("proposal %s is number %d, not %d", e.Hash, e.Index, e.Given)
}

// NotVoterError says that an account has no vote, or that the wallet does not
// own it.
type NotVoterError struct {
	Voter tao.Account
	Body  string       // the group that votes
	Owner *tao.Account // who owns the seat, where it is not the wallet
}

func (e *NotVoterError) Error() string {
	if e.Owner != nil {
		return fmt.Sprintf("%s belongs to %s, who alone may vote with it", e.Voter, e.Owner)
	}
	return fmt.Sprintf("%s has no vote: it is not in the %s", e.Voter, e.Body)
}

// NotProposerError says that an account may not propose.
type NotProposerError struct {
	Account tao.Account
	Body    string
}

func (e *NotProposerError) Error() string {
	return fmt.Sprintf("%s may not propose: it is not in the %s", e.Account, e.Body)
}

// DuplicateVoteError says that the same vote is there already.
type DuplicateVoteError struct {
	Voter    tao.Account
	Proposal uint32
	Aye      bool
}

func (e *DuplicateVoteError) Error() string {
	return fmt.Sprintf("%s has voted %s on proposal %d already", e.Voter, word(e.Aye), e.Proposal)
}

// NoVoteError says that there is no vote to take back.
type NoVoteError struct {
	Voter    tao.Account
	Proposal uint32
}

func (e *NoVoteError) Error() string {
	return fmt.Sprintf("%s has not voted on proposal %d", e.Voter, e.Proposal)
}

// TooEarlyError says that a vote is neither decided nor over.
type TooEarlyError struct {
	Proposal  uint32
	Ayes      int
	Threshold uint32
	End       uint32
	Block     uint32
}

func (e *TooEarlyError) Error() string {
	return fmt.Sprintf("proposal %d is undecided: %d of %d ayes, and the vote ends at block %d, %d blocks from now",
		e.Proposal, e.Ayes, e.Threshold, e.End, e.End-e.Block)
}

// RootOnlyError says that a call is root's on this runtime.
type RootOnlyError struct {
	Call string
	Key  tao.Account // the sudo key; zero if there is none
	Spec chain.Spec
}

func (e *RootOnlyError) Error() string {
	return fmt.Sprintf("%s is for root alone on %s: the sudo key is %s", e.Call, e.Spec, e.Key)
}

// NotPossibleError says that a model has no such thing.
type NotPossibleError struct{ What string }

func (e *NotPossibleError) Error() string { return e.What }

// OpenProposalError says that the same call is proposed already.
type OpenProposalError struct {
	Hash  tao.Hash
	Index uint32
}

func (e *OpenProposalError) Error() string {
	return fmt.Sprintf("the same call is open as proposal %d, %s", e.Index, e.Hash)
}

// ConcludedError says that a referendum is over.
type ConcludedError struct {
	Index uint32
	As    string // Enacted, Rejected, …: the chain's own word
	Block uint32 // where it ended
}

func (e *ConcludedError) Error() string {
	return fmt.Sprintf("referendum %d is over: %s at block %d", e.Index, e.As, e.Block)
}

// EndedError says that the voting period is over in the block that a vote could
// be in. The collective counts votes until somebody closes the vote, which may be
// before this one arrives; where the end is Final, the chain refuses them.
type EndedError struct {
	Proposal   uint32
	End, Block uint32
	Final      bool
}

func (e *EndedError) Error() string {
	if e.End == e.Block {
		return fmt.Sprintf("the vote on proposal %d ends with the next block, %d", e.Proposal, e.End)
	}
	return fmt.Sprintf("the vote on proposal %d ended at block %d, and the next block is %d", e.Proposal, e.End, e.Block)
}

// DecidedError says that a referendum has the votes that end it: the next block
// concludes it before it takes another.
type DecidedError struct {
	Index uint32
	As    string // Approved or Disapproved
}

func (e *DecidedError) Error() string {
	return fmt.Sprintf("referendum %d is decided: %s; the next block concludes it", e.Index, e.As)
}

// NotFinalError says that a referendum was submitted in a block that a fork may
// still take back, and its number with it. A vote says only the number.
type NotFinalError struct {
	Index     uint32
	Finalized uint32 // block
}

func (e *NotFinalError) Error() string {
	return fmt.Sprintf("referendum %d is not final: its number may come to mean another call (finalized is block %d)", e.Index, e.Finalized)
}

// AmbiguousError says that one call is open several times: its hash names none.
type AmbiguousError struct {
	Hash    tao.Hash
	Indices []uint32
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("the call %s is open as %d proposals: %s", e.Hash, len(e.Indices), strings.Trim(fmt.Sprint(e.Indices), "[]"))
}

// UnreadError says that a call cannot be read or is not the one that is voted
// on, so that nobody can say what an approval does.
type UnreadError struct {
	Proposal uint32
	Problem  string
}

func (e *UnreadError) Error() string {
	return fmt.Sprintf("what proposal %d would do is unknown: %s", e.Proposal, e.Problem)
}

// DurationError says that a vote would be too short for the chain.
type DurationError struct {
	Given, Least uint32 // blocks
}

func (e *DurationError) Error() string {
	return fmt.Sprintf("a vote of %d blocks is too short: this chain takes no less than 12 hours, %d of its blocks", e.Given, e.Least)
}

// LimitError says that too many proposals are open.
type LimitError struct {
	Open, Most uint32
	By         *tao.Account // of this proposer; nil: of all
}

func (e *LimitError) Error() string {
	if e.By != nil {
		return fmt.Sprintf("%d proposals of %s are open, and the chain takes no more than %d", e.Open, e.By, e.Most)
	}
	return fmt.Sprintf("%d proposals are open, and the chain takes no more than %d", e.Open, e.Most)
}

// TrackError says that nobody may submit on a track.
type TrackError struct{ Track uint8 }

func (e *TrackError) Error() string {
	return fmt.Sprintf("nothing is submitted on track %d: what track 0 approves comes to the review by itself", e.Track)
}

// NoVotersError says that nobody could vote on what is proposed.
type NoVotersError struct{ Body string }

func (e *NoVotersError) Error() string {
	return fmt.Sprintf("nobody could vote: %s has no members", e.Body)
}
