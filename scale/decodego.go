package scale

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
)

// pointer reads a value into what a Go pointer points at.
func (d *decoder) pointer(id TypeID, into any) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		d.err = &Error{Type: d.m.TypeName(id), Reason: fmt.Sprintf("cannot be read into %s: it is no pointer, or nil", goType(into))}
		return
	}
	d.into(id, v.Elem(), 0)
}

// into reads a value into a Go value that can be set.
func (d *decoder) into(id TypeID, v reflect.Value, depth int) {
	t := d.enter(id, depth)
	if t == nil {
		return
	}
	switch {
	case isDynamic(v.Type()):
		d.assign(v, d.dynamic(t, depth))
	case t.custom != nil && t.custom.Decode != nil && d.intoGoForm(t, v, depth):
	case t.isNewtype():
		d.into(t.Fields[0].Type, v, depth+1)
	case v.Kind() == reflect.Pointer:
		d.intoPointer(t, v, depth)
	default:
		d.intoShape(t, v, depth)
	}
	d.blame(t)
}

// isDynamic reports the Go types that take a dynamic value.
func isDynamic(t reflect.Type) bool {
	return t.Kind() == reflect.Interface || t == reflect.TypeFor[*Record]() || t == reflect.TypeFor[*Variant]()
}

// assign sets v to a dynamic value, if it is of that type.
func (d *decoder) assign(v reflect.Value, x any) {
	switch {
	case d.err != nil:
	case x == nil:
		v.SetZero()
	case reflect.TypeOf(x).AssignableTo(v.Type()):
		v.Set(reflect.ValueOf(x))
	default:
		d.unfit(v)
	}
}

func (d *decoder) unfit(v reflect.Value) { d.fail("does not fit the Go type %s", v.Type()) }

// intoGoForm sets v to the type's Go form if it has that type. Otherwise it
// takes nothing, and the structure is left to be read.
func (d *decoder) intoGoForm(t *Type, v reflect.Value, depth int) (done bool) {
	before := *d
	x := d.dynamic(t, depth)
	if d.err != nil {
		return true
	}
	if x == nil || !reflect.TypeOf(x).AssignableTo(v.Type()) {
		*d = before
		return false
	}
	v.Set(reflect.ValueOf(x))
	return true
}

// intoPointer reads None as nil, and anything else into a new Go value.
func (d *decoder) intoPointer(t *Type, v reflect.Value, depth int) {
	id := t.ID
	if t.isOption() {
		if !d.bool() {
			v.SetZero()
			return
		}
		id = t.Variants[1].Fields[0].Type
	}
	v.Set(reflect.New(v.Type().Elem()))
	d.into(id, v.Elem(), depth+1)
}

func (d *decoder) intoShape(t *Type, v reflect.Value, depth int) {
	switch t.Kind {
	case KindComposite, KindTuple:
		d.intoStruct(t, nil, v, depth)
	case KindVariant:
		d.intoVariant(t, v, depth)
	case KindSequence, KindArray:
		d.intoList(t, v, depth)
	case KindCompact:
		d.intoCompact(t, v)
	case KindBits:
		d.intoBits(t, v)
	default:
		d.intoPrimitive(t.Primitive, v)
	}
}

// ---- structs

// plan says which field of a Go struct takes which field of a type.
type plan struct {
	target []int // by field of the type: the Go field, or -1 to pass over it
	err    error
}

type planKey struct {
	id      TypeID
	variant *VariantDef // nil for the type's own fields
	goType  reflect.Type
}

// plan is made once for each pair of types.
func (m *Metadata) plan(t *Type, x *VariantDef, goType reflect.Type) *plan {
	key := planKey{t.ID, x, goType}
	if known, ok := m.plans.Load(key); ok {
		return known.(*plan)
	}
	fields := t.Fields
	if x != nil {
		fields = x.Fields
	}
	p := makePlan(fields, structFields(goType), goType)
	m.plans.Store(key, p)
	return p
}

