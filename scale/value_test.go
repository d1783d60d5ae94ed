package scale

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Types that no runtime of Bittensor has, or not all of them: one of each shape.
const (
	tBool TypeID = iota
	tChar
	tStr
	tU8
	tU16
	tU32
	tU64
	tU128
	tU256
	tI8
	tI16
	tI32
	tI64
	tI128
	tI256
	tBytes     // Vec<u8>
	tHash      // [u8; 4]
	tNewtype   // struct(u16)
	tRecord    // struct { a: u8, long_name: Option<u16> }
	tPair      // struct(u8, bool)
	tUnit      // struct;
	tEmpty     // ()
	tTuple     // (u8, str)
	tSingle    // (u8,)
	tOption    // Option<u16>
	tOption2   // Option<Option<u16>>
	tOptUnit   // Option<()>
	tEnum      // None | One(u16) | Two(u8, bool) | Named { a: u8 } = 9
	tOptEnum   // Option<Enum>
	tCompact16 // Compact<struct(u16)>
	tCompact0  // Compact<()>
	tCompactS  // Compact<str>: no such thing
	tLsb8      // BitVec<u8, Lsb0>
	tMsb16     // BitVec<u16, Msb0>
	tLsb0      // the orders
	tMsb0
	tList     // Vec<u16>
	tArray    // [u16; 2]
	tUnits    // Vec<()>
	tTree     // Vec<Tree>
	tLoop     // struct(Loop)
	tCompact  // Compact<u128>
	tNoBits   // BitVec<str, Lsb0>
	tVoid     // enum without variants
	tBitsOpt  // Option<BitVec<u8, Lsb0>>
	tAccount  // struct account::Id([u8; 4])
	tAccounts // Vec<account::Id>
)

func option(inner TypeID) Type {
	return Type{Path: []string{"Option"}, Params: []Param{{"T", inner}}, Kind: KindVariant, Variants: []VariantDef{
		{Name: "None"}, {Name: "Some", Index: 1, Fields: unnamed(inner)},
	}}
}

func unnamed(ids ...TypeID) []FieldDef {
	fields := make([]FieldDef, len(ids))
	for i, id := range ids {
		fields[i].Type = id
	}
	return fields
}

func shapes(tb testing.TB) *Metadata {
	types := make([]Type, 0, 64)
	for p := Bool; p <= I256; p++ {
		types = append(types, Type{Kind: KindPrimitive, Primitive: p})
	}
	return made(tb, append(types,
		Type{Kind: KindSequence, Elem: tU8},
		Type{Kind: KindArray, Elem: tU8, Len: 4},
		Type{Fields: unnamed(tU16)},
		Type{Path: []string{"x", "Record"}, Fields: []FieldDef{{Name: "a", Type: tU8}, {Name: "long_name", Type: tOption}}},
		Type{Fields: unnamed(tU8, tBool)},
		Type{},
		Type{Kind: KindTuple},
		Type{Kind: KindTuple, Fields: unnamed(tU8, tStr)},
		Type{Kind: KindTuple, Fields: unnamed(tU8)},
		option(tU16),
		option(tOption),
		option(tEmpty),
		Type{Path: []string{"x", "Enum"}, Kind: KindVariant, Variants: []VariantDef{
			{Name: "None"}, {Name: "One", Index: 1, Fields: unnamed(tU16)}, {Name: "Two", Index: 2, Fields: unnamed(tU8, tBool)},
			{Name: "Named", Index: 9, Fields: []FieldDef{{Name: "a", Type: tU8}}},
		}},
		option(tEnum),
		Type{Kind: KindCompact, Elem: tNewtype},
		Type{Kind: KindCompact, Elem: tEmpty},
		Type{Kind: KindCompact, Elem: tStr},
		Type{Kind: KindBits, Elem: tU8, Order: tLsb0},
		Type{Kind: KindBits, Elem: tU16, Order: tMsb0},
		Type{Path: []string{"bitvec", "order", "Lsb0"}},
		Type{Path: []string{"bitvec", "order", "Msb0"}},
		Type{Kind: KindSequence, Elem: tU16},
		Type{Kind: KindArray, Elem: tU16, Len: 2},
		Type{Kind: KindSequence, Elem: tEmpty},
		Type{Kind: KindSequence, Elem: tTree},
		Type{Fields: unnamed(tLoop)},
		Type{Kind: KindCompact, Elem: tU128},
		Type{Kind: KindBits, Elem: tStr, Order: tLsb0},
		Type{Kind: KindVariant},
		option(tLsb8),
		Type{Path: []string{"account", "Id"}, Fields: unnamed(tHash)},
		Type{Kind: KindSequence, Elem: tAccount},
	)...)
}

func number(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 0)
	if !ok {
		panic(s)
	}
	return n
}

