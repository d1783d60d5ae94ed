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
	k256Groups  = 736 // two, each of:
	group256    = 1920
	k256Lanes   = k256Groups
	k256A       = k256Groups + 128
	k256B       = k256Groups + 928
	k256Columns = k256Groups + 1728
	k256Out     = k256Groups + 1888
	k256Words   = k256Groups + 2*group256
)

// avx2 writes a function that computes the deciding lanes of eight seals: SHA-256
// by the CPU's own instructions, then Keccak in 256-bit
// registers on two groups of four states. The groups' rounds take turns: theta
// needs the whole round before, and the other group's work fills the wait.
func avx2() ([]byte, error) {
	c := newFile()
	c.Function("avx2Seal8")
	c.Attributes(attr.NOSPLIT)
	c.Pragma("noescape")
	c.Doc("avx2Seal8 computes the seals of the low parts low to low+7 and leaves their",
		"deciding lanes in the arena.")
	c.SignatureExpr("func(a *byte, low uint32)")
	c.Load(c.Param("a"), reg.RCX)
	c.Load(c.Param("low"), reg.EAX)

	shaGroups(c)
	keccaks(c)
	c.VZEROUPPER()
	c.RET()
	return finish(c)
}

// shaGroups hashes the messages of both groups. A round waits four cycles for the
// one before, but the CPU can begin one every two: four messages together keep it
// busy.
func shaGroups(c *build.Context) {
	c.LEAQ(at(reg.RCX, k256Lanes), reg.RDI)
	c.MOVL(operand.U32(2), reg.EDX)
	c.Label("digests")
	var four [4]*shaNI
	for i := range four {
		four[i] = &shaNI{c, i, c.XMM(), c.XMM()}
		four[i].begin()
	}
	for quad := range 16 {
		for _, s := range four {
			s.rounds(quad)
		}
	}
	for _, s := range four {
		s.finish()
	}
	lanes(c, four)
	c.ADDL(operand.U8(4), reg.EAX)
	c.ADDQ(operand.U32(group256), reg.RDI)
	c.DECL(reg.EDX)
	c.JNE(operand.LabelRef("digests"))
}

// shaNI emits the last block of the message that is n behind the low part in EAX.
type shaNI struct {
	*build.Context
	n          int
	abef, cdgh reg.VecVirtual // as the instructions want them, A and C on top
}

func (s *shaNI) begin() {
	s.VMOVDQA(at(reg.RCX, k256ABEF), s.abef)
	s.VMOVDQA(at(reg.RCX, k256CDGH), s.cdgh)
}

func (s *shaNI) finish() {
	s.VPADDD(at(reg.RCX, k256ABEF), s.abef, s.abef)
	s.VPADDD(at(reg.RCX, k256CDGH), s.cdgh, s.cdgh)
	s.VPSHUFB(at(reg.RCX, k256Reverse), s.abef, s.abef)
	s.VPSHUFB(at(reg.RCX, k256Reverse), s.cdgh, s.cdgh)
}

// words is where message words 4i to 4i+3 lie. Words 4 to 15 are the same in every
// message.
func (s *shaNI) words(i int) operand.Mem {
	switch i {
	case 1:
		return at(reg.RCX, k256Words1)
	case 3:
		return at(reg.RCX, k256Words3)
	}
	return at(reg.RCX, k256Words+16*(16*s.n+i))
}

// rounds is rounds 4i to 4i+3.
func (s *shaNI) rounds(i int) {
	kw := at(reg.RCX, k256KW+16*i)
	switch {
	case i == 0:
		s.VPADDD(kw, s.firstWords(), reg.X0)
	case i < 4:
		s.VMOVDQA(kw, reg.X0)
	default:
		s.VPADDD(kw, s.message(i), reg.X0)
	}
	s.SHA256RNDS2(reg.X0, s.abef, s.cdgh)
	s.VPSHUFD(operand.U8(0x0e), reg.X0, reg.X0)
	s.SHA256RNDS2(reg.X0, s.cdgh, s.abef)
}

// firstWords is words 0 to 3, the first made of the low part.
func (s *shaNI) firstWords() reg.VecVirtual {
	x, w := s.XMM(), s.GP32()
	s.LEAL(at(reg.RAX, s.n), w)
	s.BSWAPL(w)
	s.ORL(at(reg.RCX, k256First), w)
	s.VMOVDQA(at(reg.RCX, k256Words0), x)
	s.VPINSRD(operand.U8(0), w, x, x)
	s.VMOVDQA(x, s.words(0))
	return x
}

// message computes words 4i to 4i+3. Those that hang on words 4 to 15 have parts
// that are the same in every message and stand ready: see arena256.
func (s *shaNI) message(i int) reg.VecVirtual {
	w, last := s.XMM(), s.XMM()
	s.VMOVDQA(s.words(i-1), last)
	seven := s.XMM() // the words seven before
	if i > 4 {
		s.VPALIGNR(operand.U8(4), s.words(i-2), last, seven)
	}
	switch i {
	case 4:
		s.VMOVDQA(s.words(0), w)
		s.SHA256MSG1(s.words(1), w)
		s.VPADDD(at(reg.RCX, k256Next4), w, w)
	case 5:
		s.VPADDD(at(reg.RCX, k256Next5), seven, w)
	case 6:
		s.VPADDD(at(reg.RCX, k256Next6), seven, w)
	default:
		s.VMOVDQA(s.words(i-4), w)
		s.SHA256MSG1(s.words(i-3), w)
		s.VPADDD(seven, w, w)
	}
	s.SHA256MSG2(last, w)
	if i < 15 {
		s.VMOVDQA(w, s.words(i))
	}
	return w
}

