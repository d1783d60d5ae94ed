package chain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
)

// dispatchError decodes a DispatchError with the type that the runtime has.
func dispatchError(t *testing.T, r *chain.Runtime, v any) any {
	t.Helper()
	m := r.Metadata()
	id := m.Pallet("System").Event("ExtrinsicFailed").Fields[0].Type
	b, err := m.Encode(nil, id, v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := m.Decode(id, b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func module(index, code uint8) any {
	return map[string]any{"Module": map[string]any{"index": index, "error": []byte{code, 0, 0, 0}}}
}

// The same name has another number in every generation; these numbers are
// those that the four metadata blobs and subtensor's sources show.
func TestDispatchErrors(t *testing.T) {
	for _, c := range []struct {
		fixture string
		value   any
		want    string // kind, pallet, name
	}{
		{"testfinney-103-v14", module(8, 9), "Module SubtensorModule NotEnoughBalanceToStake"},
		{"raonet-218-v14", module(7, 14), "Module SubtensorModule NotEnoughBalanceToStake"},
		{"devnet-240-v15", module(7, 82), "Module SubtensorModule AmountTooLow"},
		{"finney-393-v16", module(7, 81), "Module SubtensorModule AmountTooLow"},
		{"finney-393-v16", module(11, 0), "Module Utility TooManyCalls"}, // index 11 stands at place 8
		{"finney-393-v16", module(28, 3), "Module Swap PriceLimitExceeded"},
		{"finney-393-v16", module(8, 0), "Module  Unknown"},
		{"finney-393-v16", module(7, 250), "Module SubtensorModule Unknown"},
		{"finney-393-v16", map[string]any{"Token": "FundsUnavailable"}, "Token  FundsUnavailable"},
		{"testfinney-103-v14", map[string]any{"Token": "NoFunds"}, "Token  NoFunds"},
		{"finney-393-v16", map[string]any{"Arithmetic": "Overflow"}, "Arithmetic  Overflow"},
		{"finney-393-v16", "BadOrigin", "BadOrigin  BadOrigin"},
		{"finney-393-v16", "RootNotAllowed", "RootNotAllowed  RootNotAllowed"},
	} {
		r := runtimeOf(t, c.fixture)
		e := r.DispatchError(dispatchError(t, r, c.value))
		if got := fmt.Sprint(e.Kind, " ", e.Pallet, " ", e.Name); got != c.want {
			t.Errorf("%s: %s, want %s", c.fixture, got, c.want)
		}
	}
	e := runtimeOf(t, "finney-393-v16").DispatchError(42)
	if e == nil || e.Kind != "Unknown" {
		t.Errorf("a strange form: %v", e)
	}
}

// Every runtime's events that can report a failure inside a success are found,
// by type.
func TestInnerFailures(t *testing.T) {
	for _, name := range fixture.Names(t) {
		r := runtimeOf(t, name)
		m := r.Metadata()
		for pallet, event := range map[string]string{
			"Proxy": "ProxyExecuted", "Multisig": "MultisigExecuted", "Sudo": "Sudid", "Utility": "ItemFailed", "System": "ExtrinsicFailed", "Scheduler": "Dispatched",
		} {
			p := m.Pallet(pallet)
			if p == nil {
				continue
			}
			def := p.Event(event)
			for _, failed := range []bool{true, false} {
				e := chain.Event{Pallet: pallet, Name: event, Fields: &scale.Record{}}
				var bare bool
				for _, f := range def.Fields {
					var v any
					path := m.Type(f.Type).Path
					switch last := strings.Join(path, "."); {
					case last == "Result" && failed:
						v = &scale.Variant{Name: "Err", Value: &scale.Variant{Name: "BadOrigin"}}
					case last == "Result":
						v = &scale.Variant{Name: "Ok"}
					case last == "sp_runtime.DispatchError":
						v, bare = &scale.Variant{Name: "BadOrigin"}, true
					}
					e.Fields.Fields = append(e.Fields.Fields, scale.Field{Name: f.Name, Value: v})
				}
				got := r.Failures(e)
				if want := failed || bare; (len(got) == 1) != want || want && got[0].Name != "BadOrigin" {
					t.Errorf("%s: %s.%s failed %v: %v", name, pallet, event, failed, got)
				}
			}
		}
	}
}

func TestRefusal(t *testing.T) {
	node := func(code int, data string) error {
		b, _ := json.Marshal(data)
		return fmt.Errorf("submit: %w", &chain.RPCError{Code: code, Message: "Invalid Transaction", Data: b})
	}
	sticks := func(code int, message string) error { return &chain.RPCError{Code: code, Message: message} }
	for _, c := range []struct {
		err  error
		spec string
		want string // reason, custom code, name
	}{
		{node(1010, "Transaction has a bad signature"), "finney-393-v16", "BadProof 0 "},
		{sticks(1010, `{"invalid":{"badProof":null}}`), "finney-393-v16", "BadProof 0 "},
		{node(1010, "Transaction is outdated"), "finney-393-v16", "Stale 0 "},
		{sticks(1010, `{"invalid":{"stale":null}}`), "finney-393-v16", "Stale 0 "},
		{node(1010, "Inability to pay some fees (e.g. account balance too low)"), "finney-393-v16", "Payment 0 "},
		{sticks(0, `{"invalid":{"payment":null}}`), "finney-393-v16", "Payment 0 "}, // over HTTP: no code
		{node(1010, "Transaction has an ancient birth block"), "finney-393-v16", "AncientBirthBlock 0 "},
		{node(1010, "Custom error: 6"), "finney-393-v16", "Custom 6 RateLimitExceeded"},
		{sticks(1010, `{"invalid":{"custom":6}}`), "devnet-240-v15", "Custom 6 RateLimitExceeded"},
		{sticks(1010, `{"invalid":{"custom":5}}`), "raonet-218-v14", "Custom 5 RegistrationIntervalFull"},
		{sticks(1010, `{"invalid":{"custom":5}}`), "finney-393-v16", "Custom 5 NotEnoughStakeToWithdraw"},
		{node(1010, "Custom error: 21"), "devnet-240-v15", "Custom 21 "}, // not yet there
		{node(1010, "Custom error: 21"), "finney-393-v16", "Custom 21 ColdkeySwapDisputed"},
		{node(1010, "Custom error: 255"), "finney-393-v16", "Custom 255 BadRequest"},
		{node(1010, "Custom error: 256"), "finney-393-v16", "Unknown 0 "},
		{sticks(1010, `{"invalid":{"custom":5}}`), "testfinney-103-v14", "Custom 5 "},
		{node(1010, "words of a later version"), "finney-393-v16", "Unknown 0 "},
		{sticks(1011, `{"unknown":{"cannotLookup":null}}`), "finney-393-v16", "CannotLookup 0 "},
		{node(1011, ""), "finney-393-v16", "Unknown 0 "},
		{node(1012, ""), "finney-393-v16", "TemporarilyBanned 0 "},
		{node(1013, ""), "finney-393-v16", "AlreadyImported 0 "},
		{node(1014, ""), "finney-393-v16", "TooLowPriority 0 "},
		{node(1016, ""), "finney-393-v16", "ImmediatelyDropped 0 "},
		{node(1002, "wasm trap"), "finney-393-v16", "BadFormat 0 "},
	} {
		e := runtimeOf(t, c.spec).Refusal(c.err)
		if e == nil {
			t.Errorf("%v: no refusal", c.err)
			continue
		}
		if got := fmt.Sprint(e.Reason, " ", e.Custom, " ", e.Name); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
		var rpc *chain.RPCError
		if e.Meaning == "" || !errors.As(e, &rpc) {
			t.Errorf("%v: meaning %q, RPC error %v", c.err, e.Meaning, rpc)
		}
	}
	r := runtimeOf(t, "finney-393-v16")
	for _, err := range []error{
		nil, errors.New("line"), &chain.LostError{Sent: true, Err: errors.New("x")},
		&chain.RPCError{Code: -32603, Message: "Internal error"}, &chain.RPCError{Code: -32601, Message: "Method not found"},
	} {
		if e := r.Refusal(err); e != nil {
			t.Errorf("%v was taken for a refusal: %v", err, e)
		}
	}
}

func TestValidity(t *testing.T) {
	r := runtimeOf(t, "finney-393-v16")
	e := r.Validity(&scale.Variant{Name: "Invalid", Value: &scale.Variant{Name: "Custom", Value: uint8(8)}})
	if e.Reason != "Custom" || e.Name != "SlippageTooHigh" || strings.Contains(e.Error(), "%!") {
		t.Errorf("%+v", e)
	}
	for _, strange := range []any{nil, 1, (*scale.Variant)(nil), &scale.Variant{Name: "Invalid"}} {
		if e := r.Validity(strange); e == nil || e.Reason != "Unknown" {
			t.Errorf("%v: %v", strange, e)
		}
	}
}

func FuzzRefusal(f *testing.F) {
	r := runtimeOf(f, "finney-393-v16")
	f.Add(1010, `{"invalid":{"custom":6}}`, []byte(`"Custom error: 6"`))
	f.Add(1010, "Invalid Transaction", []byte(`"Transaction is outdated"`))
	f.Add(0, `{"unknown":{"cannotLookup":null}}`, []byte(nil))
	f.Add(0, `{"invalid":{"":null}}`, []byte(`{}`))
	f.Fuzz(func(t *testing.T, code int, message string, data []byte) {
		e := r.Refusal(&chain.RPCError{Code: code, Message: message, Data: data})
		if e == nil {
			return
		}
		if e.Reason == "" || e.Meaning == "" || e.Error() == "" {
			t.Errorf("%d %q %q: %+v", code, message, data, e)
		}
	})
}
