package embedded

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/taoctl/taoctl/scale"
)

// registry gives each type a number, as metadata list them. Types are written as
// Rust writes them: "Vec<(AccountId, u64)>"; names beyond those of the language are
// looked up in [named].
type registry struct {
	types []scale.Type
	known map[string]scale.TypeID
	docs  map[string]string // of variants, by the enum's number and the name
}

func newRegistry() *registry {
	return &registry{known: map[string]scale.TypeID{}, docs: map[string]string{}}
}

func docKey(enum scale.TypeID, variant string) string { return fmt.Sprint(enum, " ", variant) }

// reserve gives a type a number before it is known what it is.
func (r *registry) reserve(name string) scale.TypeID {
	id := scale.TypeID(len(r.types))
	r.types = append(r.types, scale.Type{ID: id})
	r.known[name] = id
	return id
}

func (r *registry) fill(id scale.TypeID, t scale.Type) {
	t.ID = id
	r.types[id] = t
}

// id is the number of a type. What cannot be read is a mistake of this program.
func (r *registry) id(text string) scale.TypeID {
	p := &reader{text: text, types: r}
	id := p.typ()
	p.end()
	return id
}

// reader reads declarations.
type reader struct {
	text  string
	at    int
	types *registry
}

func (p *reader) fail(want string) {
	panic(fmt.Sprintf("embedded: %q: want %s at %q", p.text, want, p.text[p.at:]))
}

func (p *reader) end() {
	if p.space(); p.at < len(p.text) {
		p.fail("the end")
	}
}

func (p *reader) space() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

// took passes over a sign if it comes next.
func (p *reader) took(sign string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], sign) {
		return false
	}
	p.at += len(sign)
	return true
}

func (p *reader) need(sign string) {
	if !p.took(sign) {
		p.fail(sign)
	}
}

