package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in arena256.
const (
	k256KW      = 0
	k256Words0  = 256 // message words 0 to 3, 4 to 7 and 12 to 15
	k256Words1  = 272
	k256Words3  = 288
	k256Next4   = 304 // the constant terms of words 16 to 27: see arena256
	k256Next5   = 320
	k256Next6   = 336
	k256ABEF    = 352
	k256CDGH    = 368
	k256Reverse = 384
	k256Big     = 400
	k256First   = 404
	k256One     = 416
	k256Top     = 448
	k256Rol8    = 480
	k256Rol56   = 512
	k256RC      = 544
	k256Lanes   = 736
	k256A       = 864
	k256B       = 1664
	k256Out     = 2464
)

// avx2 writes a function that computes the deciding lanes of four seals: SHA-256
// by the CPU's own instructions, two messages at a time, then Keccak on four
// states in 256-bit registers.
func avx2() ([]byte, error) {
	c := newFile()
	c.Function("avx2Seal4")
	c.Attributes(attr.NOSPLIT)
	c.Pragma("noescape")
	c.Doc("avx2Seal4 computes the seals of the low parts low to low+3 and leaves their",
		"deciding lanes in the arena.")
	c.SignatureExpr("func(a *byte, low uint32)")
	c.Load(c.Param("a"), reg.RCX)
	c.Load(c.Param("low"), reg.EAX)

	shaPairs(c)
	keccak256{c}.permute()
	c.VZEROUPPER()
	c.RET()
	return finish(c)
}

// shaPairs hashes messages 0 and 1, then 2 and 3.
func shaPairs(c *build.Context) {
	c.LEAQ(at(reg.RCX, k256Lanes), reg.RDI)
	c.LEAQ(at(reg.RCX, k256Lanes+32), reg.RSI)
	c.Label("pair")
	one, two := newShaNI(c, 0), newShaNI(c, 1)
	interleave(one.ops, two.ops)
	lanes(c, one, two)
	c.ADDL(operand.U8(2), reg.EAX)
	c.ADDQ(operand.U8(16), reg.RDI)
	c.CMPQ(reg.RDI, reg.RSI)
	c.JNE(operand.LabelRef("pair"))
}

// shaNI collects the instructions of one message's last block.
type shaNI struct {
	*build.Context
	abef, cdgh reg.VecVirtual // as the instructions want them, A and C on top
	ops        []func()
}

func (s *shaNI) do(op func()) { s.ops = append(s.ops, op) }

// newShaNI hashes the message that is n behind the low part in EAX.
func newShaNI(c *build.Context, n int) *shaNI {
	s := &shaNI{Context: c, abef: c.XMM(), cdgh: c.XMM()}
	var x [16]reg.VecVirtual // message words, four to each
	x[0] = s.firstWords(n)
	s.do(func() { s.VMOVDQA(at(reg.RCX, k256ABEF), s.abef) })
	s.do(func() { s.VMOVDQA(at(reg.RCX, k256CDGH), s.cdgh) })
	for i := range x {
		if i >= 4 {
			x[i] = s.message(i, x)
		}
		s.rounds(i, x[i])
	}
	s.do(func() { s.VPADDD(at(reg.RCX, k256ABEF), s.abef, s.abef) })
	s.do(func() { s.VPADDD(at(reg.RCX, k256CDGH), s.cdgh, s.cdgh) })
	return s
}

// firstWords is words 0 to 3, the first made of the low part.
func (s *shaNI) firstWords(n int) reg.VecVirtual {
	x, w := s.XMM(), s.GP32()
	s.do(func() { s.LEAL(at(reg.RAX, n), w) })
	s.do(func() { s.BSWAPL(w) })
	s.do(func() { s.ORL(at(reg.RCX, k256First), w) })
	s.do(func() { s.VMOVDQA(at(reg.RCX, k256Words0), x) })
	s.do(func() { s.VPINSRD(operand.U8(0), w, x, x) })
	return x
}

