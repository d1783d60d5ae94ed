package scale

import (
	"slices"
	"strings"
	"sync"
)

// TypeID is the number of a type in one runtime's metadata. It means nothing in
// another's.
type TypeID uint32

// NoType is no type's number.
const NoType TypeID = 1<<32 - 1

// Metadata is what a runtime says of itself: its types, pallets, extrinsic
// format and APIs. After ParseMetadata and Customize it never changes, and any
// number of goroutines may use it.
type Metadata struct {
	blob      string
	version   int
	types     []Type
	pallets   []*Pallet
	extrinsic Extrinsic
	apis      []*API
	plans     sync.Map // planKey → *plan: how Go structs meet types
}

// Kind is the shape of a type.
type Kind uint8

// The kinds, in the order of scale-info's TypeDef.
const (
	KindComposite Kind = iota // Fields: all named or all unnamed
	KindVariant               // Variants: an enum
	KindSequence              // Vec<Elem>
	KindArray                 // [Elem; Len]
	KindTuple                 // Fields, unnamed
	KindPrimitive             // Primitive
	KindCompact               // Compact<Elem>
	KindBits                  // BitVec<Elem, Order>
)

// Primitive is a type without parts.
type Primitive uint8

// The primitives, in the order of scale-info's TypeDefPrimitive.
const (
	Bool Primitive = iota
	Char
	Str
	U8
	U16
	U32
	U64
	U128
	U256
	I8
	I16
	I32
	I64
	I128
	I256
)

// size is the width in bytes; 0 for Str.
func (p Primitive) size() int {
	return [...]int{1, 4, 0, 1, 2, 4, 8, 16, 32, 1, 2, 4, 8, 16, 32}[p]
}

func (p Primitive) isInteger() bool { return p >= U8 }
func (p Primitive) signed() bool    { return p >= I8 }

// String writes the name that Rust has for it: "u64".
func (p Primitive) String() string {
	return [...]string{"bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "u256",
		"i8", "i16", "i32", "i64", "i128", "i256"}[p]
}

// Type describes one type. Which fields are set depends on Kind.
type Type struct {
	ID        TypeID
	Path      []string // "sp_core", "crypto", "AccountId32"; empty for what has no name
	Params    []Param
	Kind      Kind
	Primitive Primitive
	Fields    []FieldDef
	Variants  []VariantDef
	Elem      TypeID // of a sequence, array or compact; the store of a bit sequence
	Order     TypeID // of a bit sequence
	Len       uint32 // of an array

	custom *Custom
}

// Param is a type parameter; Type is NoType where the runtime left it out.
type Param struct {
	Name string
	Type TypeID
}

// FieldDef describes a field, an argument of a call or an input of an API.
type FieldDef struct {
	Name     string // empty for an unnamed field
	Type     TypeID
	TypeName string // as the runtime's source has it: "BalanceOf<T>"; may be empty
}

// VariantDef describes a variant of an enum: a call, an event, an error.
type VariantDef struct {
	Name       string
	Index      uint8
	Fields     []FieldDef
	Docs       Docs
	Deprecated *Deprecation // nil unless V16 metadata says so
}

// Deprecation is a runtime's note on something that will go.
type Deprecation struct {
	Note  string // may be empty
	Since string // may be empty
}

// Variant finds a variant by name. It is nil if there is none, also on a nil
// type.
func (t *Type) Variant(name string) *VariantDef {
	if t == nil {
		return nil
	}
	for i := range t.Variants {
		if t.Variants[i].Name == name {
			return &t.Variants[i]
		}
	}
	return nil
}

// VariantByIndex finds a variant by the byte that stands for it. It is nil if
// there is none, also on a nil type.
func (t *Type) VariantByIndex(index uint8) *VariantDef {
	if t == nil {
		return nil
	}
	if int(index) < len(t.Variants) && t.Variants[index].Index == index { // most enums have no gaps
		return &t.Variants[index]
	}
	for i := range t.Variants {
		if t.Variants[i].Index == index {
			return &t.Variants[i]
		}
	}
	return nil
}

