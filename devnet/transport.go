package devnet

import (
	"context"
	"encoding/json"
	"errors"
	"iter"

	"github.com/taoctl/taoctl/chain"
)

// Transport is a line to the chain within this process.
func (c *Chain) Transport() chain.Transport { return line{c} }

// line is a [chain.Transport]. Each request has a session of its own.
type line struct{ chain *Chain }

func (line) Close() error { return nil }

const endpoint = "devnet in this process"

var errDropped = errors.New("it dropped the line")

// open asks and waits for the first message, which is the reply.
func (l line) open(ctx context.Context, method string, args []any) (*session, json.RawMessage, error) {
	s := newSession()
	r := request{ID: json.RawMessage("1"), Method: method}
	for _, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			return s, nil, err
		}
		r.Params = append(r.Params, b)
	}
	if err := ctx.Err(); err != nil {
		return s, nil, &chain.LostError{Endpoint: endpoint, Err: err}
	}
	l.chain.join(s)
	l.chain.serve(ctx, s, r)
	text, ok := s.next(ctx)
	if !ok {
		return s, nil, lost(ctx)
	}
	var reply struct {
		Result json.RawMessage
		Error  *chain.RPCError
	}
	if err := json.Unmarshal(text, &reply); err != nil {
		return s, nil, &chain.ReplyError{Method: method, Reason: err.Error()}
	}
	if reply.Error != nil {
		return s, nil, reply.Error
	}
	return s, reply.Result, nil
}

func lost(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		err = errDropped
	}
	return &chain.LostError{Endpoint: endpoint, Sent: true, Err: err}
}

func (l line) Call(ctx context.Context, result any, method string, args ...any) error {
	s, raw, err := l.open(ctx, method, args)
	l.chain.leave(s)
	if err != nil || result == nil {
		return err
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return &chain.ReplyError{Method: method, Reason: err.Error()}
	}
	return nil
}

func (l line) Subscribe(ctx context.Context, method string, args ...any) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		s, _, err := l.open(ctx, method, args)
		defer l.chain.leave(s)
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			text, ok := s.next(ctx)
			if !ok && ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			if !ok {
				yield(nil, lost(ctx))
				return
			}
			var notice struct {
				Method string
				Params struct{ Result json.RawMessage }
			}
			if err := json.Unmarshal(text, &notice); err != nil {
				yield(nil, &chain.ReplyError{Method: method, Reason: err.Error()})
				return
			}
			if notice.Method == "" {
				continue // the reply once more
			}
			if !yield(notice.Params.Result, nil) {
				return
			}
		}
	}
}
