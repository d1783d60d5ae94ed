package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// scripted serves one WebSocket: for each request, what answer returns is sent,
// message by message. "drop" breaks the line.
func scripted(t *testing.T, answer func(id uint64, method string) []string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			_, b, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			var req struct {
				ID     uint64 `json:"id"`
				Method string `json:"method"`
			}
			if json.Unmarshal(b, &req) != nil {
				return
			}
			for _, text := range answer(req.ID, req.Method) {
				if text == "drop" || conn.Write(r.Context(), websocket.MessageText, []byte(text)) != nil {
					return
				}
			}
		}
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

func result(id uint64, value string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":%s}`, id, value)
}

func notice(sub, value string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"x","params":{"subscription":%q,"result":%s}}`, sub, value)
}

func dialTest(t *testing.T, url string, opts ...Option) *socket {
	t.Helper()
	s, err := dialSocket(t.Context(), url, newOptions(opts))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Whatever a node sends in the place of a reply ends in a typed error.
func TestDamagedReplies(t *testing.T) {
	always := func(text string) func(uint64, string) []string {
		return func(uint64, string) []string { return []string{text} }
	}
	for name, answer := range map[string]func(uint64, string) []string{
		"no JSON":        always("<html>502</html>"),
		"cut off":        always(`{"jsonrpc":"2.0","id":1,"resul`),
		"empty":          always(``),
		"null":           always(`null`),
		"array":          always(`[]`),
		"no request":     always(`{"jsonrpc":"2.0","result":1}`),
		"id never given": always(`{"jsonrpc":"2.0","id":7,"result":1}`),
		"id 0":           always(`{"jsonrpc":"2.0","id":0,"result":1}`),
		"id is text":     always(`{"jsonrpc":"2.0","id":"one","result":1}`),
		"neither":        always(`{"jsonrpc":"2.0","id":1}`),
		"error is text":  always(`{"jsonrpc":"2.0","id":1,"error":"no"}`),
		"another type":   always(`{"jsonrpc":"2.0","id":1,"result":{"a":1}}`),
	} {
		t.Run(name, func(t *testing.T) {
			s := dialTest(t, scripted(t, answer))
			var n int
			err := s.Call(t.Context(), &n, "test")
			var reply *ReplyError
			if !errors.As(err, &reply) {
				t.Errorf("%v, want *ReplyError", err)
			}
		})
	}
}

