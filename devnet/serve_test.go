package devnet

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// served is a chain on a port of its own, by WebSocket and by HTTP.
func served(t *testing.T, c *Chain) (ws, url string) {
	t.Helper()
	l, err := Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "ws://" + l.Addr().String(), "http://" + l.Addr().String()
}

// A client of a real node is served the same over both.
func TestServe(t *testing.T) {
	c := toyChain(t, Options{Manual: true})
	build(t, c)
	ws, url := served(t, c)
	for _, endpoint := range []string{ws, url} {
		client, err := chain.Dial(t.Context(), endpoint)
		if err != nil {
			t.Fatal(err)
		}
		v, err := client.At(t.Context(), chain.Best())
		if err != nil {
			t.Fatalf("%s: %v", endpoint, err)
		}
		if v.Number() != 1 || v.Runtime().Spec().Name != "toy" || client.Genesis() != c.Status().Genesis {
			t.Errorf("%s: block %d, %s, genesis %s", endpoint, v.Number(), v.Runtime().Spec(), client.Genesis())
		}
		if x, err := v.Extrinsics(t.Context()); err != nil || len(x) != 1 || x[0][1] != 'i' {
			t.Errorf("%s: extrinsics %x, %v", endpoint, x, err)
		}
		if keys, err := v.Keys(t.Context(), nil, nil, 2); err != nil || len(keys) != 2 || string(keys[0]) != codeKey {
			t.Errorf("%s: keys %q, %v", endpoint, keys, err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	client, err := chain.Dial(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var seen []uint32
	for h, err := range client.Headers(ctx, false) {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, h.Number); len(seen) == 2 {
			break
		}
		go func() { _, _ = c.Build(ctx) }()
	}
	if seen[0] != 1 || seen[1] != 2 {
		t.Errorf("heads %v", seen)
	}
}

func post(t *testing.T, url, host, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// What is no request is answered, and strangers are not.
func TestStrange(t *testing.T) {
	c := toyChain(t, Options{Manual: true})
	ws, url := served(t, c)
	for _, x := range []struct{ host, body, want string }{
		{"", `{"id":1,"method":"system_chain","params":[]}`, `{"jsonrpc":"2.0","id":1,"result":"Development"}`},
		{"", `{"id":"a","method":"system_chain"}`, `"id":"a"`},
		{"", `{"id":1,"method":"chain_getHead"}`, `"result":"0x`},
		{"", `{"id":1,"method":"chain_getBlock","params":["0x01"]}`, `-32602`},
		{"", `{"id":1,"method":"state_call","params":["Core_nothing","0x"]}`, `Exported method Core_nothing is not found`},
		{"", `{"id":1,"method":"state_getStorage","params":["0x01","0x` + strings.Repeat("00", 32) + `"]}`, `UnknownBlock`},
		{"", `{"id":1,"method":"state_getKeysPaged","params":["0x",1001]}`, `4002`},
		{"", `{"id":1,"method":"nothing"}`, `-32601`},
		{"", `{"id":1,"method":"rpc_methods"}`, `"state_unsubscribeStorage"`},
		{"", `nonsense`, `-32700`},
		{"", `[]`, `-32700`},
		{"", `{"id":1,"method":"system_chain","params":{"a":1}}`, `-32700`},
		{"evil.example:80", `{"id":1,"method":"system_chain"}`, `for this machine alone`},
		{"localhost:80", `{"id":1,"method":"system_chain"}`, `Development`},
	} {
		if _, got := post(t, url, x.host, x.body); !strings.Contains(got, x.want) {
			t.Errorf("%s %s: %s, want %s", x.host, x.body, got, x.want)
		}
	}
	if _, _, err := websocket.Dial(t.Context(), ws, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://evil.example"}}}); err == nil {
		t.Error("a stranger's page got in")
	}
	conn, _, err := websocket.Dial(t.Context(), ws, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`[{"id":1,"method":"system_name"},{"id":2,"method":"system_chain"}]`)); err != nil {
		t.Fatal(err)
	}
	if _, b, err := conn.Read(t.Context()); err != nil || string(b) != `[{"jsonrpc":"2.0","id":1,"result":"taoctl devnet"},{"jsonrpc":"2.0","id":2,"result":"Development"}]` {
		t.Errorf("a list of two: %s %v", b, err)
	}
	if _, got := post(t, url, "", `[{"id":1,"method":"nothing"}]`); !strings.HasPrefix(got, `[{"jsonrpc":"2.0","id":1,"error"`) {
		t.Errorf("a list of one: %s", got)
	}
}

// Only this machine is served.
func TestLoopback(t *testing.T) {
	c := toyChain(t, Options{Manual: true})
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Skip(err)
	}
	if err := c.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("%v", err)
	}
}

// Each fault is what a client of a bad node meets.
func TestFaults(t *testing.T) {
	refused := chain.RPCError{Code: 1, Message: "no"}
	lost := func(err error) bool {
		var e *chain.LostError
		return errors.As(err, &e) && e.Sent
	}
	said := func(err error) bool {
		var e *chain.RPCError
		return errors.As(err, &e) && e.Message == "no"
	}
	malformed := func(err error) bool {
		var e *chain.ReplyError
		return errors.As(err, &e)
	}
	fine := func(err error) bool { return err == nil }
	for _, c := range []struct {
		fault Fault
		as    func(error) bool
		done  bool // the extrinsic waits all the same
	}{
		{Fault{Kind: FaultDropBefore}, lost, false},
		{Fault{Kind: FaultDropAfter}, lost, true},
		{Fault{Kind: FaultDelay, Wait: 20 * time.Millisecond}, fine, true},
		{Fault{Kind: FaultSilence}, lost, false},
		{Fault{Kind: FaultTwice}, fine, true},
		{Fault{Kind: FaultGarbage}, malformed, true},
		{Fault{Kind: FaultRefuse, Error: refused}, said, false},
		{Fault{Kind: FaultLie, Error: refused}, said, true},
		{Fault{Kind: FaultSwallow}, fine, false},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			net := toyChain(t, Options{Manual: true})
			c.fault.Method, c.fault.Times, c.fault.Skip = "author_submit", 1, 1
			ask[any](t, net, "dev_fail", c.fault)
			send(t, net, letter{'b', 0, 0, 1}) // passed over
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if err := net.Transport().Call(ctx, nil, "author_submitExtrinsic", letter{'a', 0, 0, 1}.hex()); !c.as(err) {
				t.Errorf("%v", err)
			}
			if got := len(net.pending()) == 2; got != c.done {
				t.Errorf("it waits: %v", got)
			}
			send(t, net, letter{'c', 0, 0, 1}) // the fault is over
		})
	}
	net := toyChain(t, Options{Manual: true})
	net.Fail(Fault{Method: "system_", Kind: FaultRefuse, Error: refused})
	for range 2 {
		if err := net.Transport().Call(t.Context(), nil, "system_chain"); !said(err) {
			t.Errorf("for ever: %v", err)
		}
	}
	ask[any](t, net, "dev_heal")
	ask[string](t, net, "system_chain")
	for _, bad := range []any{map[string]string{"kind": "drop-before"}, map[string]string{"kind": "worse", "method": "x"}, 5} {
		if err := net.Transport().Call(t.Context(), nil, "dev_fail", bad); err == nil {
			t.Errorf("fault %v", bad)
		}
	}
	// A line that breaks while something is followed.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var last error
	for _, err := range net.Transport().Subscribe(ctx, "chain_subscribeNewHeads") {
		if last = err; err == nil {
			net.HangUp()
		}
	}
	if !lost(last) {
		t.Errorf("followed over a broken line: %v", last)
	}
}

