package powsolver

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// TestEngineVectors sends every known seal through every engine: the nonce is a
// candidate exactly when its seal's top bits allow it, at its own difficulty and
// at the two between which the seal lies.
func TestEngineVectors(t *testing.T) {
	for _, e := range Engines() {
		t.Run(e.Name(), func(t *testing.T) { testVectors(t, e) })
	}
}

func testVectors(t *testing.T, e *Engine) {
	for _, v := range vectors(t) {
		p := v.puzzle
		exact := ^uint64(0) / p.top(p.Seal(v.nonce)) // the hardest it meets, by its top bits
		for _, d := range []uint64{p.Difficulty, exact, exact + 1, 1, ^uint64(0)} {
			p.Difficulty = d
			want := p.top(p.Seal(v.nonce)) <= limit(d)
			if got := candidate(e, p, v.nonce); got != want {
				t.Errorf("%s, %s, nonce %#x, difficulty %d: candidate %v, want %v", e, v.name, v.nonce, d, got, want)
			}
		}
	}
}

// candidate asks an engine about one nonce.
func candidate(e *Engine, p Puzzle, nonce uint64) bool {
	lane, at := e.lane(), p.Position(nonce)
	lane.load(newBlock(p, at))
	low := uint32(at & (1<<p.span() - 1))
	start := low &^ (lane.width() - 1)
	return lane.batch(start)>>(low-start)&1 == 1
}

func TestEngineCheck(t *testing.T) {
	for _, e := range Engines() {
		if err := e.Check(); err != nil {
			t.Error(err)
		}
	}
}

// liar is a lane with one bit turned.
type liar struct {
	lane
	at uint32
}

func (l *liar) batch(low uint32) uint32 {
	mask := l.lane.batch(low)
	if low == l.at {
		mask ^= 1
	}
	return mask
}

func TestCheckFindsALiar(t *testing.T) {
	bad := &Engine{name: "liar", lane: func() lane { return &liar{new(portable), 0x89ab_cdc0 + 1234} }}
	var mismatch *MismatchError
	if err := bad.Check(); !errors.As(err, &mismatch) || mismatch.Engine != "liar" {
		t.Fatalf("Check: %v, want a *MismatchError of the liar", err)
	}
	e, dropped := selectFrom([]*Engine{bad, portableEngine()})
	if e == nil || e.Name() != "portable" || len(dropped) != 1 {
		t.Errorf("selected %v, dropped %v; want the portable engine without the liar", e, dropped)
	}
	if e, dropped := selectFrom([]*Engine{bad}); e != nil || len(dropped) != 1 {
		t.Errorf("selected %v, dropped %v; want none", e, dropped)
	}
}

// eager takes every nonce for a candidate.
type eager struct{ portable }

func (*eager) batch(uint32) uint32 { return 1 }

func TestSearchRefusesWrongCandidates(t *testing.T) {
	e := &Engine{name: "eager", lane: func() lane { return new(eager) }}
	var tried atomic.Uint64
	p := Puzzle{Kind: Legacy, Block: counted(1), Difficulty: 1 << 60}
	if _, found, err := e.Worker().Search(t.Context(), p, 0, 1000, &tried); found || !errors.Is(err, ErrDisagrees) {
		t.Errorf("found %v, error %v; want ErrDisagrees", found, err)
	}
}

// TestSearch compares what a worker finds in odd ranges with a plain loop over
// the definition, over the borders of high parts and around 2^64.
func TestSearch(t *testing.T) {
	for _, e := range Engines() {
		t.Run(e.Name(), func(t *testing.T) {
			w := e.Worker()
			for _, f := range forms() {
				p := Puzzle{Kind: f.Kind, Order: f.Order, Difficulty: 40, Block: counted(3), Hotkey: counted(5), Coldkey: counted(7), NetUID: 12}
				for _, from := range []uint64{0, 1, 31, 33, 1<<24 - 45, 1<<32 - 45, 7<<32 + 17, ^uint64(0) - 60} {
					testSearch(t, w, p, from, 1+rand.Uint64N(150))
				}
			}
		})
	}
}

