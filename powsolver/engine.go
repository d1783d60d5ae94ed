package powsolver

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"sync/atomic"
)

// Engine is one way in which this CPU can compute seals.
type Engine struct {
	name string
	lane func() lane
}

// A lane computes width seals at a time, for one goroutine. It owns whatever
// memory that takes, so that a batch allocates nothing.
type lane interface {
	width() uint32 // a power of two, at most 32
	load(*block)   // what the following batches search in
	// batch computes the nonces of the low parts low to low+width-1, low being a
	// multiple of width. Bit i of the answer marks low+i as a candidate, a seal
	// whose deciding lane qualifies.
	batch(low uint32) uint32
}

// Name is how the engine is called: "portable", "avx2", "avx512", "sha3".
func (e *Engine) Name() string { return e.name }

func (e *Engine) String() string { return e.name }

// portableEngine is there on every machine.
func portableEngine() *Engine {
	return &Engine{name: "portable", lane: func() lane { return new(portable) }}
}

// Engines lists what this machine offers, the fastest first and the portable
// engine last. None has been checked yet.
func Engines() []*Engine { return append(cpuEngines(), portableEngine()) }

// Select returns the fastest engine that agrees with the definition of the
// seals, and a *[MismatchError] for each faster one that does not. It takes some
// ten milliseconds. Should even the portable engine fail, the machine cannot be
// trusted with any work: then the engine is nil.
func Select() (*Engine, []error) { return selectFrom(Engines()) }

func selectFrom(engines []*Engine) (*Engine, []error) {
	var dropped []error
	for _, e := range engines {
		err := e.Check()
		if err == nil {
			return e, dropped
		}
		dropped = append(dropped, err)
	}
	return nil, dropped
}

// MismatchError reports that an engine's answer differs from the definition.
type MismatchError struct {
	Engine string
	Puzzle Puzzle
	Nonce  uint64
	Found  bool // the engine took the nonce for a candidate; the definition does not, or the reverse
}

func (e *MismatchError) Error() string {
	verdict := "missed"
	if e.Found {
		verdict = "took wrongly"
	}
	return fmt.Sprintf("engine %s %s nonce %#x: %s seal, compared %s", e.Engine, verdict, e.Nonce, e.Puzzle.Kind, e.Puzzle.Order)
}

// Two thousand nonces of each kind and order, at a difficulty that every eighth
// seal meets, take milliseconds and leave a broken lane no room.
const (
	checkNonces     = 2048
	checkDifficulty = 8
)

// Check compares the engine with the definition of the seals on a few thousand
// nonces of every kind and order. The error is a *[MismatchError].
func (e *Engine) Check() error {
	p := Puzzle{Difficulty: checkDifficulty, NetUID: 0x0201}
	for i := range 32 {
		p.Block[i], p.Hotkey[i], p.Coldkey[i] = byte(7*i+1), byte(11*i+2), byte(13*i+3)
	}
	for _, f := range forms() {
		p.Kind, p.Order = f.Kind, f.Order
		if err := e.compare(p, 0x0123_4567_89ab_cdc0, checkNonces); err != nil {
			return err
		}
	}
	return nil
}

// form is a seal and the order in which it is compared.
type form struct {
	Kind  Kind
	Order Order
}

// forms are those that some runtime checks. Original differs from Legacy only in
// how its block is prepared.
func forms() []form {
	return []form{{Original, BigEndian}, {Legacy, BigEndian}, {Legacy, LittleEndian}, {V475, LittleEndian}}
}

// compare holds the candidates of count positions against the definition. It
// looks at the lane itself, since a worker would hide a candidate too many.
func (e *Engine) compare(p Puzzle, from, count uint64) error {
	lane := e.lane()
	lane.load(newBlock(p, from))
	width := uint64(lane.width())
	low := uint32(from & (1<<p.span() - 1))
	for i := uint64(0); i < count; i += width {
		found := lane.batch(low + uint32(i))
		for k := range width {
			nonce := p.Nonce(from + i + k)
			candidate := found>>k&1 == 1
			if candidate != (p.top(p.Seal(nonce)) <= limit(p.Difficulty)) {
				return &MismatchError{Engine: e.name, Puzzle: p, Nonce: nonce, Found: candidate}
			}
		}
	}
	return nil
}

