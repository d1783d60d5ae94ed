package chain_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/tao"
)

var remark = chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte("x")}}

// stakeAdded is SubtensorModule.StakeAdded, whose fields have no names and
// differ in number between generations: accounts first, then integers.
func stakeAdded(r *chain.Runtime) (fields []any, accounts int) {
	for i, f := range r.Metadata().Pallet("SubtensorModule").Event("StakeAdded").Fields {
		if path := r.Metadata().Type(f.Type).Path; len(path) > 0 && path[len(path)-1] == "AccountId32" {
			fields = append(fields, alice)
			accounts++
		} else {
			fields = append(fields, 100+i)
		}
	}
	return fields, accounts
}

func TestEvents(t *testing.T) {
	for _, name := range fixture.Names(t) {
		t.Run(name, func(t *testing.T) {
			n := testnode.New(t, testnode.Config{Metadata: name})
			key := testnode.NewKey("somebody")
			n.Fund(key.Account(), tao.TAO)
			fields, accounts := stakeAdded(n.Runtime())
			n.On("System", "remark", testnode.Result{Events: []testnode.Event{{Pallet: "SubtensorModule", Name: "StakeAdded", Fields: fields}}})
			x := n.Extrinsic(key, remark, 0)
			if err := n.Submit(x); err != nil {
				t.Fatal(err)
			}
			c, err := chain.NewClient(t.Context(), n.Transport())
			if err != nil {
				t.Fatal(err)
			}
			v := view(t, c, chain.Best())
			events, err := v.Events(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var staked, paid, done bool
			for _, e := range events {
				if e.Extrinsic != 0 || len(e.Raw) < 5 {
					t.Errorf("%s: extrinsic %d, %d bytes", e, e.Extrinsic, len(e.Raw))
				}
				switch {
				case e.Is("SubtensorModule", "StakeAdded"):
					last := fmt.Sprint(len(fields) - 1)
					staked = len(e.Fields.Fields) == len(fields) && e.Field(last) != nil
					for i := range accounts {
						staked = staked && e.Field(fmt.Sprint(i)) == alice
					}
					if !strings.Contains(e.String(), "{0: "+alice.String()) {
						t.Errorf("text %s", e)
					}
				case e.Is("TransactionPayment", "TransactionFeePaid"):
					paid = e.Field("actual_fee") == uint64(testnode.BaseFee)+uint64(len(x)) && e.Field("who") == key.Account()
				case e.Is("System", "ExtrinsicSuccess"):
					done = true
				}
			}
			if !staked || !paid || !done {
				t.Errorf("events %v", events)
			}
			bodies, err := v.Extrinsics(t.Context())
			if err != nil || len(bodies) != 1 || string(bodies[0]) != string(x) {
				t.Errorf("extrinsics %x, %v", bodies, err)
			}
		})
	}
}

func FuzzDecodeEvents(f *testing.F) {
	n := testnode.New(f, testnode.Config{})
	key := testnode.NewKey("somebody")
	n.Fund(key.Account(), tao.TAO)
	if err := n.Submit(n.Extrinsic(key, transfer(alice, 1000), 0)); err != nil {
		f.Fatal(err)
	}
	c, err := chain.NewClient(f.Context(), n.Transport())
	if err != nil {
		f.Fatal(err)
	}
	v, err := c.At(f.Context(), chain.Best())
	if err != nil {
		f.Fatal(err)
	}
	events, err := v.Events(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	all := []byte{byte(len(events) << 2)}
	for _, e := range events {
		all = append(all, e.Raw...)
	}
	f.Add(all)
	f.Add([]byte{0})
	r := runtimeOf(f, "finney-393-v16")
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := r.DecodeEvents(b)
		if err != nil {
			return
		}
		size := 0
		for _, e := range events {
			size += len(e.Raw)
			_ = e.String()
			r.Failures(e)
		}
		if size > len(b) || len(events) > len(b) {
			t.Errorf("%d events of %d bytes out of %d", len(events), size, len(b))
		}
	})
}

func TestAPIs(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	if name, err := c.Name(t.Context()); err != nil || name != "Test" {
		t.Errorf("name %q, %v", name, err)
	}
	n.OnAPI("SwapRuntimeApi_current_alpha_price", func(args []byte) ([]byte, error) {
		return binary.LittleEndian.AppendUint64(nil, uint64(binary.LittleEndian.Uint16(args))*1000), nil
	})
	v := view(t, c, chain.Best())
	price := chain.API[uint64]{Trait: "SwapRuntimeApi", Method: "current_alpha_price"}
	if got, err := price.Call(t.Context(), v, tao.NetUID(7)); err != nil || got != 7000 {
		t.Errorf("price %d, %v", got, err)
	}
	if got, err := v.CallAPI(t.Context(), "SwapRuntimeApi", "current_alpha_price", 7); err != nil || got != uint64(7000) {
		t.Errorf("dynamic price %v, %v", got, err)
	}
	if _, err := price.Call(t.Context(), v); err == nil {
		t.Error("an argument was left out")
	}
	if _, err := price.Call(t.Context(), v, 70000); err == nil {
		t.Error("a netuid over 65535 was encoded")
	}
	n.OnAPI("SwapRuntimeApi_current_alpha_price", func([]byte) ([]byte, error) { return []byte{1}, nil })
	if _, err := price.Call(t.Context(), v, 7); err == nil {
		t.Error("one byte was read as a u64")
	}
	n.OnAPI("SwapRuntimeApi_current_alpha_price", func([]byte) ([]byte, error) { return nil, errors.New("trap") })
	var rpc *chain.RPCError
	if _, err := price.Call(t.Context(), v, 7); !errors.As(err, &rpc) {
		t.Errorf("%v, want *RPCError", err)
	}
	deposit, err := chain.Const[tao.Amount]{Pallet: "Balances", Name: "ExistentialDeposit"}.Get(v.Runtime())
	if err != nil || deposit != 500 {
		t.Errorf("existential deposit %d, %v", deposit, err)
	}
}

// Spec 103 serves V14 metadata, which describes no API.
func TestAPIsOfV14(t *testing.T) {
	n := testnode.New(t, testnode.Config{Metadata: "testfinney-103-v14"})
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	v := view(t, c, chain.Best())
	if got, err := v.CallAPI(t.Context(), "AccountNonceApi", "account_nonce", alice.String()); err != nil || got != uint32(0) {
		t.Errorf("nonce %v, %v", got, err)
	}
	for _, args := range [][]any{{}, {5}, {alice, bob}} {
		if _, err := v.CallAPI(t.Context(), "AccountNonceApi", "account_nonce", args...); err == nil {
			t.Errorf("arguments %v were taken", args)
		}
	}
	cost := chain.API[uint64]{Trait: "SubnetRegistrationRuntimeApi", Method: "get_network_registration_cost"}
	var missing *chain.MissingError
	if _, err := cost.Call(t.Context(), v); !errors.As(err, &missing) {
		t.Errorf("%v, want *MissingError", err) // spec 103 has none
	}
	n.OnAPI(cost.String(), func([]byte) ([]byte, error) { return binary.LittleEndian.AppendUint64(nil, 9), nil })
	if got, err := cost.Call(t.Context(), v); err != nil || got != 9 {
		t.Errorf("cost %d, %v", got, err)
	}
	if _, err := chain.API[string](cost).Call(t.Context(), v); err == nil {
		t.Error("a u64 was read as a string")
	}
	if _, err := v.CallAPI(t.Context(), "DelegateInfoRuntimeApi", "get_delegates"); !errors.As(err, &missing) {
		t.Errorf("%v, want *MissingError", err)
	}
}
