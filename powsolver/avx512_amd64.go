//go:build !purego

package powsolver

import "unsafe"

//go:generate sh -c "cd _asm && go run ."

// avx512 computes 32 seals at a time in 512-bit registers: SHA-256 sixteen at a
// time, Keccak eight.
type avx512 struct{ arena *arena512 }

// arena512 is the memory of an avx512, on a cache line's start. The assembly
// knows it by offsets.
type arena512 struct {
	one, top, two uint64 // 1, 2^63 and 2: what the padding puts into the first round
	limit         uint64 // as in block
	first         uint32 // the first word's bits beside the low part
	big           uint32 // 1: the seal is compared big-endian
	a1, e1        uint32 // as in schedule
	_             [16]byte
	count         [32]uint32 // 0 to 31, in the order in which candidates come out right
	swap32        [64]byte   // bytes turned around in each 32-bit word
	swap64        [64]byte   // and in each 64-bit one
	rc            [24]uint64
	kw, c         [64]uint32 // as in schedule
	state         [8]uint32  // as in block
	_             [32]byte
	lanes         [4][4][8]uint64   // digests: by group, lane and message
	words         [2][16][16]uint32 // message words: by stream, word and message
}

// The offsets that _asm/avx512.go has: a mismatch does not compile.
var (
	_ [32]byte   = [unsafe.Offsetof(arena512{}.first)]byte{}
	_ [64]byte   = [unsafe.Offsetof(arena512{}.count)]byte{}
	_ [192]byte  = [unsafe.Offsetof(arena512{}.swap32)]byte{}
	_ [320]byte  = [unsafe.Offsetof(arena512{}.rc)]byte{}
	_ [512]byte  = [unsafe.Offsetof(arena512{}.kw)]byte{}
	_ [1024]byte = [unsafe.Offsetof(arena512{}.state)]byte{}
	_ [1088]byte = [unsafe.Offsetof(arena512{}.lanes)]byte{}
	_ [2112]byte = [unsafe.Offsetof(arena512{}.words)]byte{}
)

//go:noescape
func avx512Seal32(a *arena512, low uint32) (candidates uint32)

func newAVX512() lane {
	a := (*arena512)(alignedMemory(unsafe.Sizeof(arena512{})))
	a.one, a.top, a.two, a.rc = 1, 1<<63, 2, keccakRC
	for i := range a.count {
		a.count[i] = uint32(i&16 + unpacked[i&15])
	}
	for i := range a.swap32 {
		a.swap32[i], a.swap64[i] = byte(i^3), byte(i^7)
	}
	return avx512{a}
}

// unpacked is where each of sixteen messages comes out when two vectors of words
// are unpacked into two of lanes: the first eight in the lower one.
var unpacked = [16]int{0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15}

func (avx512) width() uint32 { return 32 }

func (l avx512) load(b *block) {
	s := newSchedule(b)
	l.arena.limit, l.arena.first, l.arena.big = b.limit, b.words[0], uint32(b.order)
	l.arena.a1, l.arena.e1, l.arena.kw, l.arena.c, l.arena.state = s.a1, s.e1, s.kw, s.c, b.state
}

func (l avx512) batch(low uint32) uint32 { return avx512Seal32(l.arena, low) }
