package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/taoctl/taoctl/scale"
)

// InvalidError says that a node refused an extrinsic before any block: by this
// submission nothing happened and nothing was paid. Two reasons leave open what
// became of an earlier one: AlreadyImported (the pool has it) and
// TemporarilyBanned (the pool has dropped it, or seen it in a block). So does
// Stale where the same bytes were sent before.
type InvalidError struct {
	// Reason is the variant of the chain's InvalidTransaction or
	// UnknownTransaction (Payment, Stale, BadProof, Custom, …), or one of the
	// pool's own: AlreadyImported, TooLowPriority, TemporarilyBanned,
	// CycleDetected, ImmediatelyDropped, Unactionable, BadFormat, Unknown.
	Reason string
	// Custom is the code of Reason Custom, and Name what Bittensor calls it in
	// this runtime's generation; empty where that is not known.
	Custom  uint8
	Name    string
	Meaning string // in plain words, lower case
	RPC     *RPCError
}

func (e *InvalidError) Error() string {
	name := e.Reason
	switch {
	case e.Name != "":
		name = e.Name
	case e.Reason == reasonCustom:
		name = "custom error " + strconv.Itoa(int(e.Custom))
	}
	return fmt.Sprintf("refused before any block: %s: %s", name, e.Meaning)
}

func (e *InvalidError) Unwrap() error {
	if e.RPC == nil {
		return nil
	}
	return e.RPC
}

const (
	reasonCustom  = "Custom"
	reasonUnknown = "Unknown"
)

// The codes of author_submitExtrinsic (Substrate, client/rpc-api/src/author/error.rs).
const (
	codeBadFormat    = 1001
	codeVerification = 1002
	codeInvalid      = 1010
	codeUnknown      = 1011
	codeBanned       = 1012
	codeImported     = 1013
	codePriority     = 1014
	codeCycle        = 1015
	codeDropped      = 1016
	codeUnactionable = 1018
	codeNoTags       = 1019
	codeNoBlock      = 1020
	codeFuture       = 1021
)

// poolReasons names the refusals that the code alone tells.
func poolReasons() map[int]string {
	return map[int]string{
		codeBadFormat: "BadFormat", codeVerification: "BadFormat", codeBanned: "TemporarilyBanned",
		codeImported: "AlreadyImported", codePriority: "TooLowPriority", codeCycle: "CycleDetected",
		codeDropped: "ImmediatelyDropped", codeUnactionable: "Unactionable", codeNoTags: "NoTags",
		codeNoBlock: "NoBlock", codeFuture: "Future",
	}
}

// reasonTexts are the words of a node for InvalidTransaction and
// UnknownTransaction (Substrate, primitives/runtime/src/transaction_validity.rs,
// From<InvalidTransaction> for &str), by the variant's name.
func reasonTexts() map[string]string {
	return map[string]string{
		"Transaction call is not expected":                                                   "Call",
		"Inability to pay some fees (e.g. account balance too low)":                          "Payment",
		"Transaction will be valid in the future":                                            "Future",
		"Transaction is outdated":                                                            "Stale",
		"Transaction has a bad signature":                                                    "BadProof",
		"Transaction has an ancient birth block":                                             "AncientBirthBlock",
		"Transaction would exhaust the block limits":                                         "ExhaustsResources",
		"A call was labelled as mandatory, but resulted in an Error.":                        "BadMandatory",
		"Transaction dispatch is mandatory; transactions must not be validated.":             "MandatoryValidation",
		"Transaction dispatch is mandatory; transactions may not have mandatory dispatches.": "MandatoryValidation",
		"Invalid signing address":                                                            "BadSigner",
		"The implicit data was unable to be calculated":                                      "IndeterminateImplicit",
		"The transaction extension did not authorize any origin":                             "UnknownOrigin",
		"Could not lookup information required to validate the transaction":                  "CannotLookup",
		"Could not find an unsigned validator for the unsigned transaction":                  "NoUnsignedValidator",
	}
}

