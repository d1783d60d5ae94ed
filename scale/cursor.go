package scale

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// cursor reads bytes from the front. The first failure sticks: every later
// read gives zero and takes nothing, so a reader asks for err once at the end
// of a step and in every loop.
type cursor struct {
	b   []byte
	pos int // how much of b was read
	err error
}

// left is how many bytes are still to be read.
func (c *cursor) left() int { return len(c.b) - c.pos }

// rest gives what is still to be read, without reading it.
func (c *cursor) rest() []byte { return c.b[c.pos:] }

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// take gives the next n bytes, without a copy, or nil after a failure.
func (c *cursor) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > c.left() {
		c.fail("needs %d bytes, %d are left", n, c.left())
		return nil
	}
	from := c.pos
	c.pos += n
	return c.b[from:c.pos:c.pos]
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

// uint reads a little-endian integer of one to eight bytes.
func (c *cursor) uint(size int) uint64 {
	b := c.take(size)
	switch {
	case b == nil:
		return 0
	case size == 8:
		return binary.LittleEndian.Uint64(b)
	case size == 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return littleEndian(b)
}

func littleEndian(b []byte) uint64 {
	var v uint64
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	return v
}

// bool reads the tag of a bool or an Option: nothing but 0 and 1 is canonical.
func (c *cursor) bool() bool {
	b := c.byte()
	if b > 1 {
		c.fail("the byte 0x%02x is neither 0 nor 1", b)
	}
	return b == 1
}

// length reads how many bytes or elements follow. Only a caller that takes at
// least one byte for each may trust that the input can hold them.
func (c *cursor) length() int {
	n := c.compact()
	if n > uint64(c.left()) {
		c.fail("a length of %d exceeds the %d bytes left", n, c.left())
	}
	if c.err != nil {
		return 0
	}
	return int(n)
}

var (
	errCompactForm  = errors.New("a compact integer is longer than it needs to be")
	errCompactRange = errors.New("a compact integer exceeds 64 bits")
)

// compact reads a compact integer of at most 64 bits.
func (c *cursor) compact() uint64 {
	if c.err == nil && c.left() > 0 && c.b[c.pos]&3 == 0 { // most are below 64
		c.pos++
		return uint64(c.b[c.pos-1] >> 2)
	}
	small, large := c.compactAny()
	if large != nil && c.err == nil {
		c.err = errCompactRange
	}
	if c.err != nil {
		return 0
	}
	return small
}

// compactAny reads a compact integer of any size: large is set, and small is
// not, where the value exceeds 64 bits. The shortest form alone is accepted
// (parity-scale-codec, src/compact.rs, "out of range" checks of decode).
func (c *cursor) compactAny() (small uint64, large *big.Int) {
	if c.err != nil || c.left() == 0 {
		c.fail("needs a compact integer, no byte is left")
		return 0, nil
	}
	mode, first := c.b[c.pos]&3, c.b[c.pos]>>2
	if mode == 3 {
		return c.compactBytes(int(first) + 4)
	}
	size := 1 << mode
	small = c.uint(size) >> 2
	if mode > 0 && small < 1<<(4*size-2) && c.err == nil {
		c.err = errCompactForm
	}
	return small, nil
}

// compactBytes reads the longest of the four modes: size bytes follow the
// first, and the last of them is not zero.
func (c *cursor) compactBytes(size int) (small uint64, large *big.Int) {
	b := c.take(1 + size)
	if b == nil {
		return 0, nil
	}
	b = b[1:]
	if b[size-1] == 0 || size == 4 && littleEndian(b) < 1<<30 {
		c.err = errCompactForm
		return 0, nil
	}
	if size <= 8 {
		return littleEndian(b), nil
	}
	return 0, bigUint(b)
}

// bigUint reads b as a little-endian integer.
func bigUint(b []byte) *big.Int {
	be := slices.Clone(b)
	slices.Reverse(be)
	return new(big.Int).SetBytes(be)
}

// DecodeCompact reads a compact integer of at most 64 bits from the front of b
// and gives what follows it. A form longer than it needs to be is refused.
func DecodeCompact(b []byte) (v uint64, rest []byte, err error) {
	c := cursor{b: b}
	v = c.compact()
	if c.err != nil {
		return 0, nil, &Error{Type: "Compact<u64>", Reason: c.err.Error()}
	}
	return v, c.rest(), nil
}

// EncodeCompact appends the compact form of v to dst: one, two or four bytes
// below 2^6, 2^14 and 2^30, else a count and the bytes that v needs
// (Substrate's SCALE reference, "Compact/general integers").
func EncodeCompact(dst []byte, v uint64) []byte {
	switch {
	case v < 1<<6:
		return append(dst, byte(v<<2))
	case v < 1<<14:
		return binary.LittleEndian.AppendUint16(dst, uint16(v<<2|1))
	case v < 1<<30:
		return binary.LittleEndian.AppendUint32(dst, uint32(v<<2|2))
	}
	size := 4
	for size < 8 && v>>(8*size) != 0 {
		size++
	}
	dst = append(dst, byte(size-4)<<2|3)
	for i := range size {
		dst = append(dst, byte(v>>(8*i)))
	}
	return dst
}

// encodeCompactBig appends a compact integer of any size up to 67 bytes.
func encodeCompactBig(dst []byte, v *big.Int) []byte {
	if v.IsUint64() {
		return EncodeCompact(dst, v.Uint64())
	}
	be := v.Bytes()
	dst = append(dst, byte(len(be)-4)<<2|3)
	slices.Reverse(be)
	return append(dst, be...)
}
