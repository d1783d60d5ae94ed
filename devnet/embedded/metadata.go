package embedded

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/taoctl/taoctl/scale"
)

// pallet is a module of the runtime, as it is declared. Storage, events, errors and
// constants are texts of a line for each:
//
//	storage    Name: Blake2_128Concat(AccountId) Identity(u16) -> u64 = 0x…
//	           the hashers and keys of a map, "?" before the value where there is
//	           no default, and the default where it is not nothing
//	events     7 Deposit{who: AccountId, amount: u64}
//	errors     2 InsufficientBalance -- what a person may be told about it
//	constants  ExistentialDeposit: u64 = 500
type pallet struct {
	name                               string
	index                              uint8
	storage, events, errors, constants string
	calls                              []call
}

// call is a call with what it does: "0 transfer_allow_death{dest: Address, …}".
type call struct {
	declared string
	do       func(x *exec, from origin, a args) error
}

// api is a method of a runtime API: "Trait.method(name: Type, …) -> Type".
type api struct {
	declared string
	do       func(x *exec, in []any) any
}

// description is a runtime's description, in both forms that are served.
type description struct {
	v14, v15 []byte
	metadata *scale.Metadata
	result   scale.TypeID                                        // Result<(), DispatchError>
	handlers map[string]func(x *exec, from origin, a args) error // by "Pallet.call"
	methods  map[string]method                                   // by "Trait_method"
}

type method struct {
	inputs []scale.TypeID
	output scale.TypeID
	do     func(x *exec, in []any) any
}

// built is a pallet with its types numbered.
type built struct {
	pallet
	entries               []scale.Entry
	fixed                 []scale.Constant
	calls, events, errors scale.TypeID
}

// describe makes a runtime's metadata.
func describe(pallets []pallet, apis []api) *description {
	r := newRegistry()
	d := &description{handlers: map[string]func(*exec, origin, args) error{}, methods: map[string]method{}}
	outer := map[string]scale.TypeID{}
	for _, name := range []string{"Call", "Event", "Error"} {
		outer[name] = r.reserve(name)
	}
	list := make([]built, len(pallets))
	for i, p := range pallets {
		list[i] = r.build(p)
		for _, c := range p.calls {
			d.handlers[p.name+"."+callName(c.declared)] = c.do
		}
	}
	r.outer(outer["Call"], "Call", list, func(b built) scale.TypeID { return b.calls })
	r.outer(outer["Event"], "Event", list, func(b built) scale.TypeID { return b.events })
	r.outer(outer["Error"], "Error", list, func(b built) scale.TypeID { return b.errors })
	traits := r.traits(d, apis)
	x := extrinsicTypes{address: r.id("Address"), call: outer["Call"], signature: r.id("MultiSignature"), extra: r.id("()")}
	for _, e := range extensions {
		x.extensions = append(x.extensions, scale.Extension{Name: e.name, Extra: r.id(e.extra), Implicit: r.id(e.implicit)})
	}
	x.whole = r.intern("UncheckedExtrinsic", scale.Type{
		Path: strings.Split("sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic", "::"),
		Params: []scale.Param{
			{Name: "Address", Type: x.address}, {Name: "Call", Type: x.call}, {Name: "Signature", Type: x.signature}, {Name: "Extra", Type: x.extra},
		},
		Fields: []scale.FieldDef{{Type: r.id("Vec<u8>")}},
	})
	d.result = r.id("Result<(), DispatchError>")
	whole := r.intern("Runtime", scale.Type{Path: []string{"node_subtensor_runtime", "Runtime"}})
	r.joinKeys(list)
	d.v14, d.v15 = encode(14, r, list, x, whole, outer, nil), encode(15, r, list, x, whole, outer, traits)
	var err error
	if d.metadata, err = scale.ParseMetadata(d.v15); err != nil {
		panic("embedded: its metadata cannot be read: " + err.Error())
	}
	return d
}

func callName(declared string) string {
	_, name, _ := strings.Cut(declared, " ")
	name, _, _ = strings.Cut(name, "{")
	return name
}

func lines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

func (r *registry) build(p pallet) built {
	b := built{pallet: p, calls: scale.NoType}
	var calls []string
	for _, c := range p.calls {
		calls = append(calls, c.declared)
	}
	path := "pallet_" + strings.ToLower(p.name)
	b.calls = r.enum(path+"::pallet::Call", calls)
	b.events = r.enum(path+"::pallet::Event", lines(p.events))
	b.errors = r.enum(path+"::pallet::Error", lines(p.errors))
	for _, line := range lines(p.storage) {
		b.entries = append(b.entries, r.entry(line))
	}
	for _, line := range lines(p.constants) {
		rd := &reader{text: line, types: r}
		c := scale.Constant{Name: rd.word()}
		rd.need(":")
		c.Type = rd.typ()
		rd.need("=")
		c.Value = rd.value(c.Type)
		b.fixed = append(b.fixed, c)
	}
	return b
}

