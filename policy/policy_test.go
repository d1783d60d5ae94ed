package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

const (
	alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
	bob   = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
)

func parse(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func account(t testing.TB, s string) tao.Account {
	t.Helper()
	a, err := tao.ParseAccount(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestParse(t *testing.T) {
	p := parse(t, `
version: 1
per_transaction: 10
per_day: 50.5
fee: 0.01
calls:
  Balances.transfer_keep_alive: {per_day: 20}
  SubtensorModule.add_stake_limit:
destinations:
  - `+bob+`
hotkeys: [`+alice+`]
subnets:
  1: {per_transaction: 5, per_day: 20}
  64:
`)
	if *p.PerTransaction != 10*tao.TAO || *p.PerDay != 50_500_000_000 || *p.Fee != 10_000_000 || len(p.Calls) != 2 || len(p.Subnets) != 2 ||
		*p.Calls[0].PerDay != 20*tao.TAO || p.Calls[1].PerDay != nil || p.Subnets[1].NetUID != 64 || p.Destinations[0] != account(t, bob) {
		t.Errorf("%+v", p)
	}
	for text, want := range map[string]string{
		"":                                          "empty",
		"version: 2":                                "version: 1",
		"per_day: 5":                                "version: 1",
		"version: 1\nper_dya: 5":                    "line 2: there is no field \"per_dya\"",
		"version: 1\nper_day: 5\nper_day: 6":        "line 3",
		"version: 1\nper_day: 5,0":                  "line 2",
		"version: 1\nper_day: -5":                   "line 2",
		"version: 1\nper_day: 1e3":                  "line 2",
		"version: 1\nper_day:":                      "line 2: a value is missing",
		"version: 1\nper_day: [5]":                  "line 2",
		"version: 1\ndestinations: []":              "line 2",
		"version: 1\ndestinations: bob":             "line 2",
		"version: 1\ndestinations:\n- " + bob + "x": "line 3",
		"version: 1\ncalls: {transfer: }":           "line 2: \"transfer\" is not PALLET.CALL",
		"version: 1\nsubnets: {-1: }":               "line 2",
		"version: 1\nsubnets: {1: {per_dya: 1}}":    "there is no field",
		"version: 1\nsubnets: {1: 5}":               "line 2",
		"version: 1\n---\nversion: 1":               "more than one document",
		"version: 1\nfee: &a 1\nper_day: *a":        "line 3",
		"- version":                                 "line 1",
		"version: 1\n\tfee: 1":                      "line 2",
	} {
		_, err := Parse([]byte(text))
		var file *FileError
		if !errors.As(err, &file) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Every call that is assessed has these arguments on every known runtime that
// has it, and one whose arguments are others counts as unknown.
func TestAssessKnownCalls(t *testing.T) {
	found := map[string]bool{}
	for _, name := range fixture.Names(t) {
		m, err := scale.ParseMetadata(fixture.Metadata(t, name))
		if err != nil {
			t.Fatal(err)
		}
		spec, err := chain.SpecOf(m)
		if err != nil {
			t.Fatal(err)
		}
		chain.NewRuntime(spec, m) // gives accounts their Go form
		for call := range costs {
			pallet, call1, _ := cut(call)
			def := (*scale.VariantDef)(nil)
			if p := m.Pallet(pallet); p != nil {
				def = p.Call(call1)
			}
			if def == nil {
				continue
			}
			found[call] = true
			args := chain.Args{}
			for _, f := range def.Fields {
				args[f.Name] = example(t, m, f.Type)
			}
			if parts := Assess(chain.Call{Pallet: pallet, Name: call1, Args: args}); len(parts) != 1 || parts[0].Unknown {
				t.Errorf("%s: %s is %+v of %v", name, call, parts, args)
			}
		}
	}
	for call := range costs {
		if !found[call] && call != "SubtensorModule.pow_register" && call != "SubtensorModule.register_limit" {
			t.Errorf("no known runtime has %s", call)
		}
	}
	if parts := Assess(chain.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chain.Args{"dest": "x"}}); !parts[0].Unknown {
		t.Errorf("%+v", parts)
	}
}

// example is the value of zero bytes, in the form in which calls are decoded.
func example(t *testing.T, m *scale.Metadata, id scale.TypeID) (v any) {
	if _, err := m.DecodePrefix(id, make([]byte, 256), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAssessInner(t *testing.T) {
	pay := chain.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chain.Args{"dest": tao.Account{1}, "value": uint64(5)}}
	odd := chain.Call{Pallet: "Contracts", Name: "call", Args: chain.Args{"value": uint64(5)}}
	nested := chain.Call{Pallet: "Proxy", Name: "proxy", Args: chain.Args{"call": chain.Call{
		Pallet: "Utility", Name: "batch", Args: chain.Args{"calls": []any{pay, pay, odd}},
	}}}
	parts := Assess(nested)
	if len(parts) != 3 || parts[0].TAO != 5 || parts[1].Dest == nil || !parts[2].Unknown || parts[2].Call != "Contracts.call" {
		t.Errorf("%+v", parts)
	}
	if empty := Assess(chain.Call{Pallet: "Utility", Name: "batch", Args: chain.Args{}}); len(empty) != 1 || !empty[0].Unknown {
		t.Errorf("%+v", empty)
	}
}

func TestCheck(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	pay := func(dest string, amount tao.Amount) Spending {
		a := account(t, dest)
		return Spending{Parts: []Part{{Call: "Balances.transfer_keep_alive", TAO: amount, Dest: &a}}, Fee: 1, FeeKnown: true}
	}
	one, hot := tao.NetUID(1), account(t, bob)
	stake := Spending{Parts: []Part{{Call: "SubtensorModule.add_stake_limit", TAO: 6 * tao.TAO, NetUID: &one, Hotkey: &hot}}, FeeKnown: true}
	unknown := Spending{Parts: []Part{{Call: "SubtensorModule.burned_register", Unknown: true}}, Known: some(2 * tao.TAO), FeeKnown: true}
	all := Spending{Parts: []Part{{Call: "Balances.transfer_all", All: true}}, Holds: 7 * tao.TAO, FeeKnown: true}
	day := []Record{
		{Time: now.Add(-23 * time.Hour), Calls: map[string]tao.Amount{"Balances.transfer_keep_alive": 4 * tao.TAO}},
		{Time: now.Add(-25 * time.Hour), Calls: map[string]tao.Amount{"Balances.transfer_keep_alive": 100 * tao.TAO}},
		{Time: now.Add(time.Hour), Subnets: map[tao.NetUID]tao.Amount{1: tao.TAO}, Calls: map[string]tao.Amount{"x": tao.TAO}},
	}
	for i, c := range []struct {
		policy string
		s      Spending
		rule   string // "": allowed
	}{
		{"", pay(bob, tao.TAO), ""},
		{"per_transaction: 1", pay(bob, tao.TAO), "per_transaction"}, // the fee counts
		{"per_transaction: 1.1", pay(bob, tao.TAO), ""},
		{"per_day: 6.5", pay(bob, tao.TAO), ""},
		{"per_day: 6", pay(bob, tao.TAO), "per_day"}, // 4 and 1 of the day, 1 and the fee now
		{"fee: 0", pay(bob, tao.TAO), "fee"},
		{"fee: 1", Spending{Parts: stake.Parts}, "fee"},
		{"destinations: [" + alice + "]", pay(bob, 1), "destinations"},
		{"destinations: [" + bob + "]", pay(bob, 1), ""},
		{"hotkeys: [" + alice + "]", stake, "hotkeys"},
		{"hotkeys: [" + bob + "]", stake, ""},
		{"subnets: {2: }", stake, "subnets"},
		{"subnets: {1: }", stake, ""},
		{"subnets: {1: {per_transaction: 5}}", stake, "subnets: 1: per_transaction"},
		{"subnets: {1: {per_day: 6.5}}", stake, "subnets: 1: per_day"},
		{"calls: {Balances.transfer_keep_alive: }", stake, "calls"},
		{"calls: {Balances.transfer_keep_alive: {per_day: 4.5}}", pay(bob, tao.TAO), "calls: Balances.transfer_keep_alive: per_day"},
		{"", unknown, "calls"},
		{"calls: {SubtensorModule.burned_register: }", unknown, ""},
		{"calls: {SubtensorModule.burned_register: {per_transaction: 1}}", unknown, "calls: SubtensorModule.burned_register: per_transaction"},
		{"per_transaction: 6", all, "per_transaction"},
		{"per_transaction: 7", all, ""},
	} {
		err := parse(t, "version: 1\n"+c.policy).Check(c.s, day, now)
		var denied *DeniedError
		switch {
		case c.rule == "" && err != nil:
			t.Errorf("%d: %s: %v", i, c.policy, err)
		case c.rule != "" && (!errors.As(err, &denied) || denied.Rule != c.rule):
			t.Errorf("%d: %s: %v, want %s", i, c.policy, err, c.rule)
		}
	}
}

func some[T any](v T) *T { return &v }

// The ledger counts over runs, counts nothing twice, forgets what can never
// happen, and shows what was done to it.
func TestLedger(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "folder", "spending.jsonl")
	l := OpenLedger(path, func() time.Time { return now })
	p := parse(t, "version: 1\nper_day: 10")
	if err := l.Accept(t.Context(), p.Digest()); err != nil {
		t.Fatal(err)
	}
	dead := map[tao.Hash]bool{}
	spend := func(x byte, amount tao.Amount) error {
		s := Spending{Parts: []Part{{Call: "a.b", TAO: amount}}, FeeKnown: true}
		return l.Spend(t.Context(), p, tao.Hash{x}, tao.Hash{9}, s, func(h tao.Hash) bool { return !dead[h] })
	}
	var denied *DeniedError
	for i, c := range []struct {
		x      byte
		amount tao.Amount
		denied bool
	}{{1, 6 * tao.TAO, false}, {1, 6 * tao.TAO, false}, {2, 5 * tao.TAO, true}, {3, 4 * tao.TAO, false}, {4, 1, true}} {
		if err := spend(c.x, c.amount); errors.As(err, &denied) != c.denied || !c.denied && err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	dead[tao.Hash{1}] = true
	if err := spend(5, 6*tao.TAO); err != nil {
		t.Errorf("what can never happen still counts: %v", err)
	}
	state, err := l.Read()
	if err != nil || len(state.Records) != 3 || *state.Accepted != p.Digest() {
		t.Fatalf("%+v, %v", state, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	for what, text := range map[string]string{
		"a line less":    lines[0] + lines[2] + lines[3],
		"another amount": strings.Replace(string(whole), "6", "1", 1),
		"half a line":    string(whole[:len(whole)-9]),
		"no first line":  strings.Join(lines[1:], ""),
		"another order":  lines[0] + lines[2] + lines[1] + lines[3],
		"words":          string(whole) + "words\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var tampered *TamperedError
		if err := spend(7, 1); !errors.As(err, &tampered) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Two processes cannot spend one allowance.
func TestLedgerAtOnce(t *testing.T) {
	now := time.Now()
	l := OpenLedger(filepath.Join(t.TempDir(), "spending.jsonl"), func() time.Time { return now })
	p := parse(t, "version: 1\nper_day: 10")
	done := make(chan error)
	for x := range byte(20) {
		go func() {
			s := Spending{Parts: []Part{{Call: "a.b", TAO: tao.TAO}}, FeeKnown: true}
			done <- l.Spend(t.Context(), p, tao.Hash{x}, tao.Hash{}, s, func(tao.Hash) bool { return true })
		}()
	}
	allowed := 0
	for range 20 {
		var denied *DeniedError
		switch err := <-done; {
		case err == nil:
			allowed++
		case !errors.As(err, &denied):
			t.Error(err)
		}
	}
	if allowed != 10 {
		t.Errorf("%d of 20 were allowed, want 10", allowed)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("version: 1\nper_day: 5\ncalls: {A.b: {per_day: 1}}\nsubnets: {1: }\nhotkeys: [" + bob + "]")
	f.Add("version: 1\nfee: &a 1\nper_day: *a")
	f.Add("{")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse([]byte(text))
		var file *FileError
		if err != nil && !errors.As(err, &file) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil {
			if again, err := Parse([]byte(text)); err != nil || fmt.Sprint(again.Calls, again.Subnets) != fmt.Sprint(p.Calls, p.Subnets) {
				t.Errorf("%q is read differently", text)
			}
		}
	})
}

func FuzzLedger(f *testing.F) {
	f.Add(`{"prev":"0x0000000000000000000000000000000000000000000000000000000000000000","removed":true}` + "\n")
	f.Add("{}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := (&Ledger{}).parse([]byte(text)); err != nil {
			var tampered *TamperedError
			if !errors.As(err, &tampered) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
