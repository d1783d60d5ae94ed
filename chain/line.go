package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/taoctl/taoctl/tao"
)

// line is a transport over a list of endpoints. It opens a new socket when the
// last one is lost, and asks each endpoint for its genesis before using it.
type line struct {
	endpoints []string
	options   *options

	mu      sync.Mutex
	genesis tao.Hash  // zero until the first endpoint has answered
	open    Transport // nil or lost: to be opened
	closed  bool
}

// trust names the endpoints that this line's answers come from.
func (l *line) trust() string { return fmt.Sprint(l.endpoints) }

// current returns the open transport or opens one.
func (l *line) current(ctx context.Context) (Transport, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, &LostError{Endpoint: redact(l.endpoints[0]), Err: errClosed}
	}
	if s, ok := l.open.(*socket); l.open != nil && !(ok && s.lost()) {
		return l.open, nil
	}
	var all []error
	for _, e := range l.endpoints {
		t, err := l.dial(ctx, e)
		if err == nil {
			l.open = t
			return t, nil
		}
		var wrong *WrongChainError
		if errors.As(err, &wrong) || ctx.Err() != nil {
			return nil, err // another chain is no reason to go on looking
		}
		all = append(all, err)
	}
	if len(all) == 1 {
		return nil, all[0]
	}
	return nil, fmt.Errorf("none of %d endpoints serves: %w", len(all), errors.Join(all...))
}

// dialTimeout bounds the opening of one endpoint, its genesis hash included,
// so that one which swallows packets does not keep the next from being tried.
const dialTimeout = 20 * time.Second

// dial opens one endpoint and compares its chain.
func (l *line) dial(ctx context.Context, endpoint string) (Transport, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	t, err := openTransport(ctx, endpoint, l.options)
	if err != nil {
		return nil, err
	}
	genesis, err := readGenesis(ctx, t)
	if err == nil && !l.genesis.IsZero() && genesis != l.genesis {
		err = &WrongChainError{Endpoint: redact(endpoint), Want: l.genesis, Got: genesis}
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	l.genesis = genesis
	return t, nil
}

func openTransport(ctx context.Context, endpoint string, o *options) (Transport, error) {
	if u, err := url.Parse(endpoint); err == nil && strings.HasPrefix(u.Scheme, "http") {
		return newPoster(endpoint, o), nil
	}
	return dialSocket(ctx, endpoint, o)
}

// Call sends a request on the open line. A read whose answer was lost is asked
// once more on a new line, since reading twice changes nothing; everything
// else, an extrinsic above all, is sent at most once.
func (l *line) Call(ctx context.Context, result any, method string, params ...any) error {
	err := l.callOnce(ctx, result, method, params)
	var lost *LostError
	if errors.As(err, &lost) && isRead(method) && ctx.Err() == nil && l.broken() {
		err = l.callOnce(ctx, result, method, params)
	}
	return err
}

func (l *line) callOnce(ctx context.Context, result any, method string, params []any) error {
	t, err := l.current(ctx)
	if err != nil {
		return notSent(err)
	}
	return t.Call(ctx, result, method, params...)
}

// Subscribe subscribes on the open line. A subscription that breaks is not
// taken up again: notices between would be missing, and only the caller knows
// what to read to fill the gap.
func (l *line) Subscribe(ctx context.Context, method string, params ...any) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		t, err := l.current(ctx)
		if err != nil {
			yield(nil, notSent(err))
			return
		}
		t.Subscribe(ctx, method, params...)(yield)
	}
}

// Close ends the line for good.
func (l *line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.open == nil {
		return nil
	}
	return l.open.Close()
}

// broken reports that the line was lost, rather than slow.
func (l *line) broken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.open.(*socket)
	return ok && s.lost() && !l.closed
}

// notSent corrects the word of a handshake that was lost: what did not arrive
// was the question for the genesis hash, not the caller's request.
func notSent(err error) error {
	var lost *LostError
	if errors.As(err, &lost) && lost.Sent {
		return &LostError{Endpoint: lost.Endpoint, Err: lost.Err}
	}
	return err
}

// isRead reports that a method changes nothing, whoever asks how often.
func isRead(method string) bool {
	for _, prefix := range []string{"state_", "chain_", "system_", "payment_", "rpc_"} {
		if strings.HasPrefix(method, prefix) {
			return true
		}
	}
	return false
}
