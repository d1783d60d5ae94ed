//go:build unix

package cmd_test

import (
	"context"
	"flag"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taoctl/taoctl/cmd"
	"github.com/taoctl/taoctl/internal/scripttest"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/keystore/keystoretest"
	"github.com/taoctl/taoctl/powsolver/remotetest"
)

// record names the file to which every taoctl of a script adds what it prints,
// so that the script's end can look for secrets in all of it.
const record = "TAOCTL_TEST_RECORD"

// fileLimit holds how many bytes a file may have: see the word full.
const fileLimit = "TAOCTL_TEST_FILE_LIMIT"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"taoctl":     taoctl,
		"fakeopencl": func() { os.Exit(remotetest.Fake(strings.Join(os.Args[1:], " "))) },
	})
}

// taoctl is the program itself, as main runs it, in a process of its own. Two
// things differ: keys are derived cheaply, and the clock stands still.
func taoctl() {
	// A test must not ask whoever runs it: leave their terminal. A process that
	// was given a terminal of its own leads its session, and stays in it.
	_, _ = syscall.Setsid()
	keystoretest.WeakKDFForProcess()
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer limit(os.Getenv(fileLimit))()
	log, err := os.OpenFile(os.Getenv(record), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer log.Close()
	home, _ := os.UserHomeDir()
	return cmd.Main(ctx, &cmd.Env{
		In:       os.Stdin,
		Out:      io.MultiWriter(os.Stdout, log),
		Err:      errorOutput(log),
		Terminal: sync.OnceValues(term.Open),
		Getenv:   os.Getenv,
		Home:     home,
		Now:      func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Version:  "v1.2.3-test",
	}, os.Args[1:])
}

// errorOutput is standard error, recorded. Where it is a terminal it is left as
// it is: progress is drawn on terminals alone, and what is drawn is in "screen".
func errorOutput(log io.Writer) io.Writer {
	if _, err := term.New(os.Stderr, os.Stderr); err == nil {
		return os.Stderr
	}
	return io.MultiWriter(os.Stderr, log)
}

// limit makes writing files fail as on a full disk, until what it returns is
// called: a file may have so many bytes and no more.
func limit(bytes string) (lift func()) {
	n, err := strconv.ParseUint(bytes, 10, 64)
	if err != nil {
		return func() {}
	}
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		panic(err)
	}
	set := func(r syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
			panic(err)
		}
	}
	set(syscall.Rlimit{Cur: n, Max: before.Max})
	return func() { set(before) }
}

// update rewrites the expected results of scripts: go test ./cmd -update
var update = flag.Bool("update", false, "rewrite what cmp compares with in testdata/script")

// runner runs scripts beside each other, and lends them the test that they are.
type runner struct{ *testing.T }

func (r runner) Run(name string, f func(testscript.T)) {
	r.T.Run(name, func(t *testing.T) { f(runner{t}) })
}

func (r runner) Verbose() bool { return testing.Verbose() }

// TestScripts runs every script of testdata/script through the program, in
// processes of its own, against nodes in this one.
func TestScripts(t *testing.T) {
	words := scripttest.Words()
	maps.Copy(words, nodeWords())
	maps.Copy(words, governanceWords())
	words["full"] = scripttest.Positive("full FILE BYTES|none", 1, full)
	words["normal"] = scripttest.Positive("normal FILE TO [VAR...]", 2, normal)
	p := testscript.Params{
		Dir:                 "testdata/script",
		Setup:               setup,
		Cmds:                words,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	}
	p.Deadline, _ = t.Deadline()
	testscript.RunT(runner{t}, p)
}

// people are the development accounts that scripts send to.
var people = map[string]string{
	"ALICE":   "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
	"BOB":     "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
	"CHARLIE": "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y",
}

// settings are the variables that the program reads. A script begins with all
// of them empty, whatever the person who runs the tests has set.
var settings = []string{
	"BT_NETWORK", "BT_FALLBACK_ENDPOINTS", "BT_WALLET", "BT_WALLET_HOTKEY", "BT_WALLET_PATH",
	"BT_WALLET_PASSWORD_FILE", "TAOCTL_HOME",
}

func setup(e *testscript.Env) error {
	home := filepath.Join(e.WorkDir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	e.Setenv("HOME", home)
	e.Setenv(record, filepath.Join(e.WorkDir, ".record"))
	for _, name := range settings {
		e.Setenv(name, "")
	}
	for name, address := range people {
		e.Setenv(name, address)
	}
	t := e.T().(runner).T
	e.Values[nodesKey{}] = &nodes{t: t}
	s := &secrets{work: e.WorkDir}
	e.Defer(func() { s.check(t) })
	scripttest.Setup(e, t, map[string]scripttest.Act{"hide": s.hide, "recall": s.recall})
	return nil
}

// full makes the disk full from now on for what the script runs: no file may
// grow beyond the size of FILE and so many bytes more. "full none" ends it.
func full(ts *testscript.TestScript, args []string) {
	if args[0] == "none" {
		ts.Setenv(fileLimit, "")
		return
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Setenv(fileLimit, strconv.FormatInt(info.Size()+int64(number(ts, args[1])), 10))
}
