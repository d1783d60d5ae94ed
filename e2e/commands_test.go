//go:build e2e && unix

package e2e

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/e2e/faultline"
	"github.com/taoctl/taoctl/internal/scripttest"
	"github.com/taoctl/taoctl/tao"
)

// session is what the commands of one script share.
type session struct {
	chain *chain
	ctx   context.Context
	lines map[string]*faultline.Line
}

type sessionKey struct{}

func newSession(c *chain, e *testscript.Env) *session {
	s := &session{chain: c, ctx: e.T().(sequential).Context(), lines: map[string]*faultline.Line{}}
	e.Defer(s.close)
	return s
}

func (s *session) close() {
	for _, l := range s.lines {
		_ = l.Close()
	}
}

func of(ts *testscript.TestScript) *session { return ts.Value(sessionKey{}).(*session) }

// commands are the words which scripts have beyond testscript's own. README.md
// tells how to use them.
func commands() map[string]scripttest.Word {
	words := scripttest.Words()
	maps.Copy(words, map[string]scripttest.Word{
		"foretold": scripttest.Positive("foretold [-about] CODE taoctl ARG...", 3, foretold),
		"dev":      scripttest.Positive("dev NAME...", 1, dev),
		"rpc":      scripttest.Positive("rpc METHOD [JSON...] [-> VAR]", 1, rpc),
		"blocks":   scripttest.Positive("blocks N", 1, blocks),
		"free":     scripttest.Positive("free ADDRESS -> VAR", 3, free),
		"rao":      rao,
		"line":     scripttest.Positive("line VAR KIND METHOD", 3, line),
		"struck":   scripttest.Positive("struck VAR", 1, struck),
		"requests": scripttest.Positive("requests VAR METHOD N", 3, requests),
		"tamper":   scripttest.Positive("tamper HEX -> VAR", 3, tamper),
	})
	return words
}

// dev imports development accounts as wallets without a password: dev alice.
func dev(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		uri := "//" + strings.ToUpper(name[:1]) + name[1:]
		ts.Check(ts.Exec("taoctl", "wallet", "import", name, "--dev", uri, "--no-password"))
	}
}

func rpc(ts *testscript.TestScript, args []string) {
	params, to := target(args[1:])
	values := make([]any, len(params))
	for i, p := range params {
		if json.Unmarshal([]byte(p), &values[i]) != nil {
			values[i] = p // a bare word, such as a hash
		}
	}
	result, err := of(ts).chain.call(of(ts).ctx, args[0], values...)
	ts.Check(err)
	store(ts, to, text(result))
}

// target splits "... -> VAR" off the arguments.
func target(args []string) (rest []string, name string) {
	if n := len(args); n >= 2 && args[n-2] == "->" {
		return args[:n-2], args[n-1]
	}
	return args, ""
}

// store puts a value into a variable, or onto the standard output without one.
func store(ts *testscript.TestScript, name, value string) {
	if name == "" {
		ts.Logf("%s", value)
		return
	}
	ts.Setenv(name, value)
	ts.Logf("[%s=%s]", name, value)
}

func blocks(ts *testscript.TestScript, args []string) {
	_, err := of(ts).chain.call(of(ts).ctx, "dev_newBlock", map[string]int{"count": integer(ts, args[0])})
	ts.Check(err)
}

// systemAccount is twox128("System") ++ twox128("Account"), the prefix of accounts
// in storage; the key goes on with blake2_128_concat of the public key.
const systemAccount = "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"

// free reads an account's free balance without the binary: a second opinion. On
// every runtime 16 bytes of nonce and reference counts precede it, and it is u64 rao.
func free(ts *testscript.TestScript, args []string) {
	account, err := tao.ParseAccount(args[0])
	ts.Check(err)
	h, err := blake2b.New(16, nil)
	ts.Check(err)
	h.Write(account[:])
	key := systemAccount + hex.EncodeToString(h.Sum(nil)) + hex.EncodeToString(account[:])
	result, err := of(ts).chain.call(of(ts).ctx, "state_getStorage", key)
	ts.Check(err)
	_, to := target(args)
	if string(result) == "null" {
		store(ts, to, "0")
		return
	}
	info, err := hex.DecodeString(strings.TrimPrefix(text(result), "0x"))
	ts.Check(err)
	if len(info) < 24 {
		ts.Fatalf("account record of %d bytes", len(info))
	}
	store(ts, to, tao.Amount(binary.LittleEndian.Uint64(info[16:24])).String())
}

