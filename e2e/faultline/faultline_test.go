package faultline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/taoctl/taoctl/e2e/faultline"
)

// node answers every request with its own method as the result, and tells which
// methods reached it.
func node(t *testing.T) (url string, reached <-chan string) {
	t.Helper()
	got := make(chan string, 16)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			_, frame, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			var req struct {
				ID     int
				Method string
			}
			if err := json.Unmarshal(frame, &req); err != nil {
				return
			}
			got <- req.Method
			reply := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":%q}`, req.ID, req.Method)
			if conn.Write(r.Context(), websocket.MessageText, reply) != nil {
				return
			}
		}
	}))
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http"), got
}

func dial(t *testing.T, ctx context.Context, url string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func ask(t *testing.T, ctx context.Context, conn *websocket.Conn, id int, method string) {
	t.Helper()
	request := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":[]}`, id, method)
	if err := conn.Write(ctx, websocket.MessageText, request); err != nil {
		t.Fatal(err)
	}
}

func TestFaults(t *testing.T) {
	const hello, submit = `{"jsonrpc":"2.0","id":1,"result":"system_chain"}`, "author_submitExtrinsic"
	tests := []struct {
		kind    faultline.Kind
		reply   string // to the submission; "" for none and a dead line
		reaches bool   // the submission reaches the node
	}{
		{faultline.None, `{"jsonrpc":"2.0","id":2,"result":"author_submitExtrinsic"}`, true},
		{faultline.CutBefore, "", false},
		{faultline.CutAfter, "", true},
		{faultline.Garble, "\x00\xff<html>", true},
		{faultline.Truncate, `{"jsonrpc":"2.0","id":2,"resu`, true},
		{faultline.WrongType, `{"jsonrpc":"2.0","id":2,"result":{"surprise":[true]}}`, true},
	}
	for _, tt := range tests {
		t.Run(string(tt.kind), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			url, reached := node(t)
			line := start(t, url, faultline.Fault{Kind: tt.kind, Method: "author_submit*"})
			conn := dial(t, ctx, line.URL())

			ask(t, ctx, conn, 1, "system_chain")
			if got := reply(ctx, conn); got != hello {
				t.Fatalf("the line does not carry other methods: %q", got)
			}
			<-reached
			ask(t, ctx, conn, 2, submit)
			if got := reply(ctx, conn); got != tt.reply {
				t.Errorf("reply %q, want %q", got, tt.reply)
			}
			if tt.reaches {
				if got := <-reached; got != submit {
					t.Errorf("the node got %s", got)
				}
			} else if len(reached) > 0 {
				t.Error("the node got a request that was to be swallowed")
			}
			if got := line.Requests("author_*"); got != 1 {
				t.Errorf("%d submissions counted, want 1", got)
			}
			if dead := tt.reply == ""; dead {
				if _, _, err := websocket.Dial(ctx, line.URL(), nil); err == nil {
					t.Error("a dead line lets somebody in")
				}
			}
		})
	}
}

func TestSilence(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	url, _ := node(t)
	line := start(t, url, faultline.Fault{Kind: faultline.Silence, Method: "b"})
	conn := dial(t, ctx, line.URL())
	ask(t, ctx, conn, 1, "b")
	<-line.Struck()
	ask(t, ctx, conn, 2, "c")
	if got, want := reply(ctx, conn), `{"jsonrpc":"2.0","id":2,"result":"c"}`; got != want {
		t.Errorf("reply %q, want %q: the first is swallowed, the second is not", got, want)
	}
}

func TestDropAfter(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	url, reached := node(t)
	line := start(t, url, faultline.Fault{Kind: faultline.DropAfter, Method: "a"})
	conn := dial(t, ctx, line.URL())
	ask(t, ctx, conn, 1, "a")
	if got := reply(ctx, conn); got != "" {
		t.Errorf("reply %q, want a broken line", got)
	}
	<-reached
	again := dial(t, ctx, line.URL())
	ask(t, ctx, again, 1, "a")
	if got, want := reply(ctx, again), `{"jsonrpc":"2.0","id":1,"result":"a"}`; got != want {
		t.Errorf("reply %q after connecting again, want %q", got, want)
	}
}

func TestCheck(t *testing.T) {
	for _, f := range []faultline.Fault{{Kind: "explode", Method: "x"}, {Kind: faultline.Garble, Method: "[x"}, {}} {
		if _, err := faultline.Start(t.Context(), "ws://127.0.0.1:1", f); err == nil {
			t.Errorf("%+v: no error", f)
		}
	}
}

func start(t *testing.T, url string, f faultline.Fault) *faultline.Line {
	t.Helper()
	line, err := faultline.Start(t.Context(), url, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	return line
}

// reply is the next frame, or "" when the line ends instead.
func reply(ctx context.Context, conn *websocket.Conn) string {
	_, frame, err := conn.Read(ctx)
	if err != nil {
		return ""
	}
	return string(frame)
}
