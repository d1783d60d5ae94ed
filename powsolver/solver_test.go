package powsolver

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// easy is a puzzle that a few thousand seals solve, hard one that nothing will.
func easy() Puzzle {
	return Puzzle{Kind: V475, Block: counted(1), Hotkey: counted(2), Coldkey: counted(3), NetUID: 7, Difficulty: 5000}
}

func hard() Puzzle { p := easy(); p.Difficulty = ^uint64(0); return p }

// fastest is the engine that a program would use.
func fastest(t testing.TB) *Engine {
	e, dropped := Select()
	if e == nil || len(dropped) > 0 {
		t.Fatalf("selected %v, dropped %v", e, dropped)
	}
	return e
}

// deadline keeps a broken solver from hanging the tests; a working one never
// comes near it.
func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// background runs a search that only the context can end, and closes the channel
// when it has.
func background(t testing.TB, ctx context.Context, s *Solver, next <-chan Puzzle) (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		defer close(done)
		if _, err := s.Solve(ctx, hard(), next); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
	}()
	return done
}

func TestSolve(t *testing.T) {
	s := NewSolver(append(fastest(t).Workers(2), portableEngine().Worker())...)
	for _, f := range forms() { // one solver, several puzzles in turn
		p := easy()
		p.Kind, p.Order = f.Kind, f.Order
		got, err := s.Solve(deadline(t), p, nil)
		if err != nil {
			t.Fatalf("%s %s: %v", p.Kind, p.Order, err)
		}
		seal, meets := Verify(p, got.Nonce)
		if got.Puzzle != p || got.Seal != seal || !meets {
			t.Errorf("%s %s: solution %+v does not hold", p.Kind, p.Order, got)
		}
	}
	if n := s.Progress().Tried; n == 0 {
		t.Error("nothing was counted")
	}
}

func TestSolveClosedNext(t *testing.T) {
	next := make(chan Puzzle)
	close(next)
	if _, err := NewSolver(portableEngine().Worker()).Solve(deadline(t), easy(), next); err != nil {
		t.Errorf("a closed channel of puzzles: %v", err)
	}
}

func TestSolveRefuses(t *testing.T) {
	s := NewSolver(portableEngine().Worker())
	var refused *PuzzleError
	if _, err := s.Solve(deadline(t), Puzzle{}, nil); !errors.As(err, &refused) {
		t.Errorf("an empty puzzle: %v, want a *PuzzleError", err)
	}
	next := make(chan Puzzle, 1)
	next <- Puzzle{Kind: Legacy} // its block hash is all zeros
	if _, err := s.Solve(deadline(t), hard(), next); !errors.As(err, &refused) {
		t.Errorf("an empty puzzle in between: %v, want a *PuzzleError", err)
	}
	if _, err := NewSolver().Solve(deadline(t), easy(), nil); err == nil {
		t.Error("a solver without workers found something")
	}
}

