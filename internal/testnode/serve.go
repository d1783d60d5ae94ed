package testnode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/taoctl/taoctl/chain"
)

// session is one client's line. Messages leave in order and never hold the
// node up: the queue has no bound, since it lives as long as a test.
type session struct {
	mu    sync.Mutex
	queue []string
	wake  chan struct{}
	gone  chan struct{}
	once  sync.Once
}

func newSession() *session {
	return &session{wake: make(chan struct{}, 1), gone: make(chan struct{})}
}

func (s *session) send(text string) {
	s.mu.Lock()
	s.queue = append(s.queue, text)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next waits for a message to send; false means that the line has ended.
func (s *session) next(ctx context.Context) (string, bool) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			text := s.queue[0]
			s.queue = s.queue[1:]
			s.mu.Unlock()
			return text, true
		}
		s.mu.Unlock()
		select {
		case <-s.wake:
		case <-s.gone:
			return "", false
		case <-ctx.Done():
			return "", false
		}
	}
}

func (s *session) drop() { s.once.Do(func() { close(s.gone) }) }

// call is a JSON-RPC request.
type call struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

// serve carries a request out and queues what the client shall receive.
func (n *Node) serve(s *session, c call) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls[c.Method]++
	f := n.fault(c.Method, -1)
	if f != nil {
		switch f.Kind {
		case DropBefore:
			s.drop()
			return
		case Silence:
			return
		case Refuse:
			s.reply(c, nil, &f.Error, nil)
			return
		}
	}
	result, then, refused := n.do(s, c)
	if f != nil && f.Kind == Delay {
		time.AfterFunc(f.Wait, func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			s.reply(c, result, refused, nil)
			n.after(c.Method, then, refused)
		})
		return
	}
	if f != nil && f.Kind == Betray {
		s.reply(c, nil, &f.Error, nil)
		n.after(c.Method, then, refused)
		return
	}
	if f != nil && f.Kind == DropAfter {
		s.drop()
	} else {
		s.reply(c, result, refused, f)
	}
	n.after(c.Method, then, refused)
}

// do carries a request out.
func (n *Node) do(s *session, c call) (result any, then func(), refused *chain.RPCError) {
	switch {
	case strings.Contains(c.Method, "_unsubscribe") || c.Method == "author_unwatchExtrinsic":
		return n.unsubscribe(c.Params), nil, nil
	case strings.Contains(c.Method, "_subscribe") || c.Method == "author_submitAndWatchExtrinsic":
		return n.subscribe(s, c.Method, c.Params)
	}
	result, refused = n.answer(c.Method, c.Params)
	return result, nil, refused
}

// after does what follows a reply.
func (n *Node) after(method string, then func(), refused *chain.RPCError) {
	switch {
	case refused != nil:
	case then != nil:
		then()
	case method == "author_submitExtrinsic":
		n.submitted()
	}
}

// reply writes a reply, damaged if the fault says so.
func (s *session) reply(c call, result any, refused *chain.RPCError, f *Fault) {
	text := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, c.ID, mustJSON(result))
	if refused != nil {
		text = fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":%s}`, c.ID, mustJSON(refused))
	}
	if f != nil {
		text = f.damage(text)
	}
	s.send(text)
}

func (f *Fault) damage(text string) string {
	switch f.Kind {
	case Garbage:
		return "<html>502 Bad Gateway</html>"
	case Truncated:
		return text[:len(text)-2]
	case WrongID:
		return `{"jsonrpc":"2.0","id":4294967295,"result":null}`
	case Oversize:
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":%q}`, strings.Repeat("x", f.Size))
	}
	return text
}

// Listen serves the node over WebSocket and HTTP on loopback until the test
// ends, and returns both addresses.
func (n *Node) Listen() (ws, http string) {
	n.tb.Helper()
	server := httptest.NewServer(httpHandler{n})
	n.tb.Cleanup(func() {
		n.HangUp()
		server.Close()
	})
	return "ws" + strings.TrimPrefix(server.URL, "http"), server.URL
}

// HangUp breaks every line that is open.
func (n *Node) HangUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for s := range n.sessions {
		s.drop()
	}
}

