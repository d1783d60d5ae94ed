//go:build !purego

package powsolver

import "unsafe"

// avx2 computes eight seals at a time: SHA-256 by the CPU's own instructions,
// Keccak on two groups of four in 256-bit registers.
type avx2 struct {
	arena *arena256
	block *block
}

// arena256 is the memory of an avx2, on a cache line's start. The assembly knows
// it by offsets.
type arena256 struct {
	kw             [64]uint32 // round constants; those of words 4 to 15, which do not vary, with the words
	words0, words1 [4]uint32  // message words 0 to 3 (the first without the low part) and 4 to 7
	words3         [4]uint32  // 12 to 15
	next4          [4]uint32  // words 9 to 12, a term of words 16 to 19
	next5, next6   [4]uint32  // w+σ0 of words 4 to 7 and 8 to 11, terms of words 20 to 27
	abef, cdgh     [4]uint32  // state before the block, as the instructions want it
	reverse        [16]byte   // all bytes turned around
	big            uint32     // 1: the seal is compared big-endian
	first          uint32     // the first word's bits beside the low part
	_              [8]byte
	one, top       [4]uint64 // 1 and 2^63: the padding's lanes
	rol8, rol56    [32]byte  // 64-bit words turned left by one byte and by seven
	rc             [24]uint64
	groups         [2]group256
	words          [4][16][4]uint32 // message words: by message
}

// group256 is four messages on their way through Keccak.
type group256 struct {
	lanes   [4][4]uint64     // digests: by lane and message
	states  [2][25][4]uint64 // what rounds go between
	columns [5][4]uint64     // parities
	out     [4]uint64        // the deciding lanes
}

// The offsets that _asm/avx2.go has: a mismatch does not compile.
var (
	_ [256]byte  = [unsafe.Offsetof(arena256{}.words0)]byte{}
	_ [304]byte  = [unsafe.Offsetof(arena256{}.next4)]byte{}
	_ [352]byte  = [unsafe.Offsetof(arena256{}.abef)]byte{}
	_ [400]byte  = [unsafe.Offsetof(arena256{}.big)]byte{}
	_ [416]byte  = [unsafe.Offsetof(arena256{}.one)]byte{}
	_ [480]byte  = [unsafe.Offsetof(arena256{}.rol8)]byte{}
	_ [544]byte  = [unsafe.Offsetof(arena256{}.rc)]byte{}
	_ [736]byte  = [unsafe.Offsetof(arena256{}.groups)]byte{}
	_ [4576]byte = [unsafe.Offsetof(arena256{}.words)]byte{}
	_ [128]byte  = [unsafe.Offsetof(group256{}.states)]byte{}
	_ [1728]byte = [unsafe.Offsetof(group256{}.columns)]byte{}
	_ [1888]byte = [unsafe.Offsetof(group256{}.out)]byte{}
	_ [1920]byte = [unsafe.Sizeof(group256{})]byte{}
)

//go:noescape
func avx2Seal8(a *arena256, low uint32)

func newAVX2() lane {
	a := (*arena256)(alignedMemory(unsafe.Sizeof(arena256{})))
	a.rc = keccakRC
	for i := range a.reverse {
		a.reverse[i] = byte(15 - i)
	}
	for i := range a.one {
		a.one[i], a.top[i] = 1, 1<<63
	}
	for i := range a.rol8 {
		word := i &^ 7 & 15
		a.rol8[i], a.rol56[i] = byte(word+(i+7)&7), byte(word+(i+1)&7)
	}
	return &avx2{arena: a}
}

func (*avx2) width() uint32 { return 8 }

func (l *avx2) load(b *block) {
	a, w, s := l.arena, &b.words, &b.state
	l.block = b
	a.big, a.first = uint32(b.order), w[0]
	a.words0, a.words1, a.words3 = [4]uint32(w[:]), [4]uint32(w[4:]), [4]uint32(w[12:])
	a.next4 = [4]uint32(w[9:])
	for i := range 4 {
		a.next5[i] = w[4+i] + sigma0(w[5+i])
		a.next6[i] = w[8+i] + sigma0(w[9+i])
	}
	a.kw = sha256K
	for i := 4; i < 16; i++ {
		a.kw[i] += w[i]
	}
	a.abef = [4]uint32{s[5], s[4], s[1], s[0]}
	a.cdgh = [4]uint32{s[7], s[6], s[3], s[2]}
}

func (l *avx2) batch(low uint32) (candidates uint32) {
	avx2Seal8(l.arena, low)
	for g := range l.arena.groups {
		for i, lane := range &l.arena.groups[g].out {
			if l.block.qualifies(lane) {
				candidates |= 1 << (4*g + i)
			}
		}
	}
	return candidates
}