// Each value in its dynamic form, and the bytes of the SCALE reference.
func TestDynamicValues(t *testing.T) {
	m := shapes(t)
	for _, c := range []struct {
		id   TypeID
		v    any
		want string
	}{
		{tBool, true, "01"}, {tBool, false, "00"},
		{tChar, "ü", "fc000000"},
		{tStr, "Größe", "1c4772c3b6c39f65"}, {tStr, "", "00"},
		{tU8, uint8(255), "ff"}, {tU16, uint16(42), "2a00"}, {tU32, uint32(16777215), "ffffff00"},
		{tU64, uint64(math.MaxUint64), "ffffffffffffffff"},
		{tU128, number("0x0102"), "02010000000000000000000000000000"},
		{tU256, number("0x0102"), "0201" + strings.Repeat("00", 30)},
		{tI8, int8(-128), "80"}, {tI16, int16(-2), "feff"}, {tI32, int32(math.MinInt32), "00000080"},
		{tI64, int64(math.MaxInt64), "ffffffffffffff7f"},
		{tI128, number("-1"), strings.Repeat("ff", 16)},
		{tI256, number("-2"), "fe" + strings.Repeat("ff", 31)},
		{tBytes, []byte{1, 2}, "080102"}, {tBytes, []byte{}, "00"},
		{tHash, []byte{1, 2, 3, 4}, "01020304"},
		{tNewtype, uint16(7), "0700"},
		{tRecord, &Record{[]Field{{"a", uint8(1)}, {"long_name", nil}}}, "0100"},
		{tRecord, &Record{[]Field{{"a", uint8(1)}, {"long_name", uint16(2)}}}, "01010200"},
		{tPair, []any{uint8(5), true}, "0501"},
		{tUnit, &Record{}, ""}, {tEmpty, []any{}, ""},
		{tTuple, []any{uint8(1), "a"}, "010461"}, {tSingle, []any{uint8(1)}, "01"},
		{tOption, nil, "00"}, {tOption, uint16(3), "010300"},
		{tOption2, nil, "00"}, {tOption2, &Variant{"Some", nil}, "0100"}, {tOption2, &Variant{"Some", uint16(3)}, "01010300"},
		{tOptUnit, nil, "00"}, {tOptUnit, []any{}, "01"},
		{tEnum, &Variant{"None", nil}, "00"}, {tEnum, &Variant{"One", uint16(1)}, "010100"},
		{tEnum, &Variant{"Two", []any{uint8(1), false}}, "020100"},
		{tEnum, &Variant{"Named", &Record{[]Field{{"a", uint8(4)}}}}, "0904"},
		{tOptEnum, nil, "00"}, {tOptEnum, &Variant{"Some", &Variant{"None", nil}}, "0100"},
		{tCompact16, uint16(65535), "feff0300"}, {tCompact, number("0xffffffffffffffffffffffffffffffff"), "33" + strings.Repeat("ff", 16)},
		{tCompact, number("1"), "04"}, {tCompact0, []any{}, ""},
		{tLsb8, Bits{true, false, true}, "0c05"}, {tLsb8, Bits{}, "00"},
		{tMsb16, Bits{true, false, false, false, false, false, false, false, true}, "248080"}, // 0x8080 as a word, little-endian
		{tBitsOpt, nil, "00"}, {tBitsOpt, Bits{true}, "010401"},
		{tList, []any{uint16(1), uint16(2)}, "0801000200"}, {tArray, []any{uint16(1), uint16(2)}, "01000200"},
		{tUnits, []any{[]any{}, []any{}}, "08"},
		{tTree, []any{[]any{}, []any{[]any{}}}, "08000400"},
	} {
		b := unhex(t, c.want)
		got, err := m.Encode([]byte{9}, c.id, c.v)
		if err != nil || !bytes.Equal(got, append([]byte{9}, b...)) {
			t.Errorf("%s: encode %v: %x, %v, want %s", m.TypeName(c.id), c.v, got, err, c.want)
		}
		var v any
		if err := m.Decode(c.id, b, &v); err != nil || !reflect.DeepEqual(v, c.v) {
			t.Errorf("%s: decode %s: %#v, %v, want %#v", m.TypeName(c.id), c.want, v, err, c.v)
		}
	}
}

