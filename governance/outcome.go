package governance

import (
	"context"
	"slices"
	"strings"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Outcome is one thing that the chain reported of a decision.
type Outcome struct {
	Event string    `json:"event"` // Proposed, Voted, Closed, Approved, Executed, …
	Hash  *tao.Hash `json:"hash,omitempty"`
	Index *uint32   `json:"index,omitempty"`

	// Review is the referendum that goes on with the call of one that the
	// triumvirate approved.
	Review *uint32 `json:"review,omitempty"`

	By   tao.Account `json:"by,omitzero"` // who voted, or proposed
	Vote string      `json:"vote,omitempty"`
	Ayes *uint32     `json:"ayes,omitempty"`
	Nays *uint32     `json:"nays,omitempty"`

	// Result is "ok", or the error, of a call that was executed.
	Result string `json:"result,omitempty"`
}

// Outcomes finds what a receipt's events say of decisions. That an extrinsic
// succeeded does not say that a vote was counted; its event does.
func Outcomes(events []tx.Event) []Outcome {
	list := []Outcome{}
	for _, e := range events {
		pallet, name, _ := strings.Cut(e.Name, ".")
		if o, ok := outcomeOf(pallet, name, e.Fields.V); ok {
			list = append(list, o)
		}
	}
	return list
}

// Confirms reports whether what the chain told says that a plan's purpose was
// reached: this vote by this voter, this proposal. preview is the plan's.
func Confirms(outcomes []Outcome, preview any) bool {
	switch p := preview.(type) {
	case VotePreview:
		return slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.confirmsVote(p) })
	case MotionPreview:
		// A vote that came before the close may have turned what it decides.
		return p.told(outcomes, p.event) && (p.result == "" || p.told(outcomes, p.result))
	}
	return false
}

func (p MotionPreview) told(outcomes []Outcome, event string) bool {
	return slices.ContainsFunc(outcomes, func(o Outcome) bool {
		return o.Event == event && (p.Hash == nil || o.Hash == nil || *p.Hash == *o.Hash)
	})
}

func (o Outcome) confirmsVote(p VotePreview) bool {
	sameHash := o.Hash == nil || p.Hash == nil || *o.Hash == *p.Hash
	sameIndex := o.Index == nil || *o.Index == p.Proposal
	if o.By != p.Voter || !sameHash || !sameIndex {
		return false
	}
	if p.Vote == noVote {
		return o.Event == voteRemoved
	}
	return o.Event == voted && o.Vote == p.Vote
}

func outcomeOf(pallet, name string, fields any) (o Outcome, ok bool) {
	r, named := fields.(*scale.Record)
	if !named || (pallet != collectivePallet && pallet != referendaPallet && pallet != votingPallet) {
		return o, false
	}
	o.Event = name
	o.Hash = hashField(r, "proposal_hash")
	if o.Index = optional[uint32](r, "proposal_index"); o.Index == nil {
		if o.Index = optional[uint32](r, "poll_index"); o.Index == nil {
			o.Index = optional[uint32](r, "index")
		}
	}
	o.Review = optional[uint32](r, "review")
	o.By, _ = field[tao.Account](r, "account")
	for _, name := range []string{"who", "proposer"} {
		if who, ok := field[tao.Account](r, name); ok {
			o.By = who
		}
	}
	if aye, ok := field[bool](r, "voted"); ok {
		o.Vote = word(aye)
	} else if aye, ok := field[bool](r, "approve"); ok {
		o.Vote = word(aye)
	}
	o.Ayes, o.Nays = optional[uint32](r, "yes"), optional[uint32](r, "no")
	if tally, ok := field[*scale.Record](r, "tally"); ok { // of SignedVoting
		o.Ayes, o.Nays = optional[uint32](tally, "ayes"), optional[uint32](tally, "nays")
	}
	o.Result = resultOf(r)
	return o, true
}

// resultOf reads how an executed call ended: a Result of the collective, an
// Option of an error of the referenda.
func resultOf(r *scale.Record) string {
	if failure, enacted := r.Get("error"); enacted && failure == nil {
		return "ok"
	} else if enacted {
		return failedWith(failure)
	}
	result, _ := field[*scale.Variant](r, "result")
	switch {
	case result == nil:
		return ""
	case result.Name == "Ok":
		return "ok"
	}
	return failedWith(result.Value)
}

func failedWith(dispatchError any) string {
	text, err := scale.JSON(dispatchError)
	if err != nil {
		return "failed"
	}
	return "failed: " + string(text)
}

// hashField is a hash among a record's fields; dynamic values have bytes for it.
func hashField(r *scale.Record, name string) *tao.Hash {
	b, ok := field[[]byte](r, name)
	if !ok || len(b) != len(tao.Hash{}) {
		return nil
	}
	h := tao.Hash(b)
	return &h
}

// field is a record's field, where it has that type.
func field[T any](r *scale.Record, name string) (T, bool) {
	x, _ := r.Get(name)
	v, ok := x.(T)
	return v, ok
}

func optional[T any](r *scale.Record, name string) *T {
	v, ok := field[T](r, name)
	if !ok {
		return nil
	}
	return &v
}

// OutcomesAt reads what a block's events say of decisions.
func OutcomesAt(ctx context.Context, v *chain.View) ([]Outcome, error) {
	events, err := v.Events(ctx)
	if err != nil {
		return nil, err
	}
	list := []Outcome{}
	for _, e := range events {
		if o, ok := outcomeOf(e.Pallet, e.Name, e.Fields); ok {
			list = append(list, o)
		}
	}
	return list, nil
}
