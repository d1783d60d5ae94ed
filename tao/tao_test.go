package tao

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
)

func TestParseAmount(t *testing.T) {
	good := map[string]Amount{
		"0":                     0,
		"1":                     TAO,
		"0.5":                   TAO / 2,
		"0.000000001":           1,
		"00010.50":              10*TAO + TAO/2,
		"21000000":              21_000_000 * TAO,
		"18446744073.709551615": math.MaxUint64,
	}
	for text, want := range good {
		if got, err := ParseAmount(text); err != nil || got != want {
			t.Errorf("ParseAmount(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	bad := map[string]string{
		"":                       "is empty",
		"-1":                     "is negative",
		"1,000":                  "separator",
		"1_000":                  "separator",
		"1 000":                  "separator",
		"1'000":                  "separator",
		"1.":                     "both sides",
		".5":                     "both sides",
		".":                      "both sides",
		"1.2.3":                  "not a decimal number",
		"1e9":                    "not a decimal number",
		"NaN":                    "not a decimal number",
		"Inf":                    "not a decimal number",
		"+1":                     "not a decimal number",
		"0x10":                   "not a decimal number",
		"10TAO":                  "not a decimal number",
		"١٢":                     "not a decimal number",
		"0.0000000001":           "more than 9 decimals",
		"18446744073.709551616":  "too large",
		strings.Repeat("9", 400): "too large",
	}
	for text, want := range bad {
		_, err := ParseAmount(text)
		var ae *AmountError
		if !errors.As(err, &ae) || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseAmount(%q): error %v, want one that says %q", text, err, want)
		}
	}
}

func TestAmountArithmetic(t *testing.T) {
	if _, ok := Amount(math.MaxUint64).Add(1); ok {
		t.Error("an overflowing sum passed")
	}
	if sum, ok := TAO.Add(Rao); !ok || sum != 1_000_000_001 {
		t.Errorf("1 TAO + 1 rao = %d, %v", sum, ok)
	}
	if _, ok := Rao.Sub(TAO); ok {
		t.Error("a negative difference passed")
	}
	if got := Rao.Less(TAO); got != 0 {
		t.Errorf("1 rao less 1 TAO = %d", got)
	}
}

const alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"

func TestParseAccount(t *testing.T) {
	a, err := ParseAccount(alice)
	if err != nil || a.String() != alice {
		t.Fatalf("ParseAccount(alice) = %s, %v", a, err)
	}
	bad := map[string]string{
		"":       "is empty",
		"0x1234": "is hex",
		"4jS":    "short", // these two panic in go-subkey (facts/libraries.md §2)
		"NZoQ":   "another network",
		"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ": "checksum",
		"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ":  "checksum",
		"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKut0Y": "'0'",
		"15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5": "prefix is 0", // Polkadot
		"HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F":  "prefix is 2", // Kusama
		strings.Repeat("5", 65):                            "too long",
		" " + alice:                                        "' '",
	}
	for text, want := range bad {
		_, err := ParseAccount(text)
		var ae *AddressError
		if !errors.As(err, &ae) || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseAccount(%q): error %v, want one that says %q", text, err, want)
		}
	}
}

func TestParsePercent(t *testing.T) {
	good := map[string]Percent{"5": 5000, "5%": 5000, "0.5%": 500, "0.125": 125, "100": Whole, "0": 0, "005": 5000}
	for text, want := range good {
		if got, err := ParsePercent(text); err != nil || got != want {
			t.Errorf("ParsePercent(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "%", "-1", "100.001", "101", "1e1", "0.1234", "1.", ".5", "5%%", "99999999999"} {
		if got, err := ParsePercent(text); err == nil {
			t.Errorf("ParsePercent(%q) = %d, want an error", text, got)
		}
	}
}

// What a value prints, its parser reads back, in text and in JSON.
func TestRoundTrip(t *testing.T) {
	account, _ := ParseAccount(alice)
	type all struct {
		Amount  Amount  `json:"amount"`
		Alpha   Alpha   `json:"alpha"`
		Account Account `json:"account"`
		Hash    Hash    `json:"hash"`
		Percent Percent `json:"percent"`
		Scheme  Scheme  `json:"scheme"`
		NetUID  NetUID  `json:"netuid"`
	}
	in := all{math.MaxUint64, 1, account, Hash{0: 1, 31: 0xff}, 12_345, Ed25519, 7}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"amount":"18446744073.709551615","alpha":"0.000000001","account":"` + alice + `",` +
		`"hash":"0x01000000000000000000000000000000000000000000000000000000000000ff","percent":"12.345%","scheme":"ed25519","netuid":7}`
	if string(text) != want {
		t.Errorf("JSON is\n%s\nwant\n%s", text, want)
	}
	var out all
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("read back %+v, %v", out, err)
	}
	for _, bad := range []string{`{"hash":"0x12"}`, `{"hash":"zz"}`, `{"scheme":"rsa"}`, `{"account":"x"}`, `{"amount":"1e3"}`, `{"percent":"200"}`} {
		if err := json.Unmarshal([]byte(bad), &out); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"1", "0.5", "1.", "18446744073.709551615", "-0", "1e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAmount(s)
		if err != nil {
			return
		}
		if b, err := ParseAmount(a.String()); err != nil || a != b {
			t.Errorf("%q is %d, printed %q, read back %d, %v", s, a, a, b, err)
		}
	})
}

func FuzzParseAccount(f *testing.F) {
	for _, s := range []string{alice, "4jS", "NZoQ", "1111", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := ParseAccount(s); err == nil && a.String() != s {
			t.Errorf("%q read as %s", s, a)
		}
	})
}

func FuzzParsePercent(f *testing.F) {
	for _, s := range []string{"5%", "0.125", "100", "1."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePercent(s)
		if err != nil {
			return
		}
		if q, err := ParsePercent(p.String()); err != nil || p != q {
			t.Errorf("%q is %d, printed %q, read back %d, %v", s, p, p, q, err)
		}
	})
}
