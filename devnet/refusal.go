package devnet

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/taoctl/taoctl/chain"
)

// refusal is why a runtime refuses an extrinsic: a TransactionValidityError
// (Substrate, primitives/runtime/src/transaction_validity.rs).
type refusal struct {
	unknown bool // UnknownTransaction, not InvalidTransaction
	reason  byte
	custom  byte
}

const (
	reasonFuture    = 2
	reasonExhausted = 6
	reasonCustom    = 7
)

func readRefusal(b []byte) (*refusal, error) {
	if len(b) < 2 || b[0] > 1 {
		return nil, fmt.Errorf("the runtime refused an extrinsic in a form that is not known: %#x", b)
	}
	r := &refusal{unknown: b[0] == 1, reason: b[1]}
	if len(b) > 2 {
		r.custom = b[2]
	}
	return r, nil
}

func (r *refusal) future() bool    { return !r.unknown && r.reason == reasonFuture }
func (r *refusal) exhausted() bool { return !r.unknown && r.reason == reasonExhausted }

// words are a node's for a reason, in the order of the variants.
func (r *refusal) words() string {
	words := []string{
		"Transaction call is not expected",
		"Inability to pay some fees (e.g. account balance too low)",
		"Transaction will be valid in the future",
		"Transaction is outdated",
		"Transaction has a bad signature",
		"Transaction has an ancient birth block",
		"Transaction would exhaust the block limits",
		fmt.Sprintf("Custom error: %d", r.custom),
		"A call was labelled as mandatory, but resulted in an Error.",
		"Transaction dispatch is mandatory; transactions must not be validated.",
		"Invalid signing address",
		"The implicit data was unable to be calculated",
		"The transaction extension did not authorize any origin",
	}
	if r.unknown {
		words = []string{
			"Could not lookup information required to validate the transaction",
			"Could not find an unsigned validator for the unsigned transaction",
			fmt.Sprintf("Custom error: %d", r.custom),
		}
	}
	if int(r.reason) >= len(words) {
		return fmt.Sprintf("reason %d", r.reason)
	}
	return words[r.reason]
}

// orNil is the refusal as an error, nil if there is none.
func (r *refusal) orNil() error {
	if r == nil {
		return nil
	}
	return errors.New(r.words())
}

// rpc is the refusal as a node answers it (Substrate, client/rpc-api/src/author/
// error.rs).
func (r *refusal) rpc() *chain.RPCError {
	code, message := 1010, "Invalid Transaction"
	if r.unknown {
		code, message = 1011, "Unknown Transaction Validity"
	}
	return rpcError(code, message, r.words())
}

func rpcError(code int, message, data string) *chain.RPCError {
	b, err := json.Marshal(data)
	if err != nil {
		panic(err) // a string has a JSON form
	}
	return &chain.RPCError{Code: code, Message: message, Data: b}
}
