//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

// lookUp finds a value in JSON by a path such as events.0.name; "." is the whole.
// "length" is that of a list. Strings come without quotes, the rest as JSON.
func lookUp(doc []byte, path string) (string, error) {
	rest := json.RawMessage(bytes.TrimSpace(doc))
	if path != "." {
		for _, step := range strings.Split(path, ".") {
			next, err := child(rest, step)
			if err != nil {
				return "", fmt.Errorf("%s: %w in %.300s", path, err, rest)
			}
			rest = next
		}
	}
	if !json.Valid(rest) {
		return "", fmt.Errorf("%s: not JSON: %.300s", path, rest)
	}
	return text(rest), nil
}

func child(parent json.RawMessage, step string) (json.RawMessage, error) {
	var list []json.RawMessage
	if json.Unmarshal(parent, &list) == nil {
		if step == "length" {
			return json.RawMessage(strconv.Itoa(len(list))), nil
		}
		i, err := strconv.Atoi(step)
		if err != nil || i < 0 || i >= len(list) {
			return nil, fmt.Errorf("no %s among %d", step, len(list))
		}
		return list[i], nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(parent, &object); err != nil {
		return nil, err
	}
	value, ok := object[step]
	if !ok {
		return nil, fmt.Errorf("no %s", step)
	}
	return value, nil
}

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

func TestLookUp(t *testing.T) {
	const doc = `{"a":[{"b":"x"},{"c":18446744073709551615}],"n":null}` + "\n"
	for path, want := range map[string]string{"a.0.b": "x", "a.1.c": "18446744073709551615", "a.length": "2", "n": "null", "a.0": `{"b":"x"}`} {
		if got, err := lookUp([]byte(doc), path); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
	for _, path := range []string{"z", "a.2", "a.x", "a.0.b.c"} {
		if got, err := lookUp([]byte(doc), path); err == nil {
			t.Errorf("%s: %q, want an error", path, got)
		}
	}
	if _, err := lookUp([]byte("oops"), "."); err == nil {
		t.Error("what is no JSON passes")
	}
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
