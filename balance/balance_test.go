package balance_test

import (
	"errors"
	"testing"

	"github.com/taoctl/taoctl/balance"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/tao"
)

var (
	alice = testnode.NewKey("alice").Account()
	bob   = testnode.NewKey("bob").Account()
)

func viewOf(t *testing.T, metadata string) (*testnode.Node, *chain.View) {
	t.Helper()
	n := testnode.New(t, testnode.Config{Metadata: metadata})
	n.Fund(alice, 10*tao.TAO)
	c, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	return n, v
}

// Every transfer that this package plans exists on every runtime that is known,
// under the name that it has there.
func TestSurface(t *testing.T) {
	for _, name := range fixture.Names(t) {
		_, v := viewOf(t, name)
		for _, transfer := range []balance.Transfer{
			{From: alice, To: bob, Amount: tao.TAO},
			{From: alice, To: bob, Amount: tao.TAO, AllowDeath: true},
			{From: alice, To: bob, All: true},
			{From: alice, To: bob, All: true, AllowDeath: true},
		} {
			p, err := transfer.Plan(t.Context(), v)
			if err != nil {
				t.Errorf("%s: %+v: %v", name, transfer, err)
				continue
			}
			if _, err := v.Runtime().Encode(p.Call); err != nil {
				t.Errorf("%s: %s: %v", name, p.Call, err)
			}
		}
	}
}

func TestPlan(t *testing.T) {
	_, v := viewOf(t, "")
	plan := func(tr balance.Transfer) (balance.Preview, []string, error) {
		p, err := tr.Plan(t.Context(), v)
		var codes []string
		for _, w := range p.Warnings {
			codes = append(codes, w.Code)
		}
		preview, _ := p.Preview.(balance.Preview)
		return preview, codes, err
	}
	p, codes, err := plan(balance.Transfer{From: alice, To: bob, Amount: 3 * tao.TAO})
	if err != nil || *p.Amount != 3*tao.TAO || p.SenderKeeps != 7*tao.TAO || p.ReceiverGets != 3*tao.TAO || p.AboutAmount != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if len(codes) != 1 || codes[0] != "new-account" {
		t.Errorf("warnings %v", codes)
	}
	p, codes, err = plan(balance.Transfer{From: alice, To: alice, Amount: tao.TAO})
	if err != nil || p.SenderKeeps != 10*tao.TAO || len(codes) != 1 || codes[0] != "to-self" {
		t.Errorf("to self: %+v, %v, %v", p, codes, err)
	}
	// Everything is "about": the fee is taken from it, and the call names no sum.
	p, _, err = plan(balance.Transfer{From: alice, To: bob, All: true})
	if err != nil || p.Amount != nil || *p.AboutAmount != 10*tao.TAO-500 {
		t.Errorf("all: %+v, %v", p, err)
	}
	var below *balance.BelowDepositError
	if _, _, err := plan(balance.Transfer{From: alice, To: bob, Amount: 499}); !errors.As(err, &below) || below.Deposit != 500 {
		t.Errorf("below the existential deposit: %v", err)
	}
	if _, _, err := plan(balance.Transfer{From: alice, To: bob}); err == nil {
		t.Error("a transfer of nothing was planned")
	}
	if _, _, err := plan(balance.Transfer{From: bob, To: alice, All: true}); err != nil {
		t.Errorf("all of an empty account is for the fee check to refuse: %v", err)
	}
}

func TestOf(t *testing.T) {
	n, v := viewOf(t, "")
	n.Set("System", "Account", map[string]any{
		"nonce": 1, "consumers": 1, "providers": 1, "sufficients": 0,
		"data": map[string]any{"free": 5 * tao.TAO, "reserved": tao.TAO, "frozen": 3 * tao.TAO, "flags": 0},
	}, bob)
	n.Build()
	v, err := v.Client().At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	nobody := tao.Account{1}
	list, err := balance.Of(t.Context(), v, alice, bob, nobody)
	if err != nil || len(list) != 3 {
		t.Fatalf("%v, %v", list, err)
	}
	if h := list[0]; h.Free != 10*tao.TAO || h.Spendable != 10*tao.TAO-500 || h.Total != 10*tao.TAO {
		t.Errorf("alice: %+v", h)
	}
	if h := list[1]; h.Free != 5*tao.TAO || h.Locked != 2*tao.TAO || h.Spendable != 3*tao.TAO || h.Total != 6*tao.TAO {
		t.Errorf("bob: %+v", h)
	}
	if h := list[2]; h != (balance.Holding{Account: nobody}) {
		t.Errorf("nobody: %+v", h)
	}
}
