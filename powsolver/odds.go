package powsolver

import (
	"math"
	"time"
)

// A search has no memory: each seal meets the difficulty with the same chance,
// 1 in difficulty, however many failed before. So there is no time remaining that
// shrinks, only a chance within a time.

// Chance is the chance, 0 to 1, that a search at rate seals per second finds a
// solution within d.
func Chance(difficulty uint64, rate float64, d time.Duration) float64 {
	if d <= 0 || rate <= 0 {
		return 0
	}
	return -math.Expm1(-rate * d.Seconds() / float64(max(difficulty, 1)))
}

// Within is the time in which a search at rate seals per second finds a solution
// with the given chance: 0.5 gives the median. A time too long to tell, a chance
// of 1 or a rate of 0 give the longest Duration there is.
func Within(difficulty uint64, rate, chance float64) time.Duration {
	if chance <= 0 {
		return 0
	}
	seconds := -math.Log1p(-min(chance, 1)) * float64(max(difficulty, 1)) / rate
	if ns := seconds * float64(time.Second); ns < math.MaxInt64 {
		return time.Duration(ns)
	}
	return math.MaxInt64
}
