package embedded

import (
	"encoding/binary"

	"github.com/taoctl/taoctl/scale"
)

// Fees are those of the chain: so much for a call's weight, and a rao for each byte
// (docs/devnet.md tells where they differ). Weights are made up: a transfer's is
// finney's, and a batch weighs as much as what is in it.
const (
	baseWeight     = 270_000_000 // of a call, in picoseconds
	feeOfWeight    = 2_000       // picoseconds for a rao
	weightOfBlocks = 1_500_000_000_000
)

// weight is what a call weighs: each one in a batch for itself.
func (x *exec) weight(t transaction) uint64 { return weightOf(t.call) }

func weightOf(call *scale.Variant) uint64 {
	total := uint64(baseWeight)
	_, a := parts(call)
	for _, c := range a.within() {
		total += weightOf(c)
	}
	return total
}

// freeCalls cost nothing (Pays::No in Bittensor's).
var freeCalls = map[string]bool{
	"SubtensorModule.pow_register": true, "SubtensorModule.increase_take": true, "SubtensorModule.decrease_take": true,
}

// fee is what a transaction costs, in rao, without its tip.
func (x *exec) fee(t transaction) uint64 {
	if freeCalls[t.pallet+"."+t.name] {
		return 0
	}
	return x.weight(t)/feeOfWeight + uint64(t.length)
}

// affords refuses who cannot pay and stay.
func (x *exec) affords(t transaction) invalid {
	cost := x.fee(t) + t.tip
	if cost == 0 {
		return nil
	}
	have := account.get(x, t.signer).Data.Free
	if have < existentialDeposit || have-existentialDeposit < cost {
		return invalidPayment
	}
	return nil
}

// fits refuses what the block has no room for.
func (x *exec) fits(t transaction) invalid {
	total := blockWeight.get(x) + x.weight(t)
	if total > weightOfBlocks {
		return invalidFull
	}
	blockWeight.set(x, total)
	return nil
}

// queryInfo tells a transaction's weight and fee; a length follows it.
func (x *exec) queryInfo(input []byte) []byte {
	t := x.asked(input)
	b := scale.EncodeCompact(nil, x.weight(t))
	return binary.LittleEndian.AppendUint64(append(b, 0, 0), x.fee(t))
}

// asked is the transaction of a question about fees. Only its length counts, so
// one that is not signed yet costs the same as the signed one of that length.
func (x *exec) asked(input []byte) transaction {
	if len(input) < 4 {
		panic("the arguments end too early")
	}
	t := x.read(input[:len(input)-4])
	t.length = int(binary.LittleEndian.Uint32(input[len(input)-4:]))
	return t
}

func (x *exec) queryFeeDetails(input []byte) []byte {
	t := x.asked(input)
	fee := x.fee(t)
	if fee == 0 {
		return []byte{0}
	}
	b := []byte{1}
	for _, part := range []uint64{0, uint64(t.length), fee - uint64(t.length)} {
		b = binary.LittleEndian.AppendUint64(b, part)
	}
	return b
}
