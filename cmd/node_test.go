//go:build unix

package cmd_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/internal/scripttest"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// nodes are those of one script. Words act on the one started last.
type nodes struct {
	t    *testing.T
	last *testnode.Node
}

type nodesKey struct{}

func nodesOf(ts *testscript.TestScript) *nodes { return ts.Value(nodesKey{}).(*nodes) }

func nodeOf(ts *testscript.TestScript) *testnode.Node {
	n := nodesOf(ts).last
	if n == nil {
		ts.Fatalf("no node was started")
	}
	return n
}

// nodeWords are what scripts tell nodes.
//
//	node [OPTION...]                  start one; sets $BT_NETWORK, $URL, $HTTP and $GENESIS
//	                                  options: metadata=NAME lag=N salt=X manual nocode
//	fund ADDRESS TAO                  give an account free TAO
//	holds ADDRESS TAO                 compare an account's free TAO
//	build [N]                         build blocks
//	fault METHOD KIND [OPTION...]     fail from now on: times=N skip=N size=BYTES wait=DURATION code=N message=X
//	heal                              fail no more
//	asked METHOD N                    compare how often a method was asked for
//	awaits METHOD [N]                 wait until a method is asked for, for the Nth time
//	on PALLET.CALL [PALLET.ERROR]     how such calls end: well, or with an error
//	hangup, reorg N, upgrade NAME     break all lines, undo blocks, change the runtime
//	metadata NAME FILE [BYTES]        write a runtime's metadata, or its first bytes, to a file
//	claim FILE                        serve a file as the runtime's metadata
func nodeWords() map[string]scripttest.Word {
	return map[string]scripttest.Word{
		"node":     scripttest.Positive("node [OPTION...]", 0, startNode),
		"fund":     scripttest.Positive("fund ADDRESS TAO", 2, fund),
		"holds":    scripttest.Positive("holds ADDRESS TAO", 2, holds),
		"build":    scripttest.Positive("build [N]", 0, build),
		"fault":    scripttest.Positive("fault METHOD KIND [OPTION...]", 2, fault),
		"heal":     scripttest.Positive("heal", 0, func(ts *testscript.TestScript, _ []string) { nodeOf(ts).Heal() }),
		"asked":    scripttest.Positive("asked METHOD N", 2, asked),
		"awaits":   scripttest.Positive("awaits METHOD [N]", 1, awaits),
		"on":       scripttest.Positive("on PALLET.CALL [PALLET.ERROR]", 1, on),
		"hangup":   scripttest.Positive("hangup", 0, func(ts *testscript.TestScript, _ []string) { nodeOf(ts).HangUp() }),
		"reorg":    scripttest.Positive("reorg N", 1, func(ts *testscript.TestScript, args []string) { nodeOf(ts).Reorganize(number(ts, args[0])) }),
		"upgrade":  scripttest.Positive("upgrade NAME", 1, func(ts *testscript.TestScript, args []string) { nodeOf(ts).Upgrade(args[0]) }),
		"claim":    scripttest.Positive("claim FILE", 1, claim),
		"metadata": scripttest.Positive("metadata NAME FILE [BYTES]", 2, writeMetadata),
	}
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

func account(ts *testscript.TestScript, s string) tao.Account {
	a, err := tao.ParseAccount(s)
	ts.Check(err)
	return a
}

func amount(ts *testscript.TestScript, s string) tao.Amount {
	a, err := tao.ParseAmount(s)
	ts.Check(err)
	return a
}

func startNode(ts *testscript.TestScript, args []string) {
	var c testnode.Config
	for _, option := range args {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "metadata":
			c.Metadata = value
		case "lag":
			c.Lag = uint32(number(ts, value))
		case "salt":
			c.Salt = value
		case "manual":
			c.Manual = true
		case "nocode":
			c.NoCode = true
		default:
			ts.Fatalf("node has no option %s", name)
		}
	}
	n := testnode.New(nodesOf(ts).t, c)
	nodesOf(ts).last = n
	ws, http := n.Listen()
	for name, value := range map[string]string{"URL": ws, "BT_NETWORK": ws, "HTTP": http, "GENESIS": n.Genesis().String()} {
		ts.Setenv(name, value)
	}
}

