package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in arena512.
const (
	k512One    = 0 // 1, 2^63 and 2: what the padding puts into the first round
	k512Top    = 8
	k512Two    = 16
	k512Limit  = 24
	k512First  = 32 // the first word's bits beside the low part
	k512Big    = 36 // 1: big-endian
	k512A1     = 40 // a and e after round 0, without the first word
	k512E1     = 44
	k512Count  = 64
	k512Swap32 = 192
	k512Swap64 = 256
	k512RC     = 320
	k512KW     = 512
	k512C      = 768
	k512State  = 1024
	k512Lanes  = 1088 // [4 groups][4 lanes][8]uint64
	k512Words  = 2112 // [2 streams][16 words][16]uint32
)

// avx512 writes a function that computes 32 seals: SHA-256 on two streams of
// sixteen messages, whose instructions take turns because one alone would wait
// for its own results, then Keccak on four groups of eight.
func avx512() ([]byte, error) {
	c := newFile()
	c.Function("avx512Seal32")
	c.Attributes(attr.NOSPLIT)
	c.Pragma("noescape")
	c.Doc("avx512Seal32 computes the seals of the low parts low to low+31, low being a",
		"multiple of 32. A bit of the result marks a candidate.")
	c.SignatureExpr("func(a *byte, low uint32) (candidates uint32)")
	c.Load(c.Param("a"), reg.RCX)
	c.Load(c.Param("low"), reg.EAX)

	low := c.ZMM()
	c.VPBROADCASTD(reg.EAX, low)
	one, two := &sha512{Context: c}, &sha512{Context: c, stream: 1}
	one.digest(low)
	two.digest(low)
	interleave(one.ops, two.ops)

	keccak512{c}.groups()
	c.VZEROUPPER()
	c.RET()
	return finish(c)
}

// interleave emits two lists of instructions in turns.
func interleave(a, b []func()) {
	for i := range max(len(a), len(b)) {
		if i < len(a) {
			a[i]()
		}
		if i < len(b) {
			b[i]()
		}
	}
}

// sha512 collects the instructions of one stream of SHA-256, in 32-bit lanes,
// over messages that differ in their first word only. What does not depend on
// that word stands ready in the arena.
type sha512 struct {
	*build.Context
	stream int
	ops    []func()
}

func (s *sha512) do(op func()) { s.ops = append(s.ops, op) }

// word is where message word i lies; the word sixteen later takes its place.
func (s *sha512) word(i int) operand.Mem { return at(reg.RCX, k512Words+64*(16*s.stream+i%16)) }

func constant(table, i int) operand.Mem { return at(reg.RCX, table+4*i) }

// state is the eight variables a to h; nil stands for a value that the round
// constants hold already.
type state [8]reg.VecVirtual

// digest goes from the low parts to Keccak's lanes in memory.
func (s *sha512) digest(low reg.VecVirtual) {
	words := make([]reg.VecVirtual, 64)
	words[0] = s.first(low)
	v := s.begin(words[0])
	for i := 1; i < 64; i++ {
		if varies(i) {
			words[i] = s.message(i, words)
		}
		v = s.round(i, v, words[i])
	}
	s.lanes(v)
}

// first makes the first words: low parts are little-endian, words big-endian.
func (s *sha512) first(low reg.VecVirtual) reg.VecVirtual {
	w := s.ZMM()
	s.do(func() { s.VPADDD(at(reg.RCX, k512Count+64*s.stream), low, w) })
	s.do(func() { s.VPSHUFB(at(reg.RCX, k512Swap32), w, w) })
	s.do(func() { s.VPORD_BCST(at(reg.RCX, k512First), w, w) })
	s.do(func() { s.VMOVDQA64(w, s.word(0)) })
	return w
}

// begin is round 0, where the first word is only added to a and e. The g and h
// that rounds 1 to 3 add are in their constants.
func (s *sha512) begin(first reg.VecVirtual) state {
	before := func(i int) reg.VecVirtual { return s.broadcast(k512State, i) }
	a, e := s.ZMM(), s.ZMM()
	s.do(func() { s.VPADDD_BCST(at(reg.RCX, k512A1), first, a) })
	s.do(func() { s.VPADDD_BCST(at(reg.RCX, k512E1), first, e) })
	return state{a, before(0), before(1), before(2), e, before(4), before(5), nil}
}

// varies reports whether message word i depends on the first one. Words 17, 19
// and 21 draw on words 1 to 15 alone.
func varies(i int) bool { return i == 0 || i >= 16 && i != 17 && i != 19 && i != 21 }