// enum makes an enum of variants with their numbers; NoType without any.
func (r *registry) enum(path string, variants []string) scale.TypeID {
	if len(variants) == 0 {
		return scale.NoType
	}
	t := scale.Type{Kind: scale.KindVariant, Path: strings.Split(path, "::"), Elem: scale.NoType, Order: scale.NoType}
	id := r.reserve(path)
	for _, line := range variants {
		line, doc, _ := strings.Cut(line, " -- ")
		p := &reader{text: line, types: r}
		index := p.value(r.id("u8"))
		v := scale.VariantDef{Name: p.word(), Fields: p.fields(), Index: index[0]}
		p.end()
		t.Variants = append(t.Variants, v)
		if doc != "" {
			r.docs[docKey(id, v.Name)] = doc
		}
	}
	r.fill(id, t)
	return id
}

var hashers = []string{"Blake2_128", "Blake2_256", "Blake2_128Concat", "Twox128", "Twox256", "Twox64Concat", "Identity"}

func (r *registry) entry(line string) scale.Entry {
	p := &reader{text: line, types: r}
	e := scale.Entry{Name: p.word()}
	p.need(":")
	for from := p.at; ; from = p.at {
		i := slices.Index(hashers, p.word())
		if i < 0 {
			p.at = from
			break
		}
		p.need("(")
		e.Hashers, e.Keys = append(e.Hashers, scale.Hasher(i)), append(e.Keys, p.typ())
		p.need(")")
	}
	if len(e.Keys) > 0 {
		p.need("->")
	}
	e.Optional = p.took("?")
	e.Value = p.typ()
	switch {
	case p.took("="):
		e.Default = p.value(e.Value)
	case e.Optional:
		e.Default = []byte{0}
	default:
		e.Default = r.zero(e.Value)
	}
	p.end()
	return e
}

// joinKeys makes one type of several keys, as metadata have it.
func (r *registry) joinKeys(list []built) {
	for _, b := range list {
		for i := range b.entries {
			e := &b.entries[i]
			if len(e.Keys) < 2 {
				continue
			}
			t := scale.Type{Kind: scale.KindTuple, Elem: scale.NoType, Order: scale.NoType}
			for _, k := range e.Keys {
				t.Fields = append(t.Fields, scale.FieldDef{Type: k})
			}
			e.Keys = []scale.TypeID{r.intern("keys of "+b.name+"."+e.Name, t)}
		}
	}
}

func (r *registry) outer(id scale.TypeID, name string, list []built, of func(built) scale.TypeID) {
	t := scale.Type{Kind: scale.KindVariant, Path: []string{"node_subtensor_runtime", "Runtime" + name}, Elem: scale.NoType, Order: scale.NoType}
	for _, b := range list {
		if inner := of(b); inner != scale.NoType {
			t.Variants = append(t.Variants, scale.VariantDef{Name: b.name, Index: b.index, Fields: []scale.FieldDef{{Type: inner}}})
		}
	}
	r.fill(id, t)
}

// traits are the runtime APIs, by trait.
func (r *registry) traits(d *description, apis []api) []scale.API {
	var traits []scale.API
	for _, a := range apis {
		p := &reader{text: a.declared, types: r}
		trait := p.word()
		p.need(".")
		m := &scale.Method{Name: p.word()}
		p.need("(")
		m.Inputs = list(p, ")", func() scale.FieldDef {
			name := p.word()
			p.need(":")
			return scale.FieldDef{Name: name, Type: p.typ()}
		})
		p.need("->")
		m.Output = p.typ()
		p.end()
		known := method{output: m.Output, do: a.do}
		for _, f := range m.Inputs {
			known.inputs = append(known.inputs, f.Type)
		}
		d.methods[trait+"_"+m.Name] = known
		i := slices.IndexFunc(traits, func(t scale.API) bool { return t.Name == trait })
		if i < 0 {
			i = len(traits)
			traits = append(traits, scale.API{Name: trait})
		}
		traits[i].Methods = append(traits[i].Methods, m)
	}
	return traits
}

type extrinsicTypes struct {
	address, call, signature, extra, whole scale.TypeID
	extensions                             []scale.Extension
}

