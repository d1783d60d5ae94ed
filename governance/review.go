package governance

import "math/bits"

// billion is one whole: shares are kept in billionths, as the chain's Perbill
// are (polkadot-sdk, substrate/primitives/arithmetic/src/per_things.rs).
const billion = 1_000_000_000

// share is part of a whole in billionths, rounded down, and never above one:
// Perbill::from_rational.
func share(part, whole uint32) uint32 {
	if whole == 0 || part >= whole {
		return billion
	}
	return uint32(uint64(part) * billion / uint64(whole))
}

// votesFor is the least number of votes of that many seats whose share reaches
// a threshold. Where there are no seats no number does.
func votesFor(threshold, seats uint32) uint32 {
	for n := range seats {
		if share(n, seats) >= threshold {
			return n
		}
	}
	return max(seats, 1)
}

// times is Perbill::mul_floor.
func times(share, n uint32) uint32 { return uint32(uint64(share) * uint64(n) / billion) }

// eased is the curve by which votes move the date: 1 - (1 - p)³
// (subtensor d0910bde9, runtime/src/governance/tracks.rs:35).
func eased(p uint32) uint32 {
	left := uint64(billion - p)
	high, low := bits.Mul64(left*left, left)
	cubed, _ := bits.Div64(high, low, billion*billion)
	return billion - uint32(cubed)
}

// review is what the date of a reviewed call is made of.
type review struct {
	decision
	submitted uint32
	total     uint32
}

// runs is the block to which a vote would move the call: the block of the chain's
// own calculation (do_adjust_delay, pallets/referenda/src/lib.rs:989), which
// comes a block after the vote and may find further votes. A date that is past by
// then is the block after that (:1016, :946). now is the newest block. Nil without a
// review, and where the call is cancelled.
func (r *review) runs(after VotePreview, now uint32) *uint32 {
	if r == nil || after.Decides == Disapproved {
		return nil
	}
	block := max(r.submitted+r.delay(uint32(after.Ayes), uint32(after.Nays)), now+3)
	return &block
}

// delay is how many blocks after the submission the call runs with that many
// votes. At the threshold to hurry it is none.
func (r *review) delay(ayes, nays uint32) uint32 {
	yes, no := share(ayes, r.total), share(nays, r.total)
	if yes >= no {
		return times(billion-eased(share(yes-no, r.approve)), r.initial)
	}
	return r.initial + times(eased(share(no-yes, r.reject)), r.longest-min(r.initial, r.longest))
}