// message computes word i of the schedule and keeps it in memory for later ones.
// Terms that do not vary are summed up in the table C.
func (s *sha512) message(i int, words []reg.VecVirtual) reg.VecVirtual {
	var w reg.VecVirtual
	if !varies(i-2) || !varies(i-7) || !varies(i-15) || !varies(i-16) {
		w = s.broadcast(k512C, i)
	}
	for _, back := range []int{16, 7} {
		if varies(i - back) {
			w = s.sum(w, s.word(i-back))
		}
	}
	if varies(i - 15) {
		w = s.sum(w, s.sigma(s.word(i-15), 7, 18, 3))
	}
	if varies(i - 2) {
		w = s.sum(w, s.sigma(words[i-2], 17, 19, 10))
	}
	if i <= 63-7 { // later words are needed by the next two only
		s.do(func() { s.VMOVDQA64(w, s.word(i)) })
	}
	return w
}

func (s *sha512) broadcast(table, i int) reg.VecVirtual {
	r := s.ZMM()
	s.do(func() { s.VPBROADCASTD(constant(table, i), r) })
	return r
}

// sum returns v + x; a nil v is zero.
func (s *sha512) sum(v reg.VecVirtual, x operand.Op) reg.VecVirtual {
	r := s.ZMM()
	if v == nil {
		s.do(func() { s.VMOVDQA64(x, r) })
	} else {
		s.do(func() { s.VPADDD(x, v, r) })
	}
	return r
}

// sumConstant returns v plus an entry of a table.
func (s *sha512) sumConstant(v reg.VecVirtual, table, i int) reg.VecVirtual {
	r := s.ZMM()
	s.do(func() { s.VPADDD_BCST(constant(table, i), v, r) })
	return r
}

// sigma is x rotated by two counts and shifted by a third.
func (s *sha512) sigma(x operand.Op, r1, r2, shift int) reg.VecVirtual {
	p, q, r := s.ZMM(), s.ZMM(), s.ZMM()
	s.do(func() { s.VPRORD(operand.U8(r1), x, p) })
	s.do(func() { s.VPRORD(operand.U8(r2), x, q) })
	s.do(func() { s.VPSRLD(operand.U8(shift), x, r) })
	s.do(func() { s.VPTERNLOGD(ternXor, r, q, p) })
	return p
}

// bigSigma is x rotated by three counts.
func (s *sha512) bigSigma(x reg.VecVirtual, r1, r2, r3 int) reg.VecVirtual {
	p, q, r := s.ZMM(), s.ZMM(), s.ZMM()
	s.do(func() { s.VPRORD(operand.U8(r1), x, p) })
	s.do(func() { s.VPRORD(operand.U8(r2), x, q) })
	s.do(func() { s.VPRORD(operand.U8(r3), x, r) })
	s.do(func() { s.VPTERNLOGD(ternXor, r, q, p) })
	return p
}

// choose applies a truth table to three values.
func (s *sha512) choose(table operand.U8, x, y, z reg.VecVirtual) reg.VecVirtual {
	r := s.ZMM()
	s.do(func() { s.VMOVDQA64(x, r) })
	s.do(func() { s.VPTERNLOGD(table, z, y, r) })
	return r
}

// round is one round. What is known early is added first, so that the new e,
// which the next round waits for, comes after two additions.
func (s *sha512) round(i int, v state, word reg.VecVirtual) state {
	a, b, c, d, e, f, g, h := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	t := s.choose(ternCh, e, f, g)
	if h != nil {
		t = s.sum(t, s.sumConstant(h, k512KW, i))
	} else {
		t = s.sumConstant(t, k512KW, i)
	}
	if word != nil {
		t = s.sum(t, word)
	}
	t = s.sum(t, s.bigSigma(e, 6, 11, 25))
	e2 := s.sum(t, d)
	u := s.sum(s.choose(ternMaj, a, b, c), s.bigSigma(a, 2, 13, 22))
	if i <= 2 { // the h of rounds 2 and 3 comes from before round 0 too
		g = nil
	}
	return state{s.sum(t, u), a, b, c, e2, e, f, g}
}

// lanes adds the state of before, and lays the digest out as Keccak's four lanes
// in two groups of eight messages each.
func (s *sha512) lanes(v state) {
	for i := range v {
		v[i] = s.sumConstant(v[i], k512State, i)
		s.do(func() { s.VPSHUFB(at(reg.RCX, k512Swap32), v[i], v[i]) })
	}
	for lane := range 4 {
		group := at(reg.RCX, k512Lanes+512*s.stream+64*lane)
		lo, hi := s.ZMM(), s.ZMM()
		s.do(func() { s.VPUNPCKLDQ(v[2*lane+1], v[2*lane], lo) })
		s.do(func() { s.VMOVDQA64(lo, group) })
		s.do(func() { s.VPUNPCKHDQ(v[2*lane+1], v[2*lane], hi) })
		s.do(func() { s.VMOVDQA64(hi, group.Offset(256)) })
	}
}

