package powsolver

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// portable computes one seal at a time in Go and its standard library, whose
// SHA-256 uses the CPU's instructions where it has them: for three blocks that is
// faster than a third as many in plain Go. It runs everywhere, and is what the
// other engines are measured against.
type portable struct {
	block   *block
	message [132]byte // one byte more than the longest
	length  int
}

func (l *portable) width() uint32 { return 1 }

func (l *portable) load(b *block) {
	l.block = b
	l.length = copy(l.message[:], b.message)
}

func (l *portable) batch(low uint32) uint32 {
	// In a V475 message low has three bytes; its fourth, zero, falls behind the end.
	binary.LittleEndian.PutUint32(l.message[l.length&^63:], low)
	digest := sha256.Sum256(l.message[:l.length])
	if l.block.qualifies(keccakLane(&digest, l.block.order)) {
		return 1
	}
	return 0
}

// qualifies reports whether the deciding lane of a seal leaves it a candidate:
// the top 64 bits of its number, little-endian lane 3, big-endian lane 0 with
// its bytes turned around.
func (b *block) qualifies(lane uint64) bool {
	if b.order == BigEndian {
		lane = bits.ReverseBytes64(lane)
	}
	return lane <= b.limit
}

// keccakLane returns the deciding lane of keccak256 over 32 bytes: lane 3, or
// lane 0 for big-endian, its bytes as Keccak has them.
func keccakLane(message *[32]byte, order Order) uint64 {
	var a, b [25]uint64
	for i := range 4 {
		a[i] = binary.LittleEndian.Uint64(message[8*i:])
	}
	a[4] = 1        // padding begins after byte 31 ...
	a[16] = 1 << 63 // ... and ends with byte 135, the last of the rate
	for i := 0; i < 22; i += 2 {
		keccakRound(&b, &a, keccakRC[i])
		keccakRound(&a, &b, keccakRC[i+1])
	}
	keccakRound(&b, &a, keccakRC[22])
	return lastRound(&b, order)
}

// lastRound computes one lane of the last round, which needs three lanes before
// chi instead of twenty-five.
func lastRound(a *[25]uint64, order Order) uint64 {
	d := theta(a)
	b0 := a[0] ^ d[0]
	if order == BigEndian {
		b1 := bits.RotateLeft64(a[6]^d[1], 44)
		b2 := bits.RotateLeft64(a[12]^d[2], 43)
		return b0 ^ b2&^b1 ^ keccakRC[23]
	}
	b3 := bits.RotateLeft64(a[18]^d[3], 21)
	b4 := bits.RotateLeft64(a[24]^d[4], 14)
	return b3 ^ b0&^b4
}

// theta is what the step of that name adds to each column.
func theta(a *[25]uint64) [5]uint64 {
	c0 := a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20]
	c1 := a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21]
	c2 := a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22]
	c3 := a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23]
	c4 := a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24]
	return [5]uint64{
		c4 ^ bits.RotateLeft64(c1, 1),
		c0 ^ bits.RotateLeft64(c2, 1),
		c1 ^ bits.RotateLeft64(c3, 1),
		c2 ^ bits.RotateLeft64(c4, 1),
		c3 ^ bits.RotateLeft64(c0, 1),
	}
}

// keccakRound is one round of Keccak-f[1600] (FIPS 202, 3.2) from a to e, lane
// x + 5y at that index. The steps run together, a plane of e at a time: theta
// and rho give the five lanes that pi brings into the plane, then comes chi.
func keccakRound(e, a *[25]uint64, rc uint64) {
	c0 := a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20]
	c1 := a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21]
	c2 := a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22]
	c3 := a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23]
	c4 := a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24]
	d0 := c4 ^ bits.RotateLeft64(c1, 1)
	d1 := c0 ^ bits.RotateLeft64(c2, 1)
	d2 := c1 ^ bits.RotateLeft64(c3, 1)
	d3 := c2 ^ bits.RotateLeft64(c4, 1)
	d4 := c3 ^ bits.RotateLeft64(c0, 1)

	b0 := a[0] ^ d0
	b1 := bits.RotateLeft64(a[6]^d1, 44)
	b2 := bits.RotateLeft64(a[12]^d2, 43)
	b3 := bits.RotateLeft64(a[18]^d3, 21)
	b4 := bits.RotateLeft64(a[24]^d4, 14)
	e[0], e[1], e[2], e[3], e[4] = b0^b2&^b1^rc, b1^b3&^b2, b2^b4&^b3, b3^b0&^b4, b4^b1&^b0

	b0 = bits.RotateLeft64(a[3]^d3, 28)
	b1 = bits.RotateLeft64(a[9]^d4, 20)
	b2 = bits.RotateLeft64(a[10]^d0, 3)
	b3 = bits.RotateLeft64(a[16]^d1, 45)
	b4 = bits.RotateLeft64(a[22]^d2, 61)
	e[5], e[6], e[7], e[8], e[9] = b0^b2&^b1, b1^b3&^b2, b2^b4&^b3, b3^b0&^b4, b4^b1&^b0

	b0 = bits.RotateLeft64(a[1]^d1, 1)
	b1 = bits.RotateLeft64(a[7]^d2, 6)
	b2 = bits.RotateLeft64(a[13]^d3, 25)
	b3 = bits.RotateLeft64(a[19]^d4, 8)
	b4 = bits.RotateLeft64(a[20]^d0, 18)
	e[10], e[11], e[12], e[13], e[14] = b0^b2&^b1, b1^b3&^b2, b2^b4&^b3, b3^b0&^b4, b4^b1&^b0

	b0 = bits.RotateLeft64(a[4]^d4, 27)
	b1 = bits.RotateLeft64(a[5]^d0, 36)
	b2 = bits.RotateLeft64(a[11]^d1, 10)
	b3 = bits.RotateLeft64(a[17]^d2, 15)
	b4 = bits.RotateLeft64(a[23]^d3, 56)
	e[15], e[16], e[17], e[18], e[19] = b0^b2&^b1, b1^b3&^b2, b2^b4&^b3, b3^b0&^b4, b4^b1&^b0

	b0 = bits.RotateLeft64(a[2]^d2, 62)
	b1 = bits.RotateLeft64(a[8]^d3, 55)
	b2 = bits.RotateLeft64(a[14]^d4, 39)
	b3 = bits.RotateLeft64(a[15]^d0, 41)
	b4 = bits.RotateLeft64(a[21]^d1, 2)
	e[20], e[21], e[22], e[23], e[24] = b0^b2&^b1, b1^b3&^b2, b2^b4&^b3, b3^b0&^b4, b4^b1&^b0
}
