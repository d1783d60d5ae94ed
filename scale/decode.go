package scale

import (
	"errors"
	"fmt"
	"math/big"
	"unicode/utf8"
)

// Decode reads a value of type id, which must be all of b, into a pointer.
//
// Into an *any goes a dynamic value. Other Go types take what fits them: an
// integer any integer type that can hold the value, *big.Int always; bytes and
// arrays of the same length; slices; a struct the fields that it declares, by
// name (see Encode); a pointer an Option, nil for None; a string the name of a
// variant without fields; a struct of pointers the variant of that name, or none
// of them if it does not declare the variant. Unnamed fields and tuples fill a
// struct with as many fields, in order. A field that the runtime's type does not
// have is an error, unless tagged `scale:",optional"`: then it stays zero.
//
// Only the one canonical form of each value is accepted, so encoding the value
// again gives b. What a failed Decode leaves behind is unspecified. The value
// shares no memory with b. Errors are *Error and say where.
func (m *Metadata) Decode(id TypeID, b []byte, into any) error {
	rest, err := m.DecodePrefix(id, b, into)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return &Error{Type: m.TypeName(id), Reason: fmt.Sprintf("%d of %d bytes follow the value", len(rest), len(b))}
	}
	return nil
}

// DecodePrefix is Decode for a value at the front of b; it gives what follows.
// A nil into passes over the value, whose form is checked all the same.
func (m *Metadata) DecodePrefix(id TypeID, b []byte, into any) (rest []byte, err error) {
	if m.Type(id) == nil {
		return nil, &Error{Type: fmt.Sprintf("type %d", id), Reason: "is not in this metadata"}
	}
	d := decoder{m: m, cursor: cursor{b: b}, steps: deepest*len(b) + freeSteps}
	switch dynamic, ok := into.(*any); {
	case into == nil:
		d.skip(id, 0)
	case ok && dynamic != nil:
		*dynamic = d.value(id, 0)
	default:
		d.pointer(id, into)
	}
	if d.err != nil {
		return nil, d.err
	}
	return d.rest(), nil
}

// freeSteps is how many types a value may visit beyond those that its bytes pay
// for: types of zero bytes are real, but a hostile runtime can nest them so that
// no bytes are 2^128 values.
const freeSteps = 1 << 16

type decoder struct {
	cursor
	m     *Metadata
	steps int // types that may still be visited
}

// enter looks a type up and counts the visit; nil if there must be no more.
func (d *decoder) enter(id TypeID, depth int) *Type {
	t := &d.m.types[id]
	d.steps--
	switch {
	case depth > deepest:
		d.fail("nests deeper than %d types", deepest)
	case d.steps < 0:
		d.fail("holds too many values of no bytes")
	}
	if d.err != nil {
		d.blame(t)
		return nil
	}
	return t
}

// blame makes a failure an *Error at the type where it happened.
func (d *decoder) blame(t *Type) {
	if d.err == nil {
		return
	}
	var told *Error // not above: it costs an allocation
	if !errors.As(d.err, &told) {
		d.err = &Error{Type: d.m.TypeName(t.ID), Reason: d.err.Error()}
	}
}

// value reads a dynamic value.
func (d *decoder) value(id TypeID, depth int) any {
	t := d.enter(id, depth)
	if t == nil {
		return nil
	}
	return d.dynamic(t, depth)
}

// dynamic reads a value of a type that was entered, in its Go form.
func (d *decoder) dynamic(t *Type, depth int) any {
	v := d.shape(t, depth)
	if d.err == nil && t.custom != nil && t.custom.Decode != nil {
		var err error
		if v, err = t.custom.Decode(v); err != nil {
			d.err = &Error{Type: d.m.TypeName(t.ID), Reason: err.Error(), Err: err}
		}
	}
	if d.err != nil {
		d.blame(t)
		return nil
	}
	return v
}

func (d *decoder) shape(t *Type, depth int) any {
	switch t.Kind {
	case KindComposite:
		if len(t.Fields) == 0 {
			return &Record{}
		}
		return d.fields(t.Fields, depth)
	case KindTuple:
		return d.tuple(t.Fields, depth)
	case KindVariant:
		return d.variant(t, depth)
	case KindSequence, KindArray:
		return d.list(t, depth)
	case KindCompact:
		return d.compactValue(t)
	case KindBits:
		return d.bits(t)
	}
	return d.primitive(t.Primitive)
}

// fields reads the fields of a composite or of a variant; nil if there are none.
func (d *decoder) fields(fields []FieldDef, depth int) any {
	switch {
	case len(fields) == 0:
		return nil
	case isInner(fields):
		return d.value(fields[0].Type, depth+1)
	case fields[0].Name == "":
		return d.tuple(fields, depth)
	}
	r := &Record{Fields: make([]Field, len(fields))}
	for i, f := range fields {
		r.Fields[i] = Field{Name: f.Name, Value: d.value(f.Type, depth+1)}
		if d.err != nil {
			d.err = under(d.err, f.Name)
			return nil
		}
	}
	return r
}

func (d *decoder) tuple(fields []FieldDef, depth int) any {
	items := make([]any, len(fields))
	for i, f := range fields {
		items[i] = d.value(f.Type, depth+1)
		if d.err != nil {
			d.err = under(d.err, index(i))
			return nil
		}
	}
	return items
}

func (d *decoder) variant(t *Type, depth int) any {
	if t.isOption() {
		return d.option(t, depth)
	}
	x := d.variantDef(t)
	if x == nil {
		return nil
	}
	return &Variant{Name: x.Name, Value: d.fields(x.Fields, depth)}
}

