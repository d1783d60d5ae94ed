package scale

import (
	"fmt"
	"strings"
)

// A dynamic value is what Decode puts into an *any, and Encode takes back:
//
//	bool                      bool
//	string                    Str, and char as its one letter
//	uint8 … uint64            u8 … u64, by width
//	int8 … int64              i8 … i64, by width
//	*big.Int                  u128, u256, i128, i256
//	[]byte                    Vec<u8>, [u8; N]
//	[]any                     every other list and array, tuples, unnamed fields
//	*Record                   named fields in the order of the metadata
//	*Variant                  one variant of an enum
//	nil, or the value itself  Option<T>
//	Bits                      bit sequences
//
// A composite of one unnamed field is its inner value, and so is the Value of a
// variant of one unnamed field; Compact<T> is T. Where T itself can be None, or
// has a variant called None or Some, a present Option<T> is Variant{"Some", v}:
// without it the two could not be told apart.

// Record is a value of named fields.
type Record struct{ Fields []Field }

// Field is one field of a Record.
type Field struct {
	Name  string
	Value any
}

// Get finds a field by name. A nil record has none.
func (r *Record) Get(name string) (any, bool) {
	if r == nil {
		return nil, false
	}
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return r.Fields[i].Value, true
		}
	}
	return nil, false
}

// Variant is a value of an enum. Value is nil for a variant without fields, the
// inner value for one unnamed field, []any for several, a *Record for named
// ones.
type Variant struct {
	Name  string
	Value any
}

// Bits is a bit sequence, first bit first, whatever its store and order are.
type Bits []bool

// String writes the bits in order: "0b0110".
func (b Bits) String() string {
	var s strings.Builder
	s.WriteString("0b")
	for _, bit := range b {
		if bit {
			s.WriteByte('1')
		} else {
			s.WriteByte('0')
		}
	}
	return s.String()
}

// Custom is a Go form for a named type. Encode turns whatever the caller gave
// into a value that the type's structure takes; a form it does not know it
// returns as it is. Decode turns the dynamic value of the structure, in which
// inner types already have their Go forms, into the Go form. Either may be nil.
// Both must be safe for concurrent use.
type Custom struct {
	Encode func(v any) (any, error)
	Decode func(v any) (any, error)
}

// Error says what is wrong with a value or with bytes, and where.
type Error struct {
	Path   string // "calls[3].dest"; empty for the value as a whole
	Type   string // the type at that place, as TypeName writes it
	Reason string // "300 exceeds u8"
	Err    error  // what a Custom reported, if it was that
}

func (e *Error) Error() string {
	switch {
	case e.Path == "":
		return fmt.Sprintf("%s: %s", e.Type, e.Reason)
	case e.Type == "":
		return fmt.Sprintf("%s: %s", e.Path, e.Reason)
	}
	return fmt.Sprintf("%s (%s): %s", e.Path, e.Type, e.Reason)
}

// Unwrap gives what a Custom reported.
func (e *Error) Unwrap() error { return e.Err }

// under says that err happened below a step of the path: a field, or "[3]".
func (e *Error) under(step string) {
	switch {
	case e.Path == "" || strings.HasPrefix(e.Path, "["):
		e.Path = step + e.Path
	default:
		e.Path = step + "." + e.Path
	}
}

// clip keeps a hostile or long text from flooding an error.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-3], "") + "..."
}