func makePlan(fields []FieldDef, targets []structField, goType reflect.Type) *plan {
	p := &plan{target: make([]int, len(fields))}
	if len(fields) > 0 && fields[0].Name == "" {
		if len(targets) != len(fields) {
			p.err = fmt.Errorf("has %d unnamed fields, the Go type %s has %d", len(fields), goType, len(targets))
			return p
		}
		for i := range targets {
			p.target[i] = targets[i].index
		}
		return p
	}
	at := make(map[string]int, len(fields))
	for i, f := range fields {
		at[f.Name], p.target[i] = i, -1
	}
	for _, f := range targets {
		i, ok := at[f.recordName()]
		switch {
		case ok:
			p.target[i] = f.index
		case !f.optional:
			p.err = fmt.Errorf("has no field %q, which the Go type %s wants", f.recordName(), goType)
		}
	}
	return p
}

// intoStruct reads the fields of a composite or tuple, or of variant x, into a
// struct.
func (d *decoder) intoStruct(t *Type, x *VariantDef, v reflect.Value, depth int) {
	if v.Kind() != reflect.Struct {
		d.unfit(v)
		return
	}
	p := d.m.plan(t, x, v.Type())
	if p.err != nil {
		d.fail("%w", p.err)
		return
	}
	fields := t.Fields
	if x != nil {
		fields = x.Fields
	}
	for i := range fields {
		if to := p.target[i]; to < 0 {
			d.skip(fields[i].Type, depth+1)
		} else {
			d.into(fields[i].Type, v.Field(to), depth+1)
		}
		if d.err != nil {
			d.err = under(d.err, fieldStep(fields[i], i))
			return
		}
	}
}

// ---- enums

func (d *decoder) intoVariant(t *Type, v reflect.Value, depth int) {
	if t.isOption() {
		d.fail("is an Option, which the Go type %s cannot be: use a pointer", v.Type())
		return
	}
	x := d.variantDef(t)
	switch {
	case x == nil:
	case v.Kind() == reflect.String:
		if len(x.Fields) > 0 {
			d.fail("%s carries %s, which the Go type %s cannot", x.Name, d.m.DescribeFields(x.Fields), v.Type())
			return
		}
		v.SetString(x.Name)
	case v.Kind() == reflect.Struct:
		v.SetZero()
		d.intoVariantField(t, x, v, depth)
	default:
		d.unfit(v)
	}
}

// intoVariantField sets the one pointer of v that stands for the variant.
func (d *decoder) intoVariantField(t *Type, x *VariantDef, v reflect.Value, depth int) {
	to, ok := variantField(v, x.Name)
	switch {
	case !ok:
		d.skipFields(x.Fields, depth)
		return
	case to.Kind() != reflect.Pointer:
		d.fail("the Go type %s has no pointer for %s", v.Type(), x.Name)
		return
	}
	to.Set(reflect.New(to.Type().Elem()))
	switch {
	case isInner(x.Fields):
		d.into(x.Fields[0].Type, to.Elem(), depth+1)
	default:
		d.intoStruct(t, x, to.Elem(), depth)
	}
}

func variantField(v reflect.Value, name string) (reflect.Value, bool) {
	for _, f := range structFields(v.Type()) {
		if f.variantName() == name {
			return v.Field(f.index), true
		}
	}
	return reflect.Value{}, false
}

// ---- lists

func (d *decoder) intoList(t *Type, v reflect.Value, depth int) {
	n := d.listLength(t)
	switch {
	case d.err != nil:
	case v.Kind() == reflect.Array && uint64(v.Len()) == n:
		d.intoElements(t, v, depth)
	case v.Kind() == reflect.Slice && d.isBytes(t, v):
		v.SetBytes(d.copyBytes(n))
	case v.Kind() == reflect.Slice:
		d.intoSlice(t, n, v, depth)
	case v.Kind() == reflect.Array:
		d.fail("has %d elements, the Go type %s does not", n, v.Type())
	default:
		d.unfit(v)
	}
}

