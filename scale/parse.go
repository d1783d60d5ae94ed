package scale

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// magic opens every metadata blob (frame-metadata, src/lib.rs, META_RESERVED).
const magic = "meta"

// ParseMetadata reads the blob that a runtime gives of itself, which begins
// with "meta" and the version: 14, 15 or 16 (frame-metadata, src/v14.rs,
// src/v15.rs, src/v16.rs). Strings of the result share one copy of the blob.
//
// A blob that is accepted is sound: every type number in it resolves, names
// within an enum or a record differ, and nothing follows its end. Memory and
// time are in proportion to the blob, whatever lengths it claims.
func ParseMetadata(blob []byte) (*Metadata, error) {
	if !bytes.HasPrefix(blob, []byte(magic)) || len(blob) == len(magic) {
		return nil, fmt.Errorf("parse metadata: %d bytes that do not begin with %q and a version", len(blob), magic)
	}
	text := string(blob)
	p := &parser{
		cursor: cursor{b: blob, pos: len(magic) + 1},
		text:   text,
		m:      &Metadata{version: int(blob[len(magic)]), blob: text},
	}
	if p.m.version < 14 || p.m.version > 16 {
		return nil, fmt.Errorf("parse metadata: version %d is none of 14, 15, 16", p.m.version)
	}
	p.metadata()
	if p.err != nil {
		return nil, fmt.Errorf("parse metadata V%d, byte %d of %d: %w", p.m.version, p.pos, len(blob), p.err)
	}
	return p.m, nil
}

type parser struct {
	cursor
	text  string // the whole blob: names are cut from it
	m     *Metadata
	types int // how many types the blob has
}

func (p *parser) metadata() {
	p.typeTable()
	p.m.pallets = list(p, p.pallet)
	distinct(p, p.m.pallets, func(x **Pallet) string { return (*x).Name })
	distinctIndex(p, p.m.pallets, func(x **Pallet) uint8 { return (*x).Index })
	switch p.m.version {
	case 14:
		p.extrinsicV14()
		p.typeID() // of the runtime itself
	case 15:
		p.extrinsicV15()
		p.typeID()
	case 16:
		p.extrinsicV16()
	}
	if p.m.version >= 15 {
		p.m.apis = list(p, p.api)
		p.outerEnums()
		p.customMap()
	}
	if p.left() > 0 {
		p.fail("%d bytes follow the end", p.left())
	}
}

// list reads a length and as many elements. It grows as elements arrive, so a
// length that lies costs nothing.
func list[T any](p *parser, read func() T) []T {
	n := p.length()
	if n == 0 {
		return nil
	}
	out := make([]T, 0, min(n, 1<<10))
	for range n {
		x := read()
		if p.err != nil {
			return nil
		}
		out = append(out, x)
	}
	return out
}

// each reads a length and as many elements that nobody keeps.
func (p *parser) each(read func()) {
	for range p.length() {
		if read(); p.err != nil {
			return
		}
	}
}

// distinct refuses two elements of one name: whoever asks by it would get the
// first, and never know of the other.
func distinct[T any](p *parser, of []T, name func(*T) string) {
	if len(of) <= 8 { // quicker without a map, and most are
		for i := range of {
			for j := range i {
				if name(&of[i]) == name(&of[j]) {
					p.fail("the name %q occurs twice", clip(name(&of[i])))
				}
			}
		}
		return
	}
	seen := make(map[string]struct{}, len(of))
	for i := range of {
		seen[name(&of[i])] = struct{}{}
		if len(seen) <= i {
			p.fail("the name %q occurs twice", clip(name(&of[i])))
			return
		}
	}
}

// distinctIndex refuses two elements that one byte stands for.
func distinctIndex[T any](p *parser, of []T, index func(*T) uint8) {
	var taken [256]bool
	for i := range of {
		if at := index(&of[i]); taken[at] {
			p.fail("the index %d occurs twice", at)
		} else {
			taken[at] = true
		}
	}
}

