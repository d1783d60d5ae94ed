package view

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"time"
)

// node is a value made ready to be laid out.
type node struct {
	kind   kind
	text   string  // of a scalar
	value  any     // of a scalar, for templates: bool, int64, uint64 or string
	number bool    // a scalar that is aligned as a number
	fields []field // of a record
	items  []node  // of a list
	shape  *node   // of a list of structs: a record without values, known even if the list is empty
	inline bool    // a record that came as JSON: it has no fixed columns
	lines  bool    // a list of which every item has a line of its own
}

type kind int

const (
	absent kind = iota // nil, or left out by omitempty
	scalar
	record
	list
)

// field is a member of a record.
type field struct {
	name   string // in JSON
	label  string // for people
	hidden bool   // not in tables
	omit   bool   // left out while empty
	node   node
}

// maxDepth bounds how deep values may be nested, so that one which contains
// itself ends in an error.
const maxDepth = 64

// read turns v into nodes.
func read(v any) (node, error) {
	return readValue(reflect.ValueOf(v), 0)
}

func readValue(v reflect.Value, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("the value is nested deeper than %d", maxDepth)
	}
	if !v.IsValid() || nilable(v) && v.IsNil() && v.Kind() != reflect.Slice {
		return node{}, nil
	}
	if n, ok, err := readMethods(v); ok {
		return n, err
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return readValue(v.Elem(), depth+1)
	case reflect.Struct:
		return readStruct(v, depth)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			return readJSON(v) // base64, as in JSON
		}
		return readList(v, depth)
	case reflect.Map, reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return readJSON(v)
	default:
		return readKind(v), nil
	}
}

func nilable(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		return true
	}
	return false
}

// readMethods reads values that print themselves; ok is false for others.
func readMethods(v reflect.Value) (n node, ok bool, err error) {
	if v.Kind() == reflect.Interface {
		return node{}, false, nil
	}
	p := v // a pointer to a copy has the methods of both receivers
	if v.Kind() != reflect.Pointer {
		p = reflect.New(v.Type())
		p.Elem().Set(v)
	}
	switch x := p.Interface().(type) {
	case *time.Time:
		return scalarOf(x.UTC().Format(time.RFC3339), false), true, nil
	case *big.Int:
		return scalarOf(x.String(), true), true, nil
	case encoding.TextMarshaler:
		b, err := x.MarshalText()
		return scalarOf(string(b), isNumber(v.Type())), true, err
	case fmt.Stringer:
		return scalarOf(x.String(), isNumber(v.Type())), true, nil
	case json.Marshaler:
		n, err := readJSON(p)
		return n, true, err
	}
	return node{}, false, nil
}

func scalarOf(s string, number bool) node {
	return node{kind: scalar, text: s, value: s, number: number}
}

// isNumber reports whether values of type t line up at the decimal point.
func isNumber(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64
}

func readKind(v reflect.Value) node {
	n := node{kind: scalar, number: isNumber(v.Type())}
	switch {
	case v.Kind() == reflect.Bool:
		n.text, n.value = yesNo(v.Bool()), v.Bool()
	case v.CanInt():
		n.text, n.value = strconv.FormatInt(v.Int(), 10), v.Int()
	case v.CanUint():
		n.text, n.value = strconv.FormatUint(v.Uint(), 10), v.Uint()
	case v.CanFloat():
		n.text = strconv.FormatFloat(v.Float(), 'f', -1, v.Type().Bits())
		n.value = v.Float()
	default:
		n.text, n.value = v.String(), v.String()
	}
	return n
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func readList(v reflect.Value, depth int) (node, error) {
	n := node{kind: list, items: make([]node, v.Len())}
	for i := range n.items {
		item, err := readValue(v.Index(i), depth+1)
		if err != nil {
			return node{}, err
		}
		n.items[i] = item
	}
	n.shape = recordOrNil(readShape(v.Type().Elem(), depth))
	return n, nil
}

// maxShape bounds how deep the fields of absent structs are looked for: a type
// may contain itself.
const maxShape = 8

// readShape returns the fields of a struct type, or of a pointer to one, with
// no values. It returns an absent node for other types.
func readShape(t reflect.Type, depth int) node {
	if depth > maxShape {
		return node{}
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return node{}
	}
	n, err := readValue(reflect.Zero(t), depth+1)
	if err != nil {
		return node{} // the items themselves will say why
	}
	return n
}

func readStruct(v reflect.Value, depth int) (node, error) {
	n := node{kind: record}
	for i := range v.NumField() {
		t := parseTags(v.Type().Field(i))
		switch {
		case t.skip:
			continue
		case t.inlined:
			inner, err := readEmbedded(v.Field(i), depth)
			if err != nil {
				return node{}, err
			}
			n.fields = append(n.fields, inner.fields...)
			continue
		}
		f, err := t.read(v.Field(i), depth)
		if err != nil {
			return node{}, fmt.Errorf("%s: %w", t.name, err)
		}
		n.fields = append(n.fields, f)
	}
	return n, nil
}

// readEmbedded reads an embedded struct, whose fields join the outer one's.
func readEmbedded(v reflect.Value, depth int) (node, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return node{}, nil
		}
		v = v.Elem()
	}
	return readStruct(v, depth+1)
}

func (t tags) read(v reflect.Value, depth int) (field, error) {
	f := field{name: t.name, label: t.label, hidden: t.hidden, omit: t.omitEmpty || t.omitZero}
	empty := t.omitEmpty && isEmpty(v) || t.omitZero && isZero(v)
	n, err := readValue(v, depth+1)
	if err != nil {
		return field{}, err
	}
	if n.kind == absent {
		n.shape = recordOrNil(readShape(v.Type(), depth))
	}
	if empty {
		n = node{shape: n.asShape()}
	}
	n.number, n.lines = n.number || t.right, t.lines
	f.node = n
	return f, nil
}

func recordOrNil(n node) *node {
	if n.kind != record {
		return nil
	}
	return &n
}

// asShape returns the record that n is or would be.
func (n node) asShape() *node {
	if n.kind == record && !n.inline {
		return &n
	}
	return n.shape
}