func TestRPCErrorIsKept(t *testing.T) {
	s := dialTest(t, scripted(t, func(id uint64, _ string) []string {
		return []string{fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"error":{"code":1010,"message":"Invalid Transaction","data":"Custom error: 6"}}`, id)}
	}))
	err := s.Call(t.Context(), nil, "test")
	var rpc *RPCError
	if !errors.As(err, &rpc) || rpc.Code != 1010 || rpc.Message != "Invalid Transaction" || string(rpc.Data) != `"Custom error: 6"` {
		t.Errorf("%+v", rpc)
	}
}

func TestErrorToNobody(t *testing.T) {
	s := dialTest(t, scripted(t, func(uint64, string) []string {
		return []string{`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`}
	}))
	var rpc *RPCError
	if err := s.Call(t.Context(), nil, "test"); !errors.As(err, &rpc) || rpc.Code != -32700 {
		t.Errorf("%v", err)
	}
}

func TestLineBreaks(t *testing.T) {
	s := dialTest(t, scripted(t, func(uint64, string) []string { return []string{"drop"} }))
	var lost *LostError
	if err := s.Call(t.Context(), nil, "test"); !errors.As(err, &lost) || !lost.Sent {
		t.Errorf("the request under way: %v", err)
	}
	if err := s.Call(t.Context(), nil, "test"); !errors.As(err, &lost) || lost.Sent {
		t.Errorf("the one after: %v", err)
	}
}

func TestNobodyThere(t *testing.T) {
	for _, endpoint := range []string{"ws://127.0.0.1:1/secret", "http://127.0.0.1:1/secret?key=secret", "ws://user:secret@127.0.0.1:1"} {
		_, err := Dial(t.Context(), endpoint)
		var lost *LostError
		if !errors.As(err, &lost) || lost.Sent {
			t.Errorf("%s: %v, want *LostError, not sent", endpoint, err)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the endpoint's secret: %v", err)
		}
	}
}

func TestSilence(t *testing.T) {
	silent := scripted(t, func(uint64, string) []string { return nil })
	s := dialTest(t, silent, WithTimeout(20*time.Millisecond))
	err := s.Call(t.Context(), nil, "test")
	var lost *LostError
	if !errors.As(err, &lost) || !lost.Sent || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the line's time-out: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Call(ctx, nil, "test"); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller's end: %v", err)
	}
	if s.lost() {
		t.Error("a caller's end broke the line")
	}
}

// A line that died without a word is noticed by the missing pong; a quiet one
// that answers stays.
func TestPing(t *testing.T) {
	fast := func(o *options) { o.pingEvery, o.pingTimeout = 5*time.Millisecond, 200*time.Millisecond }
	deaf := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		<-t.Context().Done() // never reads, so never answers a ping
	}))
	t.Cleanup(deaf.Close)
	s := dialTest(t, "ws"+strings.TrimPrefix(deaf.URL, "http"), fast)
	var lost *LostError
	if err := s.Call(t.Context(), nil, "test"); !errors.As(err, &lost) || !strings.Contains(err.Error(), "ping") {
		t.Errorf("%v, want the ping's end", err)
	}
	quiet := dialTest(t, scripted(t, func(id uint64, _ string) []string { return []string{result(id, "1")} }), fast)
	if err := quiet.conn.Ping(t.Context()); err != nil { // a round trip: the timer has run meanwhile or will
		t.Fatal(err)
	}
	if err := quiet.Call(t.Context(), nil, "test"); err != nil {
		t.Errorf("a quiet line: %v", err)
	}
}

// The answer to a request that was given up belongs to nobody, and harms nobody.
func TestLateReply(t *testing.T) {
	s := dialTest(t, scripted(t, func(id uint64, method string) []string {
		if method == "first" {
			return nil
		}
		return []string{result(1, `"late"`), result(id, `"mine"`)}
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Call(ctx, nil, "first"); err == nil {
		t.Fatal("the first call was answered")
	}
	var got string
	if err := s.Call(t.Context(), &got, "second"); err != nil || got != "mine" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestReplyTooLarge(t *testing.T) {
	large := strings.Repeat("x", 5000)
	s := dialTest(t, scripted(t, func(id uint64, _ string) []string {
		return []string{result(id, `"`+large+`"`)}
	}), WithMaxReply(4096))
	var lost *LostError
	if err := s.Call(t.Context(), nil, "test"); !errors.As(err, &lost) {
		t.Errorf("%v, want *LostError", err)
	}
	// The library's own limit, 32 KiB, is not ours.
	s = dialTest(t, scripted(t, func(id uint64, _ string) []string {
		return []string{result(id, `"`+strings.Repeat("x", 1<<20)+`"`)}
	}))
	var got string
	if err := s.Call(t.Context(), &got, "test"); err != nil || len(got) != 1<<20 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// Replies in another order than the requests find their callers.
func TestManyAtOnce(t *testing.T) {
	var mu sync.Mutex
	var held []string
	s := dialTest(t, scripted(t, func(id uint64, method string) []string {
		mu.Lock()
		defer mu.Unlock()
		held = append([]string{result(id, `"`+method+`"`)}, held...)
		if len(held) < 20 {
			return nil
		}
		return held
	}))
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			method, got := fmt.Sprint("m", i), ""
			if err := s.Call(t.Context(), &got, method); err != nil || got != method {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	all.Wait()
}

// Notices may overtake the reply that names their subscription.
func TestEarlyNotices(t *testing.T) {
	s := dialTest(t, scripted(t, func(id uint64, method string) []string {
		if strings.Contains(method, "unsubscribe") {
			return []string{result(id, "true")}
		}
		return []string{notice("a", "1"), notice("other", "9"), notice("a", "2"), result(id, `"a"`), notice("a", "3")}
	}))
	var got []string
	for n, err := range s.Subscribe(t.Context(), "test_subscribe") {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, string(n)); len(got) == 3 {
			break
		}
	}
	if fmt.Sprint(got) != "[1 2 3]" {
		t.Errorf("notices %v", got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.subs) != 0 || len(s.early) != 0 || s.nEarly != 0 || s.waiting != 0 {
		t.Errorf("left behind: %v %v %d %d", s.subs, s.early, s.nEarly, s.waiting)
	}
}

func TestSubscriptionEnds(t *testing.T) {
	s := dialTest(t, scripted(t, func(id uint64, method string) []string {
		return []string{result(id, `"a"`), notice("a", "1"), "drop"}
	}))
	var got []string
	var last error
	for n, err := range s.Subscribe(t.Context(), "test_subscribe") {
		got, last = append(got, string(n)), err
	}
	var lost *LostError
	if len(got) != 2 || got[0] != "1" || !errors.As(last, &lost) {
		t.Errorf("notices %q, error %v", got, last)
	}
}

// The line is lost while the reply that opens a subscription is being read:
// the subscription ends all the same.
func TestSubscriptionOfALostLine(t *testing.T) {
	s := &socket{err: errClosed, subs: map[string]*subscription{}, early: map[string][]json.RawMessage{}, calls: map[uint64]*call{}, lastID: 1, waiting: 1}
	sub := &subscription{ready: make(chan struct{}, 1)}
	c := &call{id: 1, sub: sub, reply: make(chan message, 1)}
	s.calls[1] = c
	if err := s.deliver(message{ID: &c.id, Result: json.RawMessage(`"x"`)}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var lost *LostError
	if _, err := sub.next(ctx); !errors.As(err, &lost) || !lost.Sent {
		t.Errorf("the subscription ends with %v", err)
	}
}

// An answer that came is given, though the line or the caller's time ended just after.
func TestAnswerBeforeTheEnd(t *testing.T) {
	for range 200 {
		s := &socket{timeout: time.Minute, queue: make(chan *call), done: make(chan struct{}), calls: map[uint64]*call{}}
		go func() {
			c := <-s.queue
			c.reply <- message{ID: &c.id, Result: json.RawMessage(`7`)}
			close(s.done)
		}()
		var got int
		if err := s.Call(t.Context(), &got, "test"); err != nil || got != 7 {
			t.Fatalf("%d, %v", got, err)
		}
	}
}

func TestSubscriptionRefused(t *testing.T) {
	s := dialTest(t, scripted(t, func(id uint64, method string) []string {
		return []string{fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"error":{"code":1010,"message":"no"}}`, id)}
	}))
	for _, err := range s.Subscribe(t.Context(), "test_subscribe") {
		var rpc *RPCError
		if !errors.As(err, &rpc) {
			t.Errorf("%v, want *RPCError", err)
		}
	}
}