func testSearch(t *testing.T, w Worker, p Puzzle, from, count uint64) {
	t.Helper()
	for count > 0 {
		want, wantFound := first(p, from, count)
		var tried atomic.Uint64
		nonce, found, err := w.Search(t.Context(), p, from, count, &tried)
		if err != nil || found != wantFound || found && nonce != p.Nonce(from+want) {
			t.Fatalf("%s %s, %d from %#x: nonce %#x, %v, %v; want %#x, %v", p.Kind, p.Order, count, from, nonce, found, err, p.Nonce(from+want), wantFound)
		}
		if !found {
			want = count - 1
		}
		if tried.Load() != want+1 {
			t.Fatalf("%s %s, %d from %#x: counted %d, want %d", p.Kind, p.Order, count, from, tried.Load(), want+1)
		}
		from, count = from+want+1, count-want-1
	}
}

// first is the offset of the first position that meets the puzzle.
func first(p Puzzle, from, count uint64) (uint64, bool) {
	for i := range count {
		if p.Meets(p.Seal(p.Nonce(from + i))) {
			return i, true
		}
	}
	return 0, false
}

func TestSearchEnds(t *testing.T) {
	var tried atomic.Uint64
	w := portableEngine().Worker()
	if _, _, err := w.Search(t.Context(), Puzzle{}, 0, 10, &tried); err == nil {
		t.Error("an empty puzzle was searched")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := Puzzle{Kind: Legacy, Block: counted(1), Difficulty: 1 << 60}
	if _, found, err := w.Search(ctx, p, 0, 1<<40, &tried); found || !errors.Is(err, context.Canceled) || tried.Load() != 0 {
		t.Errorf("found %v, error %v, tried %d; want nothing and context.Canceled", found, err, tried.Load())
	}
}

func TestBatchAllocatesNothing(t *testing.T) {
	for _, e := range Engines() {
		w := e.Worker().(*cpuWorker)
		p := Puzzle{Kind: Legacy, Block: counted(1), Difficulty: 1 << 60}
		w.lane.load(newBlock(p, 0))
		if n := testing.AllocsPerRun(10, func() { w.scan(p, 0, 256) }); n != 0 {
			t.Errorf("%s: %v allocations in 256 seals", e.Name(), n)
		}
	}
}

// FuzzEngines holds every engine against the definition on 64 neighbouring
// nonces of a puzzle made of arbitrary bytes.
func FuzzEngines(f *testing.F) {
	for _, v := range vectors(f) {
		p := v.puzzle
		f.Add(uint8(p.Kind), p.Order == BigEndian, p.NetUID, append(append(p.Block[:], p.Hotkey[:]...), p.Coldkey[:]...), v.nonce, p.Difficulty)
		f.Add(uint8(p.Kind), p.Order == BigEndian, p.NetUID, []byte{}, v.nonce, uint64(3))
	}
	f.Fuzz(func(t *testing.T, kind uint8, big bool, netuid uint16, keys []byte, nonce, difficulty uint64) {
		p := Puzzle{Kind: Original + Kind(kind%3), NetUID: netuid, Difficulty: difficulty}
		if big {
			p.Order = BigEndian
		}
		keys = append(keys, make([]byte, 96)...)
		copy(p.Block[:], keys)
		copy(p.Hotkey[:], keys[32:])
		copy(p.Coldkey[:], keys[64:])
		// A difficulty that the nonce's own seal just meets tests the filter's edge.
		own := p.top(p.Seal(nonce))
		for _, d := range []uint64{difficulty, ^uint64(0) / max(own, 1), 2 + difficulty%64} {
			p.Difficulty = d
			for _, e := range Engines() {
				if err := e.compare(p, p.Position(nonce)&^63, 64); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestBlock holds the prepared block, which the engines work on, against the
// standard library: its compression must give the digest of the whole message.
func TestBlock(t *testing.T) {
	for _, v := range vectors(t) {
		at := v.puzzle.Position(v.nonce)
		b := newBlock(v.puzzle, at)
		words := b.words
		words[0] = b.word0(uint32(at & (1<<v.puzzle.span() - 1)))
		var got [32]byte
		for i, w := range compress(b.state, words) {
			binary.BigEndian.PutUint32(got[4*i:], w)
		}
		if want := sha256.Sum256(v.puzzle.message(v.nonce)); got != want {
			t.Errorf("%s, nonce %#x: digest %x, want %x", v.name, v.nonce, got, want)
		}
	}
}
