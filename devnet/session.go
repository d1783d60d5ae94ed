package devnet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/taoctl/taoctl/chain"
)

// maxQueue is how many messages a client may be behind before its line is cut.
const maxQueue = 1 << 16

// session is one client's line.
type session struct {
	mu    sync.Mutex
	queue [][]byte
	list  *[][]byte // replies to several requests in one message, nil otherwise
	wake  chan struct{}
	gone  chan struct{}
	once  sync.Once
}

func newSession() *session {
	return &session{wake: make(chan struct{}, 1), gone: make(chan struct{})}
}

// send queues a message; it never waits.
func (s *session) send(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == maxQueue {
		s.drop()
		return
	}
	s.queue = append(s.queue, text)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next waits for a message to send; false means that the line has ended.
func (s *session) next(ctx context.Context) ([]byte, bool) {
	for {
		if text, ok := s.take(); ok {
			return text, true
		}
		select {
		case <-s.wake:
		case <-s.gone:
			return s.take()
		case <-ctx.Done():
			return nil, false
		}
	}
}

func (s *session) take() ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, false
	}
	text := s.queue[0]
	s.queue = s.queue[1:]
	return text, true
}

func (s *session) drop() { s.once.Do(func() { close(s.gone) }) }

func (c *Chain) join(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions[s] = true
}

// leave ends a session and its subscriptions.
func (c *Chain) leave(s *session) {
	s.drop()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sessions, s)
	for id, sub := range c.subs {
		if sub.session == s {
			delete(c.subs, id)
		}
	}
}

// HangUp breaks every line that is open.
func (c *Chain) HangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.sessions {
		s.drop()
	}
}

// request is a JSON-RPC 2.0 request.
type request struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params params          `json:"params"`
}

// maxBatch is how many requests may come in one message.
const maxBatch = 1000

// receive carries out what came in one message: a request, or several in a list,
// whose replies are a list too.
func (c *Chain) receive(ctx context.Context, s *session, text []byte) {
	var list []request
	var err error
	text = bytes.TrimSpace(text)
	several := len(text) > 0 && text[0] == '['
	if several {
		err = json.Unmarshal(text, &list)
	} else {
		list = make([]request, 1)
		err = json.Unmarshal(text, &list[0])
	}
	if err != nil || len(list) == 0 || len(list) > maxBatch {
		s.reply(json.RawMessage("null"), nil, &chain.RPCError{Code: -32700, Message: "Parse error"})
		return
	}
	if several {
		s.gather(new([][]byte))
	}
	for _, r := range list {
		if len(r.ID) == 0 {
			r.ID = json.RawMessage("null")
		}
		c.serve(ctx, s, r)
	}
	if replies := s.gather(nil); several && len(*replies) > 0 {
		s.send(fmt.Appendf(nil, "[%s]", bytes.Join(*replies, []byte(","))))
	}
}

// gather keeps replies in a list from now on, or with nil no longer; it returns the
// one before.
func (s *session) gather(list *[][]byte) (before *[][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.list = s.list, list
	return before
}

// answer sends a reply, or keeps it for the list that it belongs to.
func (s *session) answer(text []byte) {
	s.mu.Lock()
	list := s.list
	if list != nil {
		*list = append(*list, text)
	}
	s.mu.Unlock()
	if list == nil {
		s.send(text)
	}
}

// serve carries a request out and queues what the client shall receive.
func (c *Chain) serve(ctx context.Context, s *session, r request) {
	c.mu.Lock()
	f := c.fault(r.Method, "")
	c.mu.Unlock()
	if f == nil {
		f = new(Fault)
	}
	switch f.Kind {
	case FaultDropBefore:
		s.drop()
		return
	case FaultSilence:
		return
	case FaultRefuse:
		s.reply(r.ID, nil, &f.Error)
		return
	}
	result, then, err := c.do(ctx, s, r)
	switch f.Kind {
	case FaultDropAfter:
		s.drop()
	case FaultLie:
		s.reply(r.ID, nil, &f.Error)
	case FaultGarbage:
		s.send([]byte("<html>502 Bad Gateway</html>"))
	case FaultDelay:
		time.AfterFunc(f.Wait, func() {
			s.reply(r.ID, result, err)
			then()
		})
		return
	case FaultTwice:
		s.reply(r.ID, result, err)
		s.reply(r.ID, result, err)
	default:
		s.reply(r.ID, result, err)
	}
	then()
}

// do carries a request out. What follows from it, the first notice of a
// subscription or a block, is done by then, after the reply has left.
func (c *Chain) do(ctx context.Context, s *session, r request) (result any, then func(), err error) {
	then = func() {}
	name := r.Method
	if other := aliases()[name]; other != "" {
		name = other
	}
	if _, ok := subscriptions()[name]; ok {
		var after func()
		if result, after, err = c.subscribe(ctx, s, name, r.Params); err == nil {
			then = after
		}
	} else if ends(name) {
		result, err = c.unsubscribe(s, r.Params)
	} else if m := methods()[name]; m != nil {
		result, err = m(ctx, c, r.Params)
	} else {
		return nil, then, rpcError(-32601, "Method not found", r.Method)
	}
	if err == nil && strings.HasPrefix(name, "author_submit") {
		inner := then
		then = func() {
			inner()
			c.submitted()
		}
	}
	return result, then, err
}

// ends tells whether a method ends subscriptions.
func ends(method string) bool {
	for _, s := range subscriptions() {
		if s.end == method {
			return true
		}
	}
	return false
}

// reply queues a reply. An error that is no *chain.RPCError is one of the chain's
// own work, which a node answers as the failure of its client.
func (s *session) reply(id json.RawMessage, result any, err error) {
	var refused *chain.RPCError
	if err != nil && !errors.As(err, &refused) {
		refused = &chain.RPCError{Code: 4003, Message: "Client error: Execution failed: " + err.Error()}
	}
	if refused != nil {
		s.answer(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":%s}`, id, mustJSON(refused)))
		return
	}
	s.answer(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":%s}`, id, mustJSON(result)))
}

// mustJSON encodes what this package makes.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