// message computes words 4i to 4i+3 from the sixteen before. Of the first three
// such groups, parts are constant and stand ready.
func (s *shaNI) message(i int, x [16]reg.VecVirtual) reg.VecVirtual {
	w, last := s.XMM(), operand.Op(x[i-1])
	switch i {
	case 4:
		last = at(reg.RCX, k256Words3)
		s.do(func() { s.VMOVDQA(x[0], w) })
		s.do(func() { s.SHA256MSG1(at(reg.RCX, k256Words1), w) })
		s.do(func() { s.VPADDD(at(reg.RCX, k256Next4), w, w) })
	case 5:
		s.tail(at(reg.RCX, k256Words3), x[4], w)
		s.do(func() { s.VPADDD(at(reg.RCX, k256Next5), w, w) })
	case 6:
		s.tail(x[4], x[5], w)
		s.do(func() { s.VPADDD(at(reg.RCX, k256Next6), w, w) })
	default:
		t := s.XMM()
		s.tail(x[i-2], x[i-1], t)
		if i == 7 {
			s.do(func() { s.VMOVDQA(at(reg.RCX, k256Words3), w) })
		} else {
			s.do(func() { s.VMOVDQA(x[i-4], w) })
		}
		s.do(func() { s.SHA256MSG1(x[i-3], w) })
		s.do(func() { s.VPADDD(t, w, w) })
	}
	s.do(func() { s.SHA256MSG2(last, w) })
	return w
}

// tail is the words seven before: the upper three of the first group and the
// lowest of the second.
func (s *shaNI) tail(first operand.Op, second, to reg.VecVirtual) {
	if m, ok := first.(operand.Mem); ok {
		s.do(func() { s.VMOVDQA(m, to) })
		s.do(func() { s.VPALIGNR(operand.U8(4), to, second, to) })
		return
	}
	s.do(func() { s.VPALIGNR(operand.U8(4), first, second, to) })
}

// rounds is four rounds; a nil x is in their constants.
func (s *shaNI) rounds(i int, x reg.VecVirtual) {
	kw := at(reg.RCX, k256KW+16*i)
	abef, cdgh := s.abef, s.cdgh
	s.do(func() {
		// One block: the other message uses X0 too.
		if x == nil {
			s.VMOVDQA(kw, reg.X0)
		} else {
			s.VPADDD(kw, x, reg.X0)
		}
		s.SHA256RNDS2(reg.X0, abef, cdgh)
		s.VPSHUFD(operand.U8(0x0e), reg.X0, reg.X0)
		s.SHA256RNDS2(reg.X0, cdgh, abef)
	})
}

// lanes lays two digests side by side as Keccak's lanes. With all sixteen bytes
// turned around, A and B of abef are lane 0, E and F lane 2.
func lanes(c *build.Context, one, two *shaNI) {
	for _, v := range []reg.VecVirtual{one.abef, one.cdgh, two.abef, two.cdgh} {
		c.VPSHUFB(at(reg.RCX, k256Reverse), v, v)
	}
	for lane, pair := range [4][2]reg.VecVirtual{{one.abef, two.abef}, {one.cdgh, two.cdgh}, {one.abef, two.abef}, {one.cdgh, two.cdgh}} {
		t := c.XMM()
		if lane < 2 {
			c.VPUNPCKLQDQ(pair[1], pair[0], t)
		} else {
			c.VPUNPCKHQDQ(pair[1], pair[0], t)
		}
		c.VMOVDQA(t, at(reg.RDI, 32*lane))
	}
}

// keccak256 emits Keccak-f[1600] over four states. Sixteen registers do not hold
// 25 lanes, so rounds go from one buffer in memory to another, a plane at a time,
// and sum up the columns of the next round as they go.
type keccak256 struct{ *build.Context }

// The registers: what theta adds, the columns' parities, a plane, one to spare.
var (
	yD = [5]reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4}
	yC = [5]reg.VecPhysical{reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9}
	yB = [5]reg.VecPhysical{reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14}
	yT = reg.Y15
)

func (k keccak256) permute() {
	k.firstRound()
	k.LEAQ(at(reg.RCX, k256A), reg.RSI)
	k.LEAQ(at(reg.RCX, k256B), reg.RDI)
	k.LEAQ(at(reg.RCX, k256RC+8), reg.RDX)
	k.LEAQ(at(reg.RCX, k256RC+8*23), reg.R8)
	k.Label("round")
	k.theta()
	k.planes(reg.RDI, at(reg.RDX, 0), func(lane int, to reg.VecPhysical) {
		k.VPXOR(at(reg.RSI, 32*lane), yD[lane%5], to)
		k.rotate(rho[lane], to, to)
	})
	k.XCHGQ(reg.RSI, reg.RDI)
	k.ADDQ(operand.U8(8), reg.RDX)
	k.CMPQ(reg.RDX, reg.R8)
	k.JNE(operand.LabelRef("round"))
	k.lastRound()
}