// variantDef reads the byte that stands for a variant.
func (d *decoder) variantDef(t *Type) *VariantDef {
	i := d.byte()
	if d.err != nil {
		return nil
	}
	x := t.VariantByIndex(i)
	if x == nil {
		d.fail("has no variant of index %d", i)
	}
	return x
}

func (d *decoder) option(t *Type, depth int) any {
	if !d.bool() {
		return nil
	}
	some := t.Variants[1].Fields[0].Type
	v := d.value(some, depth+1)
	if d.m.looksOptional(some) {
		return &Variant{Name: "Some", Value: v}
	}
	return v
}

// looksOptional reports a type whose own values could be taken for those of an
// Option around it.
func (m *Metadata) looksOptional(id TypeID) bool {
	t := &m.types[id]
	for range deepest {
		if !t.isNewtype() {
			break
		}
		t = &m.types[t.Fields[0].Type]
	}
	return t.Variant("None") != nil || t.Variant("Some") != nil
}

func (d *decoder) list(t *Type, depth int) any {
	n := d.listLength(t)
	if d.m.isByte(t.Elem) {
		return d.copyBytes(n)
	}
	items := make([]any, 0, min(n, uint64(d.left())))
	for i := range n {
		v := d.value(t.Elem, depth+1)
		if d.err != nil {
			d.err = under(d.err, index(int(i)))
			return nil
		}
		items = append(items, v)
	}
	return items
}

// listLength reads the length of a sequence, or gives that of an array; 0 after
// a failure. It is a claim only: the input need not hold as much.
func (d *decoder) listLength(t *Type) uint64 {
	if t.Kind == KindArray {
		return uint64(t.Len)
	}
	return d.compact()
}

// bytes takes n bytes; a length beyond the input fails.
func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(d.left()) {
		d.fail("needs %d bytes, %d are left", n, d.left())
		return nil
	}
	return d.take(int(n))
}

func (d *decoder) copyBytes(n uint64) []byte {
	return append([]byte{}, d.bytes(n)...)
}

func (d *decoder) compactValue(t *Type) any {
	p, ok := d.m.compactOf(t)
	if !ok {
		if d.m.IsEmpty(t.Elem) {
			return []any{}
		}
		d.fail("is not an integer")
		return nil
	}
	small, large := d.compactInteger(p)
	switch {
	case large != nil:
		return large
	case p == U8:
		return uint8(small)
	case p == U16:
		return uint16(small)
	case p == U32:
		return uint32(small)
	case p == U64:
		return small
	}
	return new(big.Int).SetUint64(small)
}

// compactInteger reads a compact integer that must fit p; large is set where it
// exceeds 64 bits.
func (d *decoder) compactInteger(p Primitive) (small uint64, large *big.Int) {
	small, large = d.compactAny()
	bits := 8 * p.size()
	switch {
	case d.err != nil:
	case large != nil && large.BitLen() > bits:
		d.fail("%s exceeds a %s", clip(large.String()), p)
	case bits < 64 && small>>bits != 0:
		d.fail("%d exceeds a %s", small, p)
	}
	return small, large
}

func (d *decoder) primitive(p Primitive) any {
	switch p {
	case Bool:
		return d.bool()
	case Char:
		return string(d.char())
	case Str:
		return d.str()
	case U8:
		return uint8(d.uint(1))
	case U16:
		return uint16(d.uint(2))
	case U32:
		return uint32(d.uint(4))
	case U64:
		return d.uint(8)
	case I8:
		return int8(d.uint(1))
	case I16:
		return int16(d.uint(2))
	case I32:
		return int32(d.uint(4))
	case I64:
		return int64(d.uint(8))
	case U128, U256:
		return bigUint(d.take(p.size()))
	}
	return bigInt(d.take(p.size()))
}

func (d *decoder) str() string {
	s := string(d.bytes(d.compact()))
	if !utf8.ValidString(s) {
		d.fail("is not UTF-8")
	}
	return s
}

func (d *decoder) char() rune {
	n := d.uint(4)
	if n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		d.fail("0x%x is no letter", n)
		return 0
	}
	return rune(n)
}

// skip passes over a value and checks its form as strictly as reading it would.
func (d *decoder) skip(id TypeID, depth int) {
	t := d.enter(id, depth)
	if t == nil {
		return
	}
	switch t.Kind {
	case KindComposite, KindTuple:
		d.skipFields(t.Fields, depth)
	case KindVariant:
		if x := d.variantDef(t); x != nil {
			d.skipFields(x.Fields, depth)
		}
	case KindSequence, KindArray:
		d.skipList(t, depth)
	case KindPrimitive:
		if t.Primitive.isInteger() {
			d.take(t.Primitive.size())
		} else {
			d.primitive(t.Primitive)
		}
	default:
		d.shape(t, depth)
	}
	d.blame(t)
}

func (d *decoder) skipFields(fields []FieldDef, depth int) {
	for i, f := range fields {
		if d.skip(f.Type, depth+1); d.err != nil {
			d.err = under(d.err, fieldStep(f, i))
			return
		}
	}
}

func fieldStep(f FieldDef, i int) string {
	if f.Name == "" {
		return index(i)
	}
	return f.Name
}

func (d *decoder) skipList(t *Type, depth int) {
	n := d.listLength(t)
	if d.m.isByte(t.Elem) {
		d.bytes(n)
		return
	}
	for i := range n {
		if d.skip(t.Elem, depth+1); d.err != nil {
			d.err = under(d.err, index(int(i)))
			return
		}
	}
}
