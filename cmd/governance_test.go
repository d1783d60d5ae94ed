//go:build unix

package cmd_test

import (
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taoctl/taoctl/internal/scripttest"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// governanceWords are what scripts tell nodes of decisions.
//
//	senate                       alice, bob and charlie are triumvirate and senate; alice holds the sudo key
//	forum                        alice proposes, the three decide, alice and bob, and bob and charlie review
//	put PALLET.ITEM JSON [KEY…]  store a value
func governanceWords() map[string]scripttest.Word {
	return map[string]scripttest.Word{
		"senate": scripttest.Positive("senate", 0, senate),
		"forum":  scripttest.Positive("forum", 0, forum),
		"put":    scripttest.Positive("put PALLET.ITEM JSON [KEY...]", 2, put),
	}
}

// three are the people of all scripts, in the chain's order.
func three(ts *testscript.TestScript) []tao.Account {
	list := []tao.Account{account(ts, people["ALICE"]), account(ts, people["BOB"]), account(ts, people["CHARLIE"])}
	slices.SortFunc(list, func(a, b tao.Account) int { return slices.Compare(a[:], b[:]) })
	return list
}

func senate(ts *testscript.TestScript, _ []string) {
	n := nodeOf(ts)
	n.Set("TriumvirateMembers", "Members", three(ts))
	n.Set("SenateMembers", "Members", three(ts))
	for _, a := range three(ts) {
		n.Set("SubtensorModule", "Owner", a, a)
		n.Fund(a, 10*tao.TAO)
	}
	n.Set("Sudo", "Key", account(ts, people["ALICE"]))
	n.Senate()
}

func forum(ts *testscript.TestScript, _ []string) {
	n := nodeOf(ts)
	alice, bob, charlie := account(ts, people["ALICE"]), account(ts, people["BOB"]), account(ts, people["CHARLIE"])
	for _, a := range three(ts) {
		n.Fund(a, 10*tao.TAO)
	}
	n.Set("MultiCollective", "Members", []tao.Account{alice}, "Proposers")
	n.Set("MultiCollective", "Members", three(ts), "Triumvirate")
	n.Set("MultiCollective", "Members", []tao.Account{alice, bob}, "Economic")
	n.Set("MultiCollective", "Members", []tao.Account{bob, charlie}, "Building")
	n.Referenda()
}

func put(ts *testscript.TestScript, args []string) {
	pallet, item, _ := strings.Cut(args[0], ".")
	value, err := scale.ParseJSON(args[1])
	ts.Check(err)
	var keys []any
	for _, k := range args[2:] {
		keys = append(keys, scale.Text(k))
	}
	nodeOf(ts).Set(pallet, item, value, keys...)
	nodeOf(ts).Build()
}
