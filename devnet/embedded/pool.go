package embedded

import (
	"math/big"
	"math/bits"
)

// reserves are a subnet's pool: TAO and alpha, of which one is sold for the other
// at their product (Bittensor's pool from spec 423 on, with equal weights).
type reserves struct{ tao, alpha uint64 }

const (
	one        = 1_000_000_000 // rao of a TAO, and of an alpha
	leastLeft  = 1_000_000     // what must stay of what is paid out
	mostInput  = 1000          // times the reserve of what is paid in
	feeDivisor = 65535         // a fee rate is in parts of it
)

// mulDiv is a*b/c, rounded down. The result must fit.
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// mulDivUp rounds up.
func mulDivUp(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, r := bits.Div64(hi, lo, c)
	if r > 0 {
		q++
	}
	return q
}

// price is rao for a whole alpha.
func (p reserves) price() uint64 {
	if p.alpha == 0 {
		return 0
	}
	return mulDiv(p.tao, one, p.alpha)
}

// out is what a reserve pays for an input to the other one.
func out(in, inReserve, outReserve uint64) uint64 {
	return outReserve - mulDivUp(outReserve, inReserve, inReserve+in)
}

// possible refuses what a pool cannot do.
func possible(in, inReserve, outReserve uint64) error {
	switch {
	case inReserve == 0 || in/mostInput > inReserve:
		return moduleError{subtensorName, "InsufficientLiquidity"}
	case outReserve-out(in, inReserve, outReserve) < leastLeft:
		return moduleError{"Swap", "ReservesTooLow"}
	}
	return nil
}

// feeOf is the swap fee of an input, in the same coin.
func feeOf(input uint64, rate uint16) uint64 { return mulDiv(input, uint64(rate), feeDivisor) }

// gross is the largest input that leaves net behind its fee.
func gross(net uint64, rate uint16) uint64 {
	if net > 1<<63 {
		return net // as good as no limit
	}
	return net + mulDiv(net, uint64(rate), feeDivisor-uint64(rate))
}

// buyUpTo is how much TAO may come in, its fee not counted, before the price goes
// beyond a limit: the product stays, so TAO becomes sqrt(limit · product).
func (p reserves) buyUpTo(limit uint64) uint64 {
	return p.distance(p.tao, mul3(p.tao, p.alpha, limit, one))
}

// sellUpTo is how much alpha may come in before the price falls under a limit.
func (p reserves) sellUpTo(limit uint64) uint64 {
	if limit == 0 {
		return 1<<64 - 1
	}
	return p.distance(p.alpha, mul3(p.tao, p.alpha, one, limit))
}

// mul3 is a*b*c/d.
func mul3(a, b, c, d uint64) *big.Int {
	n := new(big.Int).SetUint64(a)
	n.Mul(n, new(big.Int).SetUint64(b))
	n.Mul(n, new(big.Int).SetUint64(c))
	return n.Div(n, new(big.Int).SetUint64(d))
}

// distance is how far a reserve is from the root of a square, 0 if it is beyond.
func (reserves) distance(reserve uint64, square *big.Int) uint64 {
	root := square.Sqrt(square)
	if !root.IsUint64() {
		return 1<<64 - 1
	}
	return max(root.Uint64(), reserve) - reserve
}
