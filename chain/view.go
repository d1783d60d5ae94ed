package chain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"sync"

	"github.com/taoctl/taoctl/tao"
)

// BlockRef names a block.
type BlockRef struct {
	kind   refKind
	number uint32
	hash   tao.Hash
}

type refKind uint8

const (
	best refKind = iota
	finalized
	atNumber
	atHash
)

// Best is the newest block that the node knows. It may be replaced.
func Best() BlockRef { return BlockRef{} }

// Finalized is the newest block that can no longer be replaced.
func Finalized() BlockRef { return BlockRef{kind: finalized} }

// AtNumber is the block of that number on the node's best chain.
func AtNumber(n uint32) BlockRef { return BlockRef{kind: atNumber, number: n} }

// AtHash is the block of that hash.
func AtHash(h tao.Hash) BlockRef { return BlockRef{kind: atHash, hash: h} }

// String names the block for people: "best block", "block 12".
func (b BlockRef) String() string {
	switch b.kind {
	case finalized:
		return "finalized block"
	case atNumber:
		return "block " + strconv.FormatUint(uint64(b.number), 10)
	case atHash:
		return "block " + b.hash.String()
	default:
		return "best block"
	}
}

// NoBlockError says that the node does not have a block. A node that prunes
// drops the state of old blocks too, but says so with an *RPCError.
type NoBlockError struct{ Block BlockRef }

func (e *NoBlockError) Error() string { return "the node has no " + e.Block.String() }

// Header is what a block says of itself, as far as a wallet cares.
type Header struct {
	Number uint32
	Hash   tao.Hash // zero in headers of [Client.Headers]: nodes send none
	Parent tao.Hash
}

