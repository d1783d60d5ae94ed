package chain_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// runtimeOf reads a runtime from a fixture, offline.
func runtimeOf(tb testing.TB, name string) *chain.Runtime {
	tb.Helper()
	m, err := scale.ParseMetadata(fixture.Metadata(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	spec, err := chain.SpecOf(m)
	if err != nil {
		tb.Fatal(err)
	}
	return chain.NewRuntime(spec, m)
}

func transfer(dest any, value any) chain.Call {
	return chain.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chain.Args{"dest": dest, "value": value}}
}

func TestCallRoundTrip(t *testing.T) {
	for _, name := range fixture.Names(t) {
		t.Run(name, func(t *testing.T) {
			r := runtimeOf(t, name)
			for _, dest := range []any{alice, &alice, alice.String(), scale.Text(alice.String()), &scale.Variant{Name: "Id", Value: alice}} {
				b, err := r.Encode(transfer(dest, 1500*tao.Rao))
				if err != nil {
					t.Fatalf("%T: %v", dest, err)
				}
				c, err := r.Decode(b)
				want := transfer(alice, uint64(1500))
				if err != nil || !reflect.DeepEqual(c, want) {
					t.Errorf("%T: %v, %v, want %v", dest, c, err, want)
				}
			}
			// Balances is pallet 5 and the call is 3 in every generation.
			b, _ := r.Encode(transfer(alice, 1500))
			if b[0] != 5 || b[1] != 3 || b[2] != 0 || len(b) != 2+1+32+2 {
				t.Errorf("bytes %x", b)
			}
		})
	}
}

func TestNestedCalls(t *testing.T) {
	r := runtimeOf(t, "finney-393-v16")
	inner := transfer(bob, uint64(7))
	batch := chain.Call{Pallet: "Utility", Name: "batch_all", Args: chain.Args{"calls": []chain.Call{inner, inner}}}
	proxied := chain.Call{Pallet: "Proxy", Name: "proxy", Args: chain.Args{"real": alice, "force_proxy_type": nil, "call": batch}}
	b, err := r.Encode(proxied)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	got := c.Inner()
	if len(got) != 3 || got[0].Name != "batch_all" || !reflect.DeepEqual(got[1], inner) || !reflect.DeepEqual(got[2], inner) {
		t.Errorf("inner calls %v", got)
	}
	if !strings.Contains(c.String(), "Utility.batch_all(calls: [Balances.transfer_keep_alive(dest: "+bob.String()) {
		t.Errorf("text %s", c)
	}
	out, err := json.Marshal(c)
	if err != nil || !strings.Contains(string(out), `{"call":"Balances.transfer_keep_alive","args":{"dest":"`+bob.String()+`","value":"7"}}`) {
		t.Errorf("JSON %s, %v", out, err)
	}
	// What JSON wrote, read as typed text, is the same call again.
	var form map[string]any
	if err := json.Unmarshal(out, &form); err != nil {
		t.Fatal(err)
	}
	again, err := r.Metadata().Encode(nil, r.Metadata().Extrinsic().Call, typed(form))
	if err != nil || string(again) != string(b) {
		t.Errorf("from JSON: %x, %v, want %x", again, err, b)
	}
}

// typed marks every string of a JSON value as text to be read by its type.
func typed(v any) any {
	switch v := v.(type) {
	case string:
		return scale.Text(v)
	case []any:
		for i := range v {
			v[i] = typed(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = typed(v[k])
		}
	}
	return v
}

func TestCheck(t *testing.T) {
	r := runtimeOf(t, "finney-393-v16")
	if err := r.Check(transfer(alice, 1)); err != nil {
		t.Error(err)
	}
	for what, c := range map[string]chain.Call{
		`pallet Triumvirate`:                    {Pallet: "Triumvirate", Name: "vote"},
		`call SubtensorModule.vote`:             {Pallet: "SubtensorModule", Name: "vote"},
		`argument "memo" of call Balances.burn`: {Pallet: "Balances", Name: "burn", Args: chain.Args{"value": 1, "keep_alive": true, "memo": 1}},
		`call SubtensorModule.adjust_senate`:    {Pallet: "Utility", Name: "batch", Args: chain.Args{"calls": []chain.Call{{Pallet: "SubtensorModule", Name: "adjust_senate"}}}},
	} {
		_, err := r.Encode(c)
		var missing *chain.MissingError
		if !errors.As(err, &missing) || missing.What != what || missing.Spec.SpecVersion != 393 {
			t.Errorf("%s: %v", what, err)
		}
	}
	var lacks *chain.ArgumentError
	if err := r.Check(chain.Call{Pallet: "Balances", Name: "burn", Args: chain.Args{"value": 1}}); !errors.As(err, &lacks) || lacks.Name != "keep_alive" {
		t.Errorf("%v, want *ArgumentError", err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	r := runtimeOf(t, "finney-393-v16")
	mistyped := alice.String()[:47] + "x"
	for name, c := range map[string]chain.Call{
		"mistyped address": transfer(mistyped, 1),
		"negative value":   transfer(alice, -1),
		"too large":        transfer(alice, "18446744073709551616"),
		"no account":       transfer(5, 1),
	} {
		if b, err := r.Encode(c); err == nil {
			t.Errorf("%s: encoded as %x", name, b)
		}
	}
	var address *tao.AddressError
	if _, err := r.Encode(transfer(mistyped, 1)); !errors.As(err, &address) {
		t.Errorf("%v, want *tao.AddressError", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	r := runtimeOf(t, "finney-393-v16")
	good, err := r.Encode(transfer(alice, 1))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty": {}, "no pallet": {250, 0}, "no call": {5, 250}, "cut off": good[:20], "one more": append(good[:len(good):len(good)], 0),
		"long compact": append(good[:len(good)-1:len(good)-1], 5, 0), // the value 1 in two bytes
	} {
		if c, err := r.Decode(b); err == nil {
			t.Errorf("%s: decoded as %v", name, c)
		}
	}
}

func TestArguments(t *testing.T) {
	r := runtimeOf(t, "finney-393-v16")
	var names []string
	for _, f := range r.Arguments(transfer(alice, 1)) {
		names = append(names, f.Name)
	}
	if strings.Join(names, " ") != "dest value" {
		t.Errorf("arguments %v", names)
	}
	if r.Arguments(chain.Call{Pallet: "Balances", Name: "nothing"}) != nil {
		t.Error("arguments of no call")
	}
}

// FuzzDecodeCall: whatever decodes encodes to the same bytes, and prints.
func FuzzDecodeCall(f *testing.F) {
	r := runtimeOf(f, "finney-393-v16")
	for _, c := range []chain.Call{
		transfer(alice, 1),
		{Pallet: "Utility", Name: "batch", Args: chain.Args{"calls": []chain.Call{transfer(alice, 1)}}},
		{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte("hello")}},
	} {
		b, err := r.Encode(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := r.Decode(b)
		if err != nil {
			return
		}
		again, err := r.Encode(c)
		if err != nil || string(again) != string(b) {
			t.Errorf("%x: %v, encodes to %x, %v", b, c, again, err)
		}
		if _, err := json.Marshal(c); err != nil {
			t.Errorf("%x: %v", b, err)
		}
		_ = c.String()
	})
}
