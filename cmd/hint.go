package cmd

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/taoctl/taoctl/balance"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/devnet"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/powsolver/remote"
	"github.com/taoctl/taoctl/register"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// hint is one line of advice for an error, or nothing. Errors say what is so;
// this says what to do, and never repeats the error.
func hint(err error) string {
	for _, give := range []func(error) string{hintOutcome, hintConsent, hintPolicy, hintKey, hintAgent, hintInput, hintStake, hintDelegate, hintRegister, hintOpenCL, hintNode, hintGovernance, hintSimulate, hintDevnet} {
		if text := give(err); text != "" {
			return text
		}
	}
	return ""
}

func hintOutcome(err error) string {
	var unknown *tx.UnknownError
	var invalid *chain.InvalidError
	var failure *tx.Failure
	switch {
	case errors.As(err, &unknown) && unknown.Until > 0:
		return fmt.Sprintf("do not send it again: it may still happen until block %d; run \"taoctl tx status %s\"", unknown.Until, unknown.Extrinsic)
	case errors.As(err, &unknown):
		return fmt.Sprintf("do not send it again: it may still happen; run \"taoctl tx status %s\"", unknown.Extrinsic)
	case errors.As(err, &invalid):
		return refusalHints[invalid.Reason]
	case errors.As(err, &failure) && failure.Done > 0:
		return "do not repeat the whole: look at the events, and make only the calls that did not take effect"
	case errors.As(err, &failure):
		return failureHints[failure.Name]
	case is[*doneError](err):
		return "use another node: this one lied; add --again to send another one all the same"
	case is[*openError](err):
		return "run \"taoctl tx status\" until it is settled, or add --again to send another one all the same"
	}
	return ""
}

// refusalHints are for what a node refuses before any block.
var refusalHints = map[string]string{
	"Payment":           "add TAO to the account: the fee must be paid with the account kept alive",
	"Stale":             "leave out --nonce, or run \"taoctl tx status\": the number is used already",
	"Future":            "leave out --nonce: an earlier transaction is missing",
	"BadProof":          "prepare and sign it anew: the runtime may have been upgraded, or the era is over",
	"AncientBirthBlock": "prepare and sign it anew: its era is over",
	"TooLowPriority":    "wait for the other transaction with this nonce, or add --tip to replace it",
	"ExhaustsResources": "try again in the next block",
}

// failureHints are for what the chain refuses inside a block.
var failureHints = map[string]string{
	"FundsUnavailable":    "lower the amount",
	"InsufficientBalance": "lower the amount",
	"NotExpendable":       "leave the existential deposit on the account, or add --allow-death",
	"Expendability":       "leave the existential deposit on the account, or add --allow-death",
	"KeepAlive":           "leave the existential deposit on the account, or add --allow-death",
	"BelowMinimum":        "send at least the existential deposit to a new account",
	"ExistentialDeposit":  "send at least the existential deposit to a new account",
	"Frozen":              "part of the balance is locked; lower the amount",
	"BadOrigin":           "this call is not for this account: it needs another signer, often the chain's root",
	"FaucetDisabled":      "only local chains that are built with a faucet give away TAO",
	"CallFiltered":        "the chain does not allow this call here, or not inside another call",
}

func hintConsent(err error) string {
	if is[consentError](err) {
		return "add --yes to agree beforehand"
	}
	return ""
}

func hintKey(err error) string {
	var notFound *keystore.NotFoundError
	var unsafe *keystore.UnsafeFileError
	switch {
	case is[*keystore.WrongPassphraseError](err):
		return "the file was left as it is; check where the password comes from, and the keyboard's layout"
	case errors.Is(err, keystore.ErrNoPassphrase):
		return "give --password-file or --password-command, or run it on a terminal"
	case errors.As(err, &notFound):
		return "list wallets with \"taoctl wallet list\", make one with \"taoctl wallet create\" or \"taoctl wallet import\""
	case is[*keystore.ExistsError](err):
		return "choose another name: wallets are never overwritten"
	case errors.As(err, &unsafe) && unsafe.Fix != "":
		return "run " + unsafe.Fix
	case is[*noKeyError](err):
		return "choose the wallet that holds it with --wallet"
	case is[*keystore.MnemonicError](err):
		return "on a terminal, \"taoctl wallet import\" shows which words would make it right"
	case is[*keystore.MemoryError](err):
		return "close other programs: opening a key takes 512 MiB of memory"
	}
	return ""
}

func hintInput(err error) string {
	var insufficient *tx.InsufficientError
	switch {
	case errors.As(err, &insufficient) && insufficient.Deposit > 0:
		return fmt.Sprintf("%s TAO must stay to keep the account alive; lower the amount, or send \"all\"", insufficient.Deposit)
	case errors.As(err, &insufficient):
		return "lower the amount, or send \"all\""
	case is[*balance.BelowDepositError](err):
		return "send more, or to an account that holds something"
	case is[*tao.AddressError](err):
		return "copy the whole address again from its source; it begins with 5 and has 48 characters"
	case is[*usageError](err):
		return "add --help for the usage"
	}
	return ""
}

func hintRegister(err error) string {
	var none *register.NoWorkError
	switch {
	case errors.As(err, &none) && none.Price != nil:
		return fmt.Sprintf("if burning is what you want: \"taoctl register burn %d --max-price %s\"", none.NetUID, *none.Price)
	case is[*register.PriceError](err):
		return "raise --max-price, or add --watch to wait until it is cheaper"
	case is[*register.IntervalError](err), is[*register.ClosedError](err):
		return "\"taoctl register cost\" shows which subnets take what; \"register burn --watch\" waits"
	case is[*register.NotOwnerError](err):
		return "choose the wallet that owns it with --wallet"
	case is[*register.StaleError](err), is[*register.WrongWorkError](err):
		return "run it again, or raise --max-attempts: blocks came faster than the work"
	case is[*register.HeadsError](err):
		return "name another node with --endpoint or --network, by ws or wss: work needs to hear of each block"
	}
	return ""
}

func hintNode(err error) string {
	var missing *chain.MissingError
	switch {
	case errors.As(err, &missing):
		return "runtimes differ: \"taoctl chain info\" says which one this is"
	case is[*chain.WrongChainError](err):
		return "check --network and --endpoint: nothing was sent"
	case is[*chain.LostError](err):
		return "check the connection and --network, or name another node with --endpoint"
	case is[*tx.PrunedError](err):
		return "run it again with --network archive"
	case is[*tx.ExtensionError](err):
		return "the chain was upgraded: install a newer taoctl"
	}
	return ""
}

func hintOpenCL(err error) string {
	if errors.Is(err, remote.ErrNotFound) {
		return "put taoctl-opencl beside taoctl, or leave out --opencl to work on the CPU alone"
	}
	return ""
}

func hintDevnet(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another chain may be running: choose another port with --port, or 0 for any that is free"
	case is[*devnet.SpecError](err):
		return "give a chain spec of a Substrate chain: a raw one, or a plain one with \"runtimeGenesis\""
	}
	return ""
}
