package devnet

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
)

// toy is a runtime whose only matter is order: an extrinsic is a sender's letter,
// its number, a priority and a weight. A block of it holds a weight of 10. It logs
// the senders it had under "log". Its metadata are those of a real one.
type toy struct {
	metadata []byte
	slots    bool
}

func newToy(tb testing.TB) *toy {
	tb.Helper()
	return &toy{metadata: fixture.Metadata(tb, "raonet-218-v14"), slots: true}
}

const toyWeight = 10

type letter struct{ sender, number, priority, weight byte }

func (l letter) bytes() []byte { return []byte{4 << 2, l.sender, l.number, l.priority, l.weight} }

func (l letter) hex() string { return string(mustText(hexBytes(l.bytes()))) }

func mustText(b hexBytes) []byte {
	t, err := b.MarshalText()
	if err != nil {
		panic(err)
	}
	return t
}

// toyCall is one call of the toy: what it read and wrote.
type toyCall struct {
	ctx     context.Context
	s       executor.Storage
	changes map[string][]byte
}

func (c *toyCall) get(key string) []byte {
	if v, ok := c.changes[key]; ok {
		return v
	}
	v, _, err := c.s.Get(c.ctx, []byte(key))
	if err != nil {
		panic(err)
	}
	return v
}

func (c *toyCall) number(key string) byte {
	if v := c.get(key); len(v) > 0 {
		return v[0]
	}
	return 0
}

func (t *toy) Call(ctx context.Context, s executor.Storage, method string, input []byte) (res executor.Result, err error) {
	c := &toyCall{ctx, s, map[string][]byte{}}
	switch method {
	case "Core_version":
		res.Output = toyVersion(c.number(codeKey))
	case "Metadata_metadata":
		res.Output = append(scale.EncodeCompact(nil, uint64(len(t.metadata))), t.metadata...)
	case "AuraApi_slot_duration":
		if !t.slots {
			return res, &executor.MethodError{Method: method}
		}
		res.Output = binary.LittleEndian.AppendUint64(nil, 1000)
	case "AccountNonceApi_account_nonce":
		res.Output = []byte{c.number(string(input[0])), 0, 0, 0}
	case "Core_initialize_block":
		c.changes["header"], c.changes["weight"] = bytes.Clone(input), []byte{0}
	case "BlockBuilder_inherent_extrinsics":
		// One inherent, which says the slot.
		slot := input[1+8+1:]
		res.Output = []byte{1 << 2, 4 << 2, 'i', slot[0], 0, 0}
	case "BlockBuilder_apply_extrinsic":
		res.Output = c.apply(input)
	case "BlockBuilder_finalize_block":
		res.Output = c.get("header")
	case "TaggedTransactionQueue_validate_transaction":
		res.Output = c.validate(input[1 : len(input)-32])
	case "TransactionPaymentApi_query_info":
		res.Output = append([]byte{5 << 2, 6 << 2, 0}, 7, 0, 0, 0, 0, 0, 0, 0)
	default:
		return res, &executor.MethodError{Method: method}
	}
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range c.changes {
			if !yield(k) {
				return
			}
		}
	}) {
		res.Changes = append(res.Changes, executor.Change{Key: []byte(k), Value: c.changes[k]})
	}
	return res, nil
}

// toyVersion has the code as its spec version.
func toyVersion(spec byte) []byte {
	b := []byte{3 << 2, 't', 'o', 'y', 3 << 2, 't', 'o', 'y', 1, 0, 0, 0, spec, 0, 0, 0, 2, 0, 0, 0, 1 << 2}
	return append(b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 3, 0, 0, 0, 1)
}

func (c *toyCall) read(x []byte) (letter, []byte) {
	if len(x) != 5 || x[1] > 'z' {
		return letter{}, []byte{1, 0, 4} // BadProof
	}
	l := letter{x[1], x[2], x[3], x[4]}
	if l.number < c.number(string(l.sender)) {
		return l, []byte{1, 0, 3} // Stale
	}
	return l, nil
}

func (c *toyCall) validate(x []byte) []byte {
	l, refused := c.read(x)
	if refused != nil {
		return refused
	}
	b := binary.LittleEndian.AppendUint64([]byte{0}, uint64(l.priority))
	if l.number > c.number(string(l.sender)) {
		b = append(b, 1<<2, 2<<2, l.sender, l.number-1)
	} else {
		b = append(b, 0)
	}
	b = append(b, 1<<2, 2<<2, l.sender, l.number)
	return append(binary.LittleEndian.AppendUint64(b, 5), 1) // for five blocks
}

func (c *toyCall) apply(x []byte) []byte {
	if len(x) == 5 && x[1] == 'i' {
		return []byte{0, 0}
	}
	l, refused := c.read(x)
	switch {
	case refused != nil:
		return refused
	case l.number != c.number(string(l.sender)):
		return []byte{1, 0, 2} // Future
	case l.sender == 'x':
		return []byte{1, 0, 7, 9} // Custom 9, found out in the block alone
	case c.number("weight")+l.weight > toyWeight:
		return []byte{1, 0, 6}
	}
	c.changes["weight"] = []byte{c.number("weight") + l.weight}
	c.changes[string(l.sender)] = []byte{l.number + 1}
	c.changes["log"] = append(bytes.Clone(c.get("log")), l.sender, '0'+l.number)
	return []byte{0, 0}
}

// toyChain is a chain on the toy, by hand unless o says otherwise.
func toyChain(tb testing.TB, o Options) *Chain {
	tb.Helper()
	if o.Genesis.IsZero() {
		o.Genesis = time.Unix(1_700_000_000, 0)
	}
	c, err := New(tb.Context(), newToy(tb), map[string][]byte{codeKey: {1}, "kept": {}}, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

func build(tb testing.TB, c *Chain) Block {
	tb.Helper()
	b, err := c.Build(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func (c *Chain) log() string { return string(c.head().state.value("log")) }

// ask asks through the transport.
func ask[T any](tb testing.TB, c *Chain, method string, args ...any) T {
	tb.Helper()
	var v T
	if err := c.Transport().Call(tb.Context(), &v, method, args...); err != nil {
		tb.Fatalf("%s: %v", method, err)
	}
	return v
}

func send(tb testing.TB, c *Chain, list ...letter) {
	tb.Helper()
	for _, l := range list {
		ask[json.RawMessage](tb, c, "author_submitExtrinsic", l.hex())
	}
}
