//go:build !purego

package powsolver

import "unsafe"

// sha3Lane computes two seals at a time with the CPU's instructions for SHA-256 and
// for SHA-3, whose permutation is Keccak's.
type sha3Lane struct {
	arena *arena128
	block *block
}

// arena128 is the memory of a sha3Lane. The assembly knows it by offsets.
type arena128 struct {
	k     [64]uint32
	state [8]uint32    // as in block
	words [12]uint32   // message words 4 to 15
	first [2][4]uint32 // words 0 to 3, by message
	rc    [24]uint64   // round constants of Keccak
	out   [2][2]uint64 // lanes 3 and 0, by message
}

// The offsets that _asm/arm64.go has: a mismatch does not compile.
var (
	_ [256]byte = [unsafe.Offsetof(arena128{}.state)]byte{}
	_ [288]byte = [unsafe.Offsetof(arena128{}.words)]byte{}
	_ [336]byte = [unsafe.Offsetof(arena128{}.first)]byte{}
	_ [368]byte = [unsafe.Offsetof(arena128{}.rc)]byte{}
	_ [560]byte = [unsafe.Offsetof(arena128{}.out)]byte{}
)

// sha3Seal2 computes the seals of the two messages in the arena and leaves their
// deciding lanes there.
//
//go:noescape
func sha3Seal2(a *arena128)

func newSHA3() lane { return &sha3Lane{arena: &arena128{k: sha256K, rc: keccakRC}} }

func (*sha3Lane) width() uint32 { return 2 }

func (l *sha3Lane) load(b *block) {
	l.block = b
	l.arena.state, l.arena.words = b.state, [12]uint32(b.words[4:])
	l.arena.first = [2][4]uint32{[4]uint32(b.words[:]), [4]uint32(b.words[:])}
}

func (l *sha3Lane) batch(low uint32) (candidates uint32) {
	for i := range l.arena.first {
		l.arena.first[i][0] = l.block.word0(low + uint32(i))
	}
	sha3Seal2(l.arena)
	out := &l.arena.out[0]
	if l.block.order == BigEndian {
		out = &l.arena.out[1]
	}
	for i, lane := range out {
		if l.block.qualifies(lane) {
			candidates |= 1 << i
		}
	}
	return candidates
}
