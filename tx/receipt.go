package tx

import (
	"context"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Receipt says what became of an extrinsic that reached a block, or a pool.
type Receipt struct {
	Status    State       `json:"status"` // included, finalized, failed or submitted
	Extrinsic tao.Hash    `json:"extrinsic"`
	Signer    tao.Account `json:"signer"`
	Nonce     uint32      `json:"nonce"`
	Block     uint32      `json:"block,omitempty"`
	BlockHash *tao.Hash   `json:"block_hash,omitempty"`
	Index     *int        `json:"index,omitempty"`                     // in the block
	Final     bool        `json:"final"`                               // the block can no longer be undone
	Fee       *tao.Amount `json:"fee,omitempty" view:"fee paid (TAO)"` // paid, tip included
	Events    []Event     `json:"events,omitempty"`
	Failure   *Failure    `json:"error,omitempty"`
}

// Event is what a pallet reported.
type Event struct {
	Name   string `json:"name"` // "Balances.Transfer"
	Fields Value  `json:"fields"`
}

// Value is anything that metadata describe; in JSON it is what it says, with
// integers of 64 bits and more as decimal strings.
type Value struct{ V any }

// MarshalJSON writes the value.
func (v Value) MarshalJSON() ([]byte, error) { return chain.JSON(v.V) }

// Failure is why a call in a block did not do what it should. It is also the
// error that a failed receipt becomes.
type Failure struct {
	Kind   string `json:"kind"` // Module for a pallet's own error, else Token, Arithmetic, BadOrigin, …
	Pallet string `json:"pallet,omitempty"`
	Name   string `json:"name"`
	Doc    string `json:"doc,omitempty"`

	// Inside names the event that told of it where the extrinsic itself
	// succeeded and the failure is that of an inner call: "Proxy.ProxyExecuted".
	Inside string `json:"inside,omitempty"`

	// Done is how many calls of a batch took effect all the same. Repeating
	// the whole would do them twice.
	Done int `json:"calls_done,omitempty"`
}

func (f *Failure) Error() string {
	name := f.Name
	switch {
	case f.Pallet != "":
		name = f.Pallet + "." + name
	case f.Kind != f.Name:
		name = f.Kind + "." + name
	}
	if f.Doc != "" {
		name += ": " + f.Doc
	}
	if f.Inside != "" {
		name = fmt.Sprintf("the inner call failed (told by %s): %s", f.Inside, name)
	}
	if f.Done > 0 {
		name = fmt.Sprintf("%d calls took effect, and %s", f.Done, name)
	}
	return name
}

// ReceiptAt reads the outcome of the extrinsic at an index of a block.
func ReceiptAt(ctx context.Context, v *chain.View, x *Extrinsic, index int) (*Receipt, error) {
	all, err := v.Events(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the events of block %d: %w", v.Number(), err)
	}
	hash := v.Hash()
	r := &Receipt{
		Status: Included, Extrinsic: x.Hash(), Signer: x.Signer, Nonce: x.Nonce,
		Block: v.Number(), BlockHash: &hash, Index: &index,
	}
	outcome, done := false, 0
	for _, e := range all {
		if e.Extrinsic != index {
			continue
		}
		r.Events = append(r.Events, Event{Name: e.Pallet + "." + e.Name, Fields: Value{e.Fields}})
		outcome = r.read(v.Runtime(), e) || outcome
		done = max(done, doneBy(e, done))
	}
	if r.Failure != nil && r.Failure.Inside != "" {
		r.Failure.Done = done // an extrinsic that failed itself is undone whole
	}
	if !outcome {
		// Never take silence for success.
		return nil, fmt.Errorf("block %d has no outcome for extrinsic %d", v.Number(), index)
	}
	if r.Fee == nil && x.Call.Pallet != "" {
		r.Fee = new(tao.Amount) // no payment, no event: the call was free
	}
	return r, nil
}

// doneBy is how many calls of a batch have taken effect by this event.
func doneBy(e chain.Event, before int) int {
	switch {
	case e.Is(utility, itemCompleted):
		return before + 1
	case e.Is(utility, batchInterrupted):
		index, _ := e.Field("index").(uint32)
		return int(index)
	}
	return before
}

// read takes one event's word into the receipt, and reports whether it is the
// extrinsic's own outcome.
func (r *Receipt) read(rt *chain.Runtime, e chain.Event) (outcome bool) {
	switch {
	case e.Pallet == system && e.Name == extrinsicSuccess:
		return true
	case e.Pallet == system && e.Name == extrinsicFailed:
		// This is the reason that counts, whatever inner ones came before.
		r.fail(rt, e, "")
		return true
	case e.Pallet == transactionPayment && e.Name == feePaid:
		if paid, ok := e.Field("actual_fee").(uint64); ok {
			fee := tao.Amount(paid)
			r.Fee = &fee
		}
	case r.Failure == nil:
		r.fail(rt, e, e.Pallet+"."+e.Name)
	}
	return false
}

// fail marks the receipt as failed if the event carries an error: an inner
// call's failure shows only in the event of its wrapper (Utility.ItemFailed,
// Utility.BatchInterrupted, Proxy.ProxyExecuted, Multisig.MultisigExecuted,
// Sudo.Sudid and whatever comes after them), and the type tells it from the
// other fields.
func (r *Receipt) fail(rt *chain.Runtime, e chain.Event, inside string) {
	causes := rt.Failures(e)
	if len(causes) == 0 {
		return
	}
	cause := causes[0]
	r.Status = Failed
	r.Failure = &Failure{Kind: cause.Kind, Pallet: cause.Pallet, Name: cause.Name, Doc: cause.Doc, Inside: inside}
}
