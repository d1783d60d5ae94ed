package devnet

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// block is a block with the state after it.
type block struct {
	number     uint32
	hash       tao.Hash
	parent     tao.Hash
	header     header
	extrinsics [][]byte       // with their lengths, as they were sent
	included   []*transaction // those that came through the pool
	state      *state
	runtime    *runtime
	time       time.Time
}

// header is a block's header, in the parts that JSON-RPC tells.
type header struct {
	Parent         tao.Hash `json:"parentHash"`
	Number         number   `json:"number"`
	StateRoot      tao.Hash `json:"stateRoot"`
	ExtrinsicsRoot tao.Hash `json:"extrinsicsRoot"`
	Digest         digest   `json:"digest"`
}

type digest struct {
	Logs []hexBytes `json:"logs"`
}

type number uint32

func (n number) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "0x%x", uint32(n)), nil }

type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) {
	return hex.AppendEncode([]byte("0x"), b), nil
}

// encode is the header as it is hashed (Substrate, primitives/runtime/src/generic/
// header.rs).
func (h header) encode() []byte {
	b := scale.EncodeCompact(bytes.Clone(h.Parent[:]), uint64(h.Number))
	b = append(append(b, h.StateRoot[:]...), h.ExtrinsicsRoot[:]...)
	b = scale.EncodeCompact(b, uint64(len(h.Digest.Logs)))
	for _, l := range h.Digest.Logs {
		b = append(b, l...)
	}
	return b
}

// finish takes roots and digest from the header as a runtime has finished it; the
// rest is known.
func (h *header) finish(b []byte) error {
	r := &reader{b: b}
	r.take(32)
	number, rest, err := scale.DecodeCompact(r.b)
	if err != nil || number != uint64(h.Number) {
		return errors.New("it is of another block")
	}
	r.b = rest
	copy(h.StateRoot[:], r.take(32))
	copy(h.ExtrinsicsRoot[:], r.take(32))
	logs := r.count(1)
	h.Digest.Logs = []hexBytes{}
	for range logs {
		h.Digest.Logs = append(h.Digest.Logs, digestItem(r))
	}
	if r.err != nil || len(r.b) != 0 {
		return errors.Join(r.err, errors.New("its form is not known"))
	}
	return nil
}

// digestItem takes one item with its bytes (Substrate, primitives/runtime/src/
// generic/digest.rs, DigestItemType).
func digestItem(r *reader) []byte {
	start := r.b
	switch kind := r.byte(); kind {
	case 4, 5, 6: // consensus, seal, pre-runtime: who it is for, and what
		r.take(4)
		r.take(r.count(1))
	case 0: // other
		r.take(r.count(1))
	case 8: // the code was changed
	default:
		r.err = errors.Join(r.err, fmt.Errorf("digest item %d is not known", kind))
	}
	return bytes.Clone(start[:len(start)-len(r.b)])
}

// work is a block being made.
type work struct {
	engine Engine
	block  *block
}

// call runs a method and keeps what it changes.
func (w *work) call(ctx context.Context, method string, input []byte) ([]byte, error) {
	res, err := w.engine.Call(ctx, w.block.state, method, input)
	if err != nil {
		return nil, err
	}
	w.block.state = w.block.state.with(res.Changes)
	return res.Output, nil
}

// open begins the block after parent: the runtime does what it does by itself, and
// the inherents are in.
func open(ctx context.Context, e Engine, parent *block, height uint32, at time.Time) (*work, error) {
	slot := uint64(at.UnixMilli() / parent.runtime.slot.Milliseconds())
	b := &block{number: height, parent: parent.hash, state: parent.state, runtime: parent.runtime, time: at}
	b.header = header{Parent: parent.hash, Number: number(height)}
	if parent.runtime.slots {
		log := append([]byte{6}, "aura"...)
		b.header.Digest.Logs = []hexBytes{binary.LittleEndian.AppendUint64(append(log, 8<<2), slot)}
	}
	w := &work{e, b}
	if _, err := w.call(ctx, "Core_initialize_block", b.header.encode()); err != nil {
		return nil, fmt.Errorf("begin block %d: %w", height, err)
	}
	out, err := w.call(ctx, "BlockBuilder_inherent_extrinsics", inherents(at, slot))
	if err != nil {
		return nil, fmt.Errorf("make the inherents of block %d: %w", height, err)
	}
	r := &reader{b: out}
	list := r.list()
	if r.err != nil {
		return nil, fmt.Errorf("read the inherents of block %d: %w", height, r.err)
	}
	for _, x := range list {
		x = append(scale.EncodeCompact(nil, uint64(len(x))), x...)
		if refused, err := w.apply(ctx, x); err != nil || refused != nil {
			return nil, fmt.Errorf("apply an inherent of block %d: %w", height, errors.Join(err, refused.orNil()))
		}
	}
	return w, nil
}

// inherents is what a block's author knows: the time and the slot (Substrate,
// primitives/inherents/src/lib.rs, InherentData: by identifier, in order).
func inherents(at time.Time, slot uint64) []byte {
	b := []byte{2 << 2}
	for _, item := range []struct {
		id    string
		value uint64
	}{{"auraslot", slot}, {"timstap0", uint64(at.UnixMilli())}} {
		b = append(append(b, item.id...), 8<<2)
		b = binary.LittleEndian.AppendUint64(b, item.value)
	}
	return b
}

// apply puts an extrinsic into the block, or says why the runtime refuses it. A
// call that fails is no refusal: it is in the block, and pays.
func (w *work) apply(ctx context.Context, x []byte) (*refusal, error) {
	before := w.block.state
	out, err := w.call(ctx, "BlockBuilder_apply_extrinsic", x)
	if err != nil {
		return nil, err
	}
	if len(out) > 0 && out[0] == 0 {
		w.block.extrinsics = append(w.block.extrinsics, x)
		return nil, nil
	}
	w.block.state = before
	if len(out) == 0 {
		return nil, errors.New("the runtime did not say what became of an extrinsic")
	}
	return readRefusal(out[1:])
}

// close ends the block.
func (w *work) close(ctx context.Context) (*block, error) {
	b := w.block
	out, err := w.call(ctx, "BlockBuilder_finalize_block", nil)
	if err != nil {
		return nil, fmt.Errorf("end block %d: %w", b.number, err)
	}
	if err := b.header.finish(out); err != nil {
		return nil, fmt.Errorf("read the header of block %d: %w", b.number, err)
	}
	b.hash = blake2b.Sum256(out)
	return b, nil
}

// genesis is block 0: a state that no block made. Its root stands for what is
// stored, so chains that begin otherwise have another genesis hash.
func genesis(s *state, rt *runtime, at time.Time) *block {
	h, err := blake2b.New256(nil)
	if err != nil {
		panic(err) // without a key there is no error
	}
	s.values.Scan(func(key string, value []byte) bool {
		h.Write(scale.EncodeCompact(nil, uint64(len(key))))
		h.Write([]byte(key))
		h.Write(scale.EncodeCompact(nil, uint64(len(value))))
		h.Write(value)
		return true
	})
	b := &block{state: s, runtime: rt, time: at, header: header{StateRoot: tao.Hash(h.Sum(nil)), Digest: digest{[]hexBytes{}}}}
	b.hash = blake2b.Sum256(b.header.encode())
	return b
}
