package scale

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// deepest bounds how far types may nest within a value, on both ways. The
// chain's own decoder gives a call 256 levels of nested values, of which each
// takes one or more of these (polkadot-sdk, substrate/frame/support/src/lib.rs,
// MAX_EXTRINSIC_DEPTH).
const deepest = 128

// Valuer is a Go type that stands for a dynamic value: Encode takes what SCALE
// gives instead.
type Valuer interface{ SCALE() any }

// Encode appends the bytes of v, as a value of type id, to dst. It takes dynamic
// values and, at every level,
//
//   - for integers any exact Go integer, *big.Int, json.Number;
//   - for records map[string]any, or a struct whose fields are all of them;
//   - for lists and arrays any slice or array; for bytes also a string, as it is;
//   - for tuples and unnamed fields a struct with as many fields, in order;
//   - for enums the name alone as a string, if the variant has no fields,
//     map[string]any{"Name": value}, or a struct of pointers of which one is set;
//   - for Option<T> nil, a pointer, or the value itself;
//   - a Valuer in place of what it stands for, and Text for what a person typed.
//
// A struct field goes by its `scale:"name"` tag; without one a record's field is
// the snake_case of the Go name, and a variant the Go name. Integers that do not
// fit, unknown and missing fields are errors: nothing is cut, rounded or filled
// in. Errors are *Error and say where in the value.
func (m *Metadata) Encode(dst []byte, id TypeID, v any) ([]byte, error) {
	if m.Type(id) == nil {
		return nil, &Error{Type: fmt.Sprintf("type %d", id), Reason: "is not in this metadata"}
	}
	e := encoder{m: m, out: dst}
	if err := e.value(id, v, 0); err != nil {
		return nil, err
	}
	return e.out, nil
}

type encoder struct {
	m   *Metadata
	out []byte
}

// value appends one value. Errors are *Error.
func (e *encoder) value(id TypeID, v any, depth int) error {
	t := &e.m.types[id]
	if depth > deepest {
		return e.fail(t, "nests deeper than %d types", deepest)
	}
	v, err := e.goForm(t, v)
	if err != nil {
		return err
	}
	switch t.Kind {
	case KindComposite:
		return e.fields(t, t.Fields, v, depth)
	case KindTuple:
		return e.tuple(t, t.Fields, v, depth)
	case KindVariant:
		if t.isOption() {
			return e.option(t, v, depth)
		}
		return e.variant(t, v, depth)
	case KindSequence, KindArray:
		if e.m.isByte(t.Elem) {
			return e.bytes(t, v)
		}
		return e.list(t, v, depth)
	case KindCompact:
		return e.compact(t, v)
	case KindBits:
		return e.bits(t, v)
	}
	return e.primitive(t, v)
}

func (e *encoder) fail(t *Type, format string, args ...any) error {
	return &Error{Type: e.m.TypeName(t.ID), Reason: fmt.Sprintf(format, args...)}
}

// under adds a step to the path of an error.
func under(err error, step string) error {
	var e *Error
	if errors.As(err, &e) {
		e.under(step)
	}
	return err
}

// goForm replaces a Valuer by what it stands for, and a type's Go form by its
// structure.
func (e *encoder) goForm(t *Type, v any) (any, error) {
	for range deepest {
		x, ok := v.(Valuer)
		if !ok || isNilPointer(v) {
			break
		}
		v = x.SCALE()
	}
	if !t.isOption() {
		v = pointedTo(v)
	}
	if t.custom == nil || t.custom.Encode == nil {
		return v, nil
	}
	out, err := t.custom.Encode(v)
	if err != nil {
		return nil, &Error{Type: e.m.TypeName(t.ID), Reason: err.Error(), Err: err}
	}
	return out, nil
}

// ---- records and tuples