// keccak512 emits Keccak-f[1600] over eight states, lane i in register Zi, with
// seven registers to spare.
type keccak512 struct{ *build.Context }

// spare registers: theta's five and two more.
var spare = [7]reg.VecPhysical{reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}

var zmm = [32]reg.VecPhysical{
	reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10,
	reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15, reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20,
	reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
}

// groups runs the four groups and stores their candidates as the result.
func (k keccak512) groups() {
	k.LEAQ(at(reg.RCX, k512Lanes), reg.RSI)
	k.XORL(reg.R9L, reg.R9L)
	k.MOVL(operand.U32(4), reg.EDI)
	k.Label("group")
	k.firstRound()
	k.LEAQ(at(reg.RCX, k512RC+8), reg.RDX)
	k.LEAQ(at(reg.RCX, k512RC+8*23), reg.R10)
	k.Label("round")
	k.round()
	k.ADDQ(operand.U8(8), reg.RDX)
	k.CMPQ(reg.RDX, reg.R10)
	k.JNE(operand.LabelRef("round"))
	k.lastRound()
	k.SHRL(operand.U8(8), reg.R9L)
	k.KMOVB(reg.K1, reg.R11L)
	k.SHLL(operand.U8(24), reg.R11L)
	k.ORL(reg.R11L, reg.R9L)
	k.ADDQ(operand.U32(256), reg.RSI)
	k.DECL(reg.EDI)
	k.JNE(operand.LabelRef("group"))
	k.Store(reg.R9L, k.ReturnIndex(0))
}

func (k keccak512) rotate(by int, x reg.VecPhysical) {
	if by != 0 {
		k.VPROLQ(operand.U8(by), x, x)
	}
}

// firstRound knows that all lanes are zero but the four of the message and the
// two of the padding, lane 4 = 1 and lane 16 = 2^63. So most lanes after theta
// are what theta adds to their column, and column 4 adds a constant.
func (k keccak512) firstRound() {
	a0, a1, a2, a3, c1 := zmm[1], zmm[2], zmm[3], zmm[4], zmm[6]
	for i, a := range []reg.VecPhysical{a0, a1, a2, a3} {
		k.VMOVDQA64(at(reg.RSI, 64*i), a)
	}
	d := spare[:5]
	k.VPXORQ_BCST(at(reg.RCX, k512Top), a1, c1)
	k.VPROLQ(operand.U8(1), c1, d[0])
	k.VPXORQ_BCST(at(reg.RCX, k512One), d[0], d[0])
	for x, neighbours := range [][2]reg.VecPhysical{1: {a0, a2}, 2: {c1, a3}, 4: {a3, a0}} {
		if neighbours[0] != nil {
			k.VPROLQ(operand.U8(1), neighbours[1], d[x])
			k.VPXORQ(neighbours[0], d[x], d[x])
		}
	}
	k.VPXORQ_BCST(at(reg.RCX, k512Two), a2, d[3])

	// The message's lanes come to place 0 of each plane, lane 4 with them.
	k.VPXORQ(a0, d[0], zmm[0])
	k.VPXORQ(a3, d[3], zmm[5])
	k.VPXORQ(a1, d[1], zmm[10])
	k.VPXORQ_BCST(at(reg.RCX, k512One), d[4], zmm[15])
	k.VPXORQ(a2, d[2], zmm[20])
	for y := range 5 {
		k.rotate(rho[source(0, y)], zmm[5*y])
		for x := 1; x < 5; x++ {
			from, to := source(x, y), zmm[5*y+x]
			if from == 16 {
				k.VPXORQ_BCST(at(reg.RCX, k512Top), d[1], to)
				k.rotate(rho[from], to)
			} else {
				k.VPROLQ(operand.U8(rho[from]), d[from%5], to)
			}
		}
		k.chi([5]reg.VecPhysical(zmm[5*y:]))
		if y == 0 {
			k.VPXORQ_BCST(at(reg.RCX, k512RC), zmm[0], zmm[0])
		}
	}
}

// parity leaves the columns' parities in the first five spare registers.
func (k keccak512) parity() {
	for x := range 5 {
		k.VMOVDQA64(zmm[x], spare[x])
		k.VPTERNLOGQ(ternXor, zmm[x+10], zmm[x+5], spare[x])
	}
	for x := range 5 {
		k.VPTERNLOGQ(ternXor, zmm[x+20], zmm[x+15], spare[x])
	}
}