// Other forms that Encode takes.
func TestEncodeForms(t *testing.T) {
	type record struct {
		A        uint
		LongName *int
		Other    string `scale:"-"`
		hidden   string
	}
	type enum struct {
		None  *struct{}
		One   *uint16
		Two   *[]any
		Other *struct{ A int } `scale:"Named"`
	}
	type name string
	type args map[string]any
	type flag bool
	two := 2
	ptr := &two
	m := shapes(t)
	for _, c := range []struct {
		id   TypeID
		v    any
		want string
	}{
		{tU8, 255, "ff"}, {tU16, uint64(1), "0100"}, {tU64, json.Number("18446744073709551615"), "ffffffffffffffff"},
		{tU64, big.NewInt(5), "0500000000000000"}, {tU64, *big.NewInt(5), "0500000000000000"}, {tI8, json.Number("-1"), "ff"},
		{tU8, &two, "02"}, {tU128, 2, "02" + strings.Repeat("00", 15)}, {tI64, uint8(2), "0200000000000000"}, {tCompact16, 3, "0c"},
		{tU8, Text("0xff"), "ff"}, {tU8, Text("007"), "07"}, {tI16, Text("-2"), "feff"}, {tBool, Text("true"), "01"}, {tBool, flag(true), "01"},
		{tBytes, "0x12", "1030783132"}, {tBytes, Text("0x12"), "0412"}, {tBytes, Text("hi"), "086869"}, {tBytes, Text(""), "00"},
		{tBytes, [2]byte{1, 2}, "080102"}, {tBytes, json.RawMessage{1}, "0401"}, {tBytes, []any{json.Number("1"), 255}, "0801ff"},
		{tHash, Text("0x01020304"), "01020304"}, {tHash, [4]byte{1, 2, 3, 4}, "01020304"},
		{tStr, Text("0x12"), "1030783132"}, {tStr, name("a"), "0461"}, {tChar, Text("ü"), "fc000000"},
		{tRecord, map[string]any{"a": 1, "long_name": nil}, "0100"}, {tRecord, args{"a": 1, "long_name": 2}, "01010200"},
		{tRecord, Record{[]Field{{"long_name", nil}, {"a", 1}}}, "0100"},
		{tRecord, record{A: 1}, "0100"}, {tRecord, &record{A: 1, LongName: &two}, "01010200"},
		{tTuple, struct {
			N uint8
			S string
		}{1, "a"}, "010461"}, {tPair, [2]any{5, true}, "0501"}, {tEmpty, nil, ""}, {tUnit, struct{}{}, ""}, {tUnit, map[string]any{}, ""},
		{tOption, Text("null"), "00"}, {tOption, Text("none"), "00"}, {tOption, Text("3"), "010300"}, {tOption, (*uint16)(nil), "00"}, {tOption, &two, "010200"},
		{tOption, &Variant{"Some", 3}, "010300"}, {tOption, &Variant{"None", nil}, "00"}, {tOption, map[string]any{"Some": 3}, "010300"},
		{tOption, map[string]any{"None": nil}, "00"}, {tOption, "None", "00"},
		{tOption2, map[string]any{"Some": nil}, "0100"}, {tOption2, &ptr, "01010200"},
		{tEnum, "None", "00"}, {tEnum, Text("None"), "00"}, {tEnum, name("None"), "00"}, {tEnum, map[string]any{"One": Text("1")}, "010100"},
		{tEnum, map[string]any{"Two": []any{1, false}}, "020100"}, {tEnum, Variant{"Named", args{"a": 4}}, "0904"}, {tEnum, map[string]any{"None": nil}, "00"},
		{tEnum, enum{None: &struct{}{}}, "00"}, {tEnum, &enum{One: new(uint16)}, "010000"}, {tEnum, enum{Other: &struct{ A int }{4}}, "0904"},
		{tEnum, enum{Two: &[]any{1, true}}, "020101"},
		{tOptEnum, map[string]any{"Some": "None"}, "0100"}, {tOptEnum, map[string]any{"One": 1}, "01010100"},
		{tLsb8, Text("0b101"), "0c05"}, {tLsb8, []bool{true}, "0401"},
		{tList, []uint16{1, 2}, "0801000200"}, {tArray, [2]uint64{1, 2}, "01000200"},
	} {
		if got, err := m.Encode(nil, c.id, c.v); err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("%s: encode %#v: %x, %v, want %s", m.TypeName(c.id), c.v, got, err, c.want)
		}
	}
	_ = record{hidden: ""}
}