// fields appends the fields of a composite or of a variant.
func (e *encoder) fields(t *Type, fields []FieldDef, v any, depth int) error {
	switch {
	case isInner(fields):
		return e.value(fields[0].Type, v, depth+1)
	case len(fields) == 0 || fields[0].Name == "":
		return e.tuple(t, fields, v, depth)
	}
	get, count, err := e.record(t, fields, v)
	if err != nil {
		return err
	}
	for _, f := range fields {
		x, ok := get(f.Name)
		if !ok {
			return under(e.fail(&e.m.types[f.Type], "is missing"), f.Name)
		}
		if err := e.value(f.Type, x, depth+1); err != nil {
			return under(err, f.Name)
		}
	}
	if count != len(fields) {
		return e.fail(t, "%d fields are given, it has %s", count, e.m.DescribeFields(fields))
	}
	return nil
}

// record gives the named fields of v, and how many there are. Names that the
// type does not have are errors.
func (e *encoder) record(t *Type, fields []FieldDef, v any) (get func(string) (any, bool), count int, err error) {
	var names []string
	switch x := v.(type) {
	case *Record:
		if x != nil {
			names = recordNames(x)
			get = x.Get
		}
	case Record:
		names = recordNames(&x)
		get = x.Get
	case map[string]any:
		names = sortedKeys(x)
		get = func(name string) (any, bool) { y, ok := x[name]; return y, ok }
	default:
		names, get = goRecord(v)
	}
	if get == nil {
		return nil, 0, e.fail(t, "%s is not a record of %s", goType(v), e.m.DescribeFields(fields))
	}
	for _, name := range names {
		if !slices.ContainsFunc(fields, func(f FieldDef) bool { return f.Name == name }) {
			return nil, 0, e.fail(t, "has no field %q, only %s", clip(name), e.m.DescribeFields(fields))
		}
	}
	return get, len(names), nil
}

func recordNames(r *Record) []string {
	names := make([]string, len(r.Fields))
	for i, f := range r.Fields {
		names[i] = f.Name
	}
	return names
}

func sortedKeys(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// tuple appends unnamed fields, and a composite without any.
func (e *encoder) tuple(t *Type, fields []FieldDef, v any, depth int) error {
	if len(fields) == 0 && isNothing(v) {
		return nil
	}
	items, ok := elements(v)
	if !ok {
		items, ok = structElements(v)
	}
	switch {
	case !ok:
		return e.fail(t, "%s is not a list of %d", goType(v), len(fields))
	case len(items) != len(fields):
		return e.fail(t, "%d values are given for %d", len(items), len(fields))
	}
	for i, f := range fields {
		if err := e.value(f.Type, items[i], depth+1); err != nil {
			return under(err, index(i))
		}
	}
	return nil
}

func index(i int) string { return fmt.Sprintf("[%d]", i) }

// isNothing reports a value without fields.
func isNothing(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case *Record:
		return x == nil || len(x.Fields) == 0
	case map[string]any:
		return len(x) == 0
	case []any:
		return len(x) == 0
	}
	return false
}

// ---- enums

func (e *encoder) option(t *Type, v any, depth int) error {
	some := t.Variants[1].Fields[0].Type
	v, explicit := optionVariant(v)
	switch {
	case isNone(v) && !explicit:
		e.out = append(e.out, 0)
		return nil
	case !explicit:
		v = pointedTo(v)
	}
	e.out = append(e.out, 1)
	return e.value(some, v, depth+1)
}

// optionVariant reads the long form, Variant{"Some", v}, of which None is nil.
func optionVariant(v any) (inner any, explicit bool) {
	switch x := v.(type) {
	case *Variant:
		if x != nil && x.Name == "Some" {
			return x.Value, true
		}
		if x != nil && x.Name == "None" && isNothing(x.Value) {
			return nil, false
		}
	case map[string]any:
		if y, ok := x["Some"]; ok && len(x) == 1 {
			return y, true
		}
		if y, ok := x["None"]; ok && len(x) == 1 && isNothing(y) {
			return nil, false
		}
	}
	return v, false
}

