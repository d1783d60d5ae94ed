package view

import (
	"reflect"
	"strings"
)

// isEmpty is encoding/json's notion of omitempty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// isZero is encoding/json's notion of omitzero.
func isZero(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok && !(v.Kind() == reflect.Pointer && v.IsNil()) {
		return z.IsZero()
	}
	return v.IsZero()
}

// tags is what the tags of a struct field say.
type tags struct {
	name, label         string
	skip, inlined       bool
	omitEmpty, omitZero bool
	hidden, right       bool
	lines               bool
}

func parseTags(f reflect.StructField) tags {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if f.Anonymous && name == "" && isStruct(f.Type) {
		return tags{inlined: true}
	}
	if !f.IsExported() || f.Tag.Get("json") == "-" {
		return tags{skip: true}
	}
	if name == "" {
		name = f.Name
	}
	label, align, _ := strings.Cut(f.Tag.Get("view"), ",")
	t := tags{name: name, label: label, hidden: label == "-", right: align == "right", lines: align == "lines"}
	if label == "" {
		t.label = strings.ReplaceAll(name, "_", " ")
	}
	for option := range strings.SplitSeq(options, ",") {
		t.omitEmpty = t.omitEmpty || option == "omitempty"
		t.omitZero = t.omitZero || option == "omitzero"
	}
	return t
}

func isStruct(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}
