package embedded

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"

	schnorrkel "github.com/ChainSafe/go-schnorrkel"
	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// transaction is an extrinsic that was read: version 4 of Substrate's
// (primitives/runtime/src/generic/unchecked_extrinsic.rs).
type transaction struct {
	length  int // with its own length in front
	call    *scale.Variant
	pallet  string
	name    string
	signed  bool
	signer  tao.Account
	scheme  string
	sealed  []byte // the signature
	era     []byte
	nonce   uint32
	tip     uint64
	checked bool   // it carries a hash of the metadata, which is not known here
	body    []byte // call and extensions, as they are signed
}

// read takes an extrinsic apart. One that cannot be read ends the call, as it ends
// a real runtime's.
func (x *exec) read(b []byte) transaction {
	n, rest, err := scale.DecodeCompact(b)
	if err != nil || n != uint64(len(rest)) || n == 0 {
		panic("it does not begin with its length")
	}
	t := transaction{length: len(b)}
	m := x.d.metadata
	switch version := rest[0]; version {
	case 4:
		rest = rest[1:]
	case 0x84:
		rest = t.head(x, rest[1:])
	default:
		panic("it is of a version that is not known")
	}
	pallet, name, record, left, err := m.DecodeCall(rest)
	if must(0, err); len(left) > 0 {
		panic("bytes follow the call")
	}
	t.pallet, t.name = pallet, name
	t.call = &scale.Variant{Name: pallet, Value: &scale.Variant{Name: name, Value: record}}
	t.body = append(bytes.Clone(rest), t.body...)
	return t
}

// head reads what stands before the call: the signer, the signature, and what the
// extensions carry.
func (t *transaction) head(x *exec, b []byte) []byte {
	m := x.d.metadata
	var signer, sealed any
	b = must(m.DecodePrefix(m.Extrinsic().Address, b, &signer))
	b = must(m.DecodePrefix(m.Extrinsic().Signature, b, &sealed))
	address, signature := signer.(*scale.Variant), sealed.(*scale.Variant)
	id, ok := address.Value.([]byte)
	if address.Name != "Id" || !ok {
		panic("its signer is no account")
	}
	t.signed, t.signer = true, tao.Account(id)
	t.scheme, t.sealed = signature.Name, signature.Value.([]byte)
	for _, e := range m.Extrinsic().Extensions {
		var v any
		rest := must(m.DecodePrefix(e.Extra, b, &v))
		taken := b[:len(b)-len(rest)]
		switch e.Name {
		case "CheckMortality":
			t.era = taken
		case "CheckNonce":
			t.nonce = v.(uint32)
		case "ChargeTransactionPayment":
			t.tip = v.(uint64)
		case "CheckMetadataHash":
			t.checked = taken[0] != 0
		}
		t.body, b = append(t.body, taken...), rest
	}
	return b
}

// birth is the block that an era begins with, and for how many blocks it lasts
// (Substrate, primitives/runtime/src/generic/era.rs); 0 is for ever.
func birth(era []byte, now uint32) (block uint32, period uint64) {
	if len(era) == 1 {
		return 0, 0
	}
	encoded := binary.LittleEndian.Uint16(era)
	period = 2 << (encoded & 15)
	step := max(period>>12, 1)
	at := uint64(encoded>>4) * step
	return uint32((max(uint64(now), at)-at)/period*period + at), period
}

// invalid is why a transaction is not taken: a TransactionValidityError.
type invalid []byte

var (
	invalidCall     = invalid{0, 0}
	invalidPayment  = invalid{0, 1}
	invalidStale    = invalid{0, 3}
	invalidProof    = invalid{0, 4}
	invalidAncient  = invalid{0, 5}
	invalidFull     = invalid{0, 6}
	invalidFuture   = invalid{0, 2}
	invalidSigner   = invalid{0, 10}
	unknownUnsigned = invalid{1, 1}
	unknownLookup   = invalid{1, 0}
)

// check is what every transaction must pass: its signature, made for this chain,
// this version and this time, and its number.
func (x *exec) check(t transaction) (period uint64, refused invalid) {
	born, period := birth(t.era, number.get(x))
	if !blockHash.has(x, born) {
		return 0, invalidAncient
	}
	if t.checked {
		return 0, unknownLookup
	}
	genesis, from := blockHash.get(x, uint32(0)), blockHash.get(x, born)
	message := binary.LittleEndian.AppendUint32(bytes.Clone(t.body), specVersion)
	message = binary.LittleEndian.AppendUint32(message, txVersion)
	message = append(append(append(message, genesis[:]...), from[:]...), 0) // no hash of metadata
	if len(message) > 256 {
		sum := blake2b.Sum256(message)
		message = sum[:]
	}
	if !verify(t.scheme, t.signer, message, t.sealed) {
		return 0, invalidProof
	}
	if t.nonce < account.get(x, t.signer).Nonce {
		return 0, invalidStale
	}
	return period, nil
}

