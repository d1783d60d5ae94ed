package scale

import (
	"math/big"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// structField is an exported field of a Go struct as Encode and Decode see it.
type structField struct {
	index    int
	goName   string
	tag      string // the name in `scale:"name"`
	optional bool   // `scale:",optional"`: some runtimes do not have it
}

// recordName is the name of the record field that f stands for.
func (f structField) recordName() string {
	if f.tag != "" {
		return f.tag
	}
	return snakeCase(f.goName)
}

// variantName is the name of the variant that f stands for.
func (f structField) variantName() string {
	if f.tag != "" {
		return f.tag
	}
	return f.goName
}

// structFields lists the exported fields of a struct type, without those tagged
// `scale:"-"`.
func structFields(t reflect.Type) []structField {
	var fields []structField
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("scale"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		fields = append(fields, structField{index: i, goName: f.Name, tag: name, optional: options == "optional"})
	}
	return fields
}

// snakeCase writes a Go name as Rust would: "FeeFrozen" is fee_frozen,
// "ID32" is id32, "IPType" is ip_type.
func snakeCase(s string) string {
	var out strings.Builder
	letters := []rune(s)
	for i, r := range letters {
		if i > 0 && unicode.IsUpper(r) &&
			(!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

// pointedTo follows pointers to what they point at, but for the types whose
// pointer is the value.
func pointedTo(v any) any {
	for range deepest {
		switch v.(type) {
		case *Record, *Variant, *big.Int:
			return v
		}
		r := reflect.ValueOf(v)
		if r.Kind() != reflect.Pointer || r.IsNil() {
			return v
		}
		v = r.Elem().Interface()
	}
	return v
}

// goStruct gives a struct's value and fields.
func goStruct(v any) (s reflect.Value, fields []structField, ok bool) {
	s = reflect.ValueOf(v)
	if s.Kind() != reflect.Struct {
		return s, nil, false
	}
	return s, structFields(s.Type()), true
}

// goRecord reads a struct, or a named map[string]any, as a record.
func goRecord(v any) (names []string, get func(string) (any, bool)) {
	if m, ok := namedMap(v); ok {
		return sortedKeys(m), func(name string) (any, bool) { x, ok := m[name]; return x, ok }
	}
	s, fields, ok := goStruct(v)
	if !ok {
		return nil, nil
	}
	for _, f := range fields {
		names = append(names, f.recordName())
	}
	return names, func(name string) (any, bool) {
		i := slices.Index(names, name)
		if i < 0 {
			return nil, false
		}
		return s.Field(fields[i].index).Interface(), true
	}
}

func namedMap(v any) (map[string]any, bool) {
	r, want := reflect.ValueOf(v), reflect.TypeFor[map[string]any]()
	if r.Kind() != reflect.Map || !r.CanConvert(want) {
		return nil, false
	}
	return r.Convert(want).Interface().(map[string]any), true
}

// goEnum reads a named string, or a struct of pointers of which one is set, as a
// variant.
func goEnum(v any) (name string, inner any, ok bool) {
	if s, ok := goString(v); ok {
		return s, nil, true
	}
	s, fields, ok := goStruct(v)
	if !ok {
		return "", nil, false
	}
	set := 0
	for _, f := range fields {
		if p := s.Field(f.index); p.Kind() == reflect.Pointer && !p.IsNil() {
			name, inner = f.variantName(), p.Elem().Interface()
			set++
		}
	}
	return name, inner, set == 1
}

// structElements reads the fields of a struct as a tuple.
func structElements(v any) (items []any, ok bool) {
	s, fields, ok := goStruct(v)
	for _, f := range fields {
		items = append(items, s.Field(f.index).Interface())
	}
	return items, ok
}

// elements reads any slice or array as a list.
func elements(v any) (items []any, ok bool) {
	if items, ok = v.([]any); ok {
		return items, true
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice && r.Kind() != reflect.Array {
		return nil, false
	}
	items = make([]any, r.Len())
	for i := range items {
		items[i] = r.Index(i).Interface()
	}
	return items, true
}

// goBytes reads a named []byte or an array of bytes.
func goBytes(v any) ([]byte, bool) {
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8:
		return r.Bytes(), true
	case r.Kind() == reflect.Array && r.Type().Elem().Kind() == reflect.Uint8:
		b := make([]byte, r.Len())
		reflect.Copy(reflect.ValueOf(b), r)
		return b, true
	}
	return nil, false
}

// goString reads a string of any type, Text among them.
func goString(v any) (string, bool) {
	if s, ok := v.(string); ok {
		return s, true
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.String {
		return r.String(), true
	}
	return "", false
}

// isNilPointer reports a nil pointer of any type.
func isNilPointer(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}
