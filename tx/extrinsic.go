package tx

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"golang.org/x/crypto/blake2b"
)

// The first byte of an extrinsic's body: its version, and a bit that says it is
// signed (Substrate, generic/unchecked_extrinsic.rs).
const (
	extrinsicV4 = 4
	signedBit   = 0x80
)

// Extrinsic is a signed draft: bytes that any node will take, once.
type Extrinsic struct {
	Bytes   []byte // as submitted, length prefix included
	Signer  tao.Account
	Nonce   uint32
	Era     Era
	Tip     tao.Amount
	Genesis tao.Hash
	Call    chain.Call

	CallHash tao.Hash // blake2-256 of the call's bytes: equal calls, equal hashes
	Head     uint32   // the newest block when it was signed, as far as is known

	runtime *chain.Runtime
}

// Hash is the extrinsic's name: blake2-256 of all its bytes.
func (x *Extrinsic) Hash() tao.Hash { return hashOf(x.Bytes) }

func hashOf(b []byte) tao.Hash { return blake2b.Sum256(b) }

// signatureNames are the variants of MultiSignature.
var signatureNames = map[tao.Scheme]string{tao.Ed25519: "Ed25519", tao.Sr25519: "Sr25519", tao.Ecdsa: "Ecdsa"}

// encodeBody is the extrinsic without its length prefix.
func encodeBody(d *Draft, s tao.Signature) ([]byte, error) {
	meta := d.runtime.Metadata()
	shape := meta.Extrinsic()
	body := []byte{extrinsicV4 | signedBit}
	body, err := meta.Encode(body, shape.Address, d.Signer)
	if err != nil {
		return nil, fmt.Errorf("encode the signer: %w", err)
	}
	body, err = meta.Encode(body, shape.Signature, &scale.Variant{Name: signatureNames[s.Scheme], Value: s.Bytes})
	if err != nil {
		return nil, fmt.Errorf("encode the signature: %w", err)
	}
	return slices.Concat(body, d.extra, d.call), nil
}

// Extension is one transaction extension's part of a decoded extrinsic.
type Extension struct {
	Name  string `json:"name"`
	Value Value  `json:"value"`
}

// Decoded is an extrinsic read back. An unsigned one (an inherent such as
// Timestamp.set) has a call and nothing else.
type Decoded struct {
	Kind       Kind
	Hash       tao.Hash // of an extrinsic
	Signed     bool
	Signer     tao.Account
	Signature  tao.Signature
	Extensions []Extension // those that carry something
	Nonce      uint32
	Era        Era // BirthHash is not in the bytes
	Tip        tao.Amount
	Call       chain.Call
	CallBytes  []byte
	CallHash   tao.Hash // blake2-256 of CallBytes
}

// Kind is what a string of bytes turned out to be.
type Kind string

// The kinds that Decode knows.
const (
	KindExtrinsic Kind = "extrinsic" // as sent, with its length
	KindPayload   Kind = "payload"   // call, extra and implicit, as signed
	KindCall      Kind = "call"
)

// Decode reads bytes of unknown kind: an extrinsic, a call, or the payload of a
// draft. Each kind takes all the bytes or none, so they cannot be confused. near
// is as for DecodeExtrinsic.
func Decode(rt *chain.Runtime, b []byte, near uint32) (*Decoded, error) {
	if length, body, err := scale.DecodeCompact(b); err == nil && length == uint64(len(body)) && length > 0 {
		if d, err := DecodeExtrinsic(rt, b, near); err == nil {
			return d, nil
		}
	}
	if call, err := rt.Decode(b); err == nil {
		return (&Decoded{Kind: KindCall}).with(call, b), nil
	}
	d, err := decodePayload(rt, b, near)
	if err != nil {
		return nil, fmt.Errorf("these %d bytes are neither an extrinsic nor a call nor a payload of this runtime (%s): %w", len(b), rt.Spec(), err)
	}
	return d, nil
}

func (d *Decoded) with(call chain.Call, b []byte) *Decoded {
	d.Call, d.CallBytes, d.CallHash = call, bytes.Clone(b), hashOf(b)
	return d
}