// A reader that falls behind learns that notices were lost, and holds nobody up.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := &subscription{ready: make(chan struct{}, 1)}
		for range maxNotices {
			if !sub.push(json.RawMessage("1")) {
				t.Fatal("refused too soon")
			}
		}
		if sub.push(json.RawMessage("1")) {
			t.Fatal("not refused")
		}
		read := 0
		for {
			_, err := sub.next(t.Context())
			if err != nil {
				if !errors.Is(err, ErrLagged) || read != maxNotices {
					t.Errorf("%d notices, then %v", read, err)
				}
				return
			}
			read++
		}
	})
}

func TestUnsubscribeMethod(t *testing.T) {
	for method, want := range map[string]string{
		"chain_subscribeNewHeads":        "chain_unsubscribeNewHeads",
		"chain_subscribeFinalizedHeads":  "chain_unsubscribeFinalizedHeads",
		"state_subscribeRuntimeVersion":  "state_unsubscribeRuntimeVersion",
		"author_submitAndWatchExtrinsic": "author_unwatchExtrinsic",
	} {
		if got := unsubscribeMethod(method); got != want {
			t.Errorf("%s: %s", method, got)
		}
	}
}

func TestHTTPFaults(t *testing.T) {
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		check func(error) bool
	}{
		"status": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "busy", http.StatusServiceUnavailable) }, isLost},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, isLost},
		"garbage":  {reply(`hello`), isReply},
		"wrong id": {reply(`{"jsonrpc":"2.0","id":9,"result":1}`), isReply},
		"error without code": {reply(`{"jsonrpc":"2.0","id":1,"error":{"message":"no"}}`), func(err error) bool {
			var rpc *RPCError
			return errors.As(err, &rpc) && rpc.Message == "no"
		}},
		"too large": {reply(strings.Repeat("x", 2000)), isLost},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.serve)
			defer server.Close()
			p := newPoster(server.URL, newOptions([]Option{WithMaxReply(1000)}))
			defer p.Close()
			if err := p.Call(t.Context(), nil, "test"); !c.check(err) {
				t.Errorf("%v", err)
			}
			for _, err := range p.Subscribe(t.Context(), "test_subscribe") {
				if !errors.Is(err, ErrNoSubscriptions) {
					t.Errorf("subscription: %v", err)
				}
			}
		})
	}
}

func reply(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

func isLost(err error) bool {
	var lost *LostError
	return errors.As(err, &lost) && lost.Sent
}

func isReply(err error) bool {
	var reply *ReplyError
	return errors.As(err, &reply)
}

func FuzzParseMessage(f *testing.F) {
	for _, text := range []string{
		result(1, "true"), notice("a", "1"), `{"jsonrpc":"2.0","id":1,"error":{"code":1010,"message":"{\"invalid\":{\"stale\":null}}"}}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`, `[]`, `{"id":-1,"result":1}`, `{"id":1e3,"result":1}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMessage(b)
		if err != nil {
			var reply *ReplyError
			if !errors.As(err, &reply) || len(err.Error()) > 4000 {
				t.Errorf("%d characters: %v", len(err.Error()), err)
			}
			return
		}
		// Every message that passes is for exactly one receiver.
		if (m.ID != nil) == (m.Subscription != "") && m.Error == nil {
			t.Errorf("%q: %+v", b, m)
		}
		_ = store(m, "test", new(any))
	})
}
