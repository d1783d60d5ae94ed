// Package chain reads one Substrate node: it carries JSON-RPC, knows the
// networks, keeps the metadata of each runtime, reads storage, runtime APIs,
// events and errors at one block, and turns calls by name into bytes and back.
//
// A [Client] is a line to a node; a [View] is one block and its runtime, and
// every read goes through one; a [Runtime] is what a chain says of itself and
// works without a node too.
package chain

import (
	"context"
	"fmt"
	"time"

	"github.com/taoctl/taoctl/tao"
)

// Client reads one chain. It is safe for use by several goroutines.
type Client struct {
	transport Transport
	genesis   tao.Hash
	runtimes  *runtimes
}

type options struct {
	genesis   tao.Hash
	fallbacks []string
	cache     string
	maxReply  int64
	timeout   time.Duration

	pingEvery, pingTimeout time.Duration // shorter in tests
}

func newOptions(opts []Option) *options {
	o := &options{maxReply: 64 << 20, timeout: time.Minute, pingEvery: pingEvery, pingTimeout: pingTimeout}
	for _, set := range opts {
		set(o)
	}
	return o
}

// Option changes how a client is made.
type Option func(*options)

// WithGenesis accepts only the chain whose block 0 has this hash; a zero hash
// accepts any.
func WithGenesis(h tao.Hash) Option { return func(o *options) { o.genesis = h } }

// WithFallback names endpoints to try, in order, where the first cannot be
// reached. They must serve the same chain.
func WithFallback(endpoints ...string) Option {
	return func(o *options) { o.fallbacks = append(o.fallbacks, endpoints...) }
}

// WithCache keeps metadata in dir, so that a later start need not fetch it. A
// damaged or unwritable cache is as none.
func WithCache(dir string) Option { return func(o *options) { o.cache = dir } }

// WithMaxReply bounds one message of the node, in bytes (default 64 MiB). The
// largest honest ones are metadata (0.3 MB) and the neurons of a subnet.
func WithMaxReply(bytes int64) Option { return func(o *options) { o.maxReply = bytes } }

// WithTimeout bounds the wait for each single answer (default one minute); a
// context may end it sooner. Notices of a subscription are not bounded.
func WithTimeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

// WrongChainError says that an endpoint serves another chain than it should.
type WrongChainError struct {
	Endpoint  string // "" where the client was made on a transport
	Want, Got tao.Hash
}

func (e *WrongChainError) Error() string {
	at := "the node"
	if e.Endpoint != "" {
		at = e.Endpoint
	}
	return fmt.Sprintf("%s serves another chain: its genesis is %s, expected %s", at, e.Got, e.Want)
}

// Dial opens a line to a node. ws and wss endpoints serve everything; http and
// https ones no subscriptions. Where a line breaks, the next request opens a
// new one, to the same chain or to none; a request under way is never sent
// twice, except that reads are asked once more.
func Dial(ctx context.Context, endpoint string, opts ...Option) (*Client, error) {
	o := newOptions(opts)
	l := &line{endpoints: append([]string{endpoint}, o.fallbacks...), options: o, genesis: o.genesis}
	for _, e := range l.endpoints {
		if err := checkEndpoint(e); err != nil {
			return nil, err
		}
	}
	if _, err := l.current(ctx); err != nil {
		return nil, err
	}
	return newClient(l, l.genesis, l.trust(), o), nil
}

// DialNetwork opens a line to a network of [Lookup]: its endpoints in order,
// its genesis hash compared.
func DialNetwork(ctx context.Context, n Network, opts ...Option) (*Client, error) {
	if len(n.Endpoints) == 0 {
		return nil, &NetworkError{n.Name, "has no endpoint"}
	}
	opts = append([]Option{WithGenesis(n.Genesis), WithFallback(n.Endpoints[1:]...)}, opts...)
	return Dial(ctx, n.Endpoints[0], opts...)
}

// NewClient makes a client on a transport that is open already.
func NewClient(ctx context.Context, t Transport, opts ...Option) (*Client, error) {
	o := newOptions(opts)
	genesis, err := readGenesis(ctx, t)
	if err != nil {
		return nil, err
	}
	if !o.genesis.IsZero() && genesis != o.genesis {
		return nil, &WrongChainError{Want: o.genesis, Got: genesis}
	}
	return newClient(t, genesis, "", o), nil
}

func newClient(t Transport, genesis tao.Hash, source string, o *options) *Client {
	return &Client{
		transport: t,
		genesis:   genesis,
		runtimes:  newRuntimes(t, &diskCache{dir: o.cache, source: source, genesis: genesis}),
	}
}

// Genesis is the hash of block 0, which names the chain.
func (c *Client) Genesis() tao.Hash { return c.genesis }

// Transport is the line itself, for what goes beyond reading.
func (c *Client) Transport() Transport { return c.transport }

// Close ends the line.
func (c *Client) Close() error { return c.transport.Close() }

// Name is the chain's name as the node gives it: "Bittensor", "Bittensor
// Testnet". It proves nothing; [Client.Genesis] does.
func (c *Client) Name(ctx context.Context) (string, error) {
	var name string
	if err := c.transport.Call(ctx, &name, "system_chain"); err != nil {
		return "", fmt.Errorf("read the chain's name: %w", err)
	}
	return name, nil
}

func readGenesis(ctx context.Context, t Transport) (tao.Hash, error) {
	h, err := blockHash(ctx, t, "chain_getBlockHash", 0)
	if err != nil {
		return h, fmt.Errorf("read the genesis hash: %w", err)
	}
	return h, nil
}
