package powsolver

// schedule is what SHA-256 needs for a block of which only the first word varies,
// with all that does not depend on that word summed up. It saves a vector engine
// about a tenth of its work.
type schedule struct {
	a1, e1 uint32     // a and e after round 0, less the first word
	kw     [64]uint32 // what a round adds: its constant, its word unless that varies, in rounds 1 to 3 its h
	c      [64]uint32 // of the words that vary, the terms that do not
}

// varies reports whether message word i depends on the first one. Words 17, 19
// and 21 draw on words 1 to 15 alone.
func varies(i int) bool { return i == 0 || i >= 16 && i != 17 && i != 19 && i != 21 }

func newSchedule(b *block) *schedule {
	s := &schedule{kw: sha256K}
	after := compressRound(b.state, s.kw[0])
	s.a1, s.e1 = after[0], after[4]
	for i := 1; i <= 3; i++ {
		s.kw[i] += b.state[7-i] // what was g, f and e before round 0
	}

	// Words that vary count as zero here, and so do their images.
	var w [64]uint32
	copy(w[1:], b.words[1:])
	for i := range w {
		if i >= 16 {
			s.c[i] = w[i-16] + sigma0(w[i-15]) + w[i-7] + sigma1(w[i-2])
		}
		if varies(i) {
			continue
		}
		if i >= 16 {
			w[i] = s.c[i]
		}
		s.kw[i] += w[i]
	}
	return s
}
