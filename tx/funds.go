package tx

import (
	"context"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Funds is what an account holds in TAO, at one block.
type Funds struct {
	Free     tao.Amount // on the account, locked part included
	Reserved tao.Amount // held for deposits; not part of Free
	Frozen   tao.Amount // the part of Free and Reserved that locks keep from moving
	Deposit  tao.Amount // the existential deposit: below it an account is removed
	Nonce    uint32     // extrinsics that this account has signed and the chain included
}

// accountInfo is System.Account's value. Its data differ between generations,
// so they are read by name.
type accountInfo struct {
	Nonce uint32
	Data  *scale.Record
}

// FundsOf reads the funds of accounts, in one request. An account that the
// chain does not know holds nothing.
func FundsOf(ctx context.Context, v *chain.View, owners ...tao.Account) ([]Funds, error) {
	deposit, err := existentialDeposit.Get(v.Runtime())
	if err != nil {
		return nil, err
	}
	keys := make([][]any, len(owners))
	for i, o := range owners {
		keys[i] = []any{o}
	}
	infos, err := accounts.Many(ctx, v, keys)
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	funds := make([]Funds, len(owners))
	for i, info := range infos {
		funds[i] = info.Value.funds(deposit)
	}
	return funds, nil
}

// funds reads the record by name. At spec 103 two locks stand side by side, for
// transfers and for fees; later one holds for both.
func (a accountInfo) funds(deposit tao.Amount) Funds {
	return Funds{
		Free:     amountOf(a.Data, "free"),
		Reserved: amountOf(a.Data, "reserved"),
		Frozen:   max(amountOf(a.Data, "frozen"), amountOf(a.Data, "misc_frozen"), amountOf(a.Data, "fee_frozen")),
		Deposit:  deposit,
		Nonce:    a.Nonce,
	}
}

// amountOf reads a field that a generation may lack; then it is zero.
func amountOf(r *scale.Record, name string) tao.Amount {
	if r == nil {
		return 0
	}
	v, _ := r.Get(name)
	n, _ := v.(uint64)
	return tao.Amount(n)
}

// Spendable is what may leave the account. Locks hold back what reserves do
// not already cover; with keepAlive, or while anything is locked, the account
// must keep the existential deposit (Substrate, pallet balances,
// impl_fungible.rs, reducible_balance).
func (f Funds) Spendable(keepAlive bool) tao.Amount {
	untouchable := f.Frozen.Less(f.Reserved)
	if keepAlive || untouchable > 0 {
		untouchable = max(untouchable, f.Deposit)
	}
	return f.Free.Less(untouchable)
}

// InsufficientError says that an account cannot pay for what is planned. It is
// found before anything is signed.
type InsufficientError struct {
	Account   tao.Account
	Spend     tao.Amount // what the call takes
	Fee       tao.Amount // what its inclusion costs
	Spendable tao.Amount // what may leave the account
	Deposit   tao.Amount // what must stay, if it must
}

func (e *InsufficientError) Error() string {
	return fmt.Sprintf("%s can spend %s TAO, and this takes %s TAO and a fee of %s TAO", e.Account, e.Spendable, e.Spend, e.Fee)
}

// Afford checks that the funds cover the plan's spend and its fee. The fee is
// always taken keeping the account alive, whatever the call does afterwards.
func (f Funds) Afford(p Plan, fee tao.Amount) error {
	var spend tao.Amount
	if p.Spend != nil {
		spend = *p.Spend
	}
	total, fits := spend.Add(fee)
	if fits && total <= f.Spendable(p.KeepAlive) && fee <= f.Spendable(true) {
		return nil
	}
	e := &InsufficientError{Account: p.Signer, Spend: spend, Fee: fee, Spendable: f.Spendable(p.KeepAlive)}
	if p.KeepAlive || fee > f.Spendable(true) {
		e.Spendable, e.Deposit = f.Spendable(true), f.Deposit
	}
	return e
}
