package scale

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"unicode/utf8"
)

// generator writes random canonical encodings of types, from the metadata alone:
// it shares no code with Encode.
type generator struct {
	m   *Metadata
	rng *rand.Rand
}

func newGenerator(m *Metadata) *generator {
	return &generator{m, rand.New(rand.NewPCG(1, uint64(m.Types())))}
}

const (
	shallow = 8  // beyond this depth lists stay empty and Options None
	endless = 40 // beyond this depth a value cannot be finished
)

// value appends an encoding; ok is false for a type without values.
func (g *generator) value(dst []byte, id TypeID, depth int) (out []byte, ok bool) {
	t := g.m.Type(id)
	if depth > endless {
		return nil, false
	}
	switch t.Kind {
	case KindComposite, KindTuple:
		return g.fields(dst, t.Fields, depth)
	case KindVariant:
		return g.anyVariant(dst, t, depth)
	case KindSequence:
		n := g.count(depth)
		if out, ok := g.elements(g.compact(dst, uint64(n)), t.Elem, n, depth); ok {
			return out, true
		}
		return g.compact(dst, 0), true // of a type without values there is still the empty list
	case KindArray:
		return g.elements(dst, t.Elem, int(t.Len), depth)
	case KindPrimitive:
		return g.primitive(dst, t.Primitive), true
	case KindCompact:
		p, ok := g.m.compactOf(t)
		if !ok {
			return dst, true
		}
		return g.compactOf(dst, p), true
	}
	return nil, false // bit sequences: none in real metadata
}

func (g *generator) count(depth int) int {
	if depth > shallow {
		return 0
	}
	return g.rng.IntN(4)
}

func (g *generator) elements(dst []byte, id TypeID, n, depth int) (_ []byte, ok bool) {
	for range n {
		if dst, ok = g.value(dst, id, depth+1); !ok {
			return nil, false
		}
	}
	return dst, true
}

func (g *generator) fields(dst []byte, fields []FieldDef, depth int) (_ []byte, ok bool) {
	for _, f := range fields {
		if dst, ok = g.value(dst, f.Type, depth+1); !ok {
			return nil, false
		}
	}
	return dst, true
}

func (g *generator) anyVariant(dst []byte, t *Type, depth int) ([]byte, bool) {
	if depth > shallow {
		for i := range t.Variants {
			if len(t.Variants[i].Fields) == 0 {
				return append(dst, t.Variants[i].Index), true
			}
		}
	}
	start := g.rng.IntN(max(1, len(t.Variants)))
	for i := range t.Variants {
		if out, ok := g.variant(dst, &t.Variants[(start+i)%len(t.Variants)], depth); ok {
			return out, true
		}
	}
	return nil, false
}

func (g *generator) variant(dst []byte, x *VariantDef, depth int) ([]byte, bool) {
	return g.fields(append(dst, x.Index), x.Fields, depth)
}

func (g *generator) primitive(dst []byte, p Primitive) []byte {
	switch p {
	case Bool:
		return append(dst, byte(g.rng.IntN(2)))
	case Char:
		return binary.LittleEndian.AppendUint32(dst, 'ü')
	case Str:
		s := []string{"", "a", "0x12", "Größe", "{\"<&>\"}"}[g.rng.IntN(5)]
		return append(g.compact(dst, uint64(len(s))), s...)
	}
	return append(dst, g.bytes(p.size())...)
}

// bytes favours the edges of integers: all zeros, all ones, the sign bit.
func (g *generator) bytes(n int) []byte {
	b := make([]byte, n)
	mode := g.rng.IntN(4)
	for i := range b {
		switch mode {
		case 0:
			b[i] = 0
		case 1:
			b[i] = 0xff
		default:
			b[i] = byte(g.rng.Uint32())
		}
	}
	return b
}

func (g *generator) compactOf(dst []byte, p Primitive) []byte {
	n := bigUint(g.bytes(p.size()))
	n.Rsh(n, uint(g.rng.IntN(8*p.size())))
	if n.IsUint64() {
		return g.compact(dst, n.Uint64())
	}
	le := n.FillBytes(make([]byte, (n.BitLen()+7)/8))
	dst = append(dst, byte(len(le)-4)<<2|3)
	for i := range le {
		dst = append(dst, le[len(le)-1-i])
	}
	return dst
}

// compact is the table of the SCALE reference, written down once more.
func (g *generator) compact(dst []byte, v uint64) []byte {
	switch {
	case v <= 63:
		return append(dst, byte(v)<<2)
	case v <= 16383:
		return append(dst, byte(v)<<2|1, byte(v>>6))
	case v <= 1073741823:
		return append(dst, byte(v)<<2|2, byte(v>>6), byte(v>>14), byte(v>>22))
	}
	n := 0
	for x := v; x > 0; x >>= 8 {
		n++
	}
	dst = append(dst, byte(n-4)<<2|3)
	for i := range n {
		dst = append(dst, byte(v>>(8*i)))
	}
	return dst
}

// samples gives encodings of a type: a few, and of an enum at least one of each
// variant that has values.
func (g *generator) samples(id TypeID) [][]byte {
	var out [][]byte
	t := g.m.Type(id)
	for i := range t.Variants {
		if b, ok := g.variant(nil, &t.Variants[i], 0); ok {
			out = append(out, b)
		}
	}
	for range 3 {
		if b, ok := g.value(nil, id, 0); ok {
			out = append(out, b)
		}
	}
	return out
}

// goTypes makes, for each type, the Go type that a caller would declare for it:
// integers by width, slices, arrays, structs with tags, pointers for Options,
// structs of pointers for enums. Where a type contains itself it uses any.
type goTypes struct {
	m    *Metadata
	made map[TypeID]reflect.Type
}

