//go:build unix

// Package scripttest holds what test scripts of the whole program need beyond
// testscript's own words: exact exit codes, processes beside the script, a
// person at the terminal, and JSON. Only tests import it.
//
// The words:
//
//	exits CODE[|CODE...] PROGRAM [ARG...]  exec, with the exact exit code
//	start JOB PROGRAM [ARG...]             run beside the script
//	interrupt JOB                          what Ctrl-C sends
//	finish JOB CODE[|CODE...]              wait; output is in JOB.stdout and JOB.stderr
//	person FILE CODE PROGRAM [ARG...]      run at a terminal, at which a person follows FILE
//	[!] jsonq FILE PATH ==|~ VALUE         a value of a JSON text is, or holds, another
//	jsonq FILE PATH -> VAR                 a value of a JSON text as a variable
package scripttest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Word is a command of a script.
type Word = func(ts *testscript.TestScript, neg bool, args []string)

// Words returns the words listed above. [Setup] must have run.
func Words() map[string]Word {
	return map[string]Word{
		"exits":     Positive("exits CODE[|CODE...] PROGRAM [ARG...]", 2, Exits),
		"start":     Positive("start JOB PROGRAM [ARG...]", 2, start),
		"interrupt": Positive("interrupt JOB", 1, interrupt),
		"finish":    Positive("finish JOB CODE[|CODE...]", 2, finish),
		"person":    Positive("person FILE CODE PROGRAM [ARG...]", 3, person),
		"jsonq":     jsonq,
	}
}

// Positive makes a word that cannot be negated and needs some arguments.
func Positive(usage string, least int, run func(*testscript.TestScript, []string)) Word {
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

// session is what the words of one script share.
type session struct {
	tb    testing.TB
	acts  map[string]Act
	names []string // of the variables that jobs and persons' programs get
	jobs  map[string]*job
}

type sessionKey struct{}

func of(ts *testscript.TestScript) *session { return ts.Value(sessionKey{}).(*session) }

// Setup prepares a script, at the end of testscript.Params.Setup. acts are what
// its persons can do beyond seeing, typing and pressing. Jobs and persons'
// programs get the variables that exist now, with the values of their start.
func Setup(e *testscript.Env, tb testing.TB, acts map[string]Act) {
	s := &session{tb: tb, acts: acts, jobs: map[string]*job{}}
	for _, v := range e.Vars {
		name, _, _ := strings.Cut(v, "=")
		s.names = append(s.names, name)
	}
	e.Values[sessionKey{}] = s
	e.Defer(s.close)
}

func (s *session) close() {
	for _, j := range s.jobs {
		_ = j.cmd.Process.Kill() // it may have ended by itself
		<-j.done                 //nolint:errcheck // how it ended is of no interest now
	}
}

// Exits is the word "exits", for other words to build on.
func Exits(ts *testscript.TestScript, args []string) {
	wantCode(ts, ts.Exec(args[1], args[2:]...), args[0])
}

// wantCode compares what running a process returned with "5" or "0|5|6".
func wantCode(ts *testscript.TestScript, err error, want string) {
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode() // -1 for a signal
	} else {
		ts.Check(err)
	}
	if !slices.Contains(strings.Split(want, "|"), strconv.Itoa(code)) {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// job is a process beside the script. testscript's own background processes tell
// success from failure, and no exit code.
type job struct {
	cmd  *exec.Cmd
	done chan error
}

func start(ts *testscript.TestScript, args []string) {
	name := args[0]
	s := of(ts)
	if s.jobs[name] != nil {
		ts.Fatalf("job %s runs already", name)
	}
	cmd := command(ts, args[1:])
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

// command makes a process with the script's folder and variables.
func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), lookPath(ts, args[0]), args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range of(ts).names {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	return cmd
}

// lookPath finds a program in the script's $PATH, which is not the test's.
func lookPath(ts *testscript.TestScript, program string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if found, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return found
		}
	}
	ts.Fatalf("%s is not in $PATH", program)
	return ""
}

func interrupt(ts *testscript.TestScript, args []string) {
	ts.Check(findJob(ts, args[0]).cmd.Process.Signal(os.Interrupt))
}

func finish(ts *testscript.TestScript, args []string) {
	name := args[0]
	j := findJob(ts, name)
	delete(of(ts).jobs, name)
	err := WaitFor(ts, j.done, "the end of job "+name)
	ts.Logf("[%s.stdout]\n%s[%s.stderr]\n%s", name, ts.ReadFile(name+".stdout"), name, ts.ReadFile(name+".stderr"))
	wantCode(ts, err, args[1])
}

func findJob(ts *testscript.TestScript, name string) *job {
	j := of(ts).jobs[name]
	if j == nil {
		ts.Fatalf("no job %s", name)
	}
	return j
}

// patience bounds every wait for a signal that ought to come at once. It ends a
// test that has failed already; nothing is measured by it.
const patience = time.Minute

// WaitFor waits for a signal, and fails the script if it does not come.
func WaitFor[T any](ts *testscript.TestScript, c <-chan T, what string) (v T) {
	select {
	case v = <-c:
	case <-time.After(patience):
		ts.Fatalf("waited %s for %s", patience, what)
	}
	return v
}
