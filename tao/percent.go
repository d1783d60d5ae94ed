package tao

import (
	"fmt"
	"strings"
)

// Percent is a share in steps of a thousandth of a percent: 1% is 1000. It is
// exact, as a price limit must be.
type Percent uint32

// OnePercent and Whole are 1% and 100%.
const (
	OnePercent Percent = 1000
	Whole      Percent = 100 * OnePercent
)

// ParsePercent reads "5", "0.5%" or "0.125": digits, at most three decimals, an
// optional percent sign, at most 100.
func ParsePercent(s string) (Percent, error) {
	text := strings.TrimSuffix(s, "%")
	fail := func(reason string) (Percent, error) { return 0, fmt.Errorf("percentage %q %s", clip(s), reason) }
	whole, frac, point := strings.Cut(text, ".")
	switch {
	case whole == "" || point && frac == "" || !digits(whole) || !digits(frac):
		return fail("is not a number such as 5 or 0.5%")
	case len(frac) > 3:
		return fail("has more than 3 decimals")
	case len(strings.TrimLeft(whole, "0")) > 3:
		return fail("is over 100")
	}
	var p Percent
	for _, c := range whole + frac + strings.Repeat("0", 3-len(frac)) {
		p = p*10 + Percent(c-'0')
	}
	if p > Whole {
		return fail("is over 100")
	}
	return p, nil
}

// String prints the percentage with its sign: "5%", "0.5%".
func (p Percent) String() string {
	if p%OnePercent == 0 {
		return fmt.Sprintf("%d%%", p/OnePercent)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%03d", p/OnePercent, p%OnePercent), "0") + "%"
}

// MarshalText prints the percentage with its sign.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (p *Percent) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePercent(string(b))
	return err
}
