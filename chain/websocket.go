package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	writeTimeout = 30 * time.Second // for one message to leave
	pingEvery    = 20 * time.Second // keeps proxies from closing a quiet line
	pingTimeout  = time.Minute      // generous: a pong waits behind a large reply
	maxNotices   = 4096             // unread notices of one subscription
	maxUnread    = 64 << 20         // their bytes
	maxEarly     = 256              // notices kept while a subscribe reply is due
)

// ErrLagged ends a subscription whose reader fell behind: notices would have
// to be lost, and a lost notice must not go unnoticed.
var ErrLagged = errors.New("too many unread notices of a subscription")

var errClosed = errors.New("the line was closed here")

// socket is JSON-RPC over one WebSocket. One goroutine reads and one writes,
// both on the line's own context: in coder/websocket a context that ends
// during Read or Write closes the connection, so a caller's context bounds
// only the caller's waiting.
type socket struct {
	endpoint string
	timeout  time.Duration
	conn     *websocket.Conn
	stop     context.CancelFunc
	queue    chan *call
	done     chan struct{} // closed when the line is lost

	mu      sync.Mutex
	lastID  uint64
	calls   map[uint64]*call
	subs    map[string]*subscription
	early   map[string][]json.RawMessage // notices that overtook their subscribe reply
	nEarly  int
	waiting int   // subscribe replies that are due
	err     error // why the line was lost
}

// call is a request under way.
type call struct {
	id    uint64
	body  []byte
	sent  bool          // under socket.mu: the writer has taken it
	sub   *subscription // to be registered by the reader when the reply comes
	reply chan message  // buffered: the reader never waits
}

func dialSocket(ctx context.Context, endpoint string, o *options) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{HTTPClient: noRedirects()})
	if err != nil {
		return nil, &LostError{Endpoint: redact(endpoint), Err: hideEndpoint(err, endpoint)}
	}
	conn.SetReadLimit(o.maxReply)
	line, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &socket{
		endpoint: redact(endpoint),
		timeout:  o.timeout,
		conn:     conn,
		stop:     stop,
		queue:    make(chan *call),
		done:     make(chan struct{}),
		calls:    map[uint64]*call{},
		subs:     map[string]*subscription{},
		early:    map[string][]json.RawMessage{},
	}
	go s.read(line)
	go s.write(line)
	go s.ping(line, o.pingEvery, o.pingTimeout)
	return s, nil
}

// Close ends the line; requests under way fail with a *LostError.
func (s *socket) Close() error {
	s.lose(errClosed)
	return nil
}

func (s *socket) lost() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// lose ends the line once, and with it all that waits for it.
func (s *socket) lose(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	close(s.done)
	for _, sub := range s.subs {
		sub.end(&LostError{Endpoint: s.endpoint, Sent: true, Err: err})
	}
	s.stop()
	// CloseNow waits for the reader, which may be the one that calls.
	go s.conn.CloseNow()
}

func (s *socket) read(ctx context.Context) {
	for {
		_, b, err := s.conn.Read(ctx)
		if err != nil {
			s.lose(err)
			return
		}
		m, err := parseMessage(b)
		if err == nil {
			err = s.deliver(m)
		}
		if err != nil {
			// A message that cannot be told apart may have been anybody's
			// answer, so everybody hears of it.
			s.lose(err)
			return
		}
	}
}

func (s *socket) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-s.queue:
			if !s.take(c) {
				continue
			}
			out, cancel := context.WithTimeout(ctx, writeTimeout)
			err := s.conn.Write(out, websocket.MessageText, c.body)
			cancel()
			if err != nil {
				s.lose(err)
				return
			}
		}
	}
}

// take marks a call as sent, unless its caller has given it up.
func (s *socket) take(c *call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.sent = s.calls[c.id] == c
	return c.sent
}

// ping keeps the line alive, and notices one that died without a word.
func (s *socket) ping(ctx context.Context, every, timeout time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			wait, cancel := context.WithTimeout(ctx, timeout)
			err := s.conn.Ping(wait)
			cancel()
			if err != nil {
				s.lose(fmt.Errorf("ping: %w", err))
				return
			}
		}
	}
}

// deliver hands a message to whom it belongs.
func (s *socket) deliver(m message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case m.Subscription != "":
		s.notice(m)
		return nil
	case m.ID == nil:
		return m.Error
	case *m.ID == 0 || *m.ID > s.lastID:
		return &ReplyError{Reason: fmt.Sprintf("it answers request %d, the last one was %d", *m.ID, s.lastID)}
	}
	c := s.calls[*m.ID]
	if c == nil {
		return nil // the answer to a request that was given up
	}
	if c.sub != nil && m.Error == nil {
		s.register(c.sub, string(m.Result))
	}
	s.forget(c) // after register: it may drop the early notices
	c.reply <- m
	return nil
}