func isNone(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case Text:
		return x == "null" || x == "none" || x == "None"
	case string:
		return x == "None"
	}
	return isNilPointer(v)
}

func (e *encoder) variant(t *Type, v any, depth int) error {
	name, inner, ok := enumValue(v)
	if !ok {
		return e.fail(t, "%s is no variant: write its name, or its name with a value", goType(v))
	}
	x := t.Variant(name)
	if x == nil {
		return e.fail(t, "has no variant %q, only %s", clip(name), variantNames(t))
	}
	e.out = append(e.out, x.Index)
	return e.fields(t, x.Fields, inner, depth)
}

// enumValue takes the name of a variant and its value out of any form of it.
func enumValue(v any) (name string, inner any, ok bool) {
	switch x := v.(type) {
	case *Variant:
		if x != nil {
			return x.Name, x.Value, true
		}
		return "", nil, false
	case Variant:
		return x.Name, x.Value, true
	case string:
		return x, nil, true
	case Text:
		return string(x), nil, true
	case map[string]any:
		for name, inner = range x {
			return name, inner, len(x) == 1
		}
	}
	return goEnum(v)
}

// variantNames lists the variants of an enum, as far as a line allows.
func variantNames(t *Type) string {
	const most = 400
	var s strings.Builder
	for i, v := range t.Variants {
		if i > 0 {
			s.WriteString(", ")
		}
		if s.Len() > most {
			fmt.Fprintf(&s, "and %d more", len(t.Variants)-i)
			break
		}
		s.WriteString(v.Name)
	}
	return s.String()
}

// ---- lists

// isByte reports the type u8 itself: a list of it is bytes.
func (m *Metadata) isByte(id TypeID) bool {
	t := &m.types[id]
	return t.Kind == KindPrimitive && t.Primitive == U8 && t.custom == nil
}

func (e *encoder) list(t *Type, v any, depth int) error {
	items, ok := elements(v)
	if !ok {
		return e.fail(t, "%s is not a list", goType(v))
	}
	if err := e.listLength(t, len(items), "elements"); err != nil {
		return err
	}
	for i, x := range items {
		if err := e.value(t.Elem, x, depth+1); err != nil {
			return under(err, index(i))
		}
	}
	return nil
}

// listLength appends the length of a sequence, or checks that of an array.
func (e *encoder) listLength(t *Type, n int, unit string) error {
	if t.Kind == KindSequence {
		e.out = EncodeCompact(e.out, uint64(n))
		return nil
	}
	if uint64(n) != uint64(t.Len) {
		return e.fail(t, "%d %s are given for %d", n, unit, t.Len)
	}
	return nil
}

func (e *encoder) bytes(t *Type, v any) error {
	b, err := e.byteString(t, v)
	if err != nil {
		return err
	}
	if err := e.listLength(t, len(b), "bytes"); err != nil {
		return err
	}
	e.out = append(e.out, b...)
	return nil
}

func (e *encoder) byteString(t *Type, v any) ([]byte, error) {
	switch x := v.(type) {
	case []byte:
		return x, nil
	case string:
		return []byte(x), nil
	case Text:
		b, err := x.bytes(t.Kind == KindSequence)
		if err != nil {
			return nil, e.fail(t, "%s", err)
		}
		return b, nil
	}
	if b, ok := goBytes(v); ok {
		return b, nil
	}
	items, ok := elements(v) // a list of numbers, as JSON has it
	if !ok {
		return nil, e.fail(t, "%s is not bytes", goType(v))
	}
	b := make([]byte, 0, len(items))
	for i, x := range items {
		n, err := exactInteger(x)
		if err == nil {
			b, err = appendInteger(b, U8, n)
		}
		if err != nil {
			return nil, under(e.fail(t, "%s", err), index(i))
		}
	}
	return b, nil
}