// decodePayload reads call, extra and implicit.
func decodePayload(rt *chain.Runtime, b []byte, near uint32) (*Decoded, error) {
	meta := rt.Metadata()
	var call chain.Call
	rest, err := meta.DecodePrefix(meta.Extrinsic().Call, b, &call)
	if err != nil {
		return nil, err
	}
	d := (&Decoded{Kind: KindPayload}).with(call, b[:len(b)-len(rest)])
	if rest, err = d.readExtensions(rt, rest, near); err != nil {
		return nil, err
	}
	for _, x := range meta.Extrinsic().Extensions {
		var implicit any
		if rest, err = meta.DecodePrefix(x.Implicit, rest, &implicit); err != nil {
			return nil, fmt.Errorf("signed part of transaction extension %s: %w", x.Name, err)
		}
		if hash, ok := implicit.([]byte); ok && len(hash) == len(tao.Hash{}) && isEra(x.Name) {
			d.Era.BirthHash = tao.Hash(hash)
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes follow the payload", len(rest))
	}
	return d, nil
}

// DecodeExtrinsic reads an extrinsic, length prefix included, of the given
// runtime. near is the number of a block close to its signing, from which the
// era's birth is told.
func DecodeExtrinsic(rt *chain.Runtime, b []byte, near uint32) (*Decoded, error) {
	length, body, err := scale.DecodeCompact(b)
	if err != nil {
		return nil, fmt.Errorf("extrinsic length: %w", err)
	}
	if length != uint64(len(body)) || length == 0 {
		return nil, fmt.Errorf("extrinsic says it has %d bytes and has %d", length, len(body))
	}
	d := &Decoded{Kind: KindExtrinsic, Hash: hashOf(b)}
	version, rest := body[0], body[1:]
	switch version {
	case extrinsicV4 | signedBit:
		d.Signed = true
		if rest, err = d.readSigned(rt, rest, near); err != nil {
			return nil, err
		}
	case extrinsicV4, 5: // bare
	default:
		return nil, fmt.Errorf("extrinsic of version byte 0x%02x, which taoctl does not know", version)
	}
	call, err := rt.Decode(rest)
	if err != nil {
		return nil, err
	}
	return d.with(call, rest), nil
}

// readSigned reads address, signature and extensions, and returns the call.
func (d *Decoded) readSigned(rt *chain.Runtime, b []byte, near uint32) (rest []byte, err error) {
	meta := rt.Metadata()
	shape := meta.Extrinsic()
	if b, err = meta.DecodePrefix(shape.Address, b, &d.Signer); err != nil {
		return nil, fmt.Errorf("extrinsic's signer: %w", err)
	}
	var signature any
	if b, err = meta.DecodePrefix(shape.Signature, b, &signature); err != nil {
		return nil, fmt.Errorf("extrinsic's signature: %w", err)
	}
	if d.Signature, err = signatureOf(signature); err != nil {
		return nil, err
	}
	return d.readExtensions(rt, b, near)
}

// readExtensions reads what the extensions put into the extrinsic.
func (d *Decoded) readExtensions(rt *chain.Runtime, b []byte, near uint32) (rest []byte, err error) {
	meta := rt.Metadata()
	for _, x := range meta.Extrinsic().Extensions {
		if meta.IsEmpty(x.Extra) {
			continue
		}
		var value any
		if b, err = meta.DecodePrefix(x.Extra, b, &value); err != nil {
			return nil, fmt.Errorf("transaction extension %s: %w", x.Name, err)
		}
		d.Extensions = append(d.Extensions, Extension{x.Name, Value{value}})
		if err := d.note(x.Name, value, near); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// note keeps what the extensions say about the extrinsic itself.
func (d *Decoded) note(name string, value any, near uint32) (err error) {
	switch {
	case name == "CheckNonce":
		d.Nonce, _ = value.(uint32)
	case name == "ChargeTransactionPayment":
		tip, _ := value.(uint64)
		d.Tip = tao.Amount(tip)
	case isEra(name):
		d.Era, err = eraOf(value, near)
	}
	return err
}

// isEra knows the extension that carries the era, by both of its names.
func isEra(name string) bool { return name == "CheckMortality" || name == "CheckEra" }

func signatureOf(v any) (tao.Signature, error) {
	variant, ok := v.(*scale.Variant)
	if !ok {
		return tao.Signature{}, fmt.Errorf("signature is a %T", v)
	}
	raw, ok := variant.Value.([]byte)
	if !ok {
		return tao.Signature{}, fmt.Errorf("signature %s holds a %T", variant.Name, variant.Value)
	}
	for scheme, name := range signatureNames {
		if name == variant.Name {
			return tao.Signature{Scheme: scheme, Bytes: raw}, nil
		}
	}
	return tao.Signature{}, fmt.Errorf("signature scheme %s is unknown", variant.Name)
}

// ReadExtrinsic takes signed bytes from elsewhere, for sending. near is the
// number of the newest block.
func ReadExtrinsic(rt *chain.Runtime, genesis tao.Hash, b []byte, near uint32) (*Extrinsic, error) {
	d, err := DecodeExtrinsic(rt, b, near)
	if err != nil {
		return nil, err
	}
	if !d.Signed {
		return nil, errors.New("the extrinsic is not signed")
	}
	return &Extrinsic{
		Bytes: bytes.Clone(b), Signer: d.Signer, Nonce: d.Nonce, Era: d.Era, Tip: d.Tip,
		Genesis: genesis, Call: d.Call, CallHash: d.CallHash, Head: near, runtime: rt,
	}, nil
}