type httpHandler struct{ node *Node }

func (h httpHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		h.node.servePost(w, r)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	h.node.serveSocket(r.Context(), conn)
}

func (n *Node) serveSocket(ctx context.Context, conn *websocket.Conn) {
	conn.SetReadLimit(64 << 20)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := newSession()
	n.join(s)
	defer n.leave(s)
	go func() {
		defer conn.CloseNow()
		for {
			text, ok := s.next(ctx)
			if !ok || conn.Write(ctx, websocket.MessageText, []byte(text)) != nil {
				return
			}
		}
	}()
	for {
		_, b, err := conn.Read(ctx)
		if err != nil {
			return
		}
		var c call
		if json.Unmarshal(b, &c) != nil {
			return
		}
		n.serve(s, c)
	}
}

func (n *Node) join(s *session) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sessions[s] = true
}

// leave ends a session and its subscriptions.
func (n *Node) leave(s *session) {
	s.drop()
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.sessions, s)
	for id, w := range n.watches {
		if w.session == s {
			delete(n.watches, id)
		}
	}
}

func (n *Node) servePost(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	var c call
	if err != nil || json.Unmarshal(b, &c) != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	s := newSession()
	n.join(s)
	defer n.leave(s)
	n.serve(s, c)
	text, ok := s.next(r.Context())
	if !ok {
		panic(http.ErrAbortHandler) // breaks the line without an answer
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, text)
}

// Transport is a line to the node in memory.
func (n *Node) Transport() chain.Transport { return &memory{node: n, endpoint: "memory"} }

type memory struct {
	node     *Node
	endpoint string
}

func (m *memory) Close() error { return nil }

var errDropped = errors.New("testnode dropped the line")

// open asks and waits for the first message, which is the reply.
func (m *memory) open(ctx context.Context, method string, params []any) (*session, json.RawMessage, error) {
	s := newSession()
	m.node.join(s)
	c := call{ID: json.RawMessage("1"), Method: method}
	for _, p := range params {
		c.Params = append(c.Params, json.RawMessage(mustJSON(p)))
	}
	if err := ctx.Err(); err != nil {
		return s, nil, &chain.LostError{Endpoint: m.endpoint, Err: err}
	}
	m.node.serve(s, c)
	text, ok := s.next(ctx)
	if !ok {
		err := ctx.Err()
		if err == nil {
			err = errDropped
		}
		return s, nil, &chain.LostError{Endpoint: m.endpoint, Sent: true, Err: err}
	}
	var reply struct {
		ID     uint64
		Result json.RawMessage
		Error  *chain.RPCError
	}
	switch err := json.Unmarshal([]byte(text), &reply); {
	case err != nil:
		return s, nil, &chain.ReplyError{Method: method, Reason: err.Error()}
	case reply.ID != 1:
		return s, nil, &chain.ReplyError{Method: method, Reason: "it answers another request"}
	case reply.Error != nil:
		return s, nil, reply.Error
	}
	return s, reply.Result, nil
}

func (m *memory) Call(ctx context.Context, result any, method string, params ...any) error {
	s, raw, err := m.open(ctx, method, params)
	m.node.leave(s)
	if err != nil || result == nil {
		return err
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return &chain.ReplyError{Method: method, Reason: err.Error()}
	}
	return nil
}

func (m *memory) Subscribe(ctx context.Context, method string, params ...any) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		s, _, err := m.open(ctx, method, params)
		defer m.node.leave(s)
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			text, ok := s.next(ctx)
			if !ok {
				err := ctx.Err()
				if err == nil {
					err = &chain.LostError{Endpoint: m.endpoint, Sent: true, Err: errDropped}
				}
				yield(nil, err)
				return
			}
			var notice struct {
				Params struct{ Result json.RawMessage }
			}
			if err := json.Unmarshal([]byte(text), &notice); err != nil {
				yield(nil, &chain.ReplyError{Method: method, Reason: err.Error()})
				return
			}
			if !yield(notice.Params.Result, nil) {
				return
			}
		}
	}
}