// theta returns what each column adds to its lanes. It is a plain xor with each
// lane, not a three-way one with both parities: that would be fewer instructions,
// but Zen 5 runs three-way logic on fresh results at half speed.
func (k keccak512) theta() (d [5]reg.VecPhysical) {
	k.parity()
	c0, c1, c2, c3, c4, s, t := spare[0], spare[1], spare[2], spare[3], spare[4], spare[5], spare[6]
	d = [5]reg.VecPhysical{s, t, c3, c4, c0}
	mix := func(to, rotated, other reg.VecPhysical) {
		k.VPROLQ(operand.U8(1), rotated, to)
		k.VPXORQ(other, to, to)
	}
	mix(s, c1, c4)
	mix(t, c2, c0)
	mix(c4, c4, c2)
	mix(c0, c0, c3)
	mix(c3, c3, c1)
	return d
}

// round is a round in place: rho and pi only change which register counts as
// which lane, and moves put that right at the end, which the CPU does by renaming.
func (k keccak512) round() {
	d := k.theta()
	var lanes [25]reg.VecPhysical
	free := [2]reg.VecPhysical{spare[1], spare[2]}
	for y := range 5 {
		var plane [5]reg.VecPhysical
		for x := range plane {
			from := source(x, y)
			plane[x] = zmm[from]
			k.VPXORQ(d[from%5], zmm[from], zmm[from])
			k.rotate(rho[from], zmm[from])
		}
		k.chiWith(plane, free)
		if y == 0 {
			k.VPXORQ_BCST(at(reg.RDX, 0), plane[0], plane[0])
		}
		copy(lanes[5*y:], plane[:])
	}
	k.rearrange(lanes, free[0])
}

// chi is chi on one plane, in place.
func (k keccak512) chi(p [5]reg.VecPhysical) { k.chiWith(p, [2]reg.VecPhysical{spare[5], spare[6]}) }

func (k keccak512) chiWith(p [5]reg.VecPhysical, free [2]reg.VecPhysical) {
	k.VMOVDQA64(p[0], free[0])
	k.VMOVDQA64(p[1], free[1])
	k.VPTERNLOGQ(ternChi, p[2], p[1], p[0])
	k.VPTERNLOGQ(ternChi, p[3], p[2], p[1])
	k.VPTERNLOGQ(ternChi, p[4], p[3], p[2])
	k.VPTERNLOGQ(ternChi, free[0], p[4], p[3])
	k.VPTERNLOGQ(ternChi, free[1], free[0], p[4])
}

// rearrange moves lane i from the register given to Zi, one cycle of the
// permutation after the other.
func (k keccak512) rearrange(lanes [25]reg.VecPhysical, free reg.VecPhysical) {
	index := func(r reg.VecPhysical) int {
		for i := range 25 {
			if zmm[i] == r {
				return i
			}
		}
		panic("no lane's register")
	}
	var done [25]bool
	for start := range 25 {
		if done[start] || lanes[start] == zmm[start] {
			continue
		}
		k.VMOVDQA64(zmm[start], free)
		i := start
		for ; index(lanes[i]) != start; i = index(lanes[i]) {
			k.VMOVDQA64(lanes[i], zmm[i])
			done[i] = true
		}
		k.VMOVDQA64(free, zmm[i])
		done[i] = true
	}
}

// lastRound computes the one lane that decides and compares it with the limit.
func (k keccak512) lastRound() {
	k.parity()
	// lane leaves A[from], after theta and rho, in its register.
	lane := func(from int) reg.VecPhysical {
		x, a := from%5, zmm[from]
		k.VPROLQ(operand.U8(1), spare[(x+1)%5], spare[5])
		k.VPTERNLOGQ(ternXor, spare[5], spare[(x+4)%5], a)
		k.rotate(rho[from], a)
		return a
	}
	b0 := lane(0)
	k.CMPL(at(reg.RCX, k512Big), operand.U8(0))
	k.JNE(operand.LabelRef("big"))
	b3, b4 := lane(18), lane(24)
	k.VPTERNLOGQ(ternChi, b0, b4, b3)
	k.VMOVDQA64(b3, b0)
	k.JMP(operand.LabelRef("decide"))
	k.Label("big")
	b1, b2 := lane(6), lane(12)
	k.VPTERNLOGQ(ternChi, b2, b1, b0)
	k.VPXORQ_BCST(at(reg.RCX, k512RC+8*23), b0, b0)
	k.VPSHUFB(at(reg.RCX, k512Swap64), b0, b0)
	k.Label("decide")
	k.VPCMPUQ_BCST(operand.U8(2), at(reg.RCX, k512Limit), b0, reg.K1)
}
