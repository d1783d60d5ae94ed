package tx

import (
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Every name of the chain that this package uses.
const (
	utility  = "Utility"
	batchAll = "batch_all"

	itemCompleted    = "ItemCompleted"    // one call of a batch took effect
	batchInterrupted = "BatchInterrupted" // index: the call that failed; those before it took effect

	system           = "System"
	extrinsicSuccess = "ExtrinsicSuccess"
	extrinsicFailed  = "ExtrinsicFailed"

	transactionPayment = "TransactionPayment"
	feePaid            = "TransactionFeePaid"
)

var (
	accounts           = chain.Item[accountInfo]{Pallet: system, Name: "Account"}
	existentialDeposit = chain.Const[tao.Amount]{Pallet: "Balances", Name: "ExistentialDeposit"}
)
