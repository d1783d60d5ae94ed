package scale

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/big"
	"testing"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// The values around every change of form, with the bytes of the SCALE reference.
func TestCompact(t *testing.T) {
	for _, c := range []struct {
		v    uint64
		want string
	}{
		{0, "00"}, {1, "04"}, {42, "a8"}, {63, "fc"},
		{64, "0101"}, {69, "1501"}, {16383, "fdff"},
		{16384, "02000100"}, {65535, "feff0300"}, {1<<30 - 1, "feffffff"},
		{1 << 30, "0300000040"}, {1<<32 - 1, "03ffffffff"}, {1 << 32, "070000000001"},
		{100000000000000, "0b00407a10f35a"}, {1 << 56, "130000000000000001"}, {math.MaxUint64, "13ffffffffffffffff"},
	} {
		want := unhex(t, c.want)
		if got := EncodeCompact(nil, c.v); !bytes.Equal(got, want) {
			t.Errorf("EncodeCompact(%d) = %x, want %s", c.v, got, c.want)
		}
		v, rest, err := DecodeCompact(append(want, 7))
		if v != c.v || !bytes.Equal(rest, []byte{7}) || err != nil {
			t.Errorf("DecodeCompact(%s07) = %d, %x, %v", c.want, v, rest, err)
		}
	}
}

func TestCompactRefused(t *testing.T) {
	for name, b := range map[string]string{
		"empty":                   "",
		"cut in two bytes":        "01",
		"cut in four bytes":       "020001",
		"cut in many bytes":       "0300",
		"63 in two bytes":         "fd00",
		"16383 in four bytes":     "feff0000",
		"2^30-1 in five bytes":    "03ffffff3f",
		"a leading zero byte":     "07ffffffff00",
		"2^64":                    "17000000000000000001",
		"over the longest number": "ff",
	} {
		if v, _, err := DecodeCompact(unhex(t, b)); err == nil {
			t.Errorf("%s: 0x%s is read as %d", name, b, v)
		}
	}
}

func TestCompactBig(t *testing.T) {
	n := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	b := encodeCompactBig(nil, n)
	if want := unhex(t, "33ffffffffffffffffffffffffffffffff"); !bytes.Equal(b, want) {
		t.Fatalf("%s = %x, want %x", n, b, want)
	}
	c := cursor{b: b}
	if _, large := c.compactAny(); c.err != nil || large.Cmp(n) != 0 {
		t.Fatalf("0x%x is read as %s, %v", b, large, c.err)
	}
}