// typeID reads the number of a type, which must be one of this blob's.
func (p *parser) typeID() TypeID {
	id := p.compact()
	if id >= uint64(p.types) {
		p.fail("type %d of %d", id, p.types)
		return NoType
	}
	return TypeID(id)
}

func (p *parser) optionalTypeID() TypeID {
	if !p.bool() {
		return NoType
	}
	return p.typeID()
}

// string cuts a name out of the blob, without a copy.
func (p *parser) string() string {
	n := p.length()
	from := p.pos
	if p.take(n) == nil {
		return ""
	}
	s := p.text[from : from+n]
	if !utf8.ValidString(s) {
		p.fail("a name is not UTF-8")
	}
	return s
}

// bytes copies bytes, so that nothing of the caller's blob is kept.
func (p *parser) bytes() []byte { return bytes.Clone(p.take(p.length())) }

func (p *parser) optionalString() string {
	if !p.bool() {
		return ""
	}
	return p.string()
}

// docs passes over documentation and keeps where it stands.
func (p *parser) docs() Docs {
	from := p.pos
	p.each(func() { p.take(p.length()) })
	if p.err != nil || p.pos == from+1 { // no lines
		return Docs{}
	}
	return Docs{p.text[from:p.pos]}
}

// ---- types

func (p *parser) typeTable() {
	p.types = p.length()
	p.m.types = make([]Type, 0, min(p.types, 1<<10))
	for i := range p.types {
		t := p.typeDef()
		if p.err == nil && t.ID != TypeID(i) {
			p.fail("type %d stands at place %d", t.ID, i)
		}
		if p.err != nil {
			return
		}
		p.m.types = append(p.m.types, t)
	}
}

func (p *parser) typeDef() Type {
	t := Type{ID: p.typeID(), Elem: NoType, Order: NoType}
	t.Path = list(p, p.string)
	t.Params = list(p, func() Param { return Param{Name: p.string(), Type: p.optionalTypeID()} })
	t.Kind = Kind(p.byte())
	switch t.Kind {
	case KindComposite:
		t.Fields = p.fields()
	case KindVariant:
		t.Variants = p.variants()
	case KindSequence, KindCompact:
		t.Elem = p.typeID()
	case KindArray:
		t.Len = uint32(p.uint(4))
		t.Elem = p.typeID()
	case KindTuple:
		t.Fields = list(p, func() FieldDef { return FieldDef{Type: p.typeID()} })
	case KindPrimitive:
		t.Primitive = Primitive(p.byte())
		if t.Primitive > I256 {
			p.fail("primitive %d is unknown", t.Primitive)
		}
	case KindBits:
		t.Elem, t.Order = p.typeID(), p.typeID()
	default:
		p.fail("kind of type %d is unknown", t.Kind)
	}
	p.docs()
	return t
}

func (p *parser) fields() []FieldDef {
	fields := list(p, p.field)
	named := 0
	for _, f := range fields {
		if f.Name != "" {
			named++
		}
	}
	switch named {
	case 0:
	case len(fields):
		distinct(p, fields, func(f *FieldDef) string { return f.Name })
	default:
		p.fail("%d of %d fields have a name", named, len(fields))
	}
	return fields
}

func (p *parser) field() FieldDef {
	f := FieldDef{Name: p.optionalString(), Type: p.typeID(), TypeName: p.optionalString()}
	p.docs()
	return f
}

func (p *parser) variants() []VariantDef {
	variants := list(p, func() VariantDef {
		return VariantDef{Name: p.string(), Fields: p.fields(), Index: p.byte(), Docs: p.docs()}
	})
	distinct(p, variants, func(v *VariantDef) string { return v.Name })
	distinctIndex(p, variants, func(v *VariantDef) uint8 { return v.Index })
	return variants
}

// ---- pallets

