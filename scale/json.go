package scale

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
)

// JSON writes a dynamic value, always in the same way: integers of 64 bits and
// more as decimal strings, since readers of JSON round what exceeds 2^53; bytes
// as 0x hex; bits as 0b0110; records as objects in the order of the metadata; a
// variant as its name, or {"Name": value} if it has fields; None as null. Maps
// go by key. A Go form is written as encoding/json does. Floats are refused.
//
// ParseJSON and Encode read it back.
func JSON(v any) ([]byte, error) { return appendJSON(nil, v, 0) }

// MarshalJSON is JSON.
func (r *Record) MarshalJSON() ([]byte, error) { return JSON(r) }

// MarshalJSON is JSON.
func (v *Variant) MarshalJSON() ([]byte, error) { return JSON(v) }

// MarshalJSON is JSON.
func (b Bits) MarshalJSON() ([]byte, error) { return JSON(b) }

func appendJSON(dst []byte, v any, depth int) ([]byte, error) {
	if depth > deepest {
		return nil, fmt.Errorf("write JSON: the value nests deeper than %d", deepest)
	}
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case []byte:
		return fmt.Appendf(dst, `"0x%s"`, hex.EncodeToString(x)), nil
	case uint64:
		return appendQuoted(dst, strconv.FormatUint(x, 10)), nil
	case int64:
		return appendQuoted(dst, strconv.FormatInt(x, 10)), nil
	case *big.Int:
		return appendQuoted(dst, x.String()), nil
	case Bits:
		return appendQuoted(dst, x.String()), nil
	case *Record:
		return appendRecord(dst, x, depth)
	case *Variant:
		return appendVariant(dst, x, depth)
	case []any:
		return appendList(dst, x, depth)
	case map[string]any:
		return appendRecord(dst, sortedRecord(x), depth)
	case float32, float64:
		return nil, fmt.Errorf("write JSON: %T is not exact", v)
	}
	return appendOther(dst, v)
}

func appendQuoted(dst []byte, plain string) []byte {
	return append(append(append(dst, '"'), plain...), '"')
}

// appendOther writes text, bools, small integers and Go forms.
func appendOther(dst []byte, v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...), nil
}

func appendRecord(dst []byte, r *Record, depth int) (_ []byte, err error) {
	if r == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '{')
	for i, f := range r.Fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendOther(dst, f.Name); err != nil {
			return nil, err
		}
		dst = append(dst, ':')
		if dst, err = appendJSON(dst, f.Value, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func sortedRecord(m map[string]any) *Record {
	r := &Record{}
	for _, name := range sortedKeys(m) {
		r.Fields = append(r.Fields, Field{name, m[name]})
	}
	return r
}

func appendVariant(dst []byte, v *Variant, depth int) ([]byte, error) {
	switch {
	case v == nil:
		return append(dst, "null"...), nil
	case v.Value == nil && v.Name != "Some":
		return appendOther(dst, v.Name)
	}
	return appendRecord(dst, &Record{Fields: []Field{{v.Name, v.Value}}}, depth)
}

func appendList(dst []byte, list []any, depth int) (_ []byte, err error) {
	dst = append(dst, '[')
	for i, x := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendJSON(dst, x, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}