// path writes the full path: "sp_core::crypto::AccountId32".
func (t *Type) path() string { return strings.Join(t.Path, "::") }

// isOption tells Option<T> from other enums: it has this name and no module.
func (t *Type) isOption() bool {
	return t.Kind == KindVariant && len(t.Path) == 1 && t.Path[0] == "Option" &&
		len(t.Variants) == 2 && len(t.Variants[0].Fields) == 0 && t.Variants[0].Index == 0 &&
		len(t.Variants[1].Fields) == 1 && t.Variants[1].Index == 1
}

// isNewtype reports a composite of one unnamed field, which is its inner value.
func (t *Type) isNewtype() bool {
	return t.Kind == KindComposite && isInner(t.Fields)
}

// isInner reports fields that stand for the value of their only member.
func isInner(fields []FieldDef) bool { return len(fields) == 1 && fields[0].Name == "" }

// Pallet is a module of the runtime.
type Pallet struct {
	Name       string
	Index      uint8
	Storage    []*Entry
	Constants  []*Constant
	Calls      *Type // the enum of its calls; nil if it has none
	Events     *Type // the enum of its events; nil if it has none
	Errors     *Type // the enum of its errors; nil if it has none
	Docs       Docs  // empty in V14
	Deprecated *Deprecation
}

// Call finds a call by name, nil if absent.
func (p *Pallet) Call(name string) *VariantDef { return p.Calls.Variant(name) }

// CallByIndex finds a call by its byte, nil if absent.
func (p *Pallet) CallByIndex(i uint8) *VariantDef { return p.Calls.VariantByIndex(i) }

// Event finds an event by name, nil if absent.
func (p *Pallet) Event(name string) *VariantDef { return p.Events.Variant(name) }

// EventByIndex finds an event by its byte, nil if absent.
func (p *Pallet) EventByIndex(i uint8) *VariantDef { return p.Events.VariantByIndex(i) }

// Error finds an error by name, nil if absent.
func (p *Pallet) Error(name string) *VariantDef { return p.Errors.Variant(name) }

// ErrorByIndex finds an error by its byte, nil if absent.
func (p *Pallet) ErrorByIndex(i uint8) *VariantDef { return p.Errors.VariantByIndex(i) }