// word is a name or a number, "" if neither comes next.
func (p *reader) word() string {
	p.space()
	from := p.at
	for p.at < len(p.text) && (p.text[p.at] == '_' || p.text[p.at] == ':' && strings.HasPrefix(p.text[p.at:], "::") ||
		p.text[p.at] == ':' && p.at > from && p.text[p.at-1] == ':' || isAlphanumeric(p.text[p.at])) {
		p.at++
	}
	return p.text[from:p.at]
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

var primitives = []string{"bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "u256", "i8", "i16", "i32", "i64", "i128", "i256"}

// typ reads a type and gives its number.
func (p *reader) typ() scale.TypeID {
	p.space()
	from := p.at
	t := scale.Type{Elem: scale.NoType, Order: scale.NoType}
	switch {
	case p.took("("):
		t.Kind = scale.KindTuple
		t.Fields = list(p, ")", func() scale.FieldDef { return scale.FieldDef{Type: p.typ()} })
	case p.took("["):
		t.Kind, t.Elem = scale.KindArray, p.typ()
		p.need(";")
		n, err := strconv.ParseUint(p.word(), 10, 32)
		if err != nil {
			p.fail("a number")
		}
		t.Len = uint32(n)
		p.need("]")
	default:
		word := p.word()
		if definition, ok := named[word]; ok {
			return p.types.define(word, definition)
		}
		if id, ok := p.types.known[word]; ok {
			return id
		}
		t = p.builtin(word)
	}
	return p.types.intern(strings.ReplaceAll(p.text[from:p.at], " ", ""), t)
}

// builtin is a type of the language, or one that takes others.
func (p *reader) builtin(word string) scale.Type {
	t := scale.Type{Elem: scale.NoType, Order: scale.NoType}
	if i := slices.Index(primitives, word); i >= 0 {
		t.Kind, t.Primitive = scale.KindPrimitive, scale.Primitive(i)
		return t
	}
	p.need("<")
	args := list(p, ">", p.typ)
	switch {
	case word == "Vec" && len(args) == 1:
		t.Kind, t.Elem = scale.KindSequence, args[0]
	case word == "Compact" && len(args) == 1:
		t.Kind, t.Elem = scale.KindCompact, args[0]
	case word == "Option" && len(args) == 1:
		t.Kind, t.Path, t.Params = scale.KindVariant, []string{"Option"}, []scale.Param{{Name: "T", Type: args[0]}}
		t.Variants = []scale.VariantDef{{Name: "None"}, {Name: "Some", Index: 1, Fields: []scale.FieldDef{{Type: args[0]}}}}
	case word == "Result" && len(args) == 2:
		t.Kind, t.Path, t.Params = scale.KindVariant, []string{"Result"}, []scale.Param{{Name: "T", Type: args[0]}, {Name: "E", Type: args[1]}}
		t.Variants = []scale.VariantDef{{Name: "Ok", Fields: []scale.FieldDef{{Type: args[0]}}}, {Name: "Err", Index: 1, Fields: []scale.FieldDef{{Type: args[1]}}}}
	case word == "BTreeMap" && len(args) == 2:
		pair := p.types.intern(fmt.Sprint("pair", args), scale.Type{Kind: scale.KindTuple, Elem: scale.NoType, Order: scale.NoType, Fields: []scale.FieldDef{{Type: args[0]}, {Type: args[1]}}})
		rows := p.types.intern(fmt.Sprint("rows", args), scale.Type{Kind: scale.KindSequence, Elem: pair, Order: scale.NoType})
		t.Path, t.Params = []string{"BTreeMap"}, []scale.Param{{Name: "K", Type: args[0]}, {Name: "V", Type: args[1]}}
		t.Fields = []scale.FieldDef{{Type: rows}}
	default:
		p.fail("a type")
	}
	return t
}

// list reads items with commas between them, up to a sign.
func list[T any](p *reader, end string, each func() T) []T {
	var items []T
	for !p.took(end) {
		if len(items) > 0 {
			p.need(",")
		}
		items = append(items, each())
	}
	return items
}

func (r *registry) intern(key string, t scale.Type) scale.TypeID {
	if id, ok := r.known[key]; ok {
		return id
	}
	id := r.reserve(key)
	r.fill(id, t)
	return id
}

// define reads a definition: a path with its type parameters "<T: u32>", if somebody
// looks at them, and behind it fields "(A, B)", named fields "{a: A}" or variants
// "= A | B(T) | C{x: T}".
func (r *registry) define(name, definition string) scale.TypeID {
	if id, ok := r.known[name]; ok {
		return id
	}
	id := r.reserve(name)
	p := &reader{text: definition, types: r}
	t := scale.Type{Path: strings.Split(p.word(), "::"), Elem: scale.NoType, Order: scale.NoType}
	if p.took("<") {
		t.Params = list(p, ">", func() scale.Param {
			name := p.word()
			p.need(":")
			return scale.Param{Name: name, Type: p.typ()}
		})
	}
	if p.took("=") {
		t.Kind = scale.KindVariant
		for i := 0; i == 0 || p.took("|"); i++ {
			v := scale.VariantDef{Name: p.word(), Index: uint8(i)}
			if n, err := strconv.ParseUint(v.Name, 10, 8); err == nil {
				v.Name, v.Index = p.word(), uint8(n)
			}
			v.Fields = p.fields()
			t.Variants = append(t.Variants, v)
		}
	} else {
		t.Fields = p.fields()
	}
	p.end()
	r.fill(id, t)
	return id
}

// fields reads "(A, B)", "{a: A, b: B}", or nothing.
func (p *reader) fields() []scale.FieldDef {
	switch {
	case p.took("("):
		return list(p, ")", func() scale.FieldDef { return scale.FieldDef{Type: p.typ()} })
	case p.took("{"):
		return list(p, "}", func() scale.FieldDef {
			name := p.word()
			p.need(":")
			return scale.FieldDef{Name: name, Type: p.typ()}
		})
	}
	return nil
}

// zero is what stands for nothing: zeros, no items, the first variant.
func (r *registry) zero(id scale.TypeID) []byte {
	t := r.types[id]
	switch t.Kind {
	case scale.KindComposite, scale.KindTuple:
		var b []byte
		for _, f := range t.Fields {
			b = append(b, r.zero(f.Type)...)
		}
		return b
	case scale.KindVariant:
		b := []byte{t.Variants[0].Index}
		for _, f := range t.Variants[0].Fields {
			b = append(b, r.zero(f.Type)...)
		}
		return b
	case scale.KindArray:
		return slices.Repeat(r.zero(t.Elem), int(t.Len))
	case scale.KindPrimitive:
		return make([]byte, width(t.Primitive))
	}
	return []byte{0}
}

// width is how many bytes a primitive has; a text has one without letters.
func width(p scale.Primitive) int {
	return [...]int{1, 4, 1, 1, 2, 4, 8, 16, 32, 1, 2, 4, 8, 16, 32}[p]
}

// value reads a default or a constant: "0x…", or a number of a primitive's width.
func (p *reader) value(id scale.TypeID) []byte {
	word := p.word()
	if digits, ok := strings.CutPrefix(word, "0x"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			p.fail("hex")
		}
		return b
	}
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		p.fail("a value")
	}
	b := binary.LittleEndian.AppendUint64(nil, n)
	for len(b) < 32 {
		b = append(b, 0)
	}
	return b[:len(p.types.zero(id))]
}
