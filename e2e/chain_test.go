//go:build e2e && unix

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// chain is a running local chain: what its ready line tells, and how to ask it.
type chain struct {
	URL                string            `json:"url"`
	SpecVersion        int               `json:"specVersion"`
	TransactionVersion int               `json:"transactionVersion"`
	GenesisHash        string            `json:"genesisHash"`
	Accounts           map[string]string `json:"accounts"` // Alice → SS58

	first string // hash of the head it started with
}

// startTimeout is generous: a start takes three seconds on an idle machine.
const startTimeout = time.Minute

// startChain starts a chain which ends with the test. What it wrote on stderr is
// shown when the test fails.
func startChain(t *testing.T, spec string) *chain {
	t.Helper()
	var log syncBuffer
	cmd := exec.Command("node", "localnet/start.mjs", "--spec", spec, "--port", "0", "--until-stdin-closes")
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
		stop := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		if err := cmd.Wait(); cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
			t.Errorf("the chain of %s did not end as it should, by SIGTERM: %v", spec, err)
		}
		if t.Failed() {
			t.Logf("stderr of the chain of %s:\n%s", spec, log.String())
		}
	})
	c, err := readReady(stdout)
	if err != nil {
		t.Fatalf("starting a chain from %s: %v\n%s", spec, err, log.String())
	}
	if c.first, err = c.head(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s runs spec %d at %s", spec, c.SpecVersion, c.URL)
	return c
}

func readReady(stdout io.Reader) (*chain, error) {
	type result struct {
		line []byte
		err  error
	}
	got := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(stdout).ReadBytes('\n')
		got <- result{line, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return nil, fmt.Errorf("it ended without a ready line: %w", r.err)
		}
		c := new(chain)
		return c, json.Unmarshal(r.line, c)
	case <-time.After(startTimeout):
		return nil, fmt.Errorf("no ready line in %s", startTimeout)
	}
}

// condition answers [spec:293] and [since:218] in scripts.
func (c *chain) condition(cond string) (bool, error) {
	name, arg, _ := strings.Cut(cond, ":")
	n, err := strconv.Atoi(arg)
	switch {
	case err != nil:
	case name == "spec":
		return c.SpecVersion == n, nil
	case name == "since":
		return c.SpecVersion >= n, nil
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