// Several clients at once, while blocks are made and the head moves.
func TestAtOnce(t *testing.T) {
	net := toyChain(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range 4 {
		go func() {
			for ctx.Err() == nil {
				_ = net.Transport().Call(ctx, nil, "state_getKeysPaged", "0x", 10)
				_ = net.Transport().Call(ctx, new(tao.Hash), "author_submitExtrinsic", letter{'a' + byte(i), 0, 0, 1}.hex())
			}
		}()
	}
	for range 20 {
		if err := net.Restore(0); err != nil {
			t.Fatal(err)
		}
		ask[any](t, net, "dev_setStorage", [][]string{{"0x7878", "0x01"}})
		build(t, net)
	}
}

// Whatever a client sends gets one answer, and never a panic.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"method":"chain_getBlockHash","params":[[1,"0x2"]]}`, `{"id":1,"method":"state_getKeysPaged","params":["0x",3,null]}`,
		`{"id":1,"method":"dev_setStorage","params":[{"Sudo":{"Key":"0x00"}}]}`, `{"id":1,"method":"payment_queryInfo","params":["0x1061000000"]}`,
		`{"id":1,"method":"author_submitExtrinsic","params":["0x1061000000"]}`, `{"id":1,"method":"dev_timeTravel","params":[1e20]}`,
		`{"id":1,"method":"state_subscribeStorage","params":[["0x61"]]}`, `{"id":1,"method":"state_queryStorageAt","params":[["0x61"],null]}`,
		`{"id":1,"method":"dev_newBlock","params":[{"count":2}]}`, `{"id":1,"method":"system_accountNextIndex","params":["5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"]}`,
		`{"id":1,"method":"dev_reorganize","params":[1]}`, `{"id":1,"method":"state_unsubscribeStorage","params":["taoctl1"]}`,
	} {
		f.Add(s)
	}
	c := toyChain(f, Options{Manual: true})
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "dev_newBlock") || strings.Contains(text, "dev_fail") {
			return // which may take its time, or cut the line as asked
		}
		s := newSession()
		c.join(s)
		defer c.leave(s)
		c.receive(t.Context(), s, []byte(text))
		first, ok := s.take()
		if !ok || !json.Valid(first) {
			t.Errorf("answered %q", first)
		}
	})
}
