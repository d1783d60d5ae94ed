package powsolver

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

func TestJudge(t *testing.T) {
	for _, e := range Engines() {
		if err := Judge(t.Context(), e.Worker()); err != nil {
			t.Errorf("%s: %v", e, err)
		}
	}
	blind := func(Puzzle, uint64, uint64) (uint64, bool) { return 0, false }
	last := func(p Puzzle, from, count uint64) (uint64, bool) { return p.Nonce(from + count - 1), true }
	first := func(p Puzzle, from, _ uint64) (uint64, bool) { return p.Nonce(from), true }
	for name, lie := range map[string]oracle{"blind": blind, "last": last, "first": first} {
		if err := Judge(t.Context(), lie); !errors.Is(err, ErrDisagrees) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// oracle is a worker that computes nothing.
type oracle func(p Puzzle, from, count uint64) (uint64, bool)

func (oracle) Name() string { return "oracle" }

func (o oracle) Search(_ context.Context, p Puzzle, from, count uint64, _ *atomic.Uint64) (uint64, bool, error) {
	nonce, found := o(p, from, count)
	return nonce, found, nil
}

// TestPrepare computes seals from what is prepared for devices.
func TestPrepare(t *testing.T) {
	for _, v := range vectors(t) {
		at := v.puzzle.Position(v.nonce)
		p := v.puzzle.Prepare(at)
		low := uint32(at & (1<<v.puzzle.Span() - 1))
		b := newBlock(v.puzzle, at)
		b.words[0] = b.word0(low)
		digest := compress(b.state, b.words)
		if got := p.digest(low); got != digest {
			t.Errorf("%s, nonce %d: digest %x, want %x", v.name, v.nonce, got, digest)
		}
	}
}

// digest goes through SHA-256 as devices do.
func (p Prepared) digest(low uint32) [8]uint32 {
	b := block{words: [16]uint32{p.Word0}}
	w := [64]uint32{b.word0(low)}
	s := p.State
	s = [8]uint32{p.A1 + w[0], s[0], s[1], s[2], p.E1 + w[0], s[4], s[5], 0}
	for i := 1; i < 64; i++ {
		if i >= 16 && varies(i) {
			w[i] = p.C[i]
			for _, term := range []struct {
				j int
				f func(uint32) uint32
			}{{i - 2, sigma1}, {i - 7, same}, {i - 15, sigma0}, {i - 16, same}} {
				if varies(term.j) {
					w[i] += term.f(w[term.j])
				}
			}
		}
		if i <= 3 {
			s[7] = 0 // it is in KW
		}
		s = compressRound(s, p.KW[i]+w[i])
	}
	for i := range s {
		s[i] += p.State[i]
	}
	return s
}

func same(x uint32) uint32 { return x }
