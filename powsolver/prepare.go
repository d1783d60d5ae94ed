package powsolver

// Prepared is a puzzle made ready for a device, for the positions that share
// their high part: what a seal's computation needs when only the first word of the
// last SHA-256 block varies, summed up as far as it does not depend on that word.
// It is the same for every kind of seal.
type Prepared struct {
	State  [8]uint32  // SHA-256's state before the block
	Word0  uint32     // the first word's bits beside the low part, which goes in with its bytes turned around
	A1, E1 uint32     // a and e after round 0, less the first word
	KW     [64]uint32 // what a round adds: its constant, its word unless that varies, in rounds 1 to 3 its h
	C      [64]uint32 // of the words that vary, the terms that do not
	Limit  uint64     // a candidate's deciding lane, read in the puzzle's order, is not above it
}

// Prepare prepares the positions from the given one's high part on. There are
// 2^[Puzzle.Span] of them, which their low parts number.
func (p Puzzle) Prepare(position uint64) Prepared {
	b := newBlock(p, position)
	s := newSchedule(b)
	return Prepared{State: b.state, Word0: b.words[0], A1: s.a1, E1: s.e1, KW: s.kw, C: s.c, Limit: b.limit}
}

// Span is how many low bits a position has: 24 for V475, else 32.
func (p Puzzle) Span() uint { return p.span() }
