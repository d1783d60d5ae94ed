package chain

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// The types whose Go form is ours, by their paths in metadata of every
// generation (spec 103 to 475).
const (
	accountPath      = "sp_core::crypto::AccountId32"
	multiAddressPath = "sp_runtime::multiaddress::MultiAddress"
	plainAccount     = "Id" // MultiAddress's variant for an account, the only one in use here
)

// customize teaches metadata the Go forms of accounts and calls.
func (r *Runtime) customize() {
	m := r.metadata
	m.Customize(accountPath, scale.Custom{Encode: encodeAccount, Decode: decodeAccount})
	m.Customize(multiAddressPath, scale.Custom{Encode: encodeAddress, Decode: decodeAddress})
	if t := m.Type(m.Extrinsic().Call); t != nil && len(t.Path) > 0 {
		m.Customize(strings.Join(t.Path, "::"), scale.Custom{Encode: r.encodeCall, Decode: decodeCall})
	}
}

// encodeAccount takes tao.Account, SS58 text, or whatever 32 bytes scale takes.
func encodeAccount(v any) (any, error) {
	a, ok, err := toAccount(v)
	if err != nil || !ok {
		return v, err
	}
	return a[:], nil
}

func decodeAccount(v any) (any, error) {
	b, ok := v.([]byte)
	if !ok || len(b) != len(tao.Account{}) {
		return nil, fmt.Errorf("an account of %T instead of 32 bytes", v)
	}
	return tao.Account(b), nil
}

// toAccount reads the forms of an account that a caller may give, and reports
// whether v is one of them.
func toAccount(v any) (tao.Account, bool, error) {
	switch v := v.(type) {
	case tao.Account:
		return v, true, nil
	case *tao.Account:
		if v == nil {
			return tao.Account{}, false, nil
		}
		return *v, true, nil
	case string:
		a, err := tao.ParseAccount(v)
		return a, true, err
	case scale.Text:
		a, err := tao.ParseAccount(string(v))
		return a, true, err
	}
	return tao.Account{}, false, nil
}

// encodeAddress takes an account where the chain wants a MultiAddress; other
// forms of address go through as variants.
func encodeAddress(v any) (any, error) {
	a, ok, err := toAccount(v)
	if err != nil || !ok {
		return v, err
	}
	return &scale.Variant{Name: plainAccount, Value: a}, nil
}

// decodeAddress gives a plain account as tao.Account, and the forms that
// nobody uses (Index, Raw, Address32, Address20) as variants.
func decodeAddress(v any) (any, error) {
	if x, ok := v.(*scale.Variant); ok && x.Name == plainAccount {
		return x.Value, nil
	}
	return v, nil
}

// encodeCall takes a Call, after the same check as a call on its own.
func (r *Runtime) encodeCall(v any) (any, error) {
	if p, ok := v.(*Call); ok && p != nil {
		v = *p
	}
	c, ok := v.(Call)
	if !ok {
		if c, ok = callObject(v); !ok {
			return v, nil
		}
	}
	def, err := r.variant(c)
	if err != nil {
		return nil, err
	}
	inner := &scale.Variant{Name: c.Name}
	if len(def.Fields) > 0 {
		inner.Value = map[string]any(c.Args)
	}
	return &scale.Variant{Name: c.Pallet, Value: inner}, nil
}

// callObject reads the JSON form of a call, {"call": "Pallet.name", "args":
// {…}}, which is what Call.MarshalJSON writes.
func callObject(v any) (Call, bool) {
	object, ok := v.(map[string]any)
	if !ok || len(object) > 2 {
		return Call{}, false
	}
	var full string
	switch name := object["call"].(type) {
	case string:
		full = name
	case scale.Text:
		full = string(name)
	}
	pallet, name, dotted := strings.Cut(full, ".")
	args, isObject := object["args"].(map[string]any)
	if !dotted || !isObject && object["args"] != nil || len(object) == 2 && !isObject {
		return Call{}, false
	}
	return Call{Pallet: pallet, Name: name, Args: args}, true
}

// decodeCall turns Variant{pallet, Variant{call, Record}} into a Call.
func decodeCall(v any) (any, error) {
	pallet, ok := v.(*scale.Variant)
	if !ok {
		return nil, fmt.Errorf("a call of %s instead of a variant", reflect.TypeOf(v))
	}
	call, ok := pallet.Value.(*scale.Variant)
	if !ok {
		return nil, fmt.Errorf("a call of pallet %s of %s instead of a variant", pallet.Name, reflect.TypeOf(pallet.Value))
	}
	c := Call{Pallet: pallet.Name, Name: call.Name, Args: Args{}}
	switch args := call.Value.(type) {
	case nil:
	case *scale.Record:
		for _, f := range args.Fields {
			c.Args[f.Name] = f.Value
		}
	default:
		return nil, fmt.Errorf("call %s.%s has arguments without names", c.Pallet, c.Name)
	}
	return c, nil
}
