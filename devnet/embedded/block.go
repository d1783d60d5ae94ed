package embedded

import (
	"encoding/binary"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

var (
	number         = item[uint32]{"System", "Number"}
	parentHash     = item[tao.Hash]{"System", "ParentHash"}
	blockHash      = item[tao.Hash]{"System", "BlockHash"}
	phase          = item[any]{"System", "ExecutionPhase"}
	events         = item[[]any]{"System", "Events"}
	eventCount     = item[uint32]{"System", "EventCount"}
	extrinsicCount = item[uint32]{"System", "ExtrinsicCount"}
	extrinsicData  = item[[]byte]{"System", "ExtrinsicData"}
	blockWeight    = item[uint64]{"Embedded", "BlockWeight"}
	timestamp      = item[uint64]{"Timestamp", "Now"}
)

// hashesKept is how many blocks' hashes stay known: a transaction names one of them
// as its birth (Bittensor's BlockHashCount).
const hashesKept = 2400

// initialize begins a block: its header is that of Substrate, primitives/runtime/
// src/generic/header.rs.
func (x *exec) initialize(header []byte) {
	if len(header) < 32 {
		panic("the header ends too early")
	}
	parent := tao.Hash(header[:32])
	n, _, err := scale.DecodeCompact(header[32:])
	if err != nil || n == 0 || n > 1<<32-1 {
		panic("the header's number is no block's")
	}
	x.begin(uint32(n), parent)
	phase.set(x, &scale.Variant{Name: "Initialization"})
	x.everyBlock()
	phase.set(x, &scale.Variant{Name: "ApplyExtrinsic", Value: uint32(0)})
}

// begin puts a block's number and parent into the state.
func (x *exec) begin(n uint32, parent tao.Hash) {
	number.set(x, n)
	parentHash.set(x, parent)
	blockHash.set(x, parent, n-1)
	if n > hashesKept {
		blockHash.remove(x, n-1-hashesKept)
	}
	x.write(events.key(x, nil), nil)
	eventCount.set(x, 0)
	extrinsicCount.set(x, 0)
	blockWeight.set(x, 0)
}

// emit adds an event. Events are written by hand: the list would be read and
// written whole for each, and nobody needs it before the block ends.
func (x *exec) emit(pallet, name string, fields any) {
	if !phase.has(x) {
		return // a chain's beginning is told to nobody
	}
	e := events.entry(x)
	record := x.d.metadata.Type(e.Value).Elem
	raw := x.raw(events.key(x, nil))
	_, body, err := scale.DecodeCompact(append([]byte{}, raw...))
	if len(raw) == 0 {
		body, err = nil, nil
	}
	must(0, err)
	count := eventCount.get(x)
	encoded := must(x.d.metadata.Encode(nil, record, map[string]any{
		"phase": phase.get(x), "event": &scale.Variant{Name: pallet, Value: &scale.Variant{Name: name, Value: fields}}, "topics": []any{},
	}))
	x.write(events.key(x, nil), append(append(scale.EncodeCompact(nil, uint64(count)+1), body...), encoded...))
	eventCount.set(x, count+1)
}

// inherents makes the block's own extrinsic, which sets the time. The data are
// Substrate's InherentData: identifiers with bytes.
func (x *exec) inherents(data []byte) []byte {
	n, data, err := scale.DecodeCompact(data)
	must(0, err)
	for range n {
		if len(data) < 8 {
			panic("the inherent data end too early")
		}
		id := string(data[:8])
		size, rest, err := scale.DecodeCompact(data[8:])
		if must(0, err); size > uint64(len(rest)) {
			panic("the inherent data end too early")
		}
		value := rest[:size]
		data = rest[size:]
		if id == "timstap0" && size == 8 {
			call := must(x.d.metadata.EncodeCall([]byte{4}, "Timestamp", "set", map[string]any{"now": binary.LittleEndian.Uint64(value)}))
			return append([]byte{1 << 2}, opaque(call)...)
		}
	}
	return []byte{0}
}

// setTime is Timestamp.set, which only the block's author makes.
func setTime(x *exec, from origin, a args) error {
	if from.account != nil || from.root {
		return errBadOrigin
	}
	timestamp.set(x, a.amount("now"))
	return nil
}

// finalize ends the block and gives its header. There is no trie: the roots are
// hashes over what happened, so that another block has another hash.
func (x *exec) finalize() []byte {
	n, parent := number.get(x), parentHash.get(x)
	var sent []byte
	for i := range extrinsicCount.get(x) {
		sent = append(sent, extrinsicData.get(x, i)...)
		extrinsicData.remove(x, i)
	}
	phase.remove(x)
	extrinsicCount.remove(x)
	state := blake2b.Sum256(append(x.raw(events.key(x, nil)), x.raw(timestamp.key(x, nil))...))
	body := blake2b.Sum256(sent)
	b := scale.EncodeCompact(parent[:], uint64(n))
	return append(append(append(b, state[:]...), body[:]...), 0)
}
