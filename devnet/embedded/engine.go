// Package embedded is a chain's runtime written in Go, for a devnet that needs no
// files. It speaks as Bittensor's newest runtimes do: the names, arguments, events
// and errors of their calls, their storage, their transactions and runtime APIs,
// described by metadata of its own. It is honest about what it does not do: a call
// that it does not model is not there.
//
// What it models: balances, batches, sudo, proxies, multisigs; staking with pools as
// the chain has them from spec 423 on, with equal weights; takes and children;
// registration by burn, by work and on the root; referenda, which no live chain has
// yet. docs/devnet.md says what is left out.
package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/scale"
)

// What it says it is. The version is that of the runtime it is modelled after.
const (
	specName    = "node-subtensor"
	implName    = "taoctl-embedded"
	specVersion = 475
	txVersion   = 1
)

// Engine is the runtime. It holds no state, and serves any number of chains.
type Engine struct{ d *description }

// runtime is described once: it is the same for all.
var runtime = sync.OnceValue(func() *description { return describe(pallets(), apis()) })

// New gives the runtime.
func New() *Engine { return &Engine{runtime()} }

// Call runs a method on SCALE input, as a runtime's WebAssembly does. Nothing is
// written to s. Errors: *executor.MethodError, *executor.TrapError where the input
// is no value of what the method takes, and what s reports.
func (e *Engine) Call(ctx context.Context, s executor.Storage, method string, input []byte) (res executor.Result, err error) {
	x := &exec{ctx: ctx, d: e.d, storage: s, layers: []map[string][]byte{{}}}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case broken:
			err = p.err
		default:
			err = &executor.TrapError{Method: method, Panic: fmt.Sprint(p), Err: errors.New("panic")}
		}
	}()
	out, known := x.core(method, input)
	if !known {
		return res, &executor.MethodError{Method: method}
	}
	return executor.Result{Output: out, Changes: x.changes()}, nil
}

// core runs the methods that a node needs, whose bytes are not those of values
// alone, and else a runtime API.
func (x *exec) core(method string, input []byte) (out []byte, known bool) {
	switch method {
	case "Core_version":
		return x.version(), true
	case "Core_initialize_block":
		x.initialize(input)
		return []byte{0}, true // ExtrinsicInclusionMode::AllExtrinsics
	case "BlockBuilder_inherent_extrinsics":
		return x.inherents(input), true
	case "BlockBuilder_apply_extrinsic":
		return x.applyExtrinsic(input), true
	case "BlockBuilder_finalize_block":
		return x.finalize(), true
	case "Metadata_metadata":
		return opaque(x.d.v14), true
	case "Metadata_metadata_versions":
		return []byte{2 << 2, 14, 0, 0, 0, 15, 0, 0, 0}, true
	case "Metadata_metadata_at_version":
		return x.metadataAt(input), true
	case "TaggedTransactionQueue_validate_transaction":
		return x.validate(input), true
	case "TransactionPaymentApi_query_info":
		return x.queryInfo(input), true
	case "TransactionPaymentApi_query_fee_details":
		return x.queryFeeDetails(input), true
	}
	m, known := x.d.methods[method]
	if !known {
		return nil, false
	}
	in := make([]any, len(m.inputs))
	for i, t := range m.inputs {
		rest, err := x.d.metadata.DecodePrefix(t, input, &in[i])
		input = must(rest, err)
	}
	if len(input) > 0 {
		panic("bytes follow the arguments")
	}
	return must(x.d.metadata.Encode(nil, m.output, m.do(x, in))), true
}

func opaque(b []byte) []byte { return append(scale.EncodeCompact(nil, uint64(len(b))), b...) }

func (x *exec) metadataAt(input []byte) []byte {
	if len(input) != 4 {
		panic("the version is no u32")
	}
	switch binary.LittleEndian.Uint32(input) {
	case 14:
		return append([]byte{1}, opaque(x.d.v14)...)
	case 15:
		return append([]byte{1}, opaque(x.d.v15)...)
	}
	return []byte{0}
}

// version is a RuntimeVersion (Substrate, primitives/version/src/lib.rs). It lists
// no APIs: those are in the metadata.
func (x *exec) version() []byte {
	b := append(opaque([]byte(specName)), opaque([]byte(implName))...)
	for _, n := range []uint32{1, specVersion, 1} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	b = append(b, 0)
	return append(binary.LittleEndian.AppendUint32(b, txVersion), 1)
}
