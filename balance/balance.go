// Package balance knows what accounts hold in TAO and plans transfers of it.
//
// It never signs, sends, asks or prints: [Transfer.Plan] gives a tx.Plan, and
// [Of] gives values.
package balance

import (
	"context"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Holding is what one account holds in TAO at one block. Stake is not in it:
// it is not on the account.
type Holding struct {
	Account   tao.Account `json:"account"`
	Free      tao.Amount  `json:"free" view:"free (TAO)"`           // on the account, the locked part included
	Locked    tao.Amount  `json:"locked" view:"locked (TAO)"`       // the part of free that may not leave
	Reserved  tao.Amount  `json:"reserved" view:"reserved (TAO)"`   // held for deposits, beside free
	Spendable tao.Amount  `json:"spendable" view:"spendable (TAO)"` // what may leave while the account lives on
	Total     tao.Amount  `json:"total" view:"total (TAO)"`         // free and reserved
}

// Of reads the holdings of accounts, in one request.
func Of(ctx context.Context, v *chain.View, accounts ...tao.Account) ([]Holding, error) {
	funds, err := tx.FundsOf(ctx, v, accounts...)
	if err != nil {
		return nil, err
	}
	list := make([]Holding, len(accounts))
	for i, f := range funds {
		total, _ := f.Free.Add(f.Reserved) // both are parts of the whole issuance, which fits
		list[i] = Holding{
			Account: accounts[i], Free: f.Free, Locked: f.Frozen.Less(f.Reserved),
			Reserved: f.Reserved, Spendable: f.Spendable(true), Total: total,
		}
	}
	return list, nil
}