// What must not be encoded: nothing is rounded, cut, filled in or guessed.
func TestEncodeRefused(t *testing.T) {
	type narrow struct{ A uint8 }
	m := shapes(t)
	deep := any([]any{})
	for range 200 {
		deep = []any{deep}
	}
	for _, c := range []struct {
		id   TypeID
		v    any
		want string
	}{
		{tU8, 256, "256 exceeds a u8"}, {tU8, -1, "-1 is negative"}, {tU64, number("0x10000000000000000"), "exceeds a u64"}, {tU16, uint64(70000), "exceeds"},
		{tI8, 128, "128 exceeds a i8"}, {tI8, -129, "-129 exceeds a i8"}, {tI128, number("0x80000000000000000000000000000000"), "exceeds a i128"},
		{tU64, 1.0, "float64 is not an exact integer"}, {tU64, float32(1), "float32 is not an exact integer"}, {tU64, "1", "string is not an exact integer"},
		{tU64, true, "bool is not"}, {tU64, nil, "nil is not"}, {tU64, []byte{1}, "[]uint8 is not"}, {tU64, (*big.Int)(nil), "*big.Int is not"},
		{tU64, json.Number("1.0"), `"1.0" is not a whole number`}, {tU64, json.Number("1e3"), `"1e3"`}, {tU64, json.Number(""), `""`}, {tU64, json.Number("0x1"), `"0x1"`},
		{tU64, Text("1_000"), "1_000"}, {tU64, Text(" 1"), `" 1"`}, {tU64, Text("+1"), `"+1"`}, {tU64, Text("-"), `"-"`}, {tU64, Text("0x"), `"0x"`}, {tU64, Text("-0x1"), `"-0x1"`},
		{tU64, Text("0xg"), `"0xg"`}, {tU64, Text("--1"), `"--1"`}, {tU64, Text("1.5"), `"1.5"`}, {tU64, Text(strings.Repeat("9", 1000)), "not a whole number"},
		{tCompact16, 65536, "65536 exceeds a u16"}, {tCompact16, -1, "negative"}, {tCompact16, 1.5, "float64"}, {tCompact0, 1, "takes no value"}, {tCompactS, "a", "is not an integer"},
		{tBool, 1, "neither true nor false"}, {tBool, Text("True"), `"True"`}, {tBool, "true", "string is neither"}, {tBool, nil, "nil"},
		{tStr, 1, "int is not text"}, {tStr, "\xff", "not UTF-8"}, {tStr, []byte("a"), "not text"}, {tChar, "ab", "not one letter"}, {tChar, "", "not one letter"}, {tChar, "\xff", "not one letter"},
		{tBytes, 1, "int is not bytes"}, {tBytes, Text("0x1"), "not hex"}, {tBytes, Text("0xzz"), "not hex"}, {tBytes, []any{1, 256}, "[1] (Vec<u8>): 256 exceeds"},
		{tHash, []byte{1}, "1 bytes are given for 4"}, {tHash, Text("abcd"), "begins with 0x"}, {tHash, Text("0x010203"), "3 bytes are given for 4"}, {tHash, "0x01020304", "10 bytes"},
		{tRecord, map[string]any{"a": 1}, "long_name (Option<u16>): is missing"}, {tRecord, map[string]any{"a": 1, "long_name": nil, "b": 1}, `has no field "b", only {a: u8, long_name: Option<u16>}`},
		{tRecord, map[string]any{"a": 1, "long_name": 65536}, "long_name (u16): 65536 exceeds"}, {tRecord, 1, "int is not a record of {a: u8"}, {tRecord, []any{1, nil}, "not a record"}, {tRecord, nil, "nil is not a record"},
		{tRecord, &Record{[]Field{{"a", 1}, {"a", 1}, {"long_name", nil}}}, "3 fields are given"}, {tRecord, (*Record)(nil), "not a record"}, {tRecord, narrow{1}, "long_name (Option<u16>): is missing"},
		{tRecord, Text("{}"), "not a record"}, {tRecord, map[string]int{"a": 1}, "not a record"},
		{tPair, []any{1}, "1 values are given for 2"}, {tPair, []any{1, 2}, "[1] (bool)"}, {tEmpty, 1, "not a list of 0"}, {tUnit, []any{1}, "1 values"},
		{tOption, &Variant{"Other", 1}, "is not an exact integer"}, {tOption, &Variant{"None", 1}, "is not an exact integer"}, {tOption, "x", "string is not"},
		{tEnum, "Three", `has no variant "Three", only None, One, Two, Named`}, {tEnum, "none", `has no variant "none"`}, {tEnum, nil, "nil is no variant"}, {tEnum, 1, "int is no variant"},
		{tEnum, map[string]any{}, "no variant"}, {tEnum, map[string]any{"None": nil, "One": 1}, "no variant"}, {tEnum, map[string]any{"None": 1}, "int is not a list of 0"},
		{tEnum, "One", "nil is not an exact integer"}, {tEnum, "Named", "nil is not a record of {a: u8}"}, {tEnum, (*Variant)(nil), "no variant"},
		{tEnum, struct{ One, None *uint16 }{}, "no variant"}, {tEnum, struct{ One, None *uint16 }{new(uint16), new(uint16)}, "no variant"},
		{tLsb8, Text("101"), `"101" is no bit sequence`}, {tLsb8, Text("0b12"), "no bit sequence"}, {tLsb8, 1, "no bit sequence"}, {tNoBits, Bits{}, "unknown store"},
		{tList, 1, "int is not a list"}, {tList, []any{1, "x"}, "[1] (u16): string"}, {tList, Text("[1]"), "not a list"}, {tArray, []any{1}, "1 elements are given for 2"}, {tList, nil, "nil is not a list"},
		{tTree, deep, "nests deeper"}, {tLoop, 1, "nests deeper"}, {tVoid, "A", "has no variant"}, {10000, 1, "type 10000: is not in this metadata"},
	} {
		got, err := m.Encode(nil, c.id, c.v)
		var e *Error
		if got != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: encode %T: %x, %v, want %q", m.TypeName(c.id), c.v, got, err, c.want)
		}
	}
}

