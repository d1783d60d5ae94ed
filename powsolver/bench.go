package powsolver

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// Bench compares engines on one core. Engines and forms take turns in short
// slices, so that whatever else the machine does hits them all alike, and each
// pass gives one ratio; medians are reported, never the best. A whole search is
// measured, with its filter, its counting and its looks at the context.
type Bench struct {
	Engines []*Engine     // nil: all that this machine offers
	Slice   time.Duration // how long one engine runs at a time; 0: 100 ms
	Passes  int           // how often each has its turn; 0: 9
}

// BenchResult is how fast one engine computes one seal. Rates are per second of
// the thread's own CPU time where the system tells it (Linux), else of the clock
// on the wall.
type BenchResult struct {
	Engine string  `json:"engine"`
	Kind   Kind    `json:"seal"`
	Order  Order   `json:"order"`
	Rate   float64 `json:"seals_per_second"` // median
	Cycles float64 `json:"cycles_per_seal"`  // median; by a clock measured in the same pass, so about
	Ratio  float64 `json:"ratio"`            // to the portable engine, median over the passes; 0 if that one did not run
	Lowest float64 `json:"ratio_low"`        // the lowest ratio of a pass
	Most   float64 `json:"ratio_high"`       // the highest
}

// Run takes about Passes × Slice for each engine and form (there are three), and
// a third more to begin. It fails with the context's error, or a worker's.
func (b Bench) Run(ctx context.Context) ([]BenchResult, error) {
	b = b.withDefaults()
	runtime.LockOSThread() // CPU time is counted per thread
	defer runtime.UnlockOSThread()

	tracks := b.tracks()
	if err := b.passes(ctx, tracks); err != nil {
		return nil, err
	}
	return results(tracks), nil
}

