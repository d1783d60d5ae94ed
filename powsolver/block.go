package powsolver

import (
	"encoding/binary"
	"math/bits"
)

// How many low bits of a position change nothing but the first word of the last
// hash block: the low half of an older nonce, the high three bytes of a V475 one.
const (
	legacySpan = 32
	v475Span   = 24
)

// span is the number of those bits.
func (p Puzzle) span() uint {
	if p.Kind == V475 {
		return v475Span
	}
	return legacySpan
}

// block is a message whose last SHA-256 block is ready for a search that changes
// nothing but its first word. Both generations come down to it, so engines know
// only this.
type block struct {
	message []byte     // all of it, with a low part of zeros
	state   [8]uint32  // SHA-256's state before the block
	words   [16]uint32 // the block; words[0] holds the bits beside the low part
	limit   uint64     // a seal whose top 64 bits exceed it cannot meet the puzzle
	order   Order
}

// word0 is the first word for one value of the low part, which is stored
// little-endian while SHA-256 reads words big-endian.
func (b *block) word0(low uint32) uint32 { return b.words[0] | bits.ReverseBytes32(low) }

// newBlock prepares the 2^span nonces that share the high part of a position.
func newBlock(p Puzzle, position uint64) *block {
	message := p.message(p.Nonce(position >> p.span() << p.span()))
	b := &block{message: message, state: sha256Init, order: p.Order, limit: limit(p.Difficulty)}
	rest := message
	for ; len(rest) >= 64; rest = rest[64:] {
		b.state = compress(b.state, bigEndianWords(rest))
	}
	var tail [64]byte
	tail[copy(tail[:], rest)] = 0x80
	b.words = bigEndianWords(tail[:])
	b.words[15] = uint32(len(message)) * 8
	return b
}

// limit is the top 64 bits of the largest number that meets the difficulty,
// (2^256-1)/difficulty, rounded down. Dropping low bits first changes nothing.
func limit(difficulty uint64) uint64 { return ^uint64(0) / max(difficulty, 1) }

func bigEndianWords(b []byte) (w [16]uint32) {
	for i := range w {
		w[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return w
}

// compress is SHA-256's compression function (FIPS 180-4, 6.2.2). It prepares
// blocks; searches use faster ones.
func compress(state [8]uint32, m [16]uint32) [8]uint32 {
	var w [64]uint32
	copy(w[:], m[:])
	for i := 16; i < 64; i++ {
		w[i] = w[i-16] + sigma0(w[i-15]) + w[i-7] + sigma1(w[i-2])
	}
	s := state
	for i := range w {
		s = compressRound(s, sha256K[i]+w[i])
	}
	for i := range s {
		s[i] += state[i]
	}
	return s
}

// compressRound is one round on the variables a to h; kw is its constant and its
// word.
func compressRound(s [8]uint32, kw uint32) [8]uint32 {
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	t := h + sum1(e) + (e&f ^ ^e&g) + kw
	return [8]uint32{t + sum0(a) + (a&b ^ a&c ^ b&c), a, b, c, d + t, e, f, g}
}

func ror(x uint32, n int) uint32 { return bits.RotateLeft32(x, -n) }
func sigma0(x uint32) uint32     { return ror(x, 7) ^ ror(x, 18) ^ x>>3 }
func sigma1(x uint32) uint32     { return ror(x, 17) ^ ror(x, 19) ^ x>>10 }
func sum0(x uint32) uint32       { return ror(x, 2) ^ ror(x, 13) ^ ror(x, 22) }
func sum1(x uint32) uint32       { return ror(x, 6) ^ ror(x, 11) ^ ror(x, 25) }

// SHA-256's initial state and round constants (FIPS 180-4, 5.3.3 and 4.2.2).
var sha256Init = [8]uint32{
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
}

var sha256K = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

// keccakRC are the 24 round constants of Keccak-f[1600] (FIPS 202, 3.2.5).
var keccakRC = [24]uint64{
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
	0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
	0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
	0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
	0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
}
