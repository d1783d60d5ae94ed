package tao

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/decred/base58"
	"github.com/vedhavyas/go-subkey/v2"
	"golang.org/x/crypto/blake2b"
)

// Account is the public name of a key: the 32 bytes of an sr25519 or ed25519
// public key, or the hash that stands for a multisig or proxy account. It
// prints as SS58 with prefix 42, Bittensor's and Substrate's own.
type Account [32]byte

// ss58Prefix is the network byte of Bittensor's addresses (chain constant
// System.SS58Prefix, 42 on every generation).
const ss58Prefix = 42

// ss58Checksum opens the bytes that the checksum is taken over (Substrate,
// primitives/core/src/crypto.rs, ss58hash).
var ss58Checksum = []byte("SS58PRE")

// AddressError says why a text is no address of this chain.
type AddressError struct {
	Text   string // as given
	Reason string // "has a wrong checksum: a character is mistyped"
}

func (e *AddressError) Error() string { return fmt.Sprintf("address %q %s", e.Text, e.Reason) }

// ParseAccount reads an SS58 address: 32 bytes, prefix 42, two bytes of
// checksum, which is the only form in use on this chain. Errors are
// *AddressError. It does not use go-subkey's SS58Decode, which checks neither
// prefix nor length and panics on "4jS" and "NZoQ".
func ParseAccount(ss58 string) (Account, error) {
	fail := func(format string, args ...any) (Account, error) {
		return Account{}, &AddressError{Text: clip(ss58), Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case ss58 == "":
		return fail("is empty")
	case strings.HasPrefix(ss58, "0x"):
		return fail("is hex: write the SS58 form, which begins with 5")
	case len(ss58) > 64:
		return fail("is too long: an address has 48 characters")
	}
	raw, err := base58Decode(ss58)
	if err != nil {
		return fail("%s", err)
	}
	if len(raw) < 3 {
		return fail("is too short: an address has 48 characters")
	}
	prefix, size := ss58PrefixOf(raw)
	if sum := checksum(raw[:len(raw)-2]); !bytes.Equal(sum[:], raw[len(raw)-2:]) {
		return fail("has a wrong checksum: a character is missing or mistyped")
	}
	if prefix != ss58Prefix {
		return fail("belongs to another network: its prefix is %d, Bittensor's is %d", prefix, ss58Prefix)
	}
	if len(raw) != size+len(Account{})+2 {
		return fail("holds %d bytes, an account has 32", len(raw)-size-2)
	}
	return Account(raw[size : size+len(Account{})]), nil
}

// ss58PrefixOf reads the one- or two-byte network prefix and tells its size.
// The two-byte form spreads 14 bits over both bytes (Substrate,
// primitives/core/src/crypto.rs, from_ss58check_with_version).
func ss58PrefixOf(raw []byte) (prefix uint16, size int) {
	if raw[0] < 64 {
		return uint16(raw[0]), 1
	}
	lower := raw[0]<<2 | raw[1]>>6
	upper := raw[1] & 0x3f
	return uint16(lower) | uint16(upper)<<8, 2
}

func checksum(body []byte) [2]byte {
	h := blake2b.Sum512(append(bytes.Clone(ss58Checksum), body...))
	return [2]byte{h[0], h[1]}
}

// String prints the SS58 address, 47 or 48 characters.
func (a Account) String() string { return subkey.SS58Encode(a[:], ss58Prefix) }

// IsZero reports the account of 32 zero bytes, which the chain uses for
// "nobody" (an unowned hotkey reads as it).
func (a Account) IsZero() bool { return a == Account{} }

// MarshalText prints the SS58 address.
func (a Account) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (a *Account) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAccount(string(b))
	return err
}

// alphabet is base58's: no 0, O, I and l, which people confuse.
const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Decode is the library's decoding, which answers a wrong character with
// nothing, after a look for one.
func base58Decode(s string) ([]byte, error) {
	if i := strings.IndexFunc(s, func(c rune) bool { return !strings.ContainsRune(alphabet, c) }); i >= 0 {
		c, _ := utf8.DecodeRuneInString(s[i:])
		return nil, fmt.Errorf("has %q, which no address contains", c)
	}
	return base58.Decode(s), nil
}

// clip keeps a hostile text from flooding an error.
func clip(s string) string {
	if len(s) <= 80 {
		return s
	}
	return strings.ToValidUTF8(s[:77], "") + "..."
}

// Hash is a 32-byte hash of the chain: of a block, an extrinsic or a call. It
// prints as 0x and 64 hex digits.
type Hash [32]byte

// ParseHash reads 0x and 64 hex digits.
func ParseHash(s string) (Hash, error) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 64 {
		return Hash{}, fmt.Errorf("hash %q is not 0x and 64 hex digits", clip(s))
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return Hash{}, fmt.Errorf("hash %q is not hex", clip(s))
	}
	return Hash(b), nil
}

// String prints 0x and 64 hex digits.
func (h Hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// IsZero reports the hash of 32 zero bytes, which names no block.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText prints 0x and 64 hex digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (h *Hash) UnmarshalText(b []byte) (err error) {
	*h, err = ParseHash(string(b))
	return err
}

// Scheme is a signature scheme. The numbers are those of the chain's
// MultiSignature enum (sp_runtime) and of a keyfile's cryptoType.
type Scheme uint8

// The schemes of MultiSignature.
const (
	Ed25519 Scheme = 0
	Sr25519 Scheme = 1
	Ecdsa   Scheme = 2
)

var schemeNames = [...]string{Ed25519: "ed25519", Sr25519: "sr25519", Ecdsa: "ecdsa"}

// String prints the scheme's usual name.
func (s Scheme) String() string {
	if int(s) < len(schemeNames) {
		return schemeNames[s]
	}
	return fmt.Sprintf("scheme %d", uint8(s))
}

// MarshalText prints the scheme's usual name.
func (s Scheme) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (s *Scheme) UnmarshalText(b []byte) error {
	for i, name := range schemeNames {
		if name == string(b) {
			*s = Scheme(i)
			return nil
		}
	}
	return errors.New("unknown signature scheme: " + clip(string(b)))
}

// Signature is a signature over a message, tagged with its scheme. Sr25519 and
// ed25519 signatures have 64 bytes, ecdsa's have 65.
type Signature struct {
	Scheme Scheme
	Bytes  []byte
}

// NetUID is the number of a subnet. Netuid 0 is the root network. It has no
// MarshalText on purpose: in JSON it is a number.
type NetUID uint16

// Root is the root network, where alpha is TAO.
const Root NetUID = 0