// passes gives each track its turns.
func (b Bench) passes(ctx context.Context, tracks []*track) error {
	for pass := range b.Passes + 1 {
		slice := b.Slice
		if pass == 0 {
			slice /= 3 // finds out how much to do in a slice; not counted
		}
		clock := cyclesPerSecond()
		for _, t := range tracks {
			if err := t.run(ctx, slice, clock, pass > 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// WorkerResult is how fast a worker of any make computes one seal, by the clock on
// the wall.
type WorkerResult struct {
	Name   string  `json:"name"`
	Kind   Kind    `json:"seal"`
	Order  Order   `json:"order"`
	Rate   float64 `json:"seals_per_second"` // median
	Lowest float64 `json:"lowest"`           // the lowest rate of a pass
	Most   float64 `json:"highest"`
}

// Workers measures workers that are not of the CPU, one at a time, in alternating
// slices too.
func (b Bench) Workers(ctx context.Context, workers ...Worker) ([]WorkerResult, error) {
	b = b.withDefaults()
	var tracks []*track
	for _, f := range forms() {
		for _, w := range workers {
			if f.Kind != Original {
				tracks = append(tracks, &track{worker: w, puzzle: benchPuzzle(f), rate: 100_000, clock: wallTime})
			}
		}
	}
	if err := b.passes(ctx, tracks); err != nil {
		return nil, err
	}
	out := make([]WorkerResult, len(tracks))
	for i, t := range tracks {
		out[i] = WorkerResult{
			Name: t.worker.Name(), Kind: t.puzzle.Kind, Order: t.puzzle.Order,
			Rate: median(t.rates), Lowest: slices.Min(t.rates), Most: slices.Max(t.rates),
		}
	}
	return out, nil
}

// CoresResult is what several workers of one engine reach together.
type CoresResult struct {
	Engine  string  `json:"engine"`
	Workers int     `json:"workers"`
	Rate    float64 `json:"seals_per_second"` // of all together, by the clock on the wall; median; 0 if nothing could be counted
	Ratio   float64 `json:"ratio"`            // to one worker alone, median over the passes
	Lowest  float64 `json:"ratio_low"`
	Most    float64 `json:"ratio_high"`
}

// Cores compares a solver with n workers of an engine with one that has a single
// worker, in alternating slices. It goes by the clock on the wall, so other work on
// the machine shows. It takes 2 × Passes × Slice.
func (b Bench) Cores(ctx context.Context, e *Engine, n int) (CoresResult, error) {
	b = b.withDefaults()
	one, many := NewSolver(e.Worker()), NewSolver(e.Workers(n)...)
	var rates, ratios []float64
	for range b.Passes {
		alone, err := rate(ctx, one, b.Slice)
		if err != nil {
			return CoresResult{}, err
		}
		together, err := rate(ctx, many, b.Slice)
		if err != nil {
			return CoresResult{}, err
		}
		if alone > 0 { // on a busy machine a short slice may end before anything was counted
			rates, ratios = append(rates, together), append(ratios, together/alone)
		}
	}
	if len(ratios) == 0 {
		return CoresResult{Engine: e.Name(), Workers: n}, nil
	}
	return CoresResult{
		Engine: e.Name(), Workers: n, Rate: median(rates),
		Ratio: median(ratios), Lowest: slices.Min(ratios), Most: slices.Max(ratios),
	}, nil
}

// rate runs a solver for a while on a puzzle that it will not solve.
func rate(ctx context.Context, s *Solver, d time.Duration) (float64, error) {
	slice, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	before := s.Progress().Tried
	began := time.Now()
	if _, err := s.Solve(slice, benchPuzzle(form{Legacy, LittleEndian}), nil); slice.Err() == nil {
		return 0, err // a worker's failure
	}
	return float64(s.Progress().Tried-before) / time.Since(began).Seconds(), ctx.Err()
}

// benchPuzzle is one that nothing will solve.
func benchPuzzle(f form) Puzzle {
	p := Puzzle{Kind: f.Kind, Order: f.Order, NetUID: 1, Difficulty: ^uint64(0)}
	p.Block[0] = 1
	return p
}

func (b Bench) withDefaults() Bench {
	if b.Engines == nil {
		b.Engines = Engines()
	}
	b.Slice, b.Passes = cmp.Or(b.Slice, 100*time.Millisecond), cmp.Or(b.Passes, 9)
	return b
}

// track is one engine with one form, and what its passes gave.
type track struct {
	worker Worker
	puzzle Puzzle
	at     uint64
	clock  func() time.Duration // what its time is taken by
	rate   float64              // the last pass's, seals per second
	rates  []float64
	cycles []float64
}

// tracks puts the engines of a form side by side.
func (b Bench) tracks() (tracks []*track) {
	for _, f := range forms() {
		if f.Kind == Original {
			continue // the same search as Legacy
		}
		for _, e := range b.Engines {
			tracks = append(tracks, &track{worker: e.Worker(), puzzle: benchPuzzle(f), rate: 100_000, clock: cpuTime})
		}
	}
	return tracks
}

// run lasts a slice; cycles is the core's clock, cycles per second.
func (t *track) run(ctx context.Context, slice time.Duration, cycles float64, counts bool) error {
	var tried atomic.Uint64
	began := t.clock()
	for done := time.Duration(0); done < slice; done = t.clock() - began {
		n := max(uint64(t.rate*(slice-done).Seconds()), 1024)
		from := tried.Load()
		if _, _, err := t.worker.Search(ctx, t.puzzle, t.at+from, n, &tried); err != nil {
			return err
		}
		t.rate = float64(tried.Load()) / (t.clock() - began).Seconds()
	}
	t.at += tried.Load()
	if counts {
		t.rates = append(t.rates, t.rate)
		t.cycles = append(t.cycles, cycles/t.rate)
	}
	return nil
}

func results(tracks []*track) []BenchResult {
	out := make([]BenchResult, len(tracks))
	for i, t := range tracks {
		out[i] = BenchResult{
			Engine: t.worker.Name(), Kind: t.puzzle.Kind, Order: t.puzzle.Order,
			Rate: median(t.rates), Cycles: median(t.cycles),
		}
		if ratios := t.ratios(tracks); ratios != nil {
			out[i].Ratio, out[i].Lowest, out[i].Most = median(ratios), slices.Min(ratios), slices.Max(ratios)
		}
	}
	return out
}

// ratios divides each pass by the same pass of the portable engine.
func (t *track) ratios(tracks []*track) (ratios []float64) {
	for _, base := range tracks {
		if base.worker.Name() == portableEngine().Name() && base.puzzle == t.puzzle {
			for i := range t.rates {
				ratios = append(ratios, t.rates[i]/base.rates[i])
			}
		}
	}
	return ratios
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// cyclesPerSecond measures the core's clock by a chain of multiplications, each
// of which needs the one before and takes three cycles: so it is on Intel's cores
// since 2008, AMD's since Zen, Apple's and Arm's Neoverse. Additions would take one,
// but some cores do those with a constant on the side.
func cyclesPerSecond() float64 {
	const links, latency = 1 << 19, 3
	began := cpuTime()
	x := uint64(began) | 1
	for range links / 4 {
		x *= x
		x *= x
		x *= x
		x *= x
	}
	took := cpuTime() - began
	chainEnd(x)
	return links * latency / max(took, 1).Seconds()
}

// chainEnd uses the chain's result, so that the compiler keeps the chain.
//
//go:noinline
func chainEnd(uint64) {}

func wallTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
