//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// chain is a running local chain: what it tells when it is ready, and how to ask
// it.
type chain struct {
	URL      string
	Spec     int
	Tx       int
	Genesis  string
	Accounts map[string]string // Alice → SS58

	first  string // hash of the head it started with
	steady bool   // its price of registration has to be held
}

// UnmarshalJSON reads what either node tells.
func (c *chain) UnmarshalJSON(b []byte) error {
	var js struct { // localnet/start.mjs
		URL                string
		SpecVersion        int
		TransactionVersion int
		GenesisHash        string
		Accounts           map[string]string
	}
	if err := json.Unmarshal(b, &js); err == nil {
		*c = chain{URL: js.URL, Spec: js.SpecVersion, Tx: js.TransactionVersion, Genesis: js.GenesisHash, Accounts: js.Accounts}
		return nil
	}
	var own struct { // taoctl devnet
		URL      string
		Spec     int `json:"spec_version"`
		Tx       int `json:"tx_version"`
		Genesis  string
		Accounts []struct{ Name, Account string }
	}
	err := json.Unmarshal(b, &own)
	*c = chain{URL: own.URL, Spec: own.Spec, Tx: own.Tx, Genesis: own.Genesis, Accounts: map[string]string{}}
	for _, a := range own.Accounts {
		c.Accounts[a.Name] = a.Account
	}
	return err
}

// startTimeout is generous: a start takes three seconds on an idle machine.
const startTimeout = time.Minute

// node runs a chain spec's runtime: how it is started, and how it ends once its
// standard input is closed and it was told to stop.
type node struct {
	name    string
	command func(bin, spec string) *exec.Cmd
	ended   func(*os.ProcessState) bool
}

// embedded stands for the devnet's own runtime, which needs no chain spec.
const embedded = "embedded"

// chains are what a node can run.
func (n node) chains(specs []string) []string {
	if n.name == "devnet" {
		return append(slices.Clone(specs), embedded)
	}
	return specs
}

// nodes are Chopsticks, which others wrote, and the program itself. What holds on
// both is no matter of either.
func nodes() []node {
	return []node{
		{"chopsticks", func(_, spec string) *exec.Cmd {
			return exec.Command("node", "localnet/start.mjs", "--spec", spec, "--port", "0", "--until-stdin-closes")
		}, func(p *os.ProcessState) bool { return p.Sys().(syscall.WaitStatus).Signal() == syscall.SIGTERM }},
		{"devnet", func(bin, spec string) *exec.Cmd {
			args := []string{"devnet", "--port", "0", "--json"}
			if spec != embedded {
				args = append(args, "--chainspec", spec)
			}
			return exec.Command(filepath.Join(bin, "taoctl"), args...)
		}, func(p *os.ProcessState) bool { return p.Success() }},
	}
}

// start starts a chain which ends with the test. What it wrote on stderr is shown
// when the test fails.
func (n node) start(t *testing.T, bin, spec string) *chain {
	t.Helper()
	var log syncBuffer
	cmd := n.command(bin, spec)
	cmd.Stderr = &log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if n.name == "devnet" {
			_ = cmd.Process.Signal(os.Interrupt)
		}
		stop := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		if err := cmd.Wait(); !n.ended(cmd.ProcessState) {
			t.Errorf("the chain of %s did not end as it should: %v", spec, err)
		}
		if t.Failed() {
			t.Logf("stderr of the chain of %s:\n%s", spec, log.String())
		}
	})
	c, err := readReady(stdout)
	if err != nil {
		t.Fatalf("starting a chain from %s: %v\n%s", spec, err, log.String())
	}
	c.steady = spec == embedded
	if c.first, err = c.head(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s runs spec %d at %s", spec, c.Spec, c.URL)
	return c
}

func readReady(stdout io.Reader) (*chain, error) {
	type result struct {
		c   chain
		err error
	}
	got := make(chan result, 1)
	go func() {
		var r result
		r.err = json.NewDecoder(stdout).Decode(&r.c)
		got <- r
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return nil, fmt.Errorf("it did not say that it is ready: %w", r.err)
		}
		return &r.c, nil
	case <-time.After(startTimeout):
		return nil, fmt.Errorf("it is not ready after %s", startTimeout)
	}
}

// condition answers [spec:293] and [since:218] in scripts.
func (c *chain) condition(cond string) (bool, error) {
	name, arg, _ := strings.Cut(cond, ":")
	n, err := strconv.Atoi(arg)
	switch {
	case err != nil:
	case name == "spec":
		return c.Spec == n, nil
	case name == "since":
		return c.Spec >= n, nil
	}
	return false, fmt.Errorf("condition %q: want spec:N or since:N", cond)
}

// reset takes the chain back to the block it started with.
func (c *chain) reset(ctx context.Context) error {
	_, err := c.call(ctx, "dev_setHead", c.first)
	return err
}

func (c *chain) head(ctx context.Context) (hash string, err error) {
	raw, err := c.call(ctx, "chain_getBlockHash")
	if err != nil {
		return "", err
	}
	return hash, json.Unmarshal(raw, &hash)
}

// call asks the node directly, over HTTP. Chopsticks gives errors a message there,
// and no code.
func (c *chain) call(ctx context.Context, method string, params ...any) (json.RawMessage, error) {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	url := "http" + strings.TrimPrefix(c.URL, "ws")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	defer resp.Body.Close()
	var reply struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if reply.Error != nil {
		return nil, fmt.Errorf("%s: %w", method, errors.New(reply.Error.Message))
	}
	return reply.Result, nil
}

// syncBuffer is written by a process and read by the test.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