// Entry finds a storage entry by name, nil if absent.
func (p *Pallet) Entry(name string) *Entry {
	for _, e := range p.Storage {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// Constant finds a constant by name, nil if absent.
func (p *Pallet) Constant(name string) *Constant {
	for _, c := range p.Constants {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Entry is a storage entry: a value, or a map with one key for each hasher.
type Entry struct {
	Name       string
	Optional   bool // absent means None; otherwise absent means Default
	Hashers    []Hasher
	Keys       []TypeID // as many as Hashers
	Value      TypeID
	Default    []byte // encoded; not to be changed
	Docs       Docs
	Deprecated *Deprecation

	prefix string // the pallet's storage prefix
}

// Constant is a value fixed in the runtime.
type Constant struct {
	Name       string
	Type       TypeID
	Value      []byte // encoded; not to be changed
	Docs       Docs
	Deprecated *Deprecation
}

// Extrinsic describes the format of transactions.
type Extrinsic struct {
	Versions                 []uint8
	Address, Call, Signature TypeID
	Extensions               []Extension // in signing order
}

// Extension is a transaction extension: Extra goes into the extrinsic, Implicit
// is signed only.
type Extension struct {
	Name            string
	Extra, Implicit TypeID
}

// API is a runtime API, a trait.
type API struct {
	Name       string
	Version    uint32 // 0 before V16, which first tells it
	Methods    []*Method
	Docs       Docs
	Deprecated *Deprecation
}

// Method is a method of a runtime API.
type Method struct {
	Name       string
	Inputs     []FieldDef
	Output     TypeID
	Docs       Docs
	Deprecated *Deprecation
}

// Blob is a copy of what ParseMetadata was given.
func (m *Metadata) Blob() []byte { return []byte(m.blob) }

// Version is 14, 15 or 16.
func (m *Metadata) Version() int { return m.version }

// Pallets lists the pallets in the order of the metadata.
func (m *Metadata) Pallets() []*Pallet { return m.pallets }

// Pallet finds a pallet by name, nil if absent.
func (m *Metadata) Pallet(name string) *Pallet {
	for _, p := range m.pallets {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// PalletByIndex finds a pallet by its byte, nil if absent.
func (m *Metadata) PalletByIndex(i uint8) *Pallet {
	for _, p := range m.pallets {
		if p.Index == i {
			return p
		}
	}
	return nil
}

// Type gives a type by number, nil if there is none. Every number found in the
// metadata is one, NoType excepted.
func (m *Metadata) Type(id TypeID) *Type {
	if uint64(id) >= uint64(len(m.types)) {
		return nil
	}
	return &m.types[id]
}

// Types tells how many types there are: their numbers begin at 0.
func (m *Metadata) Types() int { return len(m.types) }

// Extrinsic describes the format of transactions.
func (m *Metadata) Extrinsic() Extrinsic { return m.extrinsic }

// EventRecords is the type of System.Events, Vec<EventRecord>; NoType if the
// runtime has no such entry.
func (m *Metadata) EventRecords() TypeID {
	if p := m.Pallet("System"); p != nil {
		if e := p.Entry("Events"); e != nil {
			return e.Value
		}
	}
	return NoType
}

// APIs lists the runtime APIs; there are none in V14.
func (m *Metadata) APIs() []*API { return m.apis }

// API finds a method of a runtime API, nil if absent and always in V14.
func (m *Metadata) API(trait, method string) *Method {
	for _, a := range m.apis {
		if a.Name != trait {
			continue
		}
		for _, f := range a.Methods {
			if f.Name == method {
				return f
			}
		}
	}
	return nil
}

// IsEmpty reports that a type encodes to zero bytes whatever its value.
func (m *Metadata) IsEmpty(id TypeID) bool {
	return m.isEmpty(id, make(map[TypeID]bool))
}

// isEmpty keeps what it found out: a type within itself, and one nested beyond
// any real one, counts as not empty.
func (m *Metadata) isEmpty(id TypeID, known map[TypeID]bool) bool {
	if v, ok := known[id]; ok {
		return v
	}
	t := m.Type(id)
	if t == nil || len(known) > 1<<12 {
		return false
	}
	known[id] = false
	empty := false
	switch t.Kind {
	case KindComposite, KindTuple:
		empty = !slices.ContainsFunc(t.Fields, func(f FieldDef) bool { return !m.isEmpty(f.Type, known) })
	case KindArray:
		empty = t.Len == 0 || m.isEmpty(t.Elem, known)
	case KindCompact:
		empty = m.isEmpty(t.Elem, known)
	}
	known[id] = empty
	return empty
}

// Customize gives a named type a Go form, by its full path in the metadata:
// "sp_core::crypto::AccountId32". A path that this runtime does not have is no
// error. It must be called before the metadata is used.
func (m *Metadata) Customize(path string, c Custom) {
	for i := range m.types {
		if t := &m.types[i]; t.path() == path {
			t.custom = &c
		}
	}
}

// Docs is the documentation of an item, read when asked for.
type Docs struct{ encoded string } // Vec<String>, already checked

// Lines gives the lines without the space that Rust's doc comments begin with.
func (d Docs) Lines() []string {
	if d.encoded == "" {
		return nil
	}
	c := cursor{b: []byte(d.encoded)}
	lines := make([]string, c.length())
	for i := range lines {
		line := strings.ToValidUTF8(string(c.take(c.length())), "\uFFFD")
		lines[i] = strings.TrimPrefix(line, " ")
	}
	return lines
}

// String joins the lines.
func (d Docs) String() string { return strings.TrimSpace(strings.Join(d.Lines(), "\n")) }
