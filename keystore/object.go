package keystore

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// object is a JSON object whose values stay bytes, so that those which are
// secret can be wiped.
type object map[string]json.RawMessage

// parseObject reads one object, and refuses a name given twice: readers differ
// in which of the two they take.
func parseObject(text []byte) (object, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8 text")
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil || o == nil {
		return nil, errors.New("it is not a JSON object, or is cut short")
	}
	if members(text) != len(o) {
		o.wipe()
		return nil, errors.New("a JSON field stands twice")
	}
	return o, nil
}

// members counts the names of a valid object: the colons of its first level.
func members(text []byte) int {
	n, depth, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ':' && depth == 1:
			n++
		}
	}
	return n
}

func (o object) wipe() {
	for _, v := range o {
		wipe(v)
	}
}

// has reports a field that is there and not null.
func (o object) has(name string) bool {
	v, ok := o[name]
	return ok && string(v) != "null"
}

// text returns a string field's bytes, or nil where the field is absent, null
// or empty. Only a text with escapes goes through a Go string.
func (o object) text(name string) ([]byte, error) {
	raw := o[name]
	if !o.has(name) {
		return nil, nil
	}
	if raw[0] != '"' {
		return nil, errors.New(name + " is not a text")
	}
	body := raw[1 : len(raw)-1]
	if bytes.IndexByte(body, '\\') < 0 {
		return bytes.Clone(body), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, errors.New(name + " is not a text")
	}
	return []byte(s), nil
}
