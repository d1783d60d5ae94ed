package balance

import (
	"context"
	"errors"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Transfer sends TAO from one account to another.
type Transfer struct {
	From, To tao.Account
	Amount   tao.Amount // ignored where All is set
	All      bool       // everything that may leave, after the fee

	// AllowDeath lets the sender's account fall below the existential deposit
	// and be removed. Without it the chain refuses such a transfer.
	AllowDeath bool
}

// Preview is what a transfer changes. What the sender keeps does not count the
// fee, which is shown beside it.
type Preview struct {
	From         tao.Account `json:"from"`
	To           tao.Account `json:"to"`
	Amount       *tao.Amount `json:"amount,omitempty" view:"amount (TAO)"`      // enforced: exactly this, or nothing
	AboutAmount  *tao.Amount `json:"about_amount,omitempty" view:"about (TAO)"` // of a transfer of everything: what is left after the fee
	SenderHas    tao.Amount  `json:"sender_has" view:"sender has (TAO)"`
	SenderKeeps  tao.Amount  `json:"sender_keeps" view:"sender keeps without the fee (TAO)"`
	ReceiverHas  tao.Amount  `json:"receiver_has" view:"receiver has (TAO)"`
	ReceiverGets tao.Amount  `json:"receiver_will_have" view:"receiver will have about (TAO)"`
}

// BelowDepositError says that the receiver would end below the existential
// deposit, where the chain keeps no account: the transfer would fail and cost
// its fee.
type BelowDepositError struct {
	To      tao.Account
	Amount  tao.Amount
	Deposit tao.Amount
}

func (e *BelowDepositError) Error() string {
	return fmt.Sprintf("%s would hold less than %s TAO, the least that the chain keeps an account for", e.To, e.Deposit)
}

// Plan checks the transfer against both balances at the view's block. What the
// fee adds is checked when the draft is made. Errors: *BelowDepositError, and
// for amounts that move nothing.
func (t Transfer) Plan(ctx context.Context, v *chain.View) (tx.Plan, error) {
	if !t.All && t.Amount == 0 {
		return tx.Plan{}, errors.New("a transfer of 0 TAO moves nothing")
	}
	funds, err := tx.FundsOf(ctx, v, t.From, t.To)
	if err != nil {
		return tx.Plan{}, err
	}
	from, to := funds[0], funds[1]
	moved := t.Amount
	if t.All {
		moved = from.Spendable(!t.AllowDeath)
	}
	after, fits := to.Free.Add(moved)
	if t.From != t.To && (!fits || after < to.Deposit) {
		return tx.Plan{}, &BelowDepositError{To: t.To, Amount: moved, Deposit: to.Deposit}
	}
	p := tx.Plan{Signer: t.From, KeepAlive: !t.AllowDeath, Call: t.call(v.Runtime()), Warnings: t.warnings(from, to)}
	preview := Preview{
		From: t.From, To: t.To, SenderHas: from.Free, SenderKeeps: from.Free.Less(moved),
		ReceiverHas: to.Free, ReceiverGets: after,
	}
	if t.All {
		preview.AboutAmount = &moved
	} else {
		preview.Amount, p.Spend = &moved, &moved
	}
	if t.From == t.To {
		preview.SenderKeeps, preview.ReceiverGets = from.Free, from.Free
	}
	p.Preview = preview
	return p, nil
}

func (t Transfer) call(rt *chain.Runtime) chain.Call {
	switch {
	case t.All:
		return allCall(t.To, !t.AllowDeath)
	case t.AllowDeath:
		return allowDeathCall(rt, t.To, t.Amount)
	default:
		return keepAliveCall(t.To, t.Amount)
	}
}

func (t Transfer) warnings(from, to tx.Funds) (list []tx.Warning) {
	warn := func(code, text string) { list = append(list, tx.Warning{Code: code, Text: text}) }
	if t.From == t.To {
		warn("to-self", "sender and receiver are the same account: this only costs the fee")
	}
	if to.Free == 0 && to.Reserved == 0 {
		warn("new-account", "the receiver's account is empty: compare the whole address with its source")
	}
	if t.AllowDeath {
		warn("may-empty", "the sender's account may be removed, and any dust left on it is lost")
	}
	if t.All && from.Frozen > 0 {
		warn("locked", fmt.Sprintf("%s TAO are locked and stay", from.Frozen))
	}
	return list
}
