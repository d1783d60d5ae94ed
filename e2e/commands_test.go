//go:build e2e

package e2e

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/e2e/faultline"
	"github.com/taoctl/taoctl/tao"
)

// session is what the commands of one script share.
type session struct {
	chain *chain
	ctx   context.Context
	names []string // of the script's first variables, to hand on to its jobs
	lines map[string]*faultline.Line
	jobs  map[string]*job
}

type sessionKey struct{}

func newSession(c *chain, e *testscript.Env) *session {
	s := &session{
		chain: c,
		ctx:   e.T().(sequential).Context(),
		lines: map[string]*faultline.Line{},
		jobs:  map[string]*job{},
	}
	for _, v := range e.Vars {
		name, _, _ := strings.Cut(v, "=")
		s.names = append(s.names, name)
	}
	e.Defer(s.close)
	return s
}

func (s *session) close() {
	for _, j := range s.jobs {
		_ = j.cmd.Process.Kill()
		<-j.done
	}
	for _, l := range s.lines {
		_ = l.Close()
	}
}

func of(ts *testscript.TestScript) *session { return ts.Value(sessionKey{}).(*session) }

type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are the words which scripts have beyond testscript's own. README.md
// tells how to use them.
func commands() map[string]command {
	return map[string]command{
		"exits":     positive("exits CODE[|CODE...] PROGRAM [ARG...]", 2, exits),
		"start":     positive("start JOB PROGRAM [ARG...]", 2, startJob),
		"interrupt": positive("interrupt JOB", 1, interruptJob),
		"finish":    positive("finish JOB CODE[|CODE...]", 2, finishJob),
		"dev":       positive("dev NAME...", 1, dev),
		"rpc":       positive("rpc METHOD [JSON...] [-> VAR]", 1, rpc),
		"blocks":    positive("blocks N", 1, blocks),
		"free":      positive("free ADDRESS -> VAR", 3, free),
		"jsonq":     jsonq,
		"rao":       rao,
		"line":      positive("line VAR KIND METHOD", 3, line),
		"struck":    positive("struck VAR", 1, struck),
		"requests":  positive("requests VAR METHOD N", 3, requests),
		"tamper":    positive("tamper HEX -> VAR", 3, tamper),
	}
}

// positive wraps a command that cannot be negated and needs some arguments.
func positive(usage string, least int, run func(*testscript.TestScript, []string)) command {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("unsupported: ! %s", usage)
		}
		if len(args) < least {
			ts.Fatalf("usage: %s", usage)
		}
		run(ts, args)
	}
}

// exits is exec with the exact exit code.
func exits(ts *testscript.TestScript, args []string) {
	got, err := exitCode(ts.Exec(args[1], args[2:]...))
	ts.Check(err)
	wantCode(ts, got, args[0])
}

// wantCode compares an exit code with "5" or "0|5|6".
func wantCode(ts *testscript.TestScript, got int, want string) {
	if !slices.Contains(strings.Split(want, "|"), strconv.Itoa(got)) {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}

// exitCode takes the code out of what running a process returned; an error is one
// of running it at all.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil // -1 for a signal
	}
	return 0, err
}

// job is a process beside the script. testscript's own background processes tell
// success from failure, and no exit code.
type job struct {
	cmd  *exec.Cmd
	done chan error
}

func startJob(ts *testscript.TestScript, args []string) {
	name, program := args[0], args[1]
	s := of(ts)
	if s.jobs[name] != nil {
		ts.Fatalf("job %s runs already", name)
	}
	path, err := lookPath(program, ts.Getenv("PATH"))
	ts.Check(err)
	cmd := exec.CommandContext(s.ctx, path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, v := range s.names {
		cmd.Env = append(cmd.Env, v+"="+ts.Getenv(v))
	}
	stdout, err := os.Create(ts.MkAbs(name + ".stdout"))
	ts.Check(err)
	defer stdout.Close()
	stderr, err := os.Create(ts.MkAbs(name + ".stderr"))
	ts.Check(err)
	defer stderr.Close()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	ts.Check(cmd.Start())
	j := &job{cmd: cmd, done: make(chan error, 1)}
	go func() { j.done <- cmd.Wait() }()
	s.jobs[name] = j
}

// lookPath finds a program in the script's $PATH, which is not the test's.
func lookPath(program, path string) (string, error) {
	for _, dir := range strings.Split(path, string(os.PathListSeparator)) {
		if found, err := exec.LookPath(dir + string(os.PathSeparator) + program); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s: not in $PATH", program)
}

func interruptJob(ts *testscript.TestScript, args []string) {
	ts.Check(findJob(ts, args[0]).cmd.Process.Signal(os.Interrupt))
}

func finishJob(ts *testscript.TestScript, args []string) {
	name := args[0]
	j := findJob(ts, name)
	delete(of(ts).jobs, name)
	got, err := exitCode(waitFor(ts, j.done, "job "+name))
	ts.Check(err)
	ts.Logf("[%s.stdout]\n%s[%s.stderr]\n%s", name, ts.ReadFile(name+".stdout"), name, ts.ReadFile(name+".stderr"))
	wantCode(ts, got, args[1])
}

func findJob(ts *testscript.TestScript, name string) *job {
	j := of(ts).jobs[name]
	if j == nil {
		ts.Fatalf("no job %s", name)
	}
	return j
}

// patience bounds every wait for a signal that ought to come at once.
const patience = 30 * time.Second

func waitFor[T any](ts *testscript.TestScript, c <-chan T, what string) (v T) {
	select {
	case v = <-c:
	case <-time.After(patience):
		ts.Fatalf("waited %s for %s", patience, what)
	}
	return v
}

// dev imports development accounts as wallets without a password: dev alice.
func dev(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		uri := "//" + strings.ToUpper(name[:1]) + name[1:]
		ts.Check(os.WriteFile(ts.MkAbs("uri"), []byte(uri+"\n"), 0o600))
		ts.Check(ts.Exec("sh", "-c", "taoctl wallet import "+name+" --stdin --no-password <uri"))
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

func jsonq(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: [!] jsonq FILE PATH ==|->|~ VALUE|VAR")
	}
	got, err := lookUp([]byte(ts.ReadFile(args[0])), args[1])
	ts.Check(err)
	if args[2] == "->" && !neg {
		store(ts, args[3], got)
		return
	}
	same := false
	switch args[2] {
	case "==":
		same = got == args[3]
	case "~":
		same = strings.Contains(got, args[3])
	default:
		ts.Fatalf("jsonq: unknown %s", args[2])
	}
	if same == neg {
		ts.Fatalf("%s is %q; %v that it %s %q", args[1], got, map[bool]string{true: "unwanted", false: "wanted"}[neg], args[2], args[3])
	}
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
	waitFor(ts, findLine(ts, args[0]).Struck(), "the fault of line "+args[0])
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