// lanes lays four digests, their bytes turned around, side by side as Keccak's
// lanes: A and B of abef are lane 0, E and F lane 2, those of cdgh lanes 1 and 3.
func lanes(c *build.Context, four [4]*shaNI) {
	for pair := 0; pair < 4; pair += 2 {
		one, two := four[pair], four[pair+1]
		for lane, v := range [2][2]reg.VecVirtual{{one.abef, two.abef}, {one.cdgh, two.cdgh}} {
			low, high := c.XMM(), c.XMM()
			c.VPUNPCKLQDQ(v[1], v[0], low)
			c.VMOVDQA(low, at(reg.RDI, 32*lane+8*pair))
			c.VPUNPCKHQDQ(v[1], v[0], high)
			c.VMOVDQA(high, at(reg.RDI, 32*(lane+2)+8*pair))
		}
	}
}

// keccak256 emits Keccak-f[1600] over one group of four states. Sixteen registers
// do not hold 25 lanes, so rounds go from one buffer in memory to another, a plane
// at a time, and sum up the columns of the next round as they go.
type keccak256 struct {
	*build.Context
	group int
}

// at is a place of this group's.
func (k keccak256) at(base reg.Register, offset int) operand.Mem {
	return at(base, group256*k.group+offset)
}

// The registers: what theta adds, the columns' parities, a plane, one to spare.
var (
	yD = [5]reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4}
	yC = [5]reg.VecPhysical{reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9}
	yB = [5]reg.VecPhysical{reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14}
	yT = reg.Y15
)

// keccaks runs both groups.
func keccaks(c *build.Context) {
	groups := [2]keccak256{{c, 0}, {c, 1}}
	for _, k := range groups {
		k.firstRound()
	}
	c.LEAQ(at(reg.RCX, k256A), reg.RSI)
	c.LEAQ(at(reg.RCX, k256B), reg.RDI)
	c.LEAQ(at(reg.RCX, k256RC+8), reg.RDX)
	c.LEAQ(at(reg.RCX, k256RC+8*23), reg.R8)
	c.Label("round")
	for _, k := range groups {
		k.round()
	}
	c.XCHGQ(reg.RSI, reg.RDI)
	c.ADDQ(operand.U8(8), reg.RDX)
	c.CMPQ(reg.RDX, reg.R8)
	c.JNE(operand.LabelRef("round"))

	c.CMPL(at(reg.RCX, k256Big), operand.U8(0))
	c.JNE(operand.LabelRef("big"))
	for _, k := range groups {
		k.lastLittle()
	}
	c.JMP(operand.LabelRef("done"))
	c.Label("big")
	for _, k := range groups {
		k.lastBig()
	}
	c.Label("done")
}

// firstRound knows that all lanes are zero but the four of the message and the
// two of the padding, lane 4 = 1 and lane 16 = 2^63.
func (k keccak256) firstRound() {
	message := func(lane int) operand.Mem { return k.at(reg.RCX, k256Lanes+32*lane) }
	for x := range 4 {
		k.VMOVDQA(message(x), yC[x])
	}
	k.VPXOR(at(reg.RCX, k256Top), yC[1], yC[1])
	k.VMOVDQA(at(reg.RCX, k256One), yC[4])
	k.theta()
	k.LEAQ(at(reg.RCX, k256A), reg.RDI)
	k.planes(at(reg.RCX, k256RC), func(lane int, to reg.VecPhysical) {
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

// round goes from the buffer at RSI to the one at RDI.
func (k keccak256) round() {
	k.loadColumns()
	k.theta()
	k.planes(at(reg.RDX, 0), func(lane int, to reg.VecPhysical) {
		k.VPXOR(k.at(reg.RSI, 32*lane), yD[lane%5], to)
		k.rotate(rho[lane], to, to)
	})
}

func (k keccak256) loadColumns() {
	for x, c := range yC {
		k.VMOVDQA(k.at(reg.RCX, k256Columns+32*x), c)
	}
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

// planes writes the round's result to the buffer at RDI, and its parities. The function
// puts a lane, after theta and rho, into a register.
func (k keccak256) planes(rc operand.Mem, lane func(int, reg.VecPhysical)) {
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
			k.VMOVDQA(r, k.at(reg.RDI, 32*(5*y+x)))
			if y == 4 {
				k.VMOVDQA(yC[x], k.at(reg.RCX, k256Columns+32*x))
			}
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

// The last round computes the one lane that decides, from three before chi.

func (k keccak256) last(from int, to reg.VecPhysical) {
	k.column(from % 5)
	k.VPXOR(k.at(reg.RSI, 32*from), yD[from%5], to)
	k.rotate(rho[from], to, to)
}

// lastLittle computes lane 3.
func (k keccak256) lastLittle() {
	b0, b3, b4 := yB[0], yB[3], yB[4]
	k.loadColumns()
	k.last(0, b0)
	k.last(18, b3)
	k.last(24, b4)
	k.VPANDN(b0, b4, b0)
	k.VPXOR(b3, b0, b0)
	k.VMOVDQA(b0, k.at(reg.RCX, k256Out))
}

// lastBig computes lane 0.
func (k keccak256) lastBig() {
	b0, b1, b2 := yB[0], yB[1], yB[2]
	k.loadColumns()
	k.last(0, b0)
	k.last(6, b1)
	k.last(12, b2)
	k.VPANDN(b2, b1, b1)
	k.VPXOR(b1, b0, b0)
	k.VPBROADCASTQ(at(reg.RCX, k256RC+8*23), yT)
	k.VPXOR(yT, b0, b0)
	k.VMOVDQA(b0, k.at(reg.RCX, k256Out))
}
