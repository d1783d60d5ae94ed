// Package declared makes metadata of runtimes that no chain has yet, from
// declarations written after their source: a real runtime's types and pallets,
// and more beside them. It is for tests.
package declared

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
)

// runtime is metadata being made.
type runtime struct {
	tb      testing.TB
	base    *scale.Metadata
	types   []scale.Type
	pallets []pallet
}

// pallet is a pallet as V14 metadata write it.
type pallet struct {
	name                  string
	index                 uint8
	storage               []scale.Entry
	constants             []*scale.Constant
	calls, events, errors scale.TypeID
}

func from(tb testing.TB, name string) *runtime {
	tb.Helper()
	m, err := scale.ParseMetadata(fixture.Metadata(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	r := &runtime{tb: tb, base: m}
	for id := range m.Types() {
		r.types = append(r.types, *m.Type(scale.TypeID(id)))
	}
	for _, p := range m.Pallets() {
		known := pallet{name: p.Name, index: p.Index, constants: p.Constants, calls: idOf(p.Calls), events: idOf(p.Events), errors: idOf(p.Errors)}
		for _, e := range p.Storage {
			known.storage = append(known.storage, *e)
		}
		r.pallets = append(r.pallets, known)
	}
	return r
}

func idOf(t *scale.Type) scale.TypeID {
	if t == nil {
		return scale.NoType
	}
	return t.ID
}

// add adds a type.
func (r *runtime) add(t scale.Type) scale.TypeID {
	t.ID = scale.TypeID(len(r.types))
	r.types = append(r.types, t)
	return t.ID
}

// named finds a type of the base by its path.
func (r *runtime) named(path string) scale.TypeID {
	r.tb.Helper()
	for _, t := range r.types {
		if strings.Join(t.Path, "::") == path {
			return t.ID
		}
	}
	r.tb.Fatalf("declared: no type %s", path)
	return scale.NoType
}

func (r *runtime) primitive(p scale.Primitive) scale.TypeID {
	return r.add(scale.Type{Kind: scale.KindPrimitive, Primitive: p})
}

func (r *runtime) vec(of scale.TypeID) scale.TypeID {
	return r.add(scale.Type{Kind: scale.KindSequence, Elem: of})
}

func (r *runtime) tuple(of ...scale.TypeID) scale.TypeID {
	t := scale.Type{Kind: scale.KindTuple}
	for _, id := range of {
		t.Fields = append(t.Fields, scale.FieldDef{Type: id})
	}
	return r.add(t)
}

// newtype is a composite of one unnamed field.
func (r *runtime) newtype(path string, of scale.TypeID) scale.TypeID {
	return r.add(scale.Type{Kind: scale.KindComposite, Path: strings.Split(path, "::"), Fields: []scale.FieldDef{{Type: of}}})
}

func (r *runtime) record(path string, fields ...scale.FieldDef) scale.TypeID {
	return r.add(scale.Type{Kind: scale.KindComposite, Path: strings.Split(path, "::"), Fields: fields})
}

// enum numbers its variants from 0, as codec does.
func (r *runtime) enum(path string, variants ...scale.VariantDef) scale.TypeID {
	for i := range variants {
		variants[i].Index = uint8(i)
	}
	return r.add(scale.Type{Kind: scale.KindVariant, Path: strings.Split(path, "::"), Variants: variants})
}

func (r *runtime) option(of scale.TypeID) scale.TypeID {
	return r.add(scale.Type{
		Kind: scale.KindVariant, Path: []string{"Option"}, Params: []scale.Param{{Name: "T", Type: of}},
		Variants: []scale.VariantDef{{Name: "None"}, {Name: "Some", Index: 1, Fields: []scale.FieldDef{{Type: of}}}},
	})
}

func variant(name string, fields ...scale.FieldDef) scale.VariantDef {
	return scale.VariantDef{Name: name, Fields: fields}
}

func field(name string, of scale.TypeID) scale.FieldDef { return scale.FieldDef{Name: name, Type: of} }

func unnamed(of scale.TypeID) scale.FieldDef { return scale.FieldDef{Type: of} }

// install adds a pallet, and its calls and events to those of the runtime.
func (r *runtime) install(p pallet) {
	r.pallets = append(r.pallets, p)
	r.extend(r.base.Extrinsic().Call, p, p.calls)
	records := r.types[r.base.EventRecords()]
	for _, f := range r.types[records.Elem].Fields {
		if f.Name == "event" {
			r.extend(f.Type, p, p.events)
		}
	}
}

func (r *runtime) extend(outer scale.TypeID, p pallet, inner scale.TypeID) {
	t := &r.types[outer]
	t.Variants = append(slices.Clone(t.Variants), scale.VariantDef{Name: p.name, Index: p.index, Fields: []scale.FieldDef{{Type: inner}}})
}

// encode writes V14 metadata (frame-metadata, src/v14.rs), which need no
// runtime APIs. Documentation is left out.
func (r *runtime) encode() []byte {
	x := r.base.Extrinsic()
	extrinsic := r.add(scale.Type{
		Kind: scale.KindComposite, Path: []string{"sp_runtime", "generic", "unchecked_extrinsic", "UncheckedExtrinsic"},
		Params: []scale.Param{{Name: "Address", Type: x.Address}, {Name: "Call", Type: x.Call}, {Name: "Signature", Type: x.Signature}},
	})
	w := writer("meta\x0e")
	w = list(w, r.types, writer.typeDef)
	w = list(w, r.pallets, writer.pallet)
	w = w.compact(uint64(extrinsic))
	w = append(w, 4)
	w = list(w, x.Extensions, func(w writer, e scale.Extension) writer {
		return w.text(e.Name).compact(uint64(e.Extra)).compact(uint64(e.Implicit))
	})
	return w.compact(uint64(extrinsic)) // stands for the runtime's own type, which nobody reads
}

// writer appends SCALE.
type writer []byte

func (w writer) compact(n uint64) writer { return scale.EncodeCompact(w, n) }
func (w writer) text(s string) writer    { return append(w.compact(uint64(len(s))), s...) }
func (w writer) blob(b []byte) writer    { return append(w.compact(uint64(len(b))), b...) }
func (w writer) docs() writer            { return w.compact(0) }

func list[T any](w writer, items []T, each func(writer, T) writer) writer {
	w = w.compact(uint64(len(items)))
	for _, i := range items {
		w = each(w, i)
	}
	return w
}

func (w writer) optionalID(id scale.TypeID) writer {
	if id == scale.NoType {
		return append(w, 0)
	}
	return append(w, 1).compact(uint64(id))
}

func (w writer) optionalText(s string) writer {
	if s == "" {
		return append(w, 0)
	}
	return append(w, 1).text(s)
}

func (w writer) typeDef(t scale.Type) writer {
	w = list(w.compact(uint64(t.ID)), t.Path, writer.text)
	w = list(w, t.Params, func(w writer, p scale.Param) writer { return w.text(p.Name).optionalID(p.Type) })
	w = append(w, byte(t.Kind))
	switch t.Kind {
	case scale.KindComposite:
		w = list(w, t.Fields, writer.field)
	case scale.KindVariant:
		w = list(w, t.Variants, func(w writer, v scale.VariantDef) writer {
			return append(list(w.text(v.Name), v.Fields, writer.field), v.Index).docs()
		})
	case scale.KindSequence, scale.KindCompact:
		w = w.compact(uint64(t.Elem))
	case scale.KindArray:
		w = writer(binary.LittleEndian.AppendUint32(w, t.Len)).compact(uint64(t.Elem))
	case scale.KindTuple:
		w = list(w, t.Fields, func(w writer, f scale.FieldDef) writer { return w.compact(uint64(f.Type)) })
	case scale.KindPrimitive:
		w = append(w, byte(t.Primitive))
	case scale.KindBits:
		w = w.compact(uint64(t.Elem)).compact(uint64(t.Order))
	}
	return w.docs()
}

func (w writer) field(f scale.FieldDef) writer {
	return w.optionalText(f.Name).compact(uint64(f.Type)).optionalText(f.TypeName).docs()
}

func (w writer) pallet(p pallet) writer {
	w = w.text(p.name)
	if len(p.storage) == 0 {
		w = append(w, 0)
	} else {
		w = list(append(w, 1).text(p.name), p.storage, writer.entry)
	}
	w = w.optionalID(p.calls).optionalID(p.events)
	w = list(w, p.constants, func(w writer, c *scale.Constant) writer {
		return w.text(c.Name).compact(uint64(c.Type)).blob(c.Value).docs()
	})
	return append(w.optionalID(p.errors), p.index)
}

// entry writes one whose key is one type: [runtime.entry] makes a tuple of several.
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
		w = list(append(w, 1), e.Hashers, func(w writer, h scale.Hasher) writer { return append(w, byte(h)) })
		w = w.compact(uint64(e.Keys[0]))
	}
	return w.compact(uint64(e.Value)).blob(e.Default).docs()
}

// join makes one key of several, for every entry of the base.
func (r *runtime) join() {
	for i := range r.pallets {
		for j := range r.pallets[i].storage {
			if e := &r.pallets[i].storage[j]; len(e.Keys) > 1 {
				e.Keys = []scale.TypeID{r.tuple(e.Keys...)}
			}
		}
	}
}