// encode writes metadata of version 14 or 15 (frame-metadata, src/v14.rs, v15.rs).
// Documentation is left out, but for that of errors.
func encode(version byte, r *registry, pallets []built, x extrinsicTypes, runtime scale.TypeID, outer map[string]scale.TypeID, traits []scale.API) []byte {
	w := append(writer("meta"), version)
	w = each(w, r.types, func(w writer, t scale.Type) writer { return w.typ(r, t) })
	w = each(w, pallets, func(w writer, p built) writer {
		if w = w.pallet(p); version == 15 {
			w = w.docs()
		}
		return w
	})
	extension := func(w writer, e scale.Extension) writer { return w.text(e.Name).id(e.Extra).id(e.Implicit) }
	if version == 14 {
		w = append(w.id(x.whole), 4)
		return each(w, x.extensions, extension).id(runtime)
	}
	w = append(w, 4).id(x.address).id(x.call).id(x.signature).id(x.extra)
	w = each(w, x.extensions, extension).id(runtime)
	w = each(w, traits, func(w writer, t scale.API) writer {
		return each(w.text(t.Name), t.Methods, func(w writer, m *scale.Method) writer {
			w = each(w.text(m.Name), m.Inputs, func(w writer, f scale.FieldDef) writer { return w.text(f.Name).id(f.Type) })
			return w.id(m.Output).docs()
		}).docs()
	})
	w = w.id(outer["Call"]).id(outer["Event"]).id(outer["Error"])
	return w.compact(0) // no custom values
}

// writer appends SCALE.
type writer []byte

func (w writer) compact(n uint64) writer   { return scale.EncodeCompact(w, n) }
func (w writer) id(id scale.TypeID) writer { return w.compact(uint64(id)) }
func (w writer) text(s string) writer      { return append(w.compact(uint64(len(s))), s...) }
func (w writer) docs() writer              { return w.compact(0) }

func each[T any](w writer, items []T, one func(writer, T) writer) writer {
	w = w.compact(uint64(len(items)))
	for _, i := range items {
		w = one(w, i)
	}
	return w
}

func (w writer) optionalID(id scale.TypeID) writer {
	if id == scale.NoType {
		return append(w, 0)
	}
	return append(w, 1).id(id)
}

func (w writer) field(f scale.FieldDef) writer {
	if f.Name == "" {
		w = append(w, 0)
	} else {
		w = append(w, 1).text(f.Name)
	}
	return append(w.id(f.Type), 0).docs() // without the source's word for the type
}

func (w writer) typ(r *registry, t scale.Type) writer {
	w = each(w.id(t.ID), t.Path, writer.text)
	w = each(w, t.Params, func(w writer, p scale.Param) writer { return w.text(p.Name).optionalID(p.Type) })
	w = append(w, byte(t.Kind))
	switch t.Kind {
	case scale.KindComposite:
		w = each(w, t.Fields, writer.field)
	case scale.KindVariant:
		w = each(w, t.Variants, func(w writer, v scale.VariantDef) writer {
			w = append(each(w.text(v.Name), v.Fields, writer.field), v.Index)
			if doc := r.docs[docKey(t.ID, v.Name)]; doc != "" {
				return w.compact(1).text(doc)
			}
			return w.docs()
		})
	case scale.KindSequence, scale.KindCompact:
		w = w.id(t.Elem)
	case scale.KindArray:
		w = writer(binary.LittleEndian.AppendUint32(w, t.Len)).id(t.Elem)
	case scale.KindTuple:
		w = each(w, t.Fields, func(w writer, f scale.FieldDef) writer { return w.id(f.Type) })
	case scale.KindPrimitive:
		w = append(w, byte(t.Primitive))
	case scale.KindBits:
		panic("embedded: it has no bit sequences")
	}
	return w.docs()
}

func (w writer) pallet(p built) writer {
	w = w.text(p.name)
	if len(p.entries) == 0 {
		w = append(w, 0)
	} else {
		w = each(append(w, 1).text(p.name), p.entries, writer.entry)
	}
	w = w.optionalID(p.calls).optionalID(p.events)
	w = each(w, p.fixed, func(w writer, c scale.Constant) writer {
		return append(w.text(c.Name).id(c.Type).compact(uint64(len(c.Value))), c.Value...).docs()
	})
	return append(w.optionalID(p.errors), p.index)
}

func (w writer) entry(e scale.Entry) writer {
	w = w.text(e.Name)
	if e.Optional {
		w = append(w, 0)
	} else {
		w = append(w, 1)
	}
	if len(e.Hashers) == 0 {
		w = append(w, 0)
	} else {
		w = each(append(w, 1), e.Hashers, func(w writer, h scale.Hasher) writer { return append(w, byte(h)) })
		w = w.id(e.Keys[0])
	}
	return append(w.id(e.Value).compact(uint64(len(e.Default))), e.Default...).docs()
}
