package tx

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Era is the span of blocks in which an extrinsic may be included. The zero
// Era is immortal: valid for ever, which is a risk a mortal one does not have.
//
// The chain takes a mortal era's period as a power of two between 4 and 65,536
// blocks (Substrate, primitives/runtime/src/generic/era.rs).
type Era struct {
	Period    uint32   // blocks; 0 is immortal
	Birth     uint32   // the block at which the span begins
	BirthHash tao.Hash // hash of that block: signed, so that another fork's chain refuses it
}

// Bounds of a mortal era's period, in blocks, and the default: 64 blocks are
// about 13 minutes at 12 seconds a block.
const (
	MinPeriod     = 4
	MaxPeriod     = 1 << 16
	DefaultPeriod = 64
)

// RoundPeriod returns the least period that the chain can express and that
// lasts at least n blocks.
func RoundPeriod(n uint32) (uint32, error) {
	if n > MaxPeriod {
		return 0, fmt.Errorf("an era of %d blocks is too long: at most %d", n, MaxPeriod)
	}
	if n < MinPeriod {
		return MinPeriod, nil
	}
	return 1 << bits.Len32(n-1), nil
}

// MortalAt returns the era of the given period that begins at or shortly before
// the block current; birth is its first block. The two differ only for periods
// over 4,096 blocks, whose phase is kept in coarser steps.
func MortalAt(period, current uint32) (e Era) {
	phase := current % period
	phase -= phase % quantum(period)
	birth := current - current%period + phase
	return Era{Period: period, Birth: birth}
}

// quantum is the step in which a phase is kept: a 4,096th of the period.
func quantum(period uint32) uint32 { return max(period>>12, 1) }

// Immortal reports an era without an end.
func (e Era) Immortal() bool { return e.Period == 0 }

// Last is the last block that may include the extrinsic. ok is false for an
// immortal era, which has none.
func (e Era) Last() (block uint32, ok bool) {
	if e.Immortal() {
		return 0, false
	}
	return e.Birth + e.Period - 1, true
}

// value is the era as a value of the chain's Era enum: 256 variants, of which
// the first byte names one and the second is its field.
func (e Era) value() any {
	if e.Immortal() {
		return "Immortal"
	}
	exponent := uint16(bits.TrailingZeros32(e.Period))
	phase := uint16(e.Birth % e.Period / quantum(e.Period))
	encoded := min(max(exponent-1, 1), 15) | phase<<4
	return &scale.Variant{Name: "Mortal" + strconv.Itoa(int(encoded&0xff)), Value: uint8(encoded >> 8)}
}

// eraOf reads the chain's Era enum back. The enum holds period and phase; the
// birth depends on a block near which it was signed: the latest birth that is
// not after current.
func eraOf(v any, current uint32) (Era, error) {
	mortal, ok := v.(*scale.Variant)
	if name, isName := v.(string); isName && !ok {
		mortal = &scale.Variant{Name: name}
	} else if !ok {
		return Era{}, fmt.Errorf("era is a %T", v)
	}
	if mortal.Name == "Immortal" {
		return Era{}, nil
	}
	low, err := strconv.ParseUint(strings.TrimPrefix(mortal.Name, "Mortal"), 10, 8)
	high, ok := mortal.Value.(uint8)
	if err != nil || !ok {
		return Era{}, fmt.Errorf("era %s is not one of the chain's", mortal.Name)
	}
	encoded := uint16(low) | uint16(high)<<8
	period := uint32(2) << (encoded & 15)
	phase := uint32(encoded>>4) * quantum(period)
	if period < MinPeriod || phase >= period {
		return Era{}, fmt.Errorf("era %s(%d) has a phase beyond its period", mortal.Name, high)
	}
	return Era{Period: period, Birth: birthAt(period, phase, current)}, nil
}

// birthAt is the latest block with the given phase that is not after current.
func birthAt(period, phase, current uint32) uint32 {
	return (max(current, phase)-phase)/period*period + phase
}

// ParseEra reads the era of an offline draft: "immortal", or
// PERIOD:CURRENT:0xBIRTHHASH, where CURRENT is a recent block number and the
// hash is that of the era's first block, which for periods up to 4,096 blocks
// is CURRENT itself.
func ParseEra(s string) (Era, error) {
	if s == "immortal" {
		return Era{}, nil
	}
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return Era{}, fmt.Errorf("era %q is neither immortal nor PERIOD:CURRENT:0xBIRTHHASH", s)
	}
	period, err := strconv.ParseUint(parts[0], 10, 32)
	if err != nil || period < MinPeriod || period > MaxPeriod || period&(period-1) != 0 {
		return Era{}, fmt.Errorf("era period %q is not a power of two between %d and %d", parts[0], MinPeriod, MaxPeriod)
	}
	current, err := strconv.ParseUint(parts[1], 10, 32)
	if err != nil {
		return Era{}, fmt.Errorf("era block %q is not a block number", parts[1])
	}
	hash, err := tao.ParseHash(parts[2])
	if err != nil {
		return Era{}, fmt.Errorf("era birth: %w", err)
	}
	era := MortalAt(uint32(period), uint32(current))
	era.BirthHash = hash
	return era, nil
}

// String prints the era as ParseEra reads it.
func (e Era) String() string {
	if e.Immortal() {
		return "immortal"
	}
	return fmt.Sprintf("%d:%d:%s", e.Period, e.Birth, e.BirthHash)
}

// MarshalText prints the era as ParseEra reads it.
func (e Era) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (e *Era) UnmarshalText(b []byte) (err error) {
	*e, err = ParseEra(string(b))
	return err
}