// rao adds and compares amounts of TAO to the last rao.
func rao(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: [!] rao A [+|- B...] ==|->|< VALUE|VAR")
	}
	terms, op, last := args[:len(args)-2], args[len(args)-2], args[len(args)-1]
	sum, err := total(terms)
	ts.Check(err)
	if op == "->" && !neg {
		store(ts, last, decimal(sum))
		return
	}
	want, err := parseRao(last)
	ts.Check(err)
	var holds bool
	switch op {
	case "==":
		holds = sum.Cmp(want) == 0
	case "<":
		holds = sum.Cmp(want) < 0
	default:
		ts.Fatalf("rao: unknown %s", op)
	}
	if holds == neg {
		ts.Fatalf("%s is %s; asked whether %s %s: %v", strings.Join(terms, " "), decimal(sum), op, last, holds)
	}
}

// foretold simulates a change, with and without what the block does by itself
// before it, and then makes it: exit code, fee, events and failure must be the
// same, to the rao. With "-about" the block itself moves the price in between, and
// without it the events must be the same ones, but may tell other amounts.
func foretold(ts *testscript.TestScript, args []string) {
	about := args[0] == "-about"
	if about {
		args = args[1:]
	}
	run := func(flags ...string) []byte {
		scripttest.Exits(ts, slices.Concat(args, flags, []string{"--json"}))
		return []byte(ts.ReadFile("stdout"))
	}
	var call, block struct{ Simulation outcome }
	var real outcome
	ts.Check(json.Unmarshal(run("--simulate"), &call))
	ts.Check(json.Unmarshal(run("--simulate=block"), &block))
	ts.Check(json.Unmarshal(run("--yes"), &real))
	same := func(what string, before, after outcome) {
		if want, got := before.String(), after.String(); want != got {
			ts.Fatalf("simulated %s:\n%s\nhappened:\n%s", what, want, got)
		}
	}
	same("with the block", block.Simulation, real)
	if about {
		call.Simulation.Events, real.Events = names(ts, call.Simulation.Events), names(ts, real.Events)
	}
	same("alone", call.Simulation, real)
}

// names keeps of events what they are called.
func names(ts *testscript.TestScript, events json.RawMessage) json.RawMessage {
	var list []struct {
		Name string `json:"name"`
	}
	ts.Check(json.Unmarshal(events, &list))
	text, err := json.Marshal(list)
	ts.Check(err)
	return text
}

// outcome is what a simulation and a receipt both tell.
type outcome struct {
	Fee    json.RawMessage `json:"fee"`
	Events json.RawMessage `json:"events"`
	Error  json.RawMessage `json:"error"`
}

func (o outcome) String() string {
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func line(ts *testscript.TestScript, args []string) {
	s := of(ts)
	if s.lines[args[0]] != nil {
		ts.Fatalf("line %s is open already", args[0])
	}
	l, err := faultline.Start(s.ctx, s.chain.URL, faultline.Fault{Kind: faultline.Kind(args[1]), Method: args[2]})
	ts.Check(err)
	s.lines[args[0]] = l
	ts.Setenv(args[0], l.URL())
}

func findLine(ts *testscript.TestScript, name string) *faultline.Line {
	l := of(ts).lines[name]
	if l == nil {
		ts.Fatalf("no line %s", name)
	}
	return l
}

// struck waits until a line's fault has happened.
func struck(ts *testscript.TestScript, args []string) {
	scripttest.WaitFor(ts, findLine(ts, args[0]).Struck(), "the fault of line "+args[0])
}

// requests checks how many requests of a method went over a line.
func requests(ts *testscript.TestScript, args []string) {
	if got, want := findLine(ts, args[0]).Requests(args[1]), integer(ts, args[2]); got != want {
		ts.Fatalf("%d requests %s over %s, want %d", got, args[1], args[0], want)
	}
}

// tamper changes one bit in the signature of an extrinsic.
func tamper(ts *testscript.TestScript, args []string) {
	raw, err := hex.DecodeString(strings.TrimPrefix(args[0], "0x"))
	ts.Check(err)
	prefix := []int{1, 2, 4, 5}[raw[0]&3] // the SCALE length before the extrinsic
	const signature = 1 + 1 + 32 + 1 + 10 // version, address kind and key, signature kind; then inside
	if len(raw) < prefix+signature+64 || raw[prefix] != 0x84 {
		ts.Fatalf("no signed extrinsic of version 4: %s", args[0])
	}
	raw[prefix+signature] ^= 1
	_, to := target(args)
	store(ts, to, "0x"+hex.EncodeToString(raw))
}

func integer(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}
