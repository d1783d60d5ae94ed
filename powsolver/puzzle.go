package powsolver

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"

	"golang.org/x/crypto/sha3"
)

// Kind is the generation of a seal: what is hashed. The zero Kind is none.
type Kind uint8

// The seals, by the runtimes (spec versions) that check them. In between, from
// spec 401 to 473, the chain takes no proof of work; 474 was never on finney.
const (
	Original Kind = iota + 1 // to spec 117: the block's hash, no key
	Legacy                   // 118 to 393, and every faucet: the block's hash and a key
	V475                     // from 475, pow_register: netuid, block's hash, both keys
)

var kindNames = [...]string{Original: "original", Legacy: "legacy", V475: "v475"}

func (k Kind) known() bool { return k >= Original && k <= V475 }

func (k Kind) String() string {
	if !k.known() {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return kindNames[k]
}

// ParseKind reads what [Kind.String] writes.
func ParseKind(s string) (Kind, error) {
	for k := Original; k <= V475; k++ {
		if s == k.String() {
			return k, nil
		}
	}
	return 0, fmt.Errorf("seal %q is unknown: the seals are original, legacy and v475", s)
}

// MarshalText makes a kind its name in JSON. An unknown kind is an error.
func (k Kind) MarshalText() ([]byte, error) {
	if !k.known() {
		return nil, fmt.Errorf("write seal: %s is unknown", k)
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(b []byte) (err error) {
	*k, err = ParseKind(string(b))
	return err
}

// Order is how a seal's 32 bytes are read as a number when it is held against
// the difficulty.
type Order uint8

// The chain read seals big-endian up to spec 277, by an implicit conversion of
// its number type (pallets/subtensor/src/subnets/registration.rs, line 484 of
// v3.1.5), and has read them little-endian since spec 283 (line 488 of v3.1.6).
// Between them no tag lies: the change was merged as d2469645b while the source
// said 278, so a runtime of 278 may do either.
const (
	LittleEndian Order = iota
	BigEndian
)

func (o Order) String() string {
	if o == BigEndian {
		return "big-endian"
	}
	return "little-endian"
}

// MarshalText makes an order its name in JSON.
func (o Order) MarshalText() ([]byte, error) {
	if o > BigEndian {
		return nil, fmt.Errorf("write byte order: %d is unknown", uint8(o))
	}
	return []byte(o.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (o *Order) UnmarshalText(b []byte) error {
	for _, known := range []Order{LittleEndian, BigEndian} {
		if string(b) == known.String() {
			*o = known
			return nil
		}
	}
	return fmt.Errorf("byte order %q is unknown: the orders are little-endian and big-endian", b)
}

// Puzzle is what a proof of work is about: which seal, over what, how hard. It
// is a comparable value and holds public data only.
type Puzzle struct {
	Kind       Kind
	Order      Order    // how the seal is compared; V475 is always LittleEndian
	Difficulty uint64   // seals needed on average; the chain reads 0 as 1
	Block      [32]byte // hash of the block that the work is for
	Hotkey     [32]byte // Legacy and V475; a faucet's seal has the coldkey here
	Coldkey    [32]byte // V475 only: the account that signs the registration
	NetUID     uint16   // V475 only
}

// PuzzleError says why a puzzle cannot be worked on.
type PuzzleError struct{ Reason string }

func (e *PuzzleError) Error() string { return "proof of work: " + e.Reason }

// Check refuses a puzzle whose work no chain would take: an unknown kind or
// order, a V475 seal compared big-endian or for the root subnet, a block hash of
// zeros (what a node answers for a block it does not have). The error is a
// *[PuzzleError].
func (p Puzzle) Check() error {
	switch {
	case !p.Kind.known():
		return &PuzzleError{"the puzzle does not say which seal it wants"}
	case p.Order > BigEndian:
		return &PuzzleError{fmt.Sprintf("byte order %d is unknown", p.Order)}
	case p.Kind == V475 && p.Order != LittleEndian:
		return &PuzzleError{"a v475 seal is compared little-endian, never big-endian"}
	case p.Kind == V475 && p.NetUID == 0:
		return &PuzzleError{"netuid 0 is the root subnet, which takes no proof of work"}
	case p.Block == [32]byte{}:
		return &PuzzleError{"the block hash is all zeros: the node does not know the block"}
	}
	return nil
}

// domain opens the message of a V475 seal, so that its work is good for nothing
// else.
const domain = "subtensor-pow-register-v1"

// Seal computes the seal of one nonce. This is the definition that every engine
// is held against:
//
//	Original  keccak256(sha256(nonce ‖ block))
//	Legacy    keccak256(sha256(nonce ‖ keccak256(block ‖ hotkey)))
//	V475      keccak256(sha256(domain ‖ netuid ‖ block ‖ hotkey ‖ coldkey ‖ nonce))
//
// Numbers are little-endian, the nonce in 8 bytes and the netuid in 2. Keccak is
// the original one of 2011, not SHA3-256, which pads differently.
//
// Source: create_seal_hash in pallets/subtensor/src/registration.rs, line 460
// before commit 4c64275f6, for Original; of the same name in
// pallets/subtensor/src/subnets/registration.rs, line 599 of v3.3.13-393, for
// Legacy; create_registration_seal in that file of runtime 475 for V475. The tests
// hold a seal that a real runtime took and nonces that the official client found.
func (p Puzzle) Seal(nonce uint64) [32]byte {
	digest := sha256.Sum256(p.message(nonce))
	return keccak256(digest[:])
}

// message is what SHA-256 hashes: 40 bytes, or 131 for V475.
func (p Puzzle) message(nonce uint64) []byte {
	if p.Kind == V475 {
		return binary.LittleEndian.AppendUint64(p.prefix(), nonce)
	}
	inner := p.inner()
	return append(binary.LittleEndian.AppendUint64(nil, nonce), inner[:]...)
}

// prefix is the 123 bytes before the nonce in a V475 message.
func (p Puzzle) prefix() []byte {
	b := make([]byte, 0, 131)
	b = append(b, domain...)
	b = binary.LittleEndian.AppendUint16(b, p.NetUID)
	b = append(b, p.Block[:]...)
	b = append(b, p.Hotkey[:]...)
	return append(b, p.Coldkey[:]...)
}

// inner is the 32 bytes after the nonce in an older message.
func (p Puzzle) inner() [32]byte {
	if p.Kind == Original {
		return p.Block
	}
	return keccak256(p.Block[:], p.Hotkey[:])
}

func keccak256(parts ...[]byte) (sum [32]byte) {
	h := sha3.NewLegacyKeccak256()
	for _, b := range parts {
		h.Write(b)
	}
	h.Sum(sum[:0])
	return sum
}

// Meets reports whether a seal is good enough: read as a 256-bit number in the
// puzzle's order and multiplied by the difficulty, it must stay below 2^256
// (hash_meets_difficulty, line 535 of the file above in v3.3.13-393).
func (p Puzzle) Meets(seal [32]byte) bool {
	var carry uint64
	for i := range 4 {
		hi, lo := bits.Mul64(p.word(seal, i), max(p.Difficulty, 1))
		_, c := bits.Add64(lo, carry, 0)
		carry = hi + c // cannot wrap: hi is at most 2^64-2
	}
	return carry == 0
}

// word is the i-th 64-bit word of the seal's number, the lowest first.
func (p Puzzle) word(seal [32]byte, i int) uint64 {
	if p.Order == BigEndian {
		return binary.BigEndian.Uint64(seal[24-8*i:])
	}
	return binary.LittleEndian.Uint64(seal[8*i:])
}

// Verify computes the seal of a nonce and reports whether the chain would take
// it for this puzzle.
func Verify(p Puzzle, nonce uint64) (seal [32]byte, meets bool) {
	seal = p.Seal(nonce)
	return seal, p.Meets(seal)
}

// Solution is a nonce whose seal meets its puzzle.
type Solution struct {
	Puzzle Puzzle
	Nonce  uint64
	Seal   [32]byte
}

// Nonce is the nonce at a position of the search. Engines go through positions,
// not nonces: a V475 nonce stands at the end of its message, so that only the
// last hash block changes as long as its low five bytes stay, and neighbouring
// positions differ in the high three. Every nonce has exactly one position.
func (p Puzzle) Nonce(position uint64) uint64 {
	if p.Kind == V475 {
		return bits.RotateLeft64(position, 64-v475Span)
	}
	return position
}

// Position is the inverse of [Puzzle.Nonce].
func (p Puzzle) Position(nonce uint64) uint64 {
	if p.Kind == V475 {
		return bits.RotateLeft64(nonce, v475Span)
	}
	return nonce
}