func (p *parser) pallet() *Pallet {
	x := &Pallet{Name: p.string()}
	if p.bool() {
		prefix := p.string()
		x.Storage = list(p, func() *Entry { return p.entry(prefix) })
		distinct(p, x.Storage, func(e **Entry) string { return (*e).Name })
	}
	x.Calls = p.enum()
	x.Events = p.enum()
	x.Constants = list(p, p.constant)
	distinct(p, x.Constants, func(c **Constant) string { return (*c).Name })
	x.Errors = p.enum()
	if p.m.version >= 16 {
		p.each(p.associatedType)
		p.each(p.viewFunction)
	}
	x.Index = p.byte()
	if p.m.version >= 15 {
		x.Docs = p.docs()
	}
	x.Deprecated = p.deprecation()
	return x
}

// enum reads the type of a pallet's calls, events or errors, if it has any. V16
// adds which variants are deprecated.
func (p *parser) enum() *Type {
	id := p.optionalTypeID()
	if id == NoType || p.err != nil {
		return nil
	}
	t := &p.m.types[id]
	if p.m.version >= 16 {
		p.each(func() { p.variantDeprecation(t) })
	}
	return t
}

func (p *parser) variantDeprecation(t *Type) {
	v := t.VariantByIndex(p.byte())
	tag := p.byte()
	if tag == 0 {
		p.fail("deprecation tag 0 of a variant")
	}
	d := p.deprecationNote(tag)
	if v == nil {
		p.fail("a deprecated variant that %s does not have", clip(t.path()))
		return
	}
	v.Deprecated = d
}

// deprecation reads an item's note, which V16 brought.
func (p *parser) deprecation() *Deprecation {
	if p.m.version < 16 {
		return nil
	}
	return p.deprecationNote(p.byte())
}

func (p *parser) deprecationNote(tag byte) *Deprecation {
	switch tag {
	case 0:
		return nil
	case 1:
		return &Deprecation{}
	case 2:
		return &Deprecation{Note: p.string(), Since: p.optionalString()}
	}
	p.fail("deprecation tag %d is unknown", tag)
	return nil
}

func (p *parser) entry(prefix string) *Entry {
	e := &Entry{prefix: prefix, Name: p.string(), Optional: p.modifier()}
	isMap := p.bool() // a plain value is 0, a map 1
	if isMap {
		e.Hashers = list(p, p.hasher)
		e.Keys = p.keys(p.typeID(), len(e.Hashers))
	}
	e.Value = p.typeID()
	e.Default = p.bytes()
	e.Docs = p.docs()
	e.Deprecated = p.deprecation()
	return e
}

func (p *parser) modifier() (optional bool) {
	tag := p.byte()
	if tag > 1 {
		p.fail("storage modifier %d is unknown", tag)
	}
	return tag == 0
}

func (p *parser) hasher() Hasher {
	h := Hasher(p.byte())
	if h > Identity {
		p.fail("storage hasher %d is unknown", h)
	}
	return h
}

// keys gives the type of each key: with several hashers the map's key is a
// tuple of as many.
func (p *parser) keys(key TypeID, hashers int) []TypeID {
	if p.err != nil || hashers == 1 {
		return []TypeID{key}
	}
	t := &p.m.types[key]
	if t.Kind != KindTuple || len(t.Fields) != hashers || hashers == 0 {
		p.fail("a storage map of %d hashers has the key %s", hashers, p.m.TypeName(key))
		return nil
	}
	keys := make([]TypeID, hashers)
	for i, f := range t.Fields {
		keys[i] = f.Type
	}
	return keys
}

func (p *parser) constant() *Constant {
	return &Constant{
		Name: p.string(), Type: p.typeID(), Value: p.bytes(),
		Docs: p.docs(), Deprecated: p.deprecation(),
	}
}

func (p *parser) associatedType() {
	p.string()
	p.typeID()
	p.docs()
}

