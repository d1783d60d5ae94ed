package devnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// maxRequest is how many bytes one message from a client may have: a runtime's code
// in hex, and room.
const maxRequest = 16 << 20

// Listen opens a port on the loopback interface; 0 is any that is free.
func Listen(ctx context.Context, port uint16) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
}

// Serve answers WebSocket and HTTP on a listener until ctx ends, and closes it. A
// listener that others than this machine can reach is refused: keys of development
// accounts are public.
func (c *Chain) Serve(ctx context.Context, l net.Listener) error {
	defer l.Close()
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return fmt.Errorf("%s is not on the loopback interface", l.Addr())
	}
	server := &http.Server{
		Handler: handler{c}, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() {
		c.HangUp()
		_ = server.Close()
	})
	defer stop()
	err := server.Serve(l)
	if ctx.Err() != nil && errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

type handler struct{ chain *Chain }

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A name that a stranger's page had resolve to this machine is not ours.
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback() {
		http.Error(w, "this chain is for this machine alone", http.StatusForbidden)
		return
	}
	if r.Header.Get("Upgrade") == "" {
		h.chain.servePost(w, r)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: []string{"localhost:*", "127.0.0.1:*", "polkadot.js.org"}})
	if err != nil {
		return // Accept has answered
	}
	h.chain.serveSocket(r.Context(), conn)
}

func (c *Chain) serveSocket(ctx context.Context, conn *websocket.Conn) {
	conn.SetReadLimit(maxRequest)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := newSession()
	c.join(s)
	defer c.leave(s)
	go func() {
		defer conn.CloseNow()
		for {
			text, ok := s.next(ctx)
			if !ok || conn.Write(ctx, websocket.MessageText, text) != nil {
				return
			}
		}
	}()
	for {
		_, b, err := conn.Read(ctx)
		if err != nil {
			return
		}
		c.receive(ctx, s, b)
	}
}

// servePost answers one request, or a list of them, over HTTP, where nothing can be
// followed.
func (c *Chain) servePost(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "JSON-RPC is asked for by POST, or over WebSocket", http.StatusMethodNotAllowed)
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "the request cannot be read", http.StatusBadRequest)
		return
	}
	s := newSession()
	c.join(s)
	defer c.leave(s)
	c.receive(r.Context(), s, b)
	text, ok := s.next(r.Context())
	if !ok {
		panic(http.ErrAbortHandler) // breaks the line without an answer
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // whoever asked may have gone
}