// notice queues a notice, or keeps it if its subscription may be about to be
// told to us. Called with mu held.
func (s *socket) notice(m message) {
	if sub := s.subs[m.Subscription]; sub != nil {
		if !sub.push(m.Notice) {
			delete(s.subs, m.Subscription)
		}
		return
	}
	if s.waiting > 0 && s.nEarly < maxEarly {
		s.early[m.Subscription] = append(s.early[m.Subscription], m.Notice)
		s.nEarly++
	}
}

// register opens a subscription under the id that the node gave. The reader
// does it itself, so that no notice falls between. Called with mu held.
func (s *socket) register(sub *subscription, id string) {
	sub.id = id
	if s.err != nil { // lost while this reply was being read: nobody else will end it
		sub.end(&LostError{Endpoint: s.endpoint, Sent: true, Err: s.err})
		return
	}
	s.subs[id] = sub
	for _, n := range s.early[id] {
		sub.push(n)
	}
	s.nEarly -= len(s.early[id])
	delete(s.early, id)
}

// forget ends a call's bookkeeping. Called with mu held.
func (s *socket) forget(c *call) {
	delete(s.calls, c.id)
	if c.sub == nil {
		return
	}
	if s.waiting--; s.waiting == 0 && s.nEarly > 0 {
		clear(s.early)
		s.nEarly = 0
	}
}

func (s *socket) Call(ctx context.Context, result any, method string, params ...any) error {
	m, err := s.ask(ctx, nil, method, params)
	if err != nil {
		return err
	}
	return store(m, method, result)
}

// ask sends a request and waits for its reply, for the line's end, for ctx, or
// for the time-out of the line.
func (s *socket) ask(ctx context.Context, sub *subscription, method string, params []any) (message, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	c, err := s.open(sub, method, params)
	if err != nil {
		return message{}, err
	}
	select {
	case s.queue <- c:
	case <-s.done:
		return message{}, s.giveUp(c, nil)
	case <-ctx.Done():
		return message{}, s.giveUp(c, ctx.Err())
	}
	select {
	case m := <-c.reply:
		return m, nil
	case <-s.done:
		err = s.giveUp(c, nil)
	case <-ctx.Done():
		err = s.giveUp(c, ctx.Err())
	}
	select {
	case m := <-c.reply: // it came just before: an answer is worth more than the line
		return m, nil
	default:
		return message{}, err
	}
}

func (s *socket) open(sub *subscription, method string, params []any) (*call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, &LostError{Endpoint: s.endpoint, Err: s.err}
	}
	s.lastID++
	body, err := encodeRequest(s.lastID, method, params)
	if err != nil {
		return nil, err
	}
	c := &call{id: s.lastID, body: body, sub: sub, reply: make(chan message, 1)}
	s.calls[c.id] = c
	if sub != nil {
		s.waiting++
	}
	return c, nil
}

// giveUp ends a call without a reply. A nil err means that the line was lost.
func (s *socket) giveUp(c *call, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[c.id] == c {
		s.forget(c)
	}
	if err == nil {
		err = s.err
	}
	return &LostError{Endpoint: s.endpoint, Sent: c.sent, Err: err}
}

func (s *socket) Subscribe(ctx context.Context, method string, params ...any) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		sub := &subscription{ready: make(chan struct{}, 1)}
		m, err := s.ask(ctx, sub, method, params)
		if err == nil && m.Error != nil {
			err = m.Error
		}
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.unsubscribe(sub, method)
		for {
			n, err := sub.next(ctx)
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

// unsubscribe tells the node to stop. The answer does not matter and the
// caller's context may have ended, so nobody waits for it.
func (s *socket) unsubscribe(sub *subscription, method string) {
	s.mu.Lock()
	delete(s.subs, sub.id)
	s.mu.Unlock()
	c, err := s.open(nil, unsubscribeMethod(method), []any{json.RawMessage(sub.id)})
	if err != nil {
		return
	}
	go func() {
		select {
		case s.queue <- c:
		case <-s.done:
		}
	}()
}

// subscription is a queue between the reader, which never waits, and one loop.
type subscription struct {
	id    string        // under socket.mu
	ready chan struct{} // holds a token when there is something to look at

	mu      sync.Mutex
	notices []json.RawMessage
	unread  int   // their bytes
	err     error // after the notices
}

// push adds a notice and reports whether there was room.
func (s *subscription) push(n json.RawMessage) bool {
	s.mu.Lock()
	full := len(s.notices) >= maxNotices || s.unread+len(n) > maxUnread
	if !full && s.err == nil {
		s.notices = append(s.notices, n)
		s.unread += len(n)
	}
	s.mu.Unlock()
	if full {
		s.end(ErrLagged)
		return false
	}
	s.signal()
	return true
}

func (s *subscription) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.signal()
}

func (s *subscription) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *subscription) next(ctx context.Context) (json.RawMessage, error) {
	for {
		s.mu.Lock()
		if len(s.notices) > 0 {
			n := s.notices[0]
			s.notices = s.notices[1:]
			s.unread -= len(n)
			s.mu.Unlock()
			return n, nil
		}
		err := s.err
		s.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