// top is the highest 64 bits of the seal's number.
func (p Puzzle) top(seal [32]byte) uint64 { return p.word(seal, 3) }

// Worker searches on behalf of one goroutine; two must not share one. Engines
// make them for the CPU's cores ([Engine.Worker]); a program that drives another
// device brings its own.
type Worker interface {
	Name() string

	// Search goes through count positions from the given one, around 2^64 if
	// need be, and returns the first nonce found to meet the puzzle. It stops
	// within a few milliseconds of the context's end, with its error, and adds
	// the seals it computed to tried while it runs, as often. A solver waits for
	// its workers to stop: one whose device may hang must keep that to itself.
	Search(ctx context.Context, p Puzzle, from, count uint64, tried *atomic.Uint64) (nonce uint64, found bool, err error)
}

// Worker returns a new worker that computes with this engine. It allocates when
// its high part changes, once in 2^24 positions or more, and not in between.
func (e *Engine) Worker() Worker { return &cpuWorker{engine: e, lane: e.lane()} }

// Workers returns n workers of the engine.
func (e *Engine) Workers(n int) []Worker {
	w := make([]Worker, n)
	for i := range w {
		w[i] = e.Worker()
	}
	return w
}

type cpuWorker struct {
	engine *Engine
	lane   lane
}

func (w *cpuWorker) Name() string { return w.engine.name }

// ErrDisagrees is what a worker returns whose engine offers candidates that the
// definition of the seals refuses: the machine or the engine computes wrongly.
var ErrDisagrees = errors.New("the engine's candidates do not hold")

// stride is how many positions lie between two looks at the context and two
// additions to the count: half a millisecond of work or less, on any engine.
func (w *cpuWorker) stride() uint64 { return uint64(w.lane.width()) << 8 }

func (w *cpuWorker) Search(ctx context.Context, p Puzzle, from, count uint64, tried *atomic.Uint64) (uint64, bool, error) {
	if err := p.Check(); err != nil {
		return 0, false, err
	}
	wrong := 0
	for count > 0 {
		n := min(count, 1<<p.span()-from&(1<<p.span()-1))
		w.lane.load(newBlock(p, from))
		for end := from + n; from != end; {
			// Go preempts a busy goroutine after 10 ms only: whoever waits to hand
			// over a new head must not wait that long for a core.
			runtime.Gosched()
			if err := ctx.Err(); err != nil {
				return 0, false, err
			}
			step := min(end-from, w.stride()-from&(w.stride()-1))
			at, found := w.scan(p, from, step)
			if !found {
				tried.Add(step)
				from += step
				continue
			}
			tried.Add(at - from + 1)
			if nonce := p.Nonce(at); p.Meets(p.Seal(nonce)) {
				return nonce, true, nil
			}
			if wrong++; wrong > 3 {
				return 0, false, fmt.Errorf("%s, %s seal: %w", w.engine.name, p.Kind, ErrDisagrees)
			}
			from = at + 1
		}
		count -= n
	}
	return 0, false, nil
}

// scan returns the first candidate among n positions that share their high part.
// It computes whole batches and leaves out what lies before and behind.
func (w *cpuWorker) scan(p Puzzle, from, n uint64) (at uint64, found bool) {
	width := uint64(w.lane.width())
	start := from &^ (width - 1)
	outside := ^uint32(0) << (from - start)
	low := uint32(start & (1<<p.span() - 1))
	for i := start; i-start < from-start+n; i += width { // from+n may be 2^64
		if mask := w.lane.batch(low) & outside; mask != 0 {
			at = i + uint64(bits.TrailingZeros32(mask))
			return at, at-from < n
		}
		outside = ^uint32(0)
		low += uint32(width)
	}
	return 0, false
}
