package chain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// ErrNoSubscriptions is what a subscription over plain HTTP answers.
var ErrNoSubscriptions = errors.New("an http endpoint has no subscriptions: use ws or wss")

// poster is JSON-RPC by HTTP POST, one request each.
type poster struct {
	endpoint string // redacted
	url      string
	timeout  time.Duration
	maxReply int64
	lastID   atomic.Uint64
	client   *http.Client
}

func newPoster(endpoint string, o *options) *poster {
	return &poster{
		endpoint: redact(endpoint), url: endpoint, timeout: o.timeout, maxReply: o.maxReply,
		client: noRedirects(),
	}
}

// noRedirects is a client that stays where it was sent: a node does not
// redirect, and whoever does is somebody else.
func noRedirects() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (p *poster) Close() error {
	p.client.CloseIdleConnections()
	return nil
}

func (p *poster) Subscribe(context.Context, string, ...any) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) { yield(nil, ErrNoSubscriptions) }
}

func (p *poster) Call(ctx context.Context, result any, method string, params ...any) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	id := p.lastID.Add(1)
	body, err := encodeRequest(id, method, params)
	if err != nil {
		return err
	}
	reply, err := p.post(ctx, body)
	if err != nil {
		return err
	}
	m, err := parseMessage(reply)
	if err != nil {
		return err
	}
	if m.ID == nil && m.Error == nil || m.ID != nil && *m.ID != id {
		return &ReplyError{Method: method, Reason: "it answers another request", Text: clip(string(reply), maxQuoted)}
	}
	return store(m, method, result)
}

// post sends a body and reads the reply to it, whatever the status: nodes send
// JSON-RPC errors under several.
func (p *poster) post(ctx context.Context, body []byte) ([]byte, error) {
	var sent atomic.Bool // set on the transport's goroutine
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
	fail := func(err error) ([]byte, error) {
		return nil, &LostError{Endpoint: p.endpoint, Sent: sent.Load(), Err: hideEndpoint(err, p.url)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return fail(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, p.maxReply+1))
	switch {
	case err != nil:
		return fail(err)
	case int64(len(reply)) > p.maxReply:
		return fail(fmt.Errorf("the reply has more than %d bytes", p.maxReply))
	case resp.StatusCode != http.StatusOK && !json.Valid(reply):
		return fail(errors.New(resp.Status))
	}
	return reply, nil
}