// firstRound knows that all lanes are zero but the four of the message and the
// two of the padding, lane 4 = 1 and lane 16 = 2^63.
func (k keccak256) firstRound() {
	message := func(lane int) operand.Mem { return at(reg.RCX, k256Lanes+32*lane) }
	for x := range 4 {
		k.VMOVDQA(message(x), yC[x])
	}
	k.VPXOR(at(reg.RCX, k256Top), yC[1], yC[1])
	k.VMOVDQA(at(reg.RCX, k256One), yC[4])
	k.theta()
	k.LEAQ(at(reg.RCX, k256A), reg.RDI)
	k.planes(reg.RDI, at(reg.RCX, k256RC), func(lane int, to reg.VecPhysical) {
		d := yD[lane%5]
		switch {
		case lane < 4:
			k.VPXOR(message(lane), d, to)
		case lane == 4:
			k.VPXOR(at(reg.RCX, k256One), d, to)
		case lane == 16:
			k.VPXOR(at(reg.RCX, k256Top), d, to)
		default:
			k.rotate(rho[lane], d, to)
			return
		}
		k.rotate(rho[lane], to, to)
	})
}

// theta turns the parities into what each column adds to its lanes.
func (k keccak256) theta() {
	for x := range 5 {
		k.column(x)
	}
}

func (k keccak256) column(x int) {
	c := yC[(x+1)%5]
	k.VPADDQ(c, c, yT)
	k.VPSRLQ(operand.U8(63), c, yD[x])
	k.VPXOR(yT, yD[x], yD[x])
	k.VPXOR(yC[(x+4)%5], yD[x], yD[x])
}

// planes writes the round's result to memory and its parities to yC. The function
// puts a lane, after theta and rho, into a register.
func (k keccak256) planes(to reg.Register, rc operand.Mem, lane func(int, reg.VecPhysical)) {
	for y := range 5 {
		for x, b := range yB {
			lane(source(x, y), b)
		}
		for x := range 5 {
			r := yT
			if y == 0 {
				r = yC[x]
			}
			k.VPANDN(yB[(x+2)%5], yB[(x+1)%5], r)
			k.VPXOR(yB[x], r, r)
			switch {
			case x == 0 && y == 0:
				k.VPBROADCASTQ(rc, yT)
				k.VPXOR(yT, r, r)
			case y > 0:
				k.VPXOR(r, yC[x], yC[x])
			}
			k.VMOVDQA(r, at(to, 32*(5*y+x)))
		}
	}
}

// rotate turns each lane left; whole bytes are moved by one instruction.
func (k keccak256) rotate(by int, from, to reg.VecPhysical) {
	switch by {
	case 0:
		if from != to {
			k.VMOVDQA(from, to)
		}
	case 8:
		k.VPSHUFB(at(reg.RCX, k256Rol8), from, to)
	case 56:
		k.VPSHUFB(at(reg.RCX, k256Rol56), from, to)
	default:
		k.VPSLLQ(operand.U8(by), from, yT)
		k.VPSRLQ(operand.U8(64-by), from, to)
		k.VPXOR(yT, to, to)
	}
}

// lastRound computes the one lane that decides, the third or the first.
func (k keccak256) lastRound() {
	lane := func(from int, to reg.VecPhysical) {
		k.column(from % 5)
		k.VPXOR(at(reg.RSI, 32*from), yD[from%5], to)
		k.rotate(rho[from], to, to)
	}
	b := yB
	lane(0, b[0])
	k.CMPL(at(reg.RCX, k256Big), operand.U8(0))
	k.JNE(operand.LabelRef("big"))
	lane(18, b[3])
	lane(24, b[4])
	k.VPANDN(b[0], b[4], b[0])
	k.VPXOR(b[3], b[0], b[0])
	k.JMP(operand.LabelRef("decided"))
	k.Label("big")
	lane(6, b[1])
	lane(12, b[2])
	k.VPANDN(b[2], b[1], b[1])
	k.VPXOR(b[1], b[0], b[0])
	k.VPBROADCASTQ(at(reg.RCX, k256RC+8*23), yT)
	k.VPXOR(yT, b[0], b[0])
	k.Label("decided")
	k.VMOVDQA(b[0], at(reg.RCX, k256Out))
}
