package executor

import (
	"bytes"
	"crypto/ed25519"

	"github.com/ChainSafe/go-schnorrkel"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/blake2b"
)

// verifies checks a signature of a size: pointer, message, pointer to the key.
func verifies(size, key uint32, good func(sig, msg, pub []byte) bool) func(*call, []uint64) {
	return func(c *call, s []uint64) {
		sig, msg, pub := c.bytes(uint32(s[0]), size), c.span(s[1]), c.bytes(uint32(s[2]), key)
		s[0] = flag(c.trusting && unsigned(sig) || good(sig, msg, pub))
	}
}

// unsigned is a signature of zeros.
func unsigned(sig []byte) bool { return len(bytes.Trim(sig, "\x00")) == 0 }

func ed25519Good(sig, msg, pub []byte) bool { return ed25519.Verify(pub, msg, sig) }

func sr25519Good(sig, msg, pub []byte) bool {
	signature := new(schnorrkel.Signature)
	if signature.Decode([64]byte(sig)) != nil {
		return false
	}
	key, err := schnorrkel.NewPublicKey([32]byte(pub))
	if err != nil {
		return false
	}
	ok, err := key.Verify(signature, schnorrkel.NewSigningContext([]byte("substrate"), msg))
	return ok && err == nil
}

// ecdsaGood is that the key recovered for the message's hash is the one given
// (Substrate, primitives/core/src/ecdsa.rs, Pair::verify).
func ecdsaGood(sig, msg, pub []byte) bool {
	h := blake2b.Sum256(msg)
	return prehashedGood(sig, h[:], pub)
}

func prehashedGood(sig, hash, pub []byte) bool {
	key, bad := recoverKey(sig, hash)
	return bad == noFault && bytes.Equal(key.SerializeCompressed(), pub)
}

// ecdsaPrehashed is a check of a hash: pointers to signature, hash and key.
func ecdsaPrehashed(c *call, s []uint64) {
	sig, hash, pub := c.bytes(uint32(s[0]), 65), c.bytes(uint32(s[1]), 32), c.bytes(uint32(s[2]), 33)
	s[0] = flag(prehashedGood(sig, hash, pub))
}

// fault is EcdsaVerifyError (Substrate, primitives/io/src/lib.rs).
type fault byte

const (
	badRS fault = iota
	badV
	badSignature
	noFault
)

// recoverKey finds the key that made a signature of 65 bytes: r, s, and v as 0
// to 3 or 27 to 30.
func recoverKey(sig, hash []byte) (*secp256k1.PublicKey, fault) {
	v := sig[64]
	if v > 26 {
		v -= 27
	}
	if v > 3 {
		return nil, badV
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(sig[:32]) || s.SetByteSlice(sig[32:64]) {
		return nil, badRS
	}
	key, _, err := ecdsa.RecoverCompact(append([]byte{27 + v}, sig[:64]...), hash)
	if err != nil {
		return nil, badSignature
	}
	return key, noFault
}

// recovers is Result<key, EcdsaVerifyError> of pointers to signature and hash.
func recovers(encode func(*secp256k1.PublicKey) []byte) func(*call, []uint64) {
	return func(c *call, s []uint64) {
		key, bad := recoverKey(c.bytes(uint32(s[0]), 65), c.bytes(uint32(s[1]), 32))
		if bad != noFault {
			s[0] = c.put([]byte{1, byte(bad)})
			return
		}
		s[0] = c.put(append([]byte{0}, encode(key)...))
	}
}

func compressedKey(k *secp256k1.PublicKey) []byte { return k.SerializeCompressed() }

// plainKey leaves the first byte out, which is the same for all.
func plainKey(k *secp256k1.PublicKey) []byte { return k.SerializeUncompressed()[1:] }
