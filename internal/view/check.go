package view

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

// TB is what Check needs of a *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Check fails a test if the type of v cannot be printed as package view
// promises: an exported field without a json name, a name used twice, a map
// (its members have no order of their own), or bytes that JSON would print as
// base64 or as a list of numbers.
func Check(tb TB, v any) {
	tb.Helper()
	c := checker{seen: map[reflect.Type]bool{}}
	if t := reflect.TypeOf(v); t != nil {
		c.check(t, t.String())
	}
	for _, fault := range c.faults {
		tb.Errorf("view: %s", fault)
	}
}

type checker struct {
	seen   map[reflect.Type]bool
	faults []string
}

func (c *checker) fault(where, what string) {
	c.faults = append(c.faults, fmt.Sprintf("%s %s", where, what))
}

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
)

func (c *checker) check(t reflect.Type, where string) {
	if c.seen[t] || t.Implements(textMarshaler) || t.Implements(jsonMarshaler) {
		return
	}
	c.seen[t] = true
	switch t.Kind() {
	case reflect.Pointer:
		c.check(t.Elem(), where)
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && !t.Elem().Implements(textMarshaler) {
			c.fault(where, "is bytes, which JSON prints as base64 or numbers: give it a type with MarshalText")
			return
		}
		c.check(t.Elem(), where+"[]")
	case reflect.Map:
		c.fault(where, "is a map, which has no order: use a slice of structs")
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		c.fault(where, "cannot be printed: it is a "+t.Kind().String())
	case reflect.Struct:
		c.fields(t, where, map[string]string{})
	}
}

func (c *checker) fields(t reflect.Type, where string, names map[string]string) {
	for f := range t.Fields() {
		tag := parseTags(f)
		at := where + "." + f.Name
		switch {
		case tag.skip:
			continue
		case tag.inlined:
			c.embedded(f.Type, at, names)
			continue
		}
		c.name(f, tag, at, names)
		c.check(f.Type, at)
	}
}

func (c *checker) embedded(t reflect.Type, at string, names map[string]string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	c.fields(t, at, names)
}

func (c *checker) name(f reflect.StructField, tag tags, at string, names map[string]string) {
	if name, _ := f.Tag.Lookup("json"); name == "" || name[0] == ',' {
		c.fault(at, "has no json name")
	}
	if other, taken := names[tag.name]; taken {
		c.fault(at, fmt.Sprintf("has the json name %q of %s", tag.name, other))
	}
	names[tag.name] = at
}