// What must not be decoded: every value has one form.
func TestDecodeRefused(t *testing.T) {
	m := shapes(t)
	for _, c := range []struct {
		id    TypeID
		bytes string
		want  string
	}{
		{tBool, "02", "0x02 is neither 0 nor 1"}, {tOption, "020000", "0x02 is neither"}, {tChar, "00d80000", "0xd800 is no letter"}, {tChar, "ffffffff", "no letter"},
		{tStr, "04ff", "not UTF-8"}, {tStr, "0861", "needs 2 bytes, 1 are left"}, {tStr, "fd0061", "longer than it needs"},
		{tBytes, "feffffff", "needs 1073741823 bytes, 0 are left"}, {tBytes, "13ffffffffffffffff", "needs 18446744073709551615 bytes"}, {tBytes, "33ffffffffffffffffffffffffffffffff", "exceeds 64 bits"},
		{tHash, "010203", "needs 4 bytes, 3 are left"}, {tU16, "00", "needs 2"}, {tU16, "000000", "1 of 3 bytes follow"}, {tI256, "00", "needs 32"}, {tU64, "", "needs 8"},
		{tEnum, "03", "no variant of index 3"}, {tEnum, "", "needs 1"}, {tVoid, "00", "no variant of index 0"}, {tEnum, "0203", "[1] (bool): needs 1"},
		{tRecord, "0102", "long_name (Option<u16>): the byte"}, {tPair, "0102", "[1] (bool)"}, {tList, "0801000", ""}, {tList, "08010002", "[1] (u16): needs 2"},
		{tCompact16, "02000400", "65536 exceeds a u16"}, {tCompact16, "fd00", "longer"}, {tCompact, "37" + strings.Repeat("ff", 17), "exceeds a u128"}, {tCompactS, "00", "is not an integer"},
		{tLsb8, "0c0d", "bit set beyond its 3"}, {tLsb8, "feffffff", "needs"}, {tMsb16, "2481", "needs"}, {tMsb16, "24c000", "bit set beyond"}, {tNoBits, "00", "unknown store"},
		{tUnits, "feffffff", "too many values of no bytes"}, {tLoop, "00", "nests deeper"}, {tTree, strings.Repeat("04", 200) + "00", "nests deeper"}, {10000, "", "not in this metadata"},
	} {
		b, _ := hex.DecodeString(c.bytes) // an odd digit is dropped
		var v any
		err := m.Decode(c.id, b, &v)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: decode %s: %v, %v, want %q", m.TypeName(c.id), c.bytes, v, err, c.want)
		}
		if m.Decode(c.id, b, nil) == nil {
			t.Errorf("%s: pass over %s: no error", m.TypeName(c.id), c.bytes)
		}
	}
}

// A runtime can nest types so that no bytes hold 2^100 values.
func TestDecodeNothingForever(t *testing.T) {
	types := []Type{{Kind: KindTuple}}
	for i := range TypeID(100) {
		types = append(types, Type{Kind: KindTuple, Fields: unnamed(i, i)})
	}
	types = append(types, Type{Kind: KindArray, Elem: 0, Len: math.MaxUint32}, Type{Kind: KindArray, Elem: 101, Len: math.MaxUint32})
	m := made(t, types...)
	for _, id := range []TypeID{100, 101, 102} {
		var v any
		if err := m.Decode(id, nil, &v); err == nil || !strings.Contains(err.Error(), "too many values of no bytes") {
			t.Errorf("type %d: %v", id, err)
		}
		if err := m.Decode(id, nil, nil); err == nil {
			t.Errorf("passing over type %d: no error", id)
		}
		if !m.IsEmpty(id) {
			t.Errorf("type %d is not empty", id)
		}
	}
}