func (h *Header) UnmarshalJSON(b []byte) error {
	var raw struct {
		Number *blockNumber `json:"number"`
		Parent *tao.Hash    `json:"parentHash"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if raw.Number == nil || raw.Parent == nil {
		return fmt.Errorf("header lacks number or parentHash")
	}
	*h = Header{Number: uint32(*raw.Number), Parent: *raw.Parent}
	return nil
}

// Headers follows the chain's head, or with finalized its finalized head. A
// node may skip numbers, and on the best chain it may go back to a lower one.
func (c *Client) Headers(ctx context.Context, finalized bool) iter.Seq2[Header, error] {
	method := "chain_subscribeNewHeads"
	if finalized {
		method = "chain_subscribeFinalizedHeads"
	}
	return func(yield func(Header, error) bool) {
		for notice, err := range c.transport.Subscribe(ctx, method) {
			var h Header
			if err == nil {
				err = store(message{Result: notice}, method, &h)
			}
			if !yield(h, err) || err != nil {
				return
			}
		}
	}
}

// View is one block and the runtime that rules after it. Everything read
// through a view belongs together; it never moves. Its state is the state
// after the block.
type View struct {
	client  *Client
	header  Header
	runtime *Runtime
}

// Number is the block's number.
func (v *View) Number() uint32 { return v.header.Number }

// Hash is the block's hash.
func (v *View) Hash() tao.Hash { return v.header.Hash }

// Parent is the hash of the block before.
func (v *View) Parent() tao.Hash { return v.header.Parent }

// Runtime is the runtime that will execute the next block.
func (v *View) Runtime() *Runtime { return v.runtime }

// Client is the line that the view reads through.
func (v *View) Client() *Client { return v.client }

// At takes a view. Errors are those of [Transport], *NoBlockError, or what
// metadata of the node cannot be read for.
func (c *Client) At(ctx context.Context, b BlockRef) (*View, error) {
	hash, err := c.resolve(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("find the %s: %w", b, err)
	}
	var (
		both   sync.WaitGroup
		header *Header
		rt     *Runtime
		hErr   error
		rErr   error
	)
	both.Go(func() { hErr = c.transport.Call(ctx, &header, "chain_getHeader", hash) })
	both.Go(func() { rt, rErr = c.runtimes.at(ctx, hash) })
	both.Wait()
	switch {
	case hErr != nil:
		return nil, fmt.Errorf("read the header of the %s: %w", b, hErr)
	case header == nil:
		return nil, &NoBlockError{b}
	case rErr != nil:
		return nil, fmt.Errorf("read the runtime at the %s: %w", b, rErr)
	}
	header.Hash = hash
	return &View{client: c, header: *header, runtime: rt}, nil
}

// resolve finds the hash of a block.
func (c *Client) resolve(ctx context.Context, b BlockRef) (tao.Hash, error) {
	var (
		hash tao.Hash
		err  error
	)
	switch b.kind {
	case atHash:
		return b.hash, nil
	case atNumber:
		hash, err = blockHash(ctx, c.transport, "chain_getBlockHash", b.number)
		if hash == c.genesis && b.number != 0 {
			// Chopsticks says so for the numbers that a jump in time left out.
			hash = tao.Hash{}
		}
	case finalized:
		hash, err = blockHash(ctx, c.transport, "chain_getFinalizedHead")
	default:
		hash, err = blockHash(ctx, c.transport, "chain_getBlockHash")
	}
	if err == nil && hash.IsZero() {
		err = &NoBlockError{b}
	}
	return hash, err
}

// blockHash asks for a hash; null comes back as the zero hash.
func blockHash(ctx context.Context, t Transport, method string, params ...any) (tao.Hash, error) {
	var hash tao.Hash
	err := t.Call(ctx, &hash, method, params...)
	return hash, err
}

// Hash finds the hash of a block without taking a view of it.
func (c *Client) Hash(ctx context.Context, b BlockRef) (tao.Hash, error) {
	hash, err := c.resolve(ctx, b)
	if err != nil {
		return hash, fmt.Errorf("find the %s: %w", b, err)
	}
	return hash, nil
}

// Extrinsics returns the block's extrinsics in order, each with its length
// prefix, as they were sent.
func (v *View) Extrinsics(ctx context.Context) ([][]byte, error) {
	return v.client.Extrinsics(ctx, v.header.Hash)
}

// Extrinsics returns the extrinsics of a block without taking a view of it, as
// a search through many blocks wants. Errors: *NoBlockError where the node has
// no such block, or no longer.
func (c *Client) Extrinsics(ctx context.Context, block tao.Hash) ([][]byte, error) {
	var reply *struct {
		Block struct {
			Extrinsics []hexBytes `json:"extrinsics"`
		} `json:"block"`
	}
	if err := c.transport.Call(ctx, &reply, "chain_getBlock", block); err != nil {
		return nil, fmt.Errorf("read the extrinsics of block %s: %w", block, err)
	}
	if reply == nil {
		return nil, &NoBlockError{AtHash(block)}
	}
	list := make([][]byte, len(reply.Block.Extrinsics))
	for i, x := range reply.Block.Extrinsics {
		list[i] = x
	}
	return list, nil
}

// StateCall runs a runtime API on bytes: name is trait and method joined by an
// underscore ("Core_version"), args the SCALE of the arguments, one after the
// other. [API] does the same with types.
func (v *View) StateCall(ctx context.Context, name string, args []byte) ([]byte, error) {
	return stateCall(ctx, v.client.transport, v.header.Hash, name, args)
}

func stateCall(ctx context.Context, t Transport, at tao.Hash, name string, args []byte) ([]byte, error) {
	var out hexBytes
	if err := t.Call(ctx, &out, "state_call", name, hexBytes(args), at); err != nil {
		return nil, fmt.Errorf("call the runtime's %s: %w", name, err)
	}
	return out, nil
}

// Through is the same block with its runtime, read through another transport,
// which answers for the state of this block.
func (v *View) Through(t Transport) *View {
	client := *v.client
	client.transport = t
	return &View{client: &client, header: v.header, runtime: v.runtime}
}

// Raw reads what is stored under a key, as bytes; nil if nothing is.
func (v *View) Raw(ctx context.Context, key []byte) ([]byte, error) {
	var raw *hexBytes
	if err := v.client.transport.Call(ctx, &raw, "state_getStorage", hexBytes(key), v.header.Hash); err != nil {
		return nil, fmt.Errorf("read storage under %#x: %w", key, err)
	}
	if raw == nil {
		return nil, nil
	}
	return append([]byte{}, *raw...), nil
}

// Values reads what is stored under several keys, as bytes, in a number of
// requests that hardly grows with theirs; nil stands for what is not stored.
func (v *View) Values(ctx context.Context, keys [][]byte) ([][]byte, error) {
	raw, err := v.values(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read storage under %d keys: %w", len(keys), err)
	}
	found := make([][]byte, len(raw))
	for i, value := range raw {
		if value != nil {
			found[i] = append([]byte{}, *value...)
		}
	}
	return found, nil
}

// Keys lists up to count storage keys with a prefix that come after one, in
// order.
func (v *View) Keys(ctx context.Context, prefix, after []byte, count int) ([][]byte, error) {
	const method = "state_getKeysPaged"
	var page []hexBytes
	if err := v.client.transport.Call(ctx, &page, method, hexBytes(prefix), count, startKey(after), v.header.Hash); err != nil {
		return nil, fmt.Errorf("list storage keys after %#x: %w", after, err)
	}
	keys := make([][]byte, len(page))
	for i, key := range page {
		if bytes.Compare(key, after) <= 0 || !bytes.HasPrefix(key, prefix) {
			return nil, &ReplyError{Method: method, Reason: "its keys are not those asked for, in order"}
		}
		keys[i], after = key, key
	}
	return keys, nil
}
