package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
	"time"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

// Supported reports whether there can be an agent on this system.
func Supported() bool { return supported }

// Client asks an agent. Every request has a connection of its own, so there is
// nothing to close. It is safe for several goroutines.
type Client struct{ path string }

// NewClient asks the agent at path, which need not run yet.
//
// All methods that ask return a *NotRunningError where nobody answers, and an
// *AnswerError where somebody does and not as an agent should.
func NewClient(path string) *Client { return &Client{path} }

// Keys lists the keys that the agent holds.
func (c *Client) Keys(ctx context.Context) ([]Held, error) {
	a, _, err := c.ask(ctx, request{Op: opList}, nil)
	return a.Keys, err
}

// Add has the agent hold a key for a time, which is cut to whole seconds. Only
// what signs is handed over: no mnemonic, and no password. The caller keeps its
// key, and wipes it.
func (c *Client) Add(ctx context.Context, key *keystore.Key, d time.Duration) error {
	q := request{Op: opAdd, Account: key.Account(), Scheme: key.Scheme(), Seconds: int64(d / time.Second)}
	return key.Reveal(func(s keystore.Secrets) error {
		_, _, err := c.ask(ctx, q, s.Private)
		return err
	})
}

// Lock has the agent forget all keys, and says which those were.
func (c *Client) Lock(ctx context.Context) ([]Held, error) {
	a, _, err := c.ask(ctx, request{Op: opLock}, nil)
	return a.Keys, err
}

// Stop has the agent forget all keys and end, and says which those were.
func (c *Client) Stop(ctx context.Context) ([]Held, error) {
	a, _, err := c.ask(ctx, request{Op: opStop}, nil)
	return a.Keys, err
}

// Signer signs with a key that an agent holds. It stands where a *keystore.Key
// would.
type Signer struct {
	client  *Client
	account tao.Account
}

// Signer finds the key of an account; a *NotHeldError says that there is none.
func (c *Client) Signer(ctx context.Context, account tao.Account) (*Signer, error) {
	keys, err := c.Keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.Account == account {
			return &Signer{c, account}, nil
		}
	}
	return nil, &NotHeldError{account}
}

// Account is the public name of the key.
func (s *Signer) Account() tao.Account { return s.account }

// Wipe does nothing: the key is the agent's, until its time is over.
func (s *Signer) Wipe() {}

// Sign has the agent sign a message of at most MaxMessage bytes as it is, and
// checks the signature: an agent is believed no more than a file.
func (s *Signer) Sign(ctx context.Context, message []byte) (tao.Signature, error) {
	if len(message) > MaxMessage {
		return tao.Signature{}, fmt.Errorf("a message of %d bytes is longer than the %d that an agent signs", len(message), MaxMessage)
	}
	a, signature, err := s.client.ask(ctx, request{Op: opSign, Account: s.account}, message)
	if err != nil {
		return tao.Signature{}, err
	}
	sig := tao.Signature{Scheme: a.Scheme, Bytes: signature}
	if err := keystore.Verify(s.account, message, sig); err != nil {
		return tao.Signature{}, &AnswerError{s.client.path, fmt.Errorf("checking its signature: %w", err)}
	}
	return sig, nil
}

// ask sends a request and waits for the answer.
func (c *Client) ask(ctx context.Context, q request, body []byte) (answer, []byte, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return answer{}, nil, err
	}
	defer conn.Close()
	a, signature, err := converse(ctx, conn, q, body)
	switch {
	case ctx.Err() != nil:
		return answer{}, nil, ctx.Err()
	case err != nil:
		return answer{}, nil, &AnswerError{c.path, err}
	case a.Refused == refusedNotHeld:
		return answer{}, nil, &NotHeldError{q.Account}
	case a.Refused != "":
		return answer{}, nil, &AnswerError{c.path, &RefusedError{a.Reason}}
	}
	return a, signature, nil
}

func (c *Client) dial(ctx context.Context) (*net.UnixConn, error) {
	if !supported || len(c.path) > maxPath {
		return nil, &NotRunningError{c.path} // no agent can be there
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return nil, &NotRunningError{c.path}
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, &AnswerError{c.path, err}
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, &AnswerError{c.path, fmt.Errorf("a connection of type %T", conn)}
	}
	if err := checkPeer(u); err != nil {
		u.Close()
		return nil, &AnswerError{c.path, err}
	}
	return u, nil
}

// answerTime is how long an agent may take: longer than it gives its peers.
const answerTime = 2 * patience

func converse(ctx context.Context, conn net.Conn, q request, body []byte) (answer, []byte, error) {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return answer{}, nil, err
	}
	if err := writeFrame(conn, q, body); err != nil {
		return answer{}, nil, err
	}
	return readAnswer(conn)
}
