// Package tao holds the values that the rest of the program speaks in: amounts
// of TAO and alpha, subnets, accounts, hashes and signatures. Each is parsed
// strictly, printed in one way, and travels through JSON unchanged.
//
// The package does no I/O, reads no clock and knows no chain.
package tao

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Amount is a sum of TAO in rao. One TAO is 1e9 rao; the whole supply, 21
// million TAO, is 2.1e16 rao and fits with room to spare.
type Amount uint64

// Alpha is a sum of one subnet's own token, in the same scale: 1e9 to the
// alpha. The alpha of two subnets never mix, and alpha never mixes with TAO;
// the type keeps them apart. On netuid 0 one alpha is one TAO.
type Alpha uint64

// Rao, TAO and their alpha twin are the units of the two types.
const (
	Rao      Amount = 1
	TAO      Amount = 1_000_000_000
	OneAlpha Alpha  = 1_000_000_000
)

// decimals is how many digits stand behind the point: 1 TAO = 10^9 rao.
const decimals = 9

// AmountError says why a text is no amount.
type AmountError struct {
	Text   string // as given
	Reason string // "has more than 9 decimals"
}

func (e *AmountError) Error() string { return fmt.Sprintf("amount %q %s", e.Text, e.Reason) }

// ParseAmount reads an amount of TAO: "10", "0.5", "0.000000001". Digits, one
// point and nothing else: no sign, exponent, unit or thousands separator, at
// most 9 decimals. Errors are *AmountError.
func ParseAmount(s string) (Amount, error) {
	v, err := parseUnits(s)
	return Amount(v), err
}

// ParseAlpha reads an amount of alpha, by the rules of [ParseAmount].
func ParseAlpha(s string) (Alpha, error) {
	v, err := parseUnits(s)
	return Alpha(v), err
}

func parseUnits(s string) (uint64, error) {
	fail := func(reason string) (uint64, error) { return 0, &AmountError{Text: s, Reason: reason} }
	whole, frac, point := strings.Cut(s, ".")
	switch {
	case s == "":
		return fail("is empty")
	case strings.HasPrefix(s, "-"):
		return fail("is negative")
	case strings.ContainsAny(s, ",_' "):
		return fail("has a separator: write digits and one point, as in 1234.5")
	case !digits(whole) || !digits(frac):
		return fail("is not a decimal number: write digits and one point, as in 1234.5")
	case whole == "" || point && frac == "":
		return fail("needs digits on both sides of the point")
	case len(frac) > decimals:
		return fail("has more than 9 decimals: the smallest unit is 0.000000001")
	}
	// The text is digits only, so padding turns it into a whole number of rao.
	v, err := strconv.ParseUint(whole+frac+strings.Repeat("0", decimals-len(frac)), 10, 64)
	if err != nil {
		return fail("is too large: at most 18446744073.709551615")
	}
	return v, nil
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

func formatUnits(v uint64) string {
	const unit = uint64(TAO)
	whole, frac := v/unit, v%unit
	if frac == 0 {
		return strconv.FormatUint(whole, 10)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%09d", whole, frac), "0")
}

// String prints TAO exactly and without a unit: "10", "0.5". ParseAmount reads
// it back.
func (a Amount) String() string { return formatUnits(uint64(a)) }

// String prints alpha exactly and without a unit.
func (a Alpha) String() string { return formatUnits(uint64(a)) }

// MarshalText prints TAO as a decimal text, so that JSON carries a string: a
// balance in rao can exceed the 2^53 that JavaScript's numbers hold.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (a *Amount) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAmount(string(b))
	return err
}

// MarshalText prints alpha as a decimal text.
func (a Alpha) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (a *Alpha) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAlpha(string(b))
	return err
}

// Add returns a+b, and false where the sum does not fit.
func (a Amount) Add(b Amount) (Amount, bool) {
	sum, carry := bits.Add64(uint64(a), uint64(b), 0)
	return Amount(sum), carry == 0
}

// Sub returns a-b, and false where b is larger than a.
func (a Amount) Sub(b Amount) (Amount, bool) {
	if b > a {
		return 0, false
	}
	return a - b, true
}

// Less returns a-b, or zero where b is larger: what is left of a.
func (a Amount) Less(b Amount) Amount {
	left, _ := a.Sub(b)
	return left
}
