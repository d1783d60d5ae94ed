package testnode

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ChainSafe/go-schnorrkel"
	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// fail ends a test that uses the node wrongly, from whatever goroutine.
func fail(format string, args ...any) { panic("testnode: " + fmt.Sprintf(format, args...)) }

// extrinsic is a signed extrinsic as the node has read it.
type extrinsic struct {
	bytes     []byte // with its length prefix
	hash      tao.Hash
	signer    tao.Account
	signature tao.Signature
	call      chain.Call
	callBytes []byte
	extras    []byte // what all extensions put into the extrinsic, in order
	era       []byte
	nonce     uint32
	tip       tao.Amount
	mode      []byte   // of CheckMetadataHash
	runtime   *runtime // that read it
	block     tao.Hash // that holds it; zero while it waits
	watch     *watch   // of whoever follows it; may be nil
}

// invalid is a refusal before any block.
type invalid struct {
	name string // variant of InvalidTransaction
}

func (i *invalid) Error() string { return i.name }

// signedV4 is the first byte of a signed extrinsic of version 4 (Substrate,
// primitives/runtime/src/generic/unchecked_extrinsic.rs).
const signedV4 = 0x84

// read decodes a signed extrinsic as a node does: by the metadata, extension
// after extension.
func (n *Node) read(b []byte) (*extrinsic, error) {
	x := &extrinsic{bytes: slices.Clone(b), hash: blake2b.Sum256(b), runtime: n.runtime}
	m := n.runtime.Metadata()
	form := m.Extrinsic()
	size, rest, err := scale.DecodeCompact(b)
	if err != nil || size != uint64(len(rest)) || size < 1 || rest[0] != signedV4 {
		return nil, fmt.Errorf("no signed extrinsic of version 4")
	}
	var address any
	if rest, err = m.DecodePrefix(form.Address, rest[1:], &address); err != nil {
		return nil, err
	}
	var ok bool
	if x.signer, ok = address.(tao.Account); !ok {
		return nil, fmt.Errorf("address is a %T", address)
	}
	var signature *scale.Variant
	if rest, err = m.DecodePrefix(form.Signature, rest, &signature); err != nil {
		return nil, err
	}
	if err := x.readSignature(signature); err != nil {
		return nil, err
	}
	before := rest
	for _, e := range form.Extensions {
		var v any
		after, err := m.DecodePrefix(e.Extra, rest, &v)
		if err != nil {
			return nil, fmt.Errorf("extension %s: %w", e.Name, err)
		}
		x.readExtra(e.Name, rest[:len(rest)-len(after)])
		rest = after
	}
	x.extras, x.callBytes = before[:len(before)-len(rest)], rest
	x.call, err = n.runtime.Decode(rest)
	return x, err
}

func (x *extrinsic) readSignature(v *scale.Variant) error {
	raw, ok := v.Value.([]byte)
	if !ok {
		return fmt.Errorf("signature is a %T", v.Value)
	}
	schemes := map[string]tao.Scheme{"Ed25519": tao.Ed25519, "Sr25519": tao.Sr25519, "Ecdsa": tao.Ecdsa}
	x.signature = tao.Signature{Scheme: schemes[v.Name], Bytes: raw}
	return nil
}

func (x *extrinsic) readExtra(name string, b []byte) {
	switch name {
	case "CheckMortality", "CheckEra":
		x.era = b
	case "CheckNonce":
		v, _, _ := scale.DecodeCompact(b)
		x.nonce = uint32(v)
	case "ChargeTransactionPayment":
		v, _, _ := scale.DecodeCompact(b)
		x.tip = tao.Amount(v)
	case "CheckMetadataHash":
		x.mode = b
	}
}

// fee is what query_info says, too.
func (x *extrinsic) fee() tao.Amount { return feeOf(len(x.bytes)) + x.tip }

func feeOf(size int) tao.Amount { return BaseFee + tao.Amount(size) }

// check judges an extrinsic against the newest state, as the pool does.
func (n *Node) check(x *extrinsic) *invalid {
	payload, bad := n.payload(x)
	if bad != nil {
		return bad
	}
	if !verify(x.signer, x.signature, payload) {
		return &invalid{name: "BadProof"}
	}
	acc := n.account(x.signer)
	switch {
	case x.nonce < acc.nonce():
		return &invalid{name: "Stale"}
	case x.nonce > acc.nonce():
		return &invalid{name: "Future"}
	case acc.free() < x.fee():
		return &invalid{name: "Payment"}
	}
	return nil
}

// payload is what must have been signed: the call, all extras, all implicits.
func (n *Node) payload(x *extrinsic) ([]byte, *invalid) {
	spec := n.runtime.Spec()
	p := append(slices.Clone(x.callBytes), x.extras...)
	for _, e := range n.runtime.Metadata().Extrinsic().Extensions {
		switch e.Name {
		case "CheckSpecVersion":
			p = binary.LittleEndian.AppendUint32(p, spec.SpecVersion)
		case "CheckTxVersion":
			p = binary.LittleEndian.AppendUint32(p, spec.TxVersion)
		case "CheckGenesis":
			p = append(p, n.blocks[0].hash[:]...)
		case "CheckMortality", "CheckEra":
			birth, ok := n.birth(x.era)
			if !ok {
				return nil, &invalid{name: "AncientBirthBlock"}
			}
			p = append(p, birth[:]...)
		case "CheckMetadataHash":
			p = append(p, 0) // None: the node knows no hash of its metadata
		default:
			if !n.runtime.Metadata().IsEmpty(e.Implicit) {
				fail("extension %s asks for something to sign that this node does not know", e.Name)
			}
		}
	}
	if len(p) > 256 {
		sum := blake2b.Sum256(p)
		p = sum[:]
	}
	return p, nil
}

// birth finds the block from which a mortal extrinsic lives, seen from the
// next block: an expired era points at a later block, and so fails as
// BadProof, as on a real node (Substrate,
// primitives/runtime/src/generic/era.rs, Era::birth and its Decode).
func (n *Node) birth(era []byte) (tao.Hash, bool) {
	if len(era) == 1 && era[0] == 0 {
		return n.blocks[0].hash, true
	}
	if len(era) != 2 {
		return tao.Hash{}, false
	}
	encoded := uint64(era[0]) | uint64(era[1])<<8
	period := uint64(2) << (encoded % 16)
	factor := max(period>>12, 1)
	phase := (encoded >> 4) * factor
	if period < 4 || phase >= period {
		return tao.Hash{}, false
	}
	current := uint64(n.best().number)
	birth := (max(current, phase)-phase)/period*period + phase
	if birth >= uint64(len(n.blocks)) {
		return tao.Hash{}, false
	}
	return n.blocks[birth].hash, true
}

// verify checks a signature as the chain does: sr25519 in the context
// "substrate", or ed25519.
func verify(a tao.Account, s tao.Signature, message []byte) bool {
	if len(s.Bytes) != ed25519.SignatureSize {
		return false
	}
	switch s.Scheme {
	case tao.Ed25519:
		return ed25519.Verify(a[:], message, s.Bytes)
	case tao.Sr25519:
		public, err := schnorrkel.NewPublicKey(a)
		if err != nil {
			return false
		}
		var signature schnorrkel.Signature
		if signature.Decode([64]byte(s.Bytes)) != nil {
			return false
		}
		ok, err := public.Verify(&signature, schnorrkel.NewSigningContext([]byte("substrate"), message))
		return ok && err == nil
	}
	return false
}
