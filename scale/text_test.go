package scale

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
)

func TestParseJSON(t *testing.T) {
	for _, c := range []struct {
		s    string
		want any
	}{
		{`null`, nil}, {`true`, true}, {` 1 `, json.Number("1")}, {`-1.5e3`, json.Number("-1.5e3")}, {`"a\u00fc"`, Text("aü")}, {`[]`, []any{}}, {`{}`, map[string]any{}},
		{`123456789012345678901234567890`, json.Number("123456789012345678901234567890")},
		{`{"a":[1,"0x",{"b":null}],"c":false}`, map[string]any{"a": []any{json.Number("1"), Text("0x"), map[string]any{"b": nil}}, "c": false}},
	} {
		if got, err := ParseJSON(c.s); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s is %#v, %v, want %#v", c.s, got, err, c.want)
		}
	}
}

func TestParseJSONRefused(t *testing.T) {
	for s, want := range map[string]string{
		``: "unexpected EOF", `[1`: "unexpected EOF", `{"a":`: "unexpected EOF", `{"a":1,"a":2}`: `the key "a" occurs twice`, `[{"b":{"a":1,"\u0061":2}}]`: `"a" occurs twice`,
		`1 2`: "something follows", `{} x`: "invalid character", `[1 2]`: "invalid character", `{"a" 1}`: "invalid character", `{1:2}`: "parse JSON", `[1,]`: "parse JSON", `{"a":1,}`: "parse JSON",
		`nul`: "parse JSON", `01`: "parse JSON", `'a'`: "invalid character", "\"\xff\"": "not UTF-8", `]`: "parse JSON", `{]`: "parse JSON", `[}`: "parse JSON", `:`: "parse JSON", `,1`: "parse JSON",
		strings.Repeat("[", 200) + strings.Repeat("]", 200): "nests deeper than 128",
	} {
		if v, err := ParseJSON(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is %#v, %v, want %q", s, v, err, want)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, `null`}, {true, `true`}, {uint8(1), `1`}, {int32(-1), `-1`}, {uint64(1 << 63), `"9223372036854775808"`}, {int64(-1), `"-1"`}, {big.NewInt(5), `"5"`},
		{[]byte{1, 255}, `"0x01ff"`}, {"<a> & \"b\"\n", `"<a> & \"b\"\n"`}, {Bits{true, false}, `"0b10"`}, {Text("a"), `"a"`}, {json.Number("5"), `5`}, {account{1, 2}, `[1,2,0,0]`},
		{[]any{}, `[]`}, {[]any{uint8(1), nil}, `[1,null]`}, {&Record{}, `{}`}, {&Record{[]Field{{"z", uint16(1)}, {"a", uint64(1)}}}, `{"z":1,"a":"1"}`},
		{map[string]any{"z": 1, "a": 2}, `{"a":2,"z":1}`}, {&Variant{"A", nil}, `"A"`}, {&Variant{"A", []any{}}, `{"A":[]}`}, {&Variant{"Some", nil}, `{"Some":null}`},
		{(*Record)(nil), `null`}, {(*Variant)(nil), `null`},
	} {
		if got, err := JSON(c.v); err != nil || string(got) != c.want {
			t.Errorf("%#v is %s, %v, want %s", c.v, got, err, c.want)
		}
	}
}

func TestJSONRefused(t *testing.T) {
	loop := []any{nil}
	loop[0] = loop
	for _, v := range []any{1.5, float32(1), []any{1.5}, &Record{[]Field{{"a", 1.5}}}, func() {}, loop, &Variant{"A", loop}} {
		if got, err := JSON(v); err == nil {
			t.Errorf("%T is %s", v, got)
		}
	}
}

// Inside a caller's struct a dynamic value prints as JSON does.
func TestMarshalJSON(t *testing.T) {
	got, err := json.Marshal(struct {
		R *Record
		V *Variant
		B Bits
	}{&Record{[]Field{{"a", uint64(1)}}}, &Variant{"A", []byte{1}}, Bits{true}})
	if want := `{"R":{"a":"1"},"V":{"A":"0x01"},"B":"0b1"}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

func TestRecordGet(t *testing.T) {
	r := &Record{[]Field{{"a", 1}, {"b", nil}}}
	if v, ok := r.Get("a"); v != 1 || !ok {
		t.Error(v, ok)
	}
	if v, ok := r.Get("b"); v != nil || !ok {
		t.Error(v, ok)
	}
	if _, ok := r.Get("c"); ok {
		t.Error("c is found")
	}
	if _, ok := (*Record)(nil).Get("a"); ok {
		t.Error("a nil record has a field")
	}
}

func TestSnakeCase(t *testing.T) {
	for s, want := range map[string]string{
		"A": "a", "Free": "free", "FeeFrozen": "fee_frozen", "IPType": "ip_type", "ID32": "id32", "LastUpdate": "last_update", "UID": "uid", "Ip4": "ip4",
	} {
		if got := snakeCase(s); got != want {
			t.Errorf("%s is %s, want %s", s, got, want)
		}
	}
}