// verify checks a signature. Those of Ethereum's scheme are not modelled.
func verify(scheme string, signer tao.Account, message, sealed []byte) bool {
	switch scheme {
	case "Ed25519":
		return ed25519.Verify(signer[:], message, sealed)
	case "Sr25519":
		key, err := schnorrkel.NewPublicKey(signer)
		if err != nil {
			return false
		}
		signature := new(schnorrkel.Signature)
		if signature.Decode([64]byte(sealed)) != nil {
			return false
		}
		ok, err := key.Verify(signature, schnorrkel.NewSigningContext([]byte("substrate"), message))
		return err == nil && ok
	}
	return false
}

// validate says whether the pool may take a transaction: a TransactionSource, the
// transaction, and the block that it would stand on.
func (x *exec) validate(input []byte) []byte {
	const around = 1 + 32
	if len(input) < around {
		panic("the arguments end too early")
	}
	x.begin(number.get(x)+1, tao.Hash(input[len(input)-32:]))
	t := x.read(input[1 : len(input)-32])
	if !t.signed {
		return append([]byte{1}, unknownUnsigned...)
	}
	if depth(t.call) > deepest {
		return append([]byte{1}, invalidCall...)
	}
	period, refused := x.check(t)
	if refused == nil {
		refused = x.affords(t)
	}
	if refused == nil {
		refused = x.admits(t)
	}
	if refused != nil {
		return append([]byte{1}, refused...)
	}
	tag := func(nonce uint32) []byte { return binary.LittleEndian.AppendUint32(bytes.Clone(t.signer[:]), nonce) }
	b := binary.LittleEndian.AppendUint64([]byte{0}, t.tip)
	if t.nonce > account.get(x, t.signer).Nonce {
		b = append(append(b, 1<<2), opaque(tag(t.nonce-1))...)
	} else {
		b = append(b, 0)
	}
	b = append(append(b, 1<<2), opaque(tag(t.nonce))...)
	longevity := uint64(1<<64 - 1)
	if period > 0 {
		born, _ := birth(t.era, number.get(x))
		longevity = uint64(born) + period - uint64(number.get(x))
	}
	return append(binary.LittleEndian.AppendUint64(b, longevity), 1)
}

// deepest is how many calls may stand within each other in a transaction of the pool
// (Bittensor, runtime/src/lib.rs, validate_transaction).
const deepest = 8

// depth is how many calls stand within a call, one in the other.
func depth(call *scale.Variant) int {
	most := 0
	_, a := parts(call)
	for _, c := range a.within() {
		most = max(most, 1+depth(c))
	}
	return most
}

// applyExtrinsic puts an extrinsic into the block: an ApplyExtrinsicResult. A call
// that fails is in the block and pays; what it did before it failed is undone.
func (x *exec) applyExtrinsic(b []byte) []byte {
	t := x.read(b)
	i := extrinsicCount.get(x)
	done := func() {
		extrinsicData.set(x, b, i)
		extrinsicCount.set(x, i+1)
		phase.set(x, &scale.Variant{Name: "ApplyExtrinsic", Value: i + 1})
	}
	if !t.signed {
		if t.pallet != "Timestamp" {
			return append([]byte{1}, unknownUnsigned...)
		}
		if err := x.dispatch(origin{}, t.call); err != nil {
			panic(err)
		}
		x.emit("System", "ExtrinsicSuccess", map[string]any{"dispatch_info": info(0, "Mandatory", "Yes")})
		done()
		return []byte{0, 0}
	}
	if _, refused := x.check(t); refused != nil {
		return append([]byte{1}, refused...)
	}
	if t.nonce > account.get(x, t.signer).Nonce {
		return append([]byte{1}, invalidFuture...)
	}
	for _, check := range []func(transaction) invalid{x.affords, x.admits, x.fits} {
		if refused := check(t); refused != nil {
			return append([]byte{1}, refused...)
		}
	}
	fee := x.fee(t)
	x.charge(t.signer, fee+t.tip)
	err := x.dispatch(origin{account: &t.signer}, t.call)
	pays := "Yes"
	if fee == 0 {
		pays = "No"
	}
	x.emit("TransactionPayment", "TransactionFeePaid", map[string]any{"who": t.signer, "actual_fee": fee + t.tip, "tip": t.tip})
	what := info(x.weight(t), "Normal", pays)
	outcome := []byte{0, 0}
	if err != nil {
		outcome = must(x.d.metadata.Encode([]byte{0}, x.d.result, x.result(err)))
		x.emit("System", "ExtrinsicFailed", map[string]any{"dispatch_error": x.dispatchValue(err), "dispatch_info": what})
	} else {
		x.emit("System", "ExtrinsicSuccess", map[string]any{"dispatch_info": what})
	}
	done()
	return outcome
}

func info(weight uint64, class, pays string) map[string]any {
	return map[string]any{"weight": map[string]any{"ref_time": weight, "proof_size": uint64(0)}, "class": class, "pays_fee": pays}
}
