package scale

import (
	"reflect"
	"strings"
)

// bitLayout is how a bit sequence stands in bytes: in words of the store,
// little-endian, from the least or from the most significant bit of each
// (bitvec's Lsb0 and Msb0; parity-scale-codec, src/bit_vec.rs).
type bitLayout struct {
	word int // bits
	msb  bool
}

func (m *Metadata) bitLayout(t *Type) (bitLayout, bool) {
	store, order := &m.types[t.Elem], &m.types[t.Order]
	if store.Kind != KindPrimitive || store.Primitive < U8 || store.Primitive > U64 || len(order.Path) == 0 {
		return bitLayout{}, false
	}
	name := order.Path[len(order.Path)-1]
	return bitLayout{8 * store.Primitive.size(), name == "Msb0"}, name == "Msb0" || name == "Lsb0"
}

// at gives the byte and the mask of bit i.
func (l bitLayout) at(i int) (byteIndex int, mask byte) {
	inWord := i % l.word
	if l.msb {
		inWord = l.word - 1 - inWord
	}
	bit := i - i%l.word + inWord
	return bit / 8, 1 << (bit % 8)
}

// bytes is how many bytes hold n bits.
func (l bitLayout) bytes(n uint64) uint64 {
	return (n + uint64(l.word) - 1) / uint64(l.word) * uint64(l.word/8)
}

func (e *encoder) bits(t *Type, v any) error {
	l, ok := e.m.bitLayout(t)
	if !ok {
		return e.fail(t, "is a bit sequence of an unknown store or order")
	}
	bits, ok := goBits(v)
	if !ok {
		return e.fail(t, "%s is no bit sequence: write 0b0101", describe(v))
	}
	e.out = EncodeCompact(e.out, uint64(len(bits)))
	words := make([]byte, l.bytes(uint64(len(bits))))
	for i, bit := range bits {
		if bit {
			at, mask := l.at(i)
			words[at] |= mask
		}
	}
	e.out = append(e.out, words...)
	return nil
}

func goBits(v any) (Bits, bool) {
	switch x := v.(type) {
	case Bits:
		return x, true
	case []bool:
		return x, true
	case Text:
		digits, ok := strings.CutPrefix(string(x), "0b")
		if !ok || strings.Trim(digits, "01") != "" {
			return nil, false
		}
		bits := make(Bits, len(digits))
		for i := range digits {
			bits[i] = digits[i] == '1'
		}
		return bits, true
	}
	return nil, false
}

func (d *decoder) bits(t *Type) Bits {
	l, ok := d.m.bitLayout(t)
	if !ok {
		d.fail("is a bit sequence of an unknown store or order")
		return nil
	}
	n := d.compact()
	if n > 8*uint64(d.left()) {
		d.fail("needs %d bits, %d bytes are left", n, d.left())
		return nil
	}
	words := d.bytes(l.bytes(n))
	if d.err != nil {
		return nil
	}
	bits := make(Bits, n)
	for i := range 8 * len(words) {
		at, mask := l.at(i)
		set := words[at]&mask != 0
		if i < len(bits) {
			bits[i] = set
		} else if set {
			d.fail("has a bit set beyond its %d", n)
		}
	}
	return bits
}

func (d *decoder) intoBits(t *Type, v reflect.Value) {
	bits := d.bits(t)
	if v.Kind() != reflect.Slice || v.Type().Elem().Kind() != reflect.Bool {
		d.unfit(v)
		return
	}
	if d.err == nil {
		v.Set(reflect.ValueOf(bits).Convert(v.Type()))
	}
}