func fund(ts *testscript.TestScript, args []string) {
	nodeOf(ts).Fund(account(ts, args[0]), amount(ts, args[1]))
}

func holds(ts *testscript.TestScript, args []string) {
	if got, want := nodeOf(ts).Free(account(ts, args[0])), amount(ts, args[1]); got != want {
		ts.Fatalf("%s holds %s TAO, want %s", args[0], got, want)
	}
}

func build(ts *testscript.TestScript, args []string) {
	count := 1
	if len(args) > 0 {
		count = number(ts, args[0])
	}
	nodeOf(ts).BuildN(count)
}

var faultKinds = map[string]testnode.FaultKind{
	"drop-before": testnode.DropBefore, "drop-after": testnode.DropAfter, "delay": testnode.Delay,
	"silence": testnode.Silence, "garbage": testnode.Garbage, "truncated": testnode.Truncated,
	"wrong-id": testnode.WrongID, "oversize": testnode.Oversize, "refuse": testnode.Refuse, "betray": testnode.Betray, "swallow": testnode.Swallow,
}

func fault(ts *testscript.TestScript, args []string) {
	kind, known := faultKinds[args[1]]
	if !known {
		ts.Fatalf("no kind of fault %s", args[1])
	}
	f := testnode.Fault{Method: args[0], Kind: kind}
	for _, option := range args[2:] {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "times":
			f.Times = number(ts, value)
		case "skip":
			f.Skip = number(ts, value)
		case "size":
			f.Size = number(ts, value)
		case "code":
			f.Error.Code = number(ts, value)
		case "message":
			f.Error.Message = value
		case "wait":
			wait, err := time.ParseDuration(value)
			ts.Check(err)
			f.Wait = wait
		default:
			ts.Fatalf("fault has no option %s", name)
		}
	}
	nodeOf(ts).Fail(f)
}

func asked(ts *testscript.TestScript, args []string) {
	if got, want := nodeOf(ts).Calls(args[0]), number(ts, args[1]); got != want {
		ts.Fatalf("the node was asked for %s %d times, want %d", args[0], got, want)
	}
}

// awaits looks again and again: the node counts, and tells nobody.
func awaits(ts *testscript.TestScript, args []string) {
	n, times := nodeOf(ts), 1
	if len(args) > 1 {
		times = number(ts, args[1])
	}
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		for range time.Tick(time.Millisecond) {
			if n.Calls(args[0]) >= times {
				return
			}
		}
	}()
	scripttest.WaitFor(ts, seen, "a request "+args[0])
}

func on(ts *testscript.TestScript, args []string) {
	pallet, call, _ := strings.Cut(args[0], ".")
	var r testnode.Result
	if len(args) > 1 {
		owner, name, _ := strings.Cut(args[1], ".")
		r.Err = nodeOf(ts).ModuleError(owner, name)
	}
	nodeOf(ts).On(pallet, call, r)
}

func writeMetadata(ts *testscript.TestScript, args []string) {
	blob := fixture.Metadata(nodesOf(ts).t, args[0])
	if len(args) > 2 {
		blob = blob[:number(ts, args[2])]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), blob, 0o600))
}

// claim answers Metadata_metadata_at_version with Some of a file's bytes.
func claim(ts *testscript.TestScript, args []string) {
	blob := []byte(ts.ReadFile(args[0]))
	nodeOf(ts).OnAPI("Metadata_metadata_at_version", func([]byte) ([]byte, error) {
		return append(scale.EncodeCompact([]byte{1}, uint64(len(blob))), blob...), nil
	})
}