// bytes reads 0x as hex; plain text stands for itself where text is natural.
func (s Text) bytes(plain bool) ([]byte, error) {
	digits, ok := strings.CutPrefix(string(s), "0x")
	switch {
	case ok:
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("%q is not hex: %w", clip(string(s)), err)
		}
		return b, nil
	case plain:
		return []byte(s), nil
	}
	return nil, fmt.Errorf("%q is not hex: it begins with 0x", clip(string(s)))
}

// ---- leaves

func (e *encoder) primitive(t *Type, v any) error {
	switch t.Primitive {
	case Bool:
		return e.bool(t, v)
	case Char:
		return e.char(t, v)
	case Str:
		return e.str(t, v)
	}
	return e.integer(t, t.Primitive, v)
}

func (e *encoder) integer(t *Type, p Primitive, v any) error {
	if n, ok := smallInteger(v); ok && p <= U64 && n>>(8*p.size()-1)>>1 == 0 {
		for range p.size() {
			e.out = append(e.out, byte(n))
			n >>= 8
		}
		return nil
	}
	n, err := exactInteger(v)
	if err == nil {
		e.out, err = appendInteger(e.out, p, n)
	}
	if err != nil {
		return e.fail(t, "%s", err)
	}
	return nil
}

func (e *encoder) compact(t *Type, v any) error {
	p, ok := e.m.compactOf(t)
	if !ok {
		if e.m.IsEmpty(t.Elem) && isNothing(v) {
			return nil
		}
		return e.fail(t, "is not an integer, and takes no value")
	}
	n, err := exactInteger(v)
	if err == nil {
		err = checkRange(p, n)
	}
	if err != nil {
		return e.fail(t, "%s", err)
	}
	e.out = encodeCompactBig(e.out, n)
	return nil
}

// compactOf finds the unsigned integer within a compact type: Compact<Perbill>
// is one of u32. It has none if there is no such integer, as in Compact<()>.
func (m *Metadata) compactOf(t *Type) (p Primitive, ok bool) {
	t = &m.types[t.Elem]
	for range deepest {
		if t.Kind != KindComposite || len(t.Fields) != 1 {
			break
		}
		t = &m.types[t.Fields[0].Type]
	}
	return t.Primitive, t.Kind == KindPrimitive && t.Primitive.isInteger() && !t.Primitive.signed()
}

func (e *encoder) bool(t *Type, v any) error {
	b, ok := v.(bool)
	switch x := v.(type) {
	case bool:
	case Text:
		b, ok = x == "true", x == "true" || x == "false"
	default:
		if r := reflect.ValueOf(v); r.Kind() == reflect.Bool {
			b, ok = r.Bool(), true
		}
	}
	if !ok {
		return e.fail(t, "%s is neither true nor false", describe(v))
	}
	if b {
		e.out = append(e.out, 1)
	} else {
		e.out = append(e.out, 0)
	}
	return nil
}

func (e *encoder) str(t *Type, v any) error {
	s, ok := goString(v)
	switch {
	case !ok:
		return e.fail(t, "%s is not text", goType(v))
	case !utf8.ValidString(s):
		return e.fail(t, "is not UTF-8")
	}
	e.out = append(EncodeCompact(e.out, uint64(len(s))), s...)
	return nil
}

func (e *encoder) char(t *Type, v any) error {
	s, ok := goString(v)
	r, size := utf8.DecodeRuneInString(s)
	if !ok || size != len(s) || size == 0 || r == utf8.RuneError && size == 1 {
		return e.fail(t, "%s is not one letter", describe(v))
	}
	return e.integer(t, U32, uint32(r))
}

// describe shows a short value that a person typed, or else its Go type.
func describe(v any) string {
	switch x := v.(type) {
	case Text:
		return fmt.Sprintf("%q", clip(string(x)))
	case json.Number:
		return clip(string(x))
	}
	return goType(v)
}
