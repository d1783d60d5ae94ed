// Package tx is the one road that a change to the chain walks:
//
//	plan ──Prepare──▶ draft ──Sign──▶ extrinsic ──Send──▶ receipt
//
// A [Plan] is names and values: it survives a runtime upgrade. A [Draft] is the
// exact bytes for one runtime, one nonce and one era. An [Extrinsic] is signed.
// A [Receipt] says what became of it, in four outcomes and never three: refused
// before sending, refused by the chain, done, or unknown. The [Journal] knows
// every signed extrinsic before the network does, so that [Settle] can turn
// "unknown" back into an answer.
//
// The package knows the pallets that carry any call (System, TransactionPayment,
// Utility) and no other; what a call is for is its caller's business.
package tx

import (
	"errors"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Plan is an intent that has been thought through: which call, signed by whom,
// and what a person should know before agreeing. It holds no secret and no
// bytes.
type Plan struct {
	Call   chain.Call
	Signer tao.Account

	// Spend is the TAO that the call itself takes from the signer's free
	// balance, fee apart. Nil where the planner cannot tell (any call by name);
	// then only the fee is checked against the balance.
	Spend *tao.Amount

	// KeepAlive says that the call fails rather than leave the signer below
	// the existential deposit.
	KeepAlive bool

	// Preview is a struct of the planning package with json names, shown
	// before consent.
	Preview  any
	Warnings []Warning
}

// Warning is something a person should weigh before agreeing. Code is stable,
// for scripts.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Batch joins plans of one signer into one atomic plan: all calls happen or
// none does (Utility.batch_all).
func Batch(plans ...Plan) (Plan, error) {
	if len(plans) == 0 {
		return Plan{}, errors.New("a batch needs at least one call")
	}
	whole := Plan{Signer: plans[0].Signer, Spend: new(tao.Amount)}
	calls := make([]any, len(plans))
	previews := make([]any, len(plans))
	for i, p := range plans {
		if p.Signer != whole.Signer {
			return Plan{}, fmt.Errorf("call %d of the batch is signed by %s, the first by %s: a batch has one signer", i+1, p.Signer, whole.Signer)
		}
		calls[i], previews[i] = p.Call, p.Preview
		whole.Warnings = append(whole.Warnings, p.Warnings...)
		whole.KeepAlive = whole.KeepAlive || p.KeepAlive
		whole.spend(p.Spend)
	}
	whole.Call = chain.Call{Pallet: utility, Name: batchAll, Args: chain.Args{"calls": calls}}
	whole.Preview = previews
	return whole, nil
}

// spend adds what one more call takes; one unknown makes the sum unknown.
func (p *Plan) spend(more *tao.Amount) {
	if p.Spend == nil || more == nil {
		p.Spend = nil
		return
	}
	sum, ok := p.Spend.Add(*more)
	if !ok {
		p.Spend = nil
		return
	}
	*p.Spend = sum
}
