package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// readJSON reads a value by the JSON it makes.
func readJSON(v reflect.Value) (node, error) {
	b, err := json.Marshal(v.Interface())
	if err != nil {
		return node{}, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return decode(d)
}

// decode reads the next JSON value and keeps the order of its members.
// encoding/json refuses values nested deeper than 10,000 before we get here.
func decode(d *json.Decoder) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch x := token.(type) {
	case json.Delim:
		if x == '{' {
			return decodeObject(d)
		}
		return decodeArray(d)
	case json.Number:
		return decodeNumber(x), nil
	case string:
		return scalarOf(x, false), nil
	case bool:
		return node{kind: scalar, text: yesNo(x), value: x}, nil
	}
	return node{}, nil // null
}

func decodeNumber(x json.Number) node {
	n := scalarOf(x.String(), true)
	if i, err := strconv.ParseInt(x.String(), 10, 64); err == nil {
		n.value = i
	}
	return n
}

func decodeArray(d *json.Decoder) (node, error) {
	n := node{kind: list}
	for d.More() {
		item, err := decode(d)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := d.Token()
	return n, err
}

func decodeObject(d *json.Decoder) (node, error) {
	n := node{kind: record, inline: true}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return node{}, err
		}
		value, err := decode(d)
		if err != nil {
			return node{}, err
		}
		s := fmt.Sprint(name)
		n.fields = append(n.fields, field{name: s, label: strings.ReplaceAll(s, "_", " "), node: value})
	}
	_, err := d.Token()
	return n, err
}