// meanings says what a refusal means to whoever sent the extrinsic.
func meanings() map[string]string {
	return map[string]string{
		"Call":                  "the runtime does not take this call",
		"Payment":               "the account cannot pay the fee",
		"Future":                "its nonce is ahead of the account's: an earlier extrinsic is missing",
		"Stale":                 "its nonce was used already, or the call must be valid for fewer blocks",
		"BadProof":              "its signature does not fit: it was made for another runtime, chain or key",
		"AncientBirthBlock":     "it was signed too long ago and has expired",
		"ExhaustsResources":     "it does not fit into a block now",
		"BadMandatory":          "it is a call that only block authors make",
		"MandatoryValidation":   "it is a call that only block authors make",
		"BadSigner":             "this account may not sign this call",
		"IndeterminateImplicit": "the runtime could not work out what had to be signed",
		"UnknownOrigin":         "the runtime found nobody who authorized it",
		"CannotLookup":          "the runtime does not know the account that it names",
		"NoUnsignedValidator":   "the runtime does not take this call without a signature",
		"BadFormat":             "the node cannot read the extrinsic",
		"TemporarilyBanned":     "the node has just refused this very extrinsic, or seen it in a block",
		"AlreadyImported":       "the node has this very extrinsic already",
		"TooLowPriority":        "another extrinsic with this nonce is waiting already",
		"CycleDetected":         "it waits for itself",
		"ImmediatelyDropped":    "the node's pool is full",
		"Unactionable":          "the node neither builds blocks nor passes it on",
		"NoTags":                "the runtime gave it no place in the pool",
		"NoBlock":               "the node does not know the block it was checked at",
		reasonCustom:            "the runtime gave a code that is not known here",
		reasonUnknown:           "the node gave no reason that is known here",
	}
}

// Refusal reads a node's answer to a submission: nil if err is no refusal of
// the pool, so that the outcome must be judged in another way. Both wordings
// are read: a node's code and data ("Custom error: 6"), and Chopsticks'
// message ({"invalid":{"custom":6}}), also without its code.
func (r *Runtime) Refusal(err error) *InvalidError {
	var rpc *RPCError
	if !errors.As(err, &rpc) {
		return nil
	}
	reason, custom, ok := parseRefusal(rpc)
	if !ok {
		return nil
	}
	return r.invalid(reason, custom, rpc)
}

// Validity reads a decoded TransactionValidityError, such as
// TaggedTransactionQueue_validate_transaction and a dry run give.
func (r *Runtime) Validity(v any) *InvalidError {
	outer, ok := v.(*scale.Variant)
	if !ok || outer == nil {
		return r.invalid(reasonUnknown, 0, nil)
	}
	inner, ok := outer.Value.(*scale.Variant)
	if !ok || inner == nil {
		return r.invalid(reasonUnknown, 0, nil)
	}
	custom, _ := inner.Value.(uint8)
	return r.invalid(inner.Name, custom, nil)
}

func (r *Runtime) invalid(reason string, custom uint8, rpc *RPCError) *InvalidError {
	e := &InvalidError{Reason: reason, Custom: custom, RPC: rpc, Meaning: meanings()[reason]}
	if e.Meaning == "" {
		e.Meaning = meanings()[reasonUnknown]
	}
	if reason == reasonCustom {
		if c, ok := customError(r.spec.SpecVersion, custom); ok {
			e.Name, e.Meaning = c.name, c.meaning
		}
	}
	return e
}

// parseRefusal finds the reason of a refusal.
func parseRefusal(rpc *RPCError) (reason string, custom uint8, ok bool) {
	if reason, custom, ok := parseChopsticks(rpc.Message); ok {
		return reason, custom, true
	}
	if reason, ok := poolReasons()[rpc.Code]; ok {
		return reason, 0, true
	}
	if rpc.Code != codeInvalid && rpc.Code != codeUnknown {
		return "", 0, false
	}
	text := rpc.text()
	if n, found := strings.CutPrefix(text, "Custom error: "); found {
		if code, err := strconv.ParseUint(n, 10, 8); err == nil {
			return reasonCustom, uint8(code), true
		}
	}
	if reason, ok := reasonTexts()[text]; ok {
		return reason, 0, true
	}
	return reasonUnknown, 0, true
}

// parseChopsticks reads {"invalid":{"stale":null}}, {"invalid":{"custom":6}}
// and {"unknown":{"cannotLookup":null}}: a TransactionValidityError as
// polkadot.js writes it, its names beginning with a small letter.
func parseChopsticks(message string) (reason string, custom uint8, ok bool) {
	var outer map[string]map[string]*uint8
	if json.Unmarshal([]byte(message), &outer) != nil || len(outer) != 1 {
		return "", 0, false
	}
	for kind, inner := range outer {
		if kind != "invalid" && kind != "unknown" || len(inner) != 1 {
			return "", 0, false
		}
		for name, code := range inner {
			if name == "" {
				return "", 0, false
			}
			if code != nil {
				custom = *code
			}
			reason = strings.ToUpper(name[:1]) + name[1:]
		}
	}
	return reason, custom, true
}
