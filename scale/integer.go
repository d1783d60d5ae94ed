package scale

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
)

// longestInteger bounds the text of a number: 2^256 has 78 digits.
const longestInteger = 80

// exactInteger gives the value of any Go integer, *big.Int, json.Number or
// Text. Nothing is rounded or cut: a float is refused, and so is a number with
// a point or an exponent.
func exactInteger(v any) (*big.Int, error) {
	switch x := v.(type) {
	case *big.Int:
		if x != nil {
			return x, nil
		}
	case big.Int:
		return &x, nil
	case json.Number:
		return parseDecimal(string(x))
	case Text:
		return parseInteger(string(x))
	}
	r := reflect.ValueOf(v)
	switch {
	case r.CanUint():
		return new(big.Int).SetUint64(r.Uint()), nil
	case r.CanInt():
		return big.NewInt(r.Int()), nil
	}
	return nil, fmt.Errorf("%s is not an exact integer", goType(v))
}

// smallInteger is the quick way for the types that hold most values.
func smallInteger(v any) (n uint64, ok bool) {
	switch x := v.(type) {
	case uint64:
		return x, true
	case uint32:
		return uint64(x), true
	case uint16:
		return uint64(x), true
	case uint8:
		return uint64(x), true
	case int:
		return uint64(x), x >= 0
	}
	return 0, false
}

// parseInteger reads what a person types: decimal, or hex behind 0x.
func parseInteger(s string) (*big.Int, error) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return parseDecimal(s)
	}
	n, ok := new(big.Int), len(digits) > 0 && len(digits) <= longestInteger && isHex(digits)
	if ok {
		n, ok = n.SetString(digits, 16)
	}
	if !ok {
		return nil, fmt.Errorf("%q is not a whole number", clip(s))
	}
	return n, nil
}

func parseDecimal(s string) (*big.Int, error) {
	digits := strings.TrimPrefix(s, "-")
	n, ok := new(big.Int), len(digits) > 0 && len(digits) <= longestInteger && isDecimal(digits)
	if ok {
		n, ok = n.SetString(s, 10)
	}
	if !ok {
		return nil, fmt.Errorf("%q is not a whole number", clip(s))
	}
	return n, nil
}

func isDecimal(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// appendInteger appends n little-endian in the width of p, two's complement if
// it is signed.
func appendInteger(dst []byte, p Primitive, n *big.Int) ([]byte, error) {
	if err := checkRange(p, n); err != nil {
		return dst, err
	}
	bits := uint(8 * p.size())
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), bits))
	}
	at := len(dst)
	dst = append(dst, make([]byte, p.size())...)
	n.FillBytes(dst[at:])
	slices.Reverse(dst[at:])
	return dst, nil
}

func checkRange(p Primitive, n *big.Int) error {
	bits := 8 * p.size()
	magnitude := n
	if p.signed() {
		bits--
		if n.Sign() < 0 { // -2^bits is the least: as a magnitude, one less than its opposite
			magnitude = new(big.Int).Not(n)
		}
	}
	switch {
	case n.Sign() < 0 && !p.signed():
		return fmt.Errorf("%s is negative, a %s is not", clip(n.String()), p)
	case magnitude.BitLen() > bits:
		return fmt.Errorf("%s exceeds a %s", clip(n.String()), p)
	}
	return nil
}

// bigInt reads b as little-endian two's complement.
func bigInt(b []byte) *big.Int {
	n := bigUint(b)
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// goType names the type of a Go value for an error.
func goType(v any) string {
	if v == nil {
		return "nil"
	}
	return reflect.TypeOf(v).String()
}
