//go:build e2e && unix

package e2e

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

// text is a JSON string's content, or other JSON as it stands.
func text(raw json.RawMessage) string {
	var s *string // null is no string
	if json.Unmarshal(raw, &s) == nil && s != nil {
		return *s
	}
	return string(raw)
}

// total evaluates "1.5 + 2 - 3*0.000000001" given as words, in rao.
func total(words []string) (*big.Int, error) {
	sum, sign := new(big.Int), ""
	for i, w := range words {
		if i%2 == 1 {
			if w != "+" && w != "-" {
				return nil, fmt.Errorf("%q: want + or -", w)
			}
			sign = w
			continue
		}
		v, err := term(w)
		if err != nil {
			return nil, err
		}
		if sign == "-" {
			v.Neg(v)
		}
		sum.Add(sum, v)
	}
	return sum, nil
}

// term is an amount, or a whole number of times one: "3*0.5".
func term(s string) (*big.Int, error) {
	times, amount, ok := strings.Cut(s, "*")
	if !ok {
		return parseRao(s)
	}
	n, err := strconv.ParseInt(times, 10, 64)
	if err != nil {
		return nil, err
	}
	v, err := parseRao(amount)
	if err != nil {
		return nil, err
	}
	return v.Mul(v, big.NewInt(n)), nil
}

// parseRao reads a decimal amount of TAO, negative too, exactly. It is kept apart
// from package tao, whose arithmetic the scripts check.
func parseRao(s string) (*big.Int, error) {
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" || len(frac) > 9 {
		return nil, fmt.Errorf("%q: want a number with at most nine decimals", s)
	}
	v, ok := new(big.Int).SetString(whole+frac+strings.Repeat("0", 9-len(frac)), 10)
	if !ok {
		return nil, fmt.Errorf("%q: no amount", s)
	}
	return v, nil
}

func decimal(rao *big.Int) string {
	digits := fmt.Sprintf("%010s", new(big.Int).Abs(rao))
	cut := len(digits) - 9
	s := strings.TrimRight(strings.TrimRight(digits[:cut]+"."+digits[cut:], "0"), ".")
	if rao.Sign() < 0 {
		return "-" + s
	}
	return s
}

func TestTotal(t *testing.T) {
	for words, want := range map[string]string{
		"1.5":                             "1.5",
		"1000000 - 0.000000001":           "999999.999999999",
		"2 - 3*0.5":                       "0.5",
		"1 - 2.25 + 0.25":                 "-1",
		"0.000135261 + 0.000000001 - 0":   "0.000135262",
		"18446744073.709551615 + 1000000": "18447744073.709551615",
	} {
		sum, err := total(strings.Fields(words))
		if err != nil || decimal(sum) != want {
			t.Errorf("%s: %v, %v; want %s", words, sum, err, want)
		}
	}
	for _, bad := range []string{"1 * 2", "1.0000000001", "x", ""} {
		if sum, err := total(strings.Split(bad, " ")); err == nil {
			t.Errorf("%q: %v, want an error", bad, sum)
		}
	}
}
