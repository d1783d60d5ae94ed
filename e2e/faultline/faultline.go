// Package faultline is a line to a node that breaks on purpose: a WebSocket relay
// which knows JSON-RPC well enough to fail at a given method, for instance right
// after an extrinsic reached the node and before its answer reached the client.
package faultline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Kind is what goes wrong.
type Kind string

const (
	None      Kind = "none"       // nothing: the line only counts
	CutBefore Kind = "cut-before" // the request is swallowed and the line goes dead
	CutAfter  Kind = "cut-after"  // the node has answered the request, the client never hears it; the line is dead
	DropAfter Kind = "drop-after" // the same once, and the client can connect again
	Silence   Kind = "silence"    // the node's answer is swallowed, the line stays
	Garble    Kind = "garble"     // the answer is not JSON
	Truncate  Kind = "truncate"   // the answer ends in its middle
	WrongType Kind = "wrong-type" // the answer is JSON, but its result is not what the method promises
)

var kinds = []Kind{None, CutBefore, CutAfter, DropAfter, Silence, Garble, Truncate, WrongType}

// Fault is a kind of failure and the method which brings it about.
type Fault struct {
	Kind   Kind
	Method string // a path.Match pattern, such as "author_submit*"
}

// Check tells what is wrong with a fault somebody wrote down.
func (f Fault) Check() error {
	for _, k := range kinds {
		if f.Kind == k {
			_, err := path.Match(f.Method, "")
			return err
		}
	}
	return fmt.Errorf("fault %q: want one of %v", f.Kind, kinds)
}

func (f Fault) matches(method string) bool {
	ok, err := path.Match(f.Method, method)
	return err == nil && ok
}

// Line relays between its own URL and a node's. A dead line refuses connections.
type Line struct {
	target string
	fault  Fault
	server *http.Server
	addr   string
	ctx    context.Context // ends with the line
	kill   context.CancelFunc
	struck chan struct{}

	mu     sync.Mutex
	counts map[string]int // requests by method
}

// Start opens a line to the WebSocket URL target on a free port of the loopback. It
// lives until Close or the end of ctx.
func Start(ctx context.Context, target string, f Fault) (*Line, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening a line: %w", err)
	}
	ctx, kill := context.WithCancel(ctx)
	l := &Line{
		target: target,
		fault:  f,
		addr:   listener.Addr().String(),
		ctx:    ctx,
		kill:   kill,
		struck: make(chan struct{}),
		counts: map[string]int{},
	}
	l.server = &http.Server{Handler: http.HandlerFunc(l.accept), ReadHeaderTimeout: 5 * time.Second}
	go l.server.Serve(listener) //nolint:errcheck // it ends with Close
	return l, nil
}

// URL is where the client connects.
func (l *Line) URL() string { return "ws://" + l.addr }

// Close ends the line and every connection over it.
func (l *Line) Close() error {
	l.kill()
	return l.server.Close()
}

// Struck is closed once the fault has happened.
func (l *Line) Struck() <-chan struct{} { return l.struck }

// Requests counts the requests so far whose method matches a path.Match pattern.
func (l *Line) Requests(pattern string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for method, count := range l.counts {
		if ok, err := path.Match(pattern, method); err == nil && ok {
			n += count
		}
	}
	return n
}

func (l *Line) accept(w http.ResponseWriter, r *http.Request) {
	client, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer client.CloseNow()
	node, _, err := websocket.Dial(l.ctx, l.target, nil)
	if err != nil {
		return
	}
	defer node.CloseNow()
	client.SetReadLimit(-1)
	node.SetReadLimit(-1)
	c := &connection{line: l, client: client, node: node, marked: map[string]bool{}}
	ctx, cancel := context.WithCancel(l.ctx)
	go func() {
		defer cancel()
		c.relayReplies(ctx)
	}()
	c.relayRequests(ctx)
	cancel()
}

// strike notes that the fault has happened; it may happen again.
func (l *Line) strike() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.hasStruck() {
		close(l.struck)
	}
}

func (l *Line) hasStruck() bool {
	select {
	case <-l.struck:
		return true
	default:
		return false
	}
}

func (l *Line) count(method string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[method]++
}

// die makes the line dead: nothing passes any more, nobody gets in.
func (l *Line) die() {
	l.strike()
	_ = l.Close()
}

// connection is one client and its own connection to the node.
type connection struct {
	line         *Line
	client, node *websocket.Conn

	mu     sync.Mutex
	marked map[string]bool // ids of requests whose replies are to suffer
}

// message is what both a request and a reply can be read into.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
}

// read takes a single message or a batch apart; what is neither has no messages.
func read(frame []byte) []message {
	var one message
	if json.Unmarshal(frame, &one) == nil {
		return []message{one}
	}
	var batch []message
	_ = json.Unmarshal(frame, &batch)
	return batch
}

var errCut = errors.New("the line was cut")

func (c *connection) relayRequests(ctx context.Context) {
	c.relay(ctx, c.client, c.node, func(frame []byte) ([]byte, error) {
		for _, m := range read(frame) {
			c.line.count(m.Method)
			if !c.line.fault.matches(m.Method) {
				continue
			}
			if c.line.fault.Kind == CutBefore {
				c.line.die()
				return nil, errCut
			}
			c.mark(m.ID)
		}
		return frame, nil
	})
}

func (c *connection) relayReplies(ctx context.Context) {
	c.relay(ctx, c.node, c.client, func(frame []byte) ([]byte, error) {
		for _, m := range read(frame) {
			if m.Method == "" && c.isMarked(m.ID) {
				return c.spoil(frame, m.ID)
			}
		}
		return frame, nil
	})
}

// spoil does to a reply what the fault says; nil bytes are not passed on.
func (c *connection) spoil(frame []byte, id json.RawMessage) ([]byte, error) {
	kind := c.line.fault.Kind
	if kind == None || kind == DropAfter && c.line.hasStruck() {
		return frame, nil
	}
	defer c.line.strike()
	switch kind {
	case CutAfter:
		c.line.die()
		return nil, errCut
	case DropAfter:
		return nil, errCut
	case Garble:
		return []byte("\x00\xff<html>"), nil
	case Truncate:
		return frame[:len(frame)/2], nil
	case WrongType:
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":{"surprise":[true]}}`, id), nil
	}
	return nil, nil // Silence
}

func (c *connection) mark(id json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marked[string(id)] = true
}

func (c *connection) isMarked(id json.RawMessage) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.marked[string(id)]
}

// relay passes frames on through change until either side ends. An end is passed on
// as an abrupt one: a client has to cope with it anyway.
func (c *connection) relay(ctx context.Context, from, to *websocket.Conn, change func([]byte) ([]byte, error)) {
	for {
		_, frame, err := from.Read(ctx)
		if err != nil {
			return
		}
		if frame, err = change(frame); err != nil {
			return
		}
		if frame == nil {
			continue
		}
		if err := to.Write(ctx, websocket.MessageText, frame); err != nil {
			return
		}
	}
}
