package scale

import (
	"fmt"
	"strings"
)

// TypeName writes a type for people: "Vec<u8>", "Option<u32>",
// "sp_runtime::MultiAddress<sp_core::AccountId32, ()>". Of a path it keeps the
// crate and the name; a long one ends in "…".
func (m *Metadata) TypeName(id TypeID) string {
	w := nameWriter{m: m}
	w.write(id, 0)
	return w.String()
}

const (
	longestName = 160 // bytes, about
	deepestName = 8
)

type nameWriter struct {
	strings.Builder
	m *Metadata
}

func (w *nameWriter) write(id TypeID, depth int) {
	t := w.m.Type(id)
	switch {
	case t == nil:
		w.WriteString("?")
		return
	case depth > deepestName || w.Len() > longestName:
		w.WriteString("…")
		return
	}
	switch {
	case len(t.Path) > 0:
		w.named(t, depth)
	case t.Kind == KindSequence:
		w.around("Vec<", t.Elem, ">", depth)
	case t.Kind == KindCompact:
		w.around("Compact<", t.Elem, ">", depth)
	case t.Kind == KindBits:
		w.around("BitVec<", t.Elem, ">", depth)
	case t.Kind == KindArray:
		w.around("[", t.Elem, fmt.Sprintf("; %d]", t.Len), depth)
	case t.Kind == KindPrimitive:
		w.WriteString(t.Primitive.String())
	case t.Kind == KindTuple:
		w.WriteString("(")
		w.join(len(t.Fields), func(i int) { w.write(t.Fields[i].Type, depth+1) })
		w.WriteString(")")
	default:
		fmt.Fprintf(w, "type %d", id)
	}
}

func (w *nameWriter) around(open string, id TypeID, closing string, depth int) {
	w.WriteString(open)
	w.write(id, depth+1)
	w.WriteString(closing)
}

func (w *nameWriter) named(t *Type, depth int) {
	if len(t.Path) > 1 {
		w.WriteString(t.Path[0] + "::")
	}
	w.WriteString(t.Path[len(t.Path)-1])
	var params []TypeID
	for _, p := range t.Params {
		if p.Type != NoType {
			params = append(params, p.Type)
		}
	}
	if len(params) == 0 {
		return
	}
	w.WriteString("<")
	w.join(len(params), func(i int) { w.write(params[i], depth+1) })
	w.WriteString(">")
}

// join writes n parts between commas, and no more once the name is long.
func (w *nameWriter) join(n int, part func(i int)) {
	for i := range n {
		if i > 0 {
			w.WriteString(", ")
		}
		if w.Len() > longestName {
			w.WriteString("…")
			return
		}
		part(i)
	}
}

// Describe writes one level of a type's shape for people: the fields of a
// record, the variants of an enum, else its name.
//
//	{dest: sp_runtime::MultiAddress<…>, value: Compact<u64>}
//	Id(sp_core::AccountId32) | Index(Compact<()>) | Raw(Vec<u8>)
func (m *Metadata) Describe(id TypeID) string {
	t := m.Type(id)
	switch {
	case t == nil:
		return "?"
	case t.isNewtype():
		return m.TypeName(t.Fields[0].Type)
	case t.Kind == KindComposite:
		return m.DescribeFields(t.Fields)
	case t.Kind == KindVariant && !t.isOption():
		parts := make([]string, len(t.Variants))
		for i, v := range t.Variants {
			parts[i] = v.Name + m.DescribeFields(v.Fields)
		}
		return strings.Join(parts, " | ")
	}
	return m.TypeName(id)
}

// DescribeFields writes the fields of a record, a variant or a call, or the
// inputs of an API: "{name: type}", "(type, type)", or nothing if there are
// none.
func (m *Metadata) DescribeFields(fields []FieldDef) string {
	if len(fields) == 0 {
		return ""
	}
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = m.TypeName(f.Type)
		if f.Name != "" {
			parts[i] = f.Name + ": " + parts[i]
		}
	}
	if fields[0].Name == "" {
		return "(" + strings.Join(parts, ", ") + ")"
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