func (d *decoder) isBytes(t *Type, v reflect.Value) bool {
	return d.m.isByte(t.Elem) && v.Type().Elem().Kind() == reflect.Uint8
}

func (d *decoder) intoElements(t *Type, v reflect.Value, depth int) {
	if d.isBytes(t, v) {
		reflect.Copy(v, reflect.ValueOf(d.bytes(uint64(v.Len()))))
		return
	}
	for i := range v.Len() {
		if d.into(t.Elem, v.Index(i), depth+1); d.err != nil {
			d.err = under(d.err, index(i))
			return
		}
	}
}

// intoSlice grows as elements arrive: it first takes no more memory than the
// input has bytes, whatever length is claimed.
func (d *decoder) intoSlice(t *Type, n uint64, v reflect.Value, depth int) {
	size := uint64(max(1, v.Type().Elem().Size()))
	v.Set(reflect.MakeSlice(v.Type(), 0, int(min(n, uint64(d.left())/size+1))))
	for i := range n {
		v.Grow(1)
		v.SetLen(int(i) + 1)
		if d.into(t.Elem, v.Index(int(i)), depth+1); d.err != nil {
			d.err = under(d.err, index(int(i)))
			return
		}
	}
}

// ---- leaves

func (d *decoder) intoPrimitive(p Primitive, v reflect.Value) {
	switch {
	case p == Bool && v.Kind() == reflect.Bool:
		v.SetBool(d.bool())
	case p == Char && v.Kind() == reflect.String:
		v.SetString(string(d.char()))
	case p == Str && v.Kind() == reflect.String:
		v.SetString(d.str())
	case !p.isInteger():
		d.unfit(v)
	case p.size() > 8:
		d.setBig(v, d.primitive(p).(*big.Int))
	case p.signed():
		unused := 64 - 8*p.size()
		d.setInt(v, int64(d.uint(p.size())<<unused)>>unused)
	default:
		d.setUint(v, d.uint(p.size()))
	}
}

func (d *decoder) intoCompact(t *Type, v reflect.Value) {
	p, ok := d.m.compactOf(t)
	if !ok {
		d.assign(v, d.compactValue(t))
		return
	}
	small, large := d.compactInteger(p)
	if large != nil {
		d.setBig(v, large)
		return
	}
	d.setUint(v, small)
}

func (d *decoder) setUint(v reflect.Value, n uint64) {
	switch {
	case d.err != nil:
	case v.CanUint() && !v.OverflowUint(n):
		v.SetUint(n)
	case v.CanInt() && n <= math.MaxInt64 && !v.OverflowInt(int64(n)):
		v.SetInt(int64(n))
	case v.Type() == reflect.TypeFor[big.Int]():
		v.Addr().Interface().(*big.Int).SetUint64(n)
	default:
		d.fail("%d does not fit the Go type %s", n, v.Type())
	}
}

func (d *decoder) setInt(v reflect.Value, n int64) {
	switch {
	case n >= 0:
		d.setUint(v, uint64(n))
	case d.err != nil:
	case v.CanInt() && !v.OverflowInt(n):
		v.SetInt(n)
	case v.Type() == reflect.TypeFor[big.Int]():
		v.Addr().Interface().(*big.Int).SetInt64(n)
	default:
		d.fail("%d does not fit the Go type %s", n, v.Type())
	}
}

func (d *decoder) setBig(v reflect.Value, n *big.Int) {
	switch {
	case d.err != nil:
	case v.Type() == reflect.TypeFor[big.Int]():
		v.Addr().Interface().(*big.Int).Set(n)
	case n.IsUint64():
		d.setUint(v, n.Uint64())
	case n.IsInt64():
		d.setInt(v, n.Int64())
	default:
		d.fail("%s does not fit the Go type %s", n, v.Type())
	}
}
