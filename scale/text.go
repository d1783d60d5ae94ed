package scale

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Text is what a person typed. Encode reads it by the type that it is for:
//
//   - an integer: decimal, or hex behind 0x;
//   - bool: true, false;
//   - [u8; N]: hex behind 0x; Vec<u8>: hex behind 0x, else the text itself;
//   - str: the text itself, 0x included;
//   - bit sequences: 0b0110;
//   - an enum: the name of a variant without fields, in its exact case;
//   - Option<T>: null, none or None for None, else what T takes.
//
// Records and lists have no text form: ParseJSON reads those.
type Text string

// ParseJSON reads JSON as a value for Encode: an object is map[string]any, an
// array []any, a number json.Number, a string Text, null nil. An object that
// has a key twice is refused, and so is anything after the value: what is signed
// must be what was read.
func ParseJSON(s string) (any, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("parse JSON: it is not UTF-8")
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err == nil {
		_, err = d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return v, nil
		case err == nil:
			err = errors.New("something follows the value")
		}
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("parse JSON, byte %d: %w", d.InputOffset(), err)
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > deepest {
		return nil, fmt.Errorf("it nests deeper than %d", deepest)
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch x := token.(type) {
	case string:
		return Text(x), nil
	case json.Delim:
		if x == '{' {
			return parseObject(d, depth)
		}
		return parseArray(d, depth)
	}
	return token, nil // bool, json.Number, nil
}

func parseObject(d *json.Decoder, depth int) (any, error) {
	object := make(map[string]any)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string) // the decoder takes nothing else for a key
		if _, twice := object[key]; twice {
			return nil, fmt.Errorf("the key %q occurs twice", clip(key))
		}
		if object[key], err = parseValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

func parseArray(d *json.Decoder, depth int) (any, error) {
	array := []any{}
	for d.More() {
		x, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, x)
	}
	_, err := d.Token()
	return array, err
}