func TestSolveEndsWithContext(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(deadline(t))
	at := newStage(portableEngine().Worker())
	go func() { <-at.began; cancel() }()
	if _, err := NewSolver(at, portableEngine().Worker()).Solve(ctx, hard(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if after := runtime.NumGoroutine(); after > before+1 { // the one above may still be leaving
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

// stage is a worker that tells when each search begins, and of what.
type stage struct {
	Worker
	began chan Puzzle
}

func newStage(w Worker) *stage { return &stage{w, make(chan Puzzle, 64)} }

func (s *stage) Search(ctx context.Context, p Puzzle, from, count uint64, tried *atomic.Uint64) (uint64, bool, error) {
	s.began <- p
	return s.Worker.Search(ctx, p, from, count, tried)
}

// TestSolveSwaps moves a search through hard puzzles to an easy one. Only that
// one can be solved, and every worker must have left the others.
func TestSolveSwaps(t *testing.T) {
	one, two := newStage(fastest(t).Worker()), newStage(portableEngine().Worker())
	next := make(chan Puzzle)
	go func() {
		for i := range byte(5) {
			<-one.began
			<-two.began
			p := hard()
			p.Block[0] = i + 100
			if i == 4 {
				p.Difficulty = 3000
			}
			next <- p
		}
	}()
	got, err := NewSolver(one, two).Solve(deadline(t), hard(), next)
	if err != nil || got.Puzzle.Block[0] != 104 || got.Puzzle.Difficulty != 3000 {
		t.Errorf("solved %+v, %v; want the last puzzle", got.Puzzle, err)
	}
}

// TestSharesDiffer makes sure that no two searches of a puzzle overlap.
func TestSharesDiffer(t *testing.T) {
	r := &recorder{left: 50}
	if _, err := NewSolver(r, r, r).Solve(deadline(t), hard(), nil); !errors.Is(err, errSpent) {
		t.Fatalf("error %v, want %v", err, errSpent)
	}
	seen := map[uint64]bool{}
	for _, from := range r.shares {
		if from%share != 0 || seen[from] {
			t.Errorf("the share from %#x is not aligned or was given out twice", from)
		}
		seen[from] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d shares, want 50", len(seen))
	}
}

var errSpent = errors.New("spent")

// recorder finds nothing, at once.
type recorder struct {
	mu     sync.Mutex
	shares []uint64
	left   int
}

func (*recorder) Name() string { return "recorder" }

func (r *recorder) Search(_ context.Context, _ Puzzle, from, count uint64, _ *atomic.Uint64) (uint64, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left--; r.left < 0 {
		return 0, false, errSpent
	}
	r.shares = append(r.shares, from)
	return 0, false, nil
}

// fake is a worker that answers at once.
type fake struct {
	nonce uint64
	found bool
	err   error
}

func (*fake) Name() string { return "fake" }

func (f *fake) Search(context.Context, Puzzle, uint64, uint64, *atomic.Uint64) (uint64, bool, error) {
	return f.nonce, f.found, f.err
}

func TestSolveLeavesOutBadWorkers(t *testing.T) {
	broken := errors.New("the driver crashed")
	crashed, liar := &fake{err: broken}, &fake{nonce: 1, found: true}
	p := easy()
	p.Difficulty = 200_000 // nonce 1 does not meet it

	_, err := NewSolver(crashed, liar).Solve(deadline(t), p, nil)
	if !errors.Is(err, broken) || !errors.Is(err, ErrDisagrees) {
		t.Errorf("error %v, want both workers' errors", err)
	}

	s := NewSolver(crashed, liar, fastest(t).Worker())
	got, err := s.Solve(deadline(t), p, nil)
	if err != nil || !got.Puzzle.Meets(got.Seal) {
		t.Fatalf("solution %+v, %v; want the good worker's", got, err)
	}
	w := s.Progress().Workers
	if !errors.Is(w[0].Err, broken) || !errors.Is(w[1].Err, ErrDisagrees) || w[2].Err != nil {
		t.Errorf("progress %+v, want the bad workers' errors", w)
	}
}

func TestProgress(t *testing.T) {
	ctx, cancel := context.WithCancel(deadline(t))
	s := NewSolver(portableEngine().Workers(2)...)
	if p := s.Progress(); p.Tried != 0 || p.Elapsed != 0 {
		t.Errorf("before the search: %+v", p)
	}
	done := background(t, ctx, s, nil)
	first := s.Progress()
	for first.Tried == 0 {
		runtime.Gosched()
		first = s.Progress()
	}
	second := s.Progress()
	for second.Tried == first.Tried {
		runtime.Gosched()
		second = s.Progress()
	}
	cancel()
	<-done
	if second.Since(first) <= 0 || first.Since(second) != 0 {
		t.Errorf("rates %v forward, %v backward", second.Since(first), first.Since(second))
	}
	if last := s.Progress(); last.Tried != last.Workers[0].Tried+last.Workers[1].Tried || last.Workers[0].Name != "portable" {
		t.Errorf("progress %+v does not add up", last)
	}
}

func TestOdds(t *testing.T) {
	const rate = 1e6
	near := func(a, b float64) bool { return a > b*0.9999 && a < b*1.0001 }
	if got := Chance(1_000_000, rate, time.Second); !near(got, 0.6321205588) {
		t.Errorf("chance within the expected time: %v, want 1-1/e", got)
	}
	if got := Within(1_000_000, rate, 0.5).Seconds(); !near(got, 0.6931471806) {
		t.Errorf("median %v, want ln 2", got)
	}
	if got := Within(1_000_000, rate, 0.95).Seconds(); !near(got, 2.995732274) {
		t.Errorf("95%%: %v, want ln 20", got)
	}
	const longest = time.Duration(1<<63 - 1)
	for _, got := range []time.Duration{Within(1, rate, 1), Within(1000, 0, 0.5), Within(^uint64(0), 1, 0.5)} {
		if got != longest {
			t.Errorf("a time too long to tell is %v, want the longest there is", got)
		}
	}
	if Chance(10, 0, time.Hour) != 0 || Chance(10, rate, -1) != 0 || Chance(0, rate, time.Hour) != 1 || Within(10, rate, 0) != 0 {
		t.Error("edges of the odds are wrong")
	}
}

// BenchmarkSwap is the time from a new head to the last worker's work on it, with
// every core busy; BenchmarkCancel that from the end of the context to Solve's
// return. Both should stay below 5 ms.
func BenchmarkSwap(b *testing.B) {
	s, began := busySolver(b)
	next := make(chan Puzzle)
	ctx, cancel := context.WithCancel(b.Context())
	done := background(b, ctx, s, next)
	began()
	var took []time.Duration
	for b.Loop() {
		time.Sleep(3 * time.Millisecond) // let the workers settle
		start := time.Now()
		next <- hard()
		began()
		took = append(took, time.Since(start))
	}
	report(b, took)
	cancel()
	<-done
}

func BenchmarkCancel(b *testing.B) {
	s, began := busySolver(b)
	var took []time.Duration
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		done := background(b, ctx, s, nil)
		began()
		time.Sleep(3 * time.Millisecond)
		start := time.Now()
		cancel()
		<-done
		took = append(took, time.Since(start))
	}
	report(b, took)
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	for name, share := range map[string]int{"median": 50, "p99": 99} {
		b.ReportMetric(float64(took[(len(took)-1)*share/100].Microseconds())/1e3, name+"-ms")
	}
}

// busySolver has a worker on every core; the function waits until each began.
func busySolver(b *testing.B) (s *Solver, began func()) {
	var crew []Worker
	for _, w := range fastest(b).Workers(Cores()) {
		crew = append(crew, newStage(w))
	}
	return NewSolver(crew...), func() {
		for _, w := range crew {
			<-w.(*stage).began
		}
	}
}

// TestByName counts the workers of a name together.
func TestByName(t *testing.T) {
	before := Progress{Elapsed: time.Second, Workers: []WorkerProgress{{Name: "a", Tried: 10}, {Name: "a"}, {Name: "b", Tried: 5}}}
	after := Progress{Elapsed: 3 * time.Second, Workers: []WorkerProgress{
		{Name: "a", Tried: 30}, {Name: "a", Tried: 20, Err: ErrDisagrees}, {Name: "b", Tried: 5},
	}}
	want := []NamedRate{{"a", 1, 20}, {"b", 1, 0}}
	if got := after.ByName(before); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, r := range before.ByName(after) {
		if r.Rate != 0 {
			t.Errorf("a rate backward: %+v", r)
		}
	}
	if got := after.ByName(Progress{Elapsed: 2 * time.Second}); got[0].Rate != 50 {
		t.Errorf("since nothing: %+v", got)
	}
}