func (g *goTypes) of(id TypeID) reflect.Type {
	if t, ok := g.made[id]; ok {
		return t
	}
	g.made[id] = reflect.TypeFor[any]()
	g.made[id] = g.make(g.m.Type(id))
	return g.made[id]
}

func (g *goTypes) make(t *Type) reflect.Type {
	switch t.Kind {
	case KindSequence:
		return reflect.SliceOf(g.of(t.Elem))
	case KindArray:
		return reflect.ArrayOf(int(t.Len), g.of(t.Elem))
	case KindCompact:
		if p, ok := g.m.compactOf(t); ok {
			return goPrimitive(p)
		}
		return reflect.TypeFor[any]()
	case KindPrimitive:
		return goPrimitive(t.Primitive)
	case KindBits:
		return reflect.TypeFor[Bits]()
	case KindVariant:
		if t.isOption() {
			return reflect.PointerTo(g.of(t.Variants[1].Fields[0].Type))
		}
		return g.enum(t)
	}
	if t.isNewtype() {
		return g.of(t.Fields[0].Type)
	}
	return g.record(t.Fields)
}

func (g *goTypes) enum(t *Type) reflect.Type {
	fields := make([]reflect.StructField, len(t.Variants))
	for i, v := range t.Variants {
		inner := g.record(v.Fields)
		if isInner(v.Fields) {
			inner = g.of(v.Fields[0].Type)
		}
		fields[i] = structFieldOf(i, v.Name, reflect.PointerTo(inner))
	}
	return reflect.StructOf(fields)
}

func (g *goTypes) record(defs []FieldDef) reflect.Type {
	fields := make([]reflect.StructField, len(defs))
	for i, f := range defs {
		fields[i] = structFieldOf(i, f.Name, g.of(f.Type))
	}
	return reflect.StructOf(fields)
}

func structFieldOf(i int, name string, t reflect.Type) reflect.StructField {
	return reflect.StructField{
		Name: fmt.Sprintf("F%d", i), Type: t, Tag: reflect.StructTag(fmt.Sprintf("scale:%q", name)),
	}
}

func goPrimitive(p Primitive) reflect.Type {
	switch p {
	case Bool:
		return reflect.TypeFor[bool]()
	case Char, Str:
		return reflect.TypeFor[string]()
	case U8:
		return reflect.TypeFor[uint8]()
	case U16:
		return reflect.TypeFor[uint16]()
	case U32:
		return reflect.TypeFor[uint32]()
	case U64:
		return reflect.TypeFor[uint64]()
	case I8:
		return reflect.TypeFor[int8]()
	case I16:
		return reflect.TypeFor[int16]()
	case I32:
		return reflect.TypeFor[int32]()
	case I64:
		return reflect.TypeFor[int64]()
	}
	return reflect.TypeFor[*big.Int]()
}

// ---- metadata made by hand

// blobOf writes V15 metadata that holds the given types and nothing else, in the
// order given. Every type id of the extrinsic is 0.
func blobOf(types ...Type) []byte {
	var g generator
	b := append([]byte(magic), 15)
	b = g.compact(b, uint64(len(types)))
	for i, t := range types {
		b = g.typeDef(g.compact(b, uint64(i)), t)
	}
	b = append(b, 0)             // pallets
	b = append(b, 4, 0, 0, 0, 0) // extrinsic: version, address, call, signature, extra
	b = append(b, 0)             // extensions
	b = append(b, 0)             // runtime type
	b = append(b, 0)             // APIs
	b = append(b, 0, 0, 0)       // outer enums
	return append(b, 0)          // custom
}

func (g *generator) typeDef(b []byte, t Type) []byte {
	b = g.compact(b, uint64(len(t.Path)))
	for _, s := range t.Path {
		b = g.text(b, s)
	}
	b = g.compact(b, uint64(len(t.Params)))
	for _, p := range t.Params {
		b = g.compact(append(g.text(b, p.Name), 1), uint64(p.Type))
	}
	b = append(b, byte(t.Kind))
	switch t.Kind {
	case KindComposite:
		b = g.fieldDefs(b, t.Fields)
	case KindVariant:
		b = g.compact(b, uint64(len(t.Variants)))
		for _, v := range t.Variants {
			b = append(g.fieldDefs(g.text(b, v.Name), v.Fields), v.Index, 0)
		}
	case KindSequence, KindCompact:
		b = g.compact(b, uint64(t.Elem))
	case KindArray:
		b = g.compact(binary.LittleEndian.AppendUint32(b, t.Len), uint64(t.Elem))
	case KindTuple:
		b = g.compact(b, uint64(len(t.Fields)))
		for _, f := range t.Fields {
			b = g.compact(b, uint64(f.Type))
		}
	case KindPrimitive:
		b = append(b, byte(t.Primitive))
	case KindBits:
		b = g.compact(g.compact(b, uint64(t.Elem)), uint64(t.Order))
	}
	return append(b, 0) // docs
}

func (g *generator) fieldDefs(b []byte, fields []FieldDef) []byte {
	b = g.compact(b, uint64(len(fields)))
	for _, f := range fields {
		if f.Name == "" {
			b = append(b, 0)
		} else {
			b = g.text(append(b, 1), f.Name)
		}
		b = append(g.compact(b, uint64(f.Type)), 0, 0) // no type name, no docs
	}
	return b
}

func (g *generator) text(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		panic("a test asks for a name that is no text")
	}
	return append(g.compact(b, uint64(len(s))), s...)
}