// viewFunction passes over a pallet's view function: its query id, 32 bytes,
// stands before its name (frame-metadata, src/v16.rs, PalletViewFunctionMetadata).
func (p *parser) viewFunction() {
	p.take(32)
	p.string()
	p.each(func() { p.input() })
	p.typeID()
	p.docs()
	p.deprecation()
}

// ---- extrinsic, APIs, the rest

// extrinsicV14 finds the parts of an extrinsic in the type parameters of
// sp_runtime's UncheckedExtrinsic: V15 first names them itself.
func (p *parser) extrinsicV14() {
	id := p.typeID()
	x := &p.m.extrinsic
	x.Versions = []uint8{p.byte()}
	x.Extensions = list(p, p.extension)
	if p.err != nil {
		return
	}
	x.Address = p.param(id, "Address")
	x.Call = p.param(id, "Call")
	x.Signature = p.param(id, "Signature")
}

func (p *parser) param(of TypeID, name string) TypeID {
	for _, q := range p.m.types[of].Params {
		if q.Name == name && q.Type != NoType {
			return q.Type
		}
	}
	p.fail("the extrinsic type %d has no parameter %s", of, name)
	return NoType
}

func (p *parser) extrinsicV15() {
	x := &p.m.extrinsic
	x.Versions = []uint8{p.byte()}
	x.Address, x.Call, x.Signature = p.typeID(), p.typeID(), p.typeID()
	p.typeID() // of all Extra together
	x.Extensions = list(p, p.extension)
}

// extrinsicV16 takes the extensions of extension version 0, the only one that
// an extrinsic of version 4 can carry (polkadot-sdk,
// substrate/primitives/runtime/src/generic/unchecked_extrinsic.rs).
func (p *parser) extrinsicV16() {
	x := &p.m.extrinsic
	x.Versions = p.bytes()
	x.Address, x.Call, x.Signature = p.typeID(), p.typeID(), p.typeID()
	byVersion := list(p, func() extensionVersion {
		return extensionVersion{p.byte(), list(p, p.compact)}
	})
	all := list(p, p.extension)
	for _, v := range byVersion {
		if v.version == 0 {
			x.Extensions = p.pick(all, v.indices)
			return
		}
	}
	x.Extensions = all
}

type extensionVersion struct {
	version uint8
	indices []uint64
}

func (p *parser) pick(all []Extension, indices []uint64) []Extension {
	var out []Extension
	for _, i := range indices {
		if i >= uint64(len(all)) {
			p.fail("transaction extension %d of %d", i, len(all))
			return nil
		}
		out = append(out, all[i])
	}
	return out
}

func (p *parser) extension() Extension {
	return Extension{Name: p.string(), Extra: p.typeID(), Implicit: p.typeID()}
}

func (p *parser) api() *API {
	a := &API{Name: p.string()}
	a.Methods = list(p, p.method)
	distinct(p, a.Methods, func(f **Method) string { return (*f).Name })
	a.Docs = p.docs()
	if p.m.version >= 16 {
		v := p.compact()
		if v > 1<<32-1 {
			p.fail("version %d of an API", v)
		}
		a.Version = uint32(v)
		a.Deprecated = p.deprecation()
	}
	return a
}

func (p *parser) method() *Method {
	return &Method{
		Name: p.string(), Inputs: list(p, p.input), Output: p.typeID(),
		Docs: p.docs(), Deprecated: p.deprecation(),
	}
}

func (p *parser) input() FieldDef { return FieldDef{Name: p.string(), Type: p.typeID()} }

// outerEnums passes over the types of all calls, events and errors together:
// the extrinsic and System.Events lead to the two of use.
func (p *parser) outerEnums() {
	p.typeID()
	p.typeID()
	p.typeID()
}

func (p *parser) customMap() {
	p.each(func() {
		p.string()
		p.typeID()
		p.take(p.length())
	})
}
