package devnet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/scale"
)

// Engine is a chain's runtime: it answers a runtime API by name over a state,
// as a runtime's WebAssembly answers a node. It writes nothing itself: what a call
// would change is in its result. [executor.Runtime] is one, for one code.
//
// It must have Core_version, Core_initialize_block, BlockBuilder_apply_extrinsic,
// BlockBuilder_inherent_extrinsics, BlockBuilder_finalize_block, Metadata_metadata
// and TaggedTransactionQueue_validate_transaction, and AuraApi_slot_duration where
// its blocks name slots. Its extrinsics are opaque here.
type Engine interface {
	Call(ctx context.Context, s executor.Storage, method string, input []byte) (executor.Result, error)
}

// codeKey is where a chain's code lies (Substrate, primitives/storage/src/lib.rs,
// well_known_keys::CODE).
const codeKey = ":code"

// runtime is what is known of the code that rules after a block.
type runtime struct {
	version  version
	slot     time.Duration // between blocks
	slots    bool          // blocks name the slot they were made in
	metadata *scale.Metadata
}

// version is a runtime's version, as JSON-RPC tells it.
type version struct {
	SpecName           string   `json:"specName"`
	ImplName           string   `json:"implName"`
	AuthoringVersion   uint32   `json:"authoringVersion"`
	SpecVersion        uint32   `json:"specVersion"`
	ImplVersion        uint32   `json:"implVersion"`
	APIs               [][2]any `json:"apis"` // the hash of its name in 8 bytes, its version
	TransactionVersion uint32   `json:"transactionVersion"`
	StateVersion       uint8    `json:"stateVersion"`
}

// defaultSlot is Bittensor's time between blocks.
const defaultSlot = 12 * time.Second

func loadRuntime(ctx context.Context, e Engine, s *state) (*runtime, error) {
	out, err := e.Call(ctx, s, "Core_version", nil)
	if err != nil {
		return nil, fmt.Errorf("ask the runtime for its version: %w", err)
	}
	r := &runtime{slot: defaultSlot}
	if r.version, err = readVersion(out.Output); err != nil {
		return nil, err
	}
	if out, err = e.Call(ctx, s, "Metadata_metadata", nil); err != nil {
		return nil, fmt.Errorf("ask the runtime for its metadata: %w", err)
	}
	_, blob, err := scale.DecodeCompact(out.Output)
	if err != nil {
		return nil, fmt.Errorf("read the runtime's metadata: %w", err)
	}
	if r.metadata, err = readMetadata(blob); err != nil {
		return nil, fmt.Errorf("read the runtime's metadata: %w", err)
	}
	out, err = e.Call(ctx, s, "AuraApi_slot_duration", nil)
	var missing *executor.MethodError
	switch {
	case errors.As(err, &missing):
		return r, nil
	case err != nil:
		return nil, fmt.Errorf("ask the runtime for its slots: %w", err)
	case len(out.Output) != 8 || binary.LittleEndian.Uint64(out.Output) == 0 || binary.LittleEndian.Uint64(out.Output) > uint64(24*time.Hour/time.Millisecond):
		return nil, fmt.Errorf("the runtime's slots are no time: %#x", out.Output)
	}
	r.slots, r.slot = true, time.Duration(binary.LittleEndian.Uint64(out.Output))*time.Millisecond
	return r, nil
}

// readVersion reads a RuntimeVersion (Substrate, primitives/version/src/lib.rs).
func readVersion(b []byte) (v version, err error) {
	r := &reader{b: b}
	v.SpecName, v.ImplName = string(r.bytes()), string(r.bytes())
	v.AuthoringVersion, v.SpecVersion, v.ImplVersion = r.u32(), r.u32(), r.u32()
	v.APIs = [][2]any{}
	for range r.count(12) {
		v.APIs = append(v.APIs, [2]any{hexBytes(r.take(8)), r.u32()})
	}
	v.TransactionVersion = r.u32()
	if len(r.b) > 0 { // runtimes before 2022 have none
		v.StateVersion = r.take(1)[0]
	}
	if r.err != nil {
		return v, fmt.Errorf("read the runtime's version: %w", r.err)
	}
	return v, nil
}

// reader reads the few SCALE values whose shape is the same on every chain; after
// its first error it gives zeros.
type reader struct {
	b   []byte
	err error
}

var errShort = errors.New("it ends too early")

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.err, r.b = errors.Join(r.err, errShort), nil
		return make([]byte, min(n, 32))
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) byte() byte  { return r.take(1)[0] }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

// count is how many items follow, each of size bytes at least.
func (r *reader) count(size int) int {
	n, rest, err := scale.DecodeCompact(r.b)
	if err != nil || n > uint64(len(rest)/size) {
		r.err, r.b = errors.Join(r.err, err, errShort), nil
		return 0
	}
	r.b = rest
	return int(n)
}

func (r *reader) bytes() []byte { return bytes.Clone(r.take(r.count(1))) }

func (r *reader) list() [][]byte {
	var list [][]byte
	for range r.count(1) {
		list = append(list, r.bytes())
	}
	return list
}

func (r *reader) compact() uint64 {
	n, rest, err := scale.DecodeCompact(r.b)
	if err != nil {
		r.err, r.b = errors.Join(r.err, err), nil
		return 0
	}
	r.b = rest
	return n
}

// readMetadata also teaches them to read accounts as people write them.
func readMetadata(blob []byte) (*scale.Metadata, error) {
	m, err := scale.ParseMetadata(blob)
	if err != nil {
		return nil, err
	}
	return chain.NewRuntime(chain.Spec{}, m).Metadata(), nil
}
