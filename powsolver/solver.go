package powsolver

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Solver searches with several workers at once. Make one with [NewSolver]. It
// may solve one puzzle after another, but only one at a time.
type Solver struct {
	crew  []*member
	began atomic.Pointer[time.Time] // when Solve was last called
}

// member is a worker and what became of it.
type member struct {
	Worker
	tried atomic.Uint64
	err   atomic.Pointer[error]
}

// NewSolver returns a solver that searches with the given workers, one goroutine
// each. For the CPU, give it one per core: engine.Workers(powsolver.Cores()).
//
// A program that also waits for the network meanwhile, as for new heads, should
// then raise GOMAXPROCS by one: with a worker on every processor that Go knows, Go
// looks at the network every 10 ms only.
func NewSolver(workers ...Worker) *Solver {
	s := new(Solver)
	for _, w := range workers {
		s.crew = append(s.crew, &member{Worker: w})
	}
	return s
}

// share is how many positions a worker takes from the common stock at a time.
const share = 1 << 32

// Solve searches until a worker finds a solution, and returns it verified.
// Whatever arrives on next replaces the puzzle: the search is memoryless, so
// nothing is lost by moving to a newer block at once, which takes about a
// millisecond. From then on no solution of an older puzzle is returned. A nil or
// closed next leaves the puzzle as it is.
//
// When ctx ends, Solve stops within a few milliseconds and returns its error. A
// worker that fails or lies is left out, with its error in [Progress]; when none
// is left, Solve returns their errors joined. A puzzle that [Puzzle.Check]
// refuses ends the search. No goroutine outlives the call.
func (s *Solver) Solve(ctx context.Context, p Puzzle, next <-chan Puzzle) (Solution, error) {
	now := time.Now()
	s.began.Store(&now)
	for {
		if err := p.Check(); err != nil {
			return Solution{}, err
		}
		search := s.start(ctx, p)
		replaced, err := search.wait(ctx, next)
		search.stop()
		if replaced == nil {
			return search.result(err)
		}
		p = *replaced
	}
}

// search is the work on one puzzle.
type search struct {
	puzzle  Puzzle
	crew    []*member
	cancel  context.CancelFunc
	running sync.WaitGroup
	stock   atomic.Uint64 // the first position that no worker has taken
	found   chan uint64   // room for one nonce: the first wins
	over    chan struct{} // closed when no worker is left
}

func (s *Solver) start(ctx context.Context, p Puzzle) *search {
	ctx, cancel := context.WithCancel(ctx)
	h := &search{puzzle: p, crew: s.crew, cancel: cancel, found: make(chan uint64, 1), over: make(chan struct{})}
	h.stock.Store(randomStart())
	for _, m := range s.crew {
		if m.err.Load() == nil {
			h.running.Go(func() { h.work(ctx, m) })
		}
	}
	go func() { h.running.Wait(); close(h.over) }()
	return h
}

// randomStart keeps two machines with the same keys from doing the same work. It
// is the start of a share, so that shares and high parts change together.
func randomStart() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	return binary.LittleEndian.Uint64(b[:]) &^ (share - 1)
}

// work searches share after share until the context ends or a nonce turns up.
func (h *search) work(ctx context.Context, m *member) {
	for ctx.Err() == nil {
		from := h.stock.Add(share) - share
		nonce, found, err := m.Search(ctx, h.puzzle, from, share, &m.tried)
		switch {
		case ctx.Err() != nil && !found:
			return
		case err != nil:
			m.err.Store(&err)
			return
		case found && !h.puzzle.Meets(h.puzzle.Seal(nonce)):
			err := fmt.Errorf("nonce %#x: %w", nonce, ErrDisagrees)
			m.err.Store(&err)
			return
		case found:
			select {
			case h.found <- nonce:
			default:
			}
			h.cancel()
			return
		}
	}
}

// wait returns when the search is over, with the puzzle that replaces it if that
// is the reason.
func (h *search) wait(ctx context.Context, next <-chan Puzzle) (*Puzzle, error) {
	for {
		select {
		case p, open := <-next:
			if open {
				return &p, nil
			}
			next = nil
		case <-h.over:
			return nil, ctx.Err()
		}
	}
}

// stop ends the search and returns when every worker has stopped.
func (h *search) stop() {
	h.cancel()
	<-h.over
}

func (h *search) result(err error) (Solution, error) {
	select {
	case nonce := <-h.found:
		return Solution{Puzzle: h.puzzle, Nonce: nonce, Seal: h.puzzle.Seal(nonce)}, nil
	default:
	}
	if err != nil {
		return Solution{}, err
	}
	return Solution{}, h.failed()
}

// failed joins the errors of the workers, none of which is left.
func (h *search) failed() error {
	errs := []error{errors.New("no worker is left to search for a proof of work")}
	for _, m := range h.crew {
		if err := m.err.Load(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.Name(), *err))
		}
	}
	return errors.Join(errs...)
}

// Progress is how far a solver has come, at one moment.
type Progress struct {
	Elapsed time.Duration // since Solve was called
	Tried   uint64        // seals computed by this solver, whatever the puzzle
	Workers []WorkerProgress
}

// WorkerProgress is one worker's share.
type WorkerProgress struct {
	Name  string
	Tried uint64
	Err   error // why the worker was left out, or nil
}

// Progress may be asked for at any time, from any goroutine. The counts hold
// what was computed, up to a few milliseconds ago. For a rate, ask twice and use
// [Progress.Since].
func (s *Solver) Progress() Progress {
	p := Progress{Workers: make([]WorkerProgress, len(s.crew))}
	if began := s.began.Load(); began != nil {
		p.Elapsed = time.Since(*began)
	}
	for i, m := range s.crew {
		w := WorkerProgress{Name: m.Name(), Tried: m.tried.Load()}
		if err := m.err.Load(); err != nil {
			w.Err = *err
		}
		p.Tried += w.Tried
		p.Workers[i] = w
	}
	return p
}

// Since is the rate, in seals per second, between an earlier reading and this
// one; 0 if no time lies between them.
func (p Progress) Since(earlier Progress) float64 {
	d := p.Elapsed - earlier.Elapsed
	if d <= 0 {
		return 0
	}
	return float64(p.Tried-earlier.Tried) / d.Seconds()
}

// NamedRate is what the workers of one name do together.
type NamedRate struct {
	Name    string
	Workers int     // those that have not been left out
	Rate    float64 // seals per second
}

// ByName is the rate between an earlier reading and this one, for each name of a
// worker, in the solver's order.
func (p Progress) ByName(earlier Progress) []NamedRate {
	var all []NamedRate
	seconds := (p.Elapsed - earlier.Elapsed).Seconds()
	for i, w := range p.Workers {
		at := slices.IndexFunc(all, func(r NamedRate) bool { return r.Name == w.Name })
		if at < 0 {
			at = len(all)
			all = append(all, NamedRate{Name: w.Name})
		}
		if w.Err == nil {
			all[at].Workers++
		}
		before := uint64(0)
		if i < len(earlier.Workers) {
			before = earlier.Workers[i].Tried
		}
		if seconds > 0 {
			all[at].Rate += float64(w.Tried-before) / seconds
		}
	}
	return all
}

// Cores is how many workers suit the CPU: as many as Go may run at once, which
// respects a container's limit.
func Cores() int { return runtime.GOMAXPROCS(0) }