func TestErrorPath(t *testing.T) {
	m := load(t, "localnet-461-v15")
	transfer := func(value any) any {
		return &Variant{"Balances", map[string]any{"transfer_keep_alive": map[string]any{"dest": map[string]any{"Id": make([]byte, 32)}, "value": value}}}
	}
	_, err := m.EncodeCall(nil, "Utility", "batch_all", map[string]any{"calls": []any{transfer(1), transfer(2.5)}})
	var e *Error
	if !errors.As(err, &e) || e.Path != "calls[1].value" || e.Reason != "float64 is not an exact integer" {
		t.Errorf("%v", err)
	}
	if want := "encode call Utility.batch_all: calls[1].value (Compact<subtensor_runtime_common::TaoBalance>): float64 is not an exact integer"; err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// ---- Go types

type sampleRecord struct {
	LongName *uint32
	A        int
	Gone     uint8 `scale:"was_here,optional"`
}

func TestDecodeInto(t *testing.T) {
	type name string
	type enum struct {
		One *uint64
		Two *struct {
			N    uint8
			Flag bool
		}
		Named *struct{ A uint8 }
	}
	one, n := uint64(1), uint32(2)
	m := shapes(t)
	for _, c := range []struct {
		id    TypeID
		bytes string
		want  any // a value of the Go type to decode into
	}{
		{tU8, "ff", uint8(255)}, {tU8, "ff", 255}, {tU8, "ff", uint64(255)}, {tU64, "0500000000000000", uint8(5)}, {tI8, "ff", -1}, {tI64, "0500000000000000", uint8(5)},
		{tU64, "0500000000000000", *big.NewInt(5)}, {tU128, "05" + strings.Repeat("00", 15), uint64(5)}, {tI128, strings.Repeat("ff", 16), -1}, {tI128, strings.Repeat("ff", 16), *big.NewInt(-1)},
		{tI8, "ff", *big.NewInt(-1)}, {tU128, "05" + strings.Repeat("00", 15), big.NewInt(5)}, {tCompact, "14", big.NewInt(5)}, {tCompact16, "14", uint8(5)}, {tNewtype, "0500", uint32(5)},
		{tBool, "01", true}, {tStr, "0461", "a"}, {tStr, "0461", name("a")}, {tChar, "61000000", "a"}, {tEnum, "00", name("None")},
		{tBytes, "080102", []byte{1, 2}}, {tBytes, "080102", json.RawMessage{1, 2}}, {tHash, "01020304", [4]byte{1, 2, 3, 4}}, {tHash, "01020304", []byte{1, 2, 3, 4}},
		{tBytes, "080102", []uint16{1, 2}}, {tHash, "01020304", [4]uint16{1, 2, 3, 4}}, {tList, "0801000200", []uint8{1, 2}}, {tArray, "01000200", [2]int{1, 2}}, {tArray, "01000200", []int{1, 2}},
		{tRecord, "01010200", sampleRecord{&n, 1, 0}}, {tRecord, "0100", sampleRecord{nil, 1, 0}}, {tRecord, "0100", struct{ A uint8 }{1}}, {tRecord, "01010200", struct{}{}},
		{tRecord, "0100", &Record{[]Field{{"a", uint8(1)}, {"long_name", nil}}}}, {tEnum, "010100", &Variant{"One", uint16(1)}}, {tRecord, "0100", &sampleRecord{nil, 1, 0}},
		{tPair, "0501", struct {
			N int
			B bool
		}{5, true}}, {tEmpty, "", struct{}{}}, {tUnit, "", struct{}{}},
		{tOption, "00", (*uint16)(nil)}, {tOption, "010100", &one}, {tOptUnit, "01", &struct{}{}},
		{tEnum, "010100", enum{One: &one}}, {tEnum, "0904", enum{Named: &struct{ A uint8 }{4}}}, {tEnum, "00", enum{}},
		{tLsb8, "0c05", Bits{true, false, true}}, {tLsb8, "0c05", []bool{true, false, true}}, {tUnits, "08", []struct{}{{}, {}}},
		{tTuple, "010461", struct {
			N any
			S any
		}{uint8(1), "a"}},
	} {
		into := reflect.New(reflect.TypeOf(c.want))
		err := m.Decode(c.id, unhex(t, c.bytes), into.Interface())
		if err != nil || !reflect.DeepEqual(into.Elem().Interface(), c.want) {
			t.Errorf("%s: decode %s: %v, %v, want %v", m.TypeName(c.id), c.bytes, into.Elem().Interface(), err, c.want)
		}
	}
}

func TestDecodeIntoRefused(t *testing.T) {
	m := shapes(t)
	for _, c := range []struct {
		id    TypeID
		bytes string
		into  any
		want  string
	}{
		{tU16, "0001", new(uint8), "256 does not fit the Go type uint8"}, {tU8, "ff", new(int8), "255 does not fit"}, {tI8, "ff", new(uint64), "-1 does not fit"}, {tU64, "ffffffffffffffff", new(int64), "does not fit"},
		{tU128, strings.Repeat("ff", 16), new(uint64), "does not fit"}, {tI128, strings.Repeat("ff", 15) + "80", new(int64), "does not fit"}, {tCompact, "33" + strings.Repeat("ff", 16), new(uint64), "does not fit"},
		{tU8, "01", new(float64), "does not fit the Go type float64"}, {tU8, "01", new(string), "does not fit"}, {tU8, "01", new(bool), "does not fit"}, {tBool, "01", new(uint8), "does not fit"}, {tStr, "0461", new([]byte), "does not fit"},
		{tBytes, "0401", new(string), "does not fit"}, {tBytes, "0401", new([2]byte), "has 1 elements"}, {tHash, "01020304", new([5]byte), "has 4 elements"}, {tList, "040100", new(map[int]int), "does not fit"},
		{tRecord, "0100", new(uint8), "does not fit"}, {tRecord, "0100", new(struct{ B uint8 }), `has no field "b", which the Go type struct { B uint8 } wants`}, {tRecord, "01010200", new(struct{ LongName uint16 }), "long_name (Option<u16>): is an Option"},
		{tPair, "0501", new(struct{ N int }), "has 2 unnamed fields"}, {tOption, "00", new(uint16), "use a pointer"}, {tEnum, "010100", new(string), "One carries (u16)"}, {tEnum, "00", new(int), "does not fit"},
		{tEnum, "010100", new(struct{ One uint16 }), "no pointer for One"}, {tLsb8, "00", new([]byte), "does not fit"}, {tList, "0401", new([]uint16), "[0] (u16): needs 2"}, {tU8, "01", new(fmt.Stringer), "does not fit"},
		{tU8, "01", nil, ""}, {tU8, "01", 5, "no pointer"}, {tU8, "01", (*uint8)(nil), "no pointer, or nil"}, {tU8, "01", (*any)(nil), "no pointer, or nil"}, {tU8, "01", new(*Record), "does not fit"},
		{tUnits, "feffffff", new([]struct{}), "too many values of no bytes"}, {tLoop, "01", new(uint8), "nests deeper"}, {tEnum, "0203", new(struct{}), "needs 1"},
	} {
		err := m.Decode(c.id, unhex(t, c.bytes), c.into)
		if c.into == nil {
			if err != nil {
				t.Errorf("passing over a value: %v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: decode %s into %T: %v, want %q", m.TypeName(c.id), c.bytes, c.into, err, c.want)
		}
	}
}

// A length that lies takes no memory.
func TestHostileLength(t *testing.T) {
	m := shapes(t)
	b := append(EncodeCompact(nil, 1<<40), 1, 0)
	for name, into := range map[string]any{"dynamic": new(any), "slice": new([]uint16), "wide": new([][1 << 16]byte), "skip": nil} {
		if n := testing.AllocsPerRun(1, func() {
			if err := m.Decode(tList, b, into); err == nil {
				t.Errorf("%s: no error", name)
			}
		}); n > 40 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// ---- Go forms

type account [4]byte

func (a account) String() string { return "@" + hex.EncodeToString(a[:]) }

var errNoAccount = errors.New("is no account")

func customized(tb testing.TB) *Metadata {
	m := shapes(tb)
	m.Customize("account::Id", Custom{
		Encode: func(v any) (any, error) {
			switch x := v.(type) {
			case account:
				return x[:], nil
			case Text:
				b, ok := strings.CutPrefix(string(x), "@")
				if !ok {
					return nil, errNoAccount
				}
				return Text("0x" + b), nil
			}
			return v, nil
		},
		Decode: func(v any) (any, error) {
			a := account(v.([]byte))
			if a == (account{}) {
				return nil, errNoAccount
			}
			return a, nil
		},
	})
	m.Customize("no::Such", Custom{})
	return m
}

func TestCustomize(t *testing.T) {
	m := customized(t)
	want := unhex(t, "080102030405060708")
	list := []any{account{1, 2, 3, 4}, Text("@05060708")}
	if got, err := m.Encode(nil, tAccounts, list); err != nil || !bytes.Equal(got, want) {
		t.Errorf("encode: %x, %v", got, err)
	}
	if got, err := m.Encode(nil, tAccount, []byte{1, 2, 3, 4}); err != nil || !bytes.Equal(got, want[1:5]) {
		t.Errorf("encode bytes: %x, %v", got, err)
	}
	var v any
	if err := m.Decode(tAccounts, want, &v); err != nil || fmt.Sprint(v) != "[@01020304 @05060708]" {
		t.Errorf("decode: %v, %v", v, err)
	}
	var accounts []account
	if err := m.Decode(tAccounts, want, &accounts); err != nil || fmt.Sprint(accounts) != "[@01020304 @05060708]" {
		t.Errorf("decode: %v, %v", accounts, err)
	}
	var raw [][4]uint8
	if err := m.Decode(tAccounts, want, &raw); err != nil || len(raw) != 2 || raw[1] != [4]uint8{5, 6, 7, 8} {
		t.Errorf("decode without the form: %v, %v", raw, err)
	}
	var slices [][]byte
	if err := m.Decode(tAccounts, want, &slices); err != nil || len(slices) != 2 || !bytes.Equal(slices[0], want[1:5]) {
		t.Errorf("decode without the form: %v, %v", slices, err)
	}
}

func TestCustomRefuses(t *testing.T) {
	m := customized(t)
	_, err := m.Encode(nil, tAccounts, []any{Text("5xyz")})
	var e *Error
	if !errors.As(err, &e) || e.Path != "[0]" || !errors.Is(err, errNoAccount) {
		t.Errorf("encode: %v", err)
	}
	var v any
	if err := m.Decode(tAccount, make([]byte, 4), &v); !errors.Is(err, errNoAccount) {
		t.Errorf("decode: %v", err)
	}
	var a account
	if err := m.Decode(tAccount, make([]byte, 4), &a); !errors.Is(err, errNoAccount) {
		t.Errorf("decode: %v", err)
	}
	if err := m.Decode(tAccount, make([]byte, 3), &a); err == nil || errors.Is(err, errNoAccount) {
		t.Errorf("decode three bytes: %v", err)
	}
}

// ---- Valuer

type wrapped struct{ v any }

func (w wrapped) SCALE() any { return w.v }

type endlessValuer struct{}

func (e endlessValuer) SCALE() any { return e }

func TestValuer(t *testing.T) {
	m := shapes(t)
	if got, err := m.Encode(nil, tList, []wrapped{{1}, {wrapped{uint8(2)}}}); err != nil || hex.EncodeToString(got) != "0801000200" {
		t.Errorf("%x, %v", got, err)
	}
	if got, err := m.Encode(nil, tOption, wrapped{nil}); err != nil || hex.EncodeToString(got) != "00" {
		t.Errorf("%x, %v", got, err)
	}
	if got, err := m.Encode(nil, tOption, (*wrapped)(nil)); err != nil || hex.EncodeToString(got) != "00" {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := m.Encode(nil, tU8, endlessValuer{}); err == nil {
		t.Error("an endless Valuer is encoded")
	}
}

// ---- calls

// Calls as the codec of Bittensor's own Python library encodes them
// (bittensor-core 0.1.5).
func TestCalls(t *testing.T) {
	m := load(t, "localnet-461-v15")
	id := func(hex string) any { return map[string]any{"Id": unhex(t, hex)} }
	transfer := func(to string, value any) any {
		return wrapped{&Variant{"Balances", &Variant{"transfer_keep_alive", map[string]any{"dest": id(to), "value": value}}}}
	}
	remark := map[string]any{"System": map[string]any{"remark": map[string]any{"remark": Text("0xdeadbeef")}}}
	const hotkey = "b220508024ce70b0dd91910806fbda4614701cb762f669276fe978636c4ff80c"
	const charlie = "90b5ab205c6974c9ea841be688864633dc9ca8a357843eeacf2314649965fe22"
	for _, c := range []struct {
		pallet, name string
		args         map[string]any
		want         string
	}{
		{"Balances", "transfer_keep_alive", map[string]any{"dest": id(bob), "value": json.Number("12345")}, "050300" + bob + "e5c0"},
		{"SubtensorModule", "add_stake", map[string]any{"hotkey": Text("0x" + hotkey), "netuid": 1, "amount_staked": Text("1000000000")}, "0702" + hotkey + "010000ca9a3b00000000"},
		{"SubtensorModule", "set_weights", map[string]any{"netuid": 1, "dests": []uint16{0, 1}, "weights": []any{Text("100"), 200}, "version_key": uint64(0)}, "070001000800000100086400c8000000000000000000"},
		{"System", "remark", map[string]any{"remark": []byte{0, 1, 2, 3}}, "00001000010203"},
		{"Sudo", "sudo", map[string]any{"call": remark}, "0c00000010deadbeef"},
		{"Utility", "batch", map[string]any{"calls": []any{transfer(bob, 1), transfer(charlie, 2)}}, "0b0008050300" + bob + "04050300" + charlie + "08"},
		{"Proxy", "proxy", map[string]any{"real": id(alice), "force_proxy_type": "Transfer", "call": transfer(bob, 1)}, "100000" + alice + "010a050300" + bob + "04"},
	} {
		got, err := m.EncodeCall([]byte{1}, c.pallet, c.name, c.args)
		if err != nil || hex.EncodeToString(got) != "01"+c.want {
			t.Errorf("%s.%s = %x, %v, want %s", c.pallet, c.name, got, err, c.want)
			continue
		}
		pallet, name, args, rest, err := m.DecodeCall(append(got[1:], 0xee))
		if pallet != c.pallet || name != c.name || len(args.Fields) != len(c.args) || !bytes.Equal(rest, []byte{0xee}) || err != nil {
			t.Errorf("%s is %s.%s %v, rest %x, %v", c.want, pallet, name, args, rest, err)
		}
	}
}

func TestCallsRefused(t *testing.T) {
	m := load(t, "localnet-461-v15")
	for _, c := range []struct {
		pallet, name string
		args         map[string]any
		want         string
	}{
		{"Balancez", "transfer", nil, `has no variant "Balancez"`},
		{"Balances", "transfer", nil, `has no variant "transfer", only transfer_allow_death`},
		{"System", "remark", nil, "remark (Vec<u8>): is missing"},
		{"System", "remark", map[string]any{"remark": "", "more": 1}, `has no field "more"`},
	} {
		if _, err := m.EncodeCall(nil, c.pallet, c.name, c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s.%s: %v, want %q", c.pallet, c.name, err, c.want)
		}
	}
	for _, b := range []string{"", "ff", "05ff", "0503"} {
		if _, _, _, _, err := m.DecodeCall(unhex(t, b)); err == nil {
			t.Errorf("0x%s is a call", b)
		}
	}
	if _, _, _, _, err := made(t, Type{Kind: KindPrimitive, Primitive: U8}).DecodeCall([]byte{1}); err == nil {
		t.Error("a u8 is a call")
	}
}

func TestCallWithoutArguments(t *testing.T) {
	m := load(t, "localnet-461-v15")
	b, err := m.EncodeCall(nil, "SafeMode", "enter", nil)
	if err != nil {
		t.Fatal(err)
	}
	if pallet, name, args, rest, err := m.DecodeCall(b); pallet != "SafeMode" || name != "enter" || args == nil || len(args.Fields)+len(rest) > 0 || err != nil {
		t.Errorf("%s.%s %v %x %v", pallet, name, args, rest, err)
	}
}

// Metadata serves any number of goroutines.
func TestConcurrent(t *testing.T) {
	m := load(t, "finney-393-v16")
	id := m.Pallet("System").Entry("Account").Value
	b := m.Pallet("System").Entry("Account").Default
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var v any
			info := new(accountInfo)
			for range 50 {
				if err := errors.Join(m.Decode(id, b, &v), m.Decode(id, b, info)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// accountInfo is System.Account as a caller would declare it.
type accountInfo struct {
	Nonce, Consumers, Providers, Sufficients uint32
	Data                                     accountData
}

type accountData struct {
	Free, Reserved uint64
	Frozen         uint64 `scale:"frozen,optional"`
}

func TestAccountInfo(t *testing.T) {
	b := slices.Concat([]byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0}, unhex(t, "00ca9a3b00000000"+"0500000000000000"+"0600000000000000"+"00000000000000000000000000000080"))
	var info accountInfo
	m := load(t, "finney-393-v16")
	id := m.Pallet("System").Entry("Account").Value
	if err := m.Decode(id, b, &info); err != nil || info != (accountInfo{1, 2, 3, 4, accountData{1e9, 5, 6}}) {
		t.Errorf("%+v, %v", info, err)
	}
	m = load(t, "testfinney-103-v14") // misc_frozen and fee_frozen in place of frozen and flags
	id = m.Pallet("System").Entry("Account").Value
	if err := m.Decode(id, b[:48], &info); err != nil || info.Data.Free != 1e9 {
		t.Errorf("%+v, %v", info, err)
	}
}
