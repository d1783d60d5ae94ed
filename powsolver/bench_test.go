package powsolver

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestBench(t *testing.T) {
	engines := Engines()
	got, err := Bench{Engines: engines, Slice: 2 * time.Millisecond, Passes: 3}.Run(t.Context())
	if err != nil || len(got) != 3*len(engines) {
		t.Fatalf("%d results, %v; want 3 forms of %d engines", len(got), err, len(engines))
	}
	for _, r := range got {
		if r.Rate <= 0 || r.Cycles <= 0 || r.Lowest > r.Ratio || r.Ratio > r.Most || r.Lowest <= 0 {
			t.Errorf("result %+v is not plausible", r)
		}
		if r.Engine == "portable" && (r.Ratio != 1 || r.Lowest != 1 || r.Most != 1) {
			t.Errorf("the portable engine's ratio to itself: %+v", r)
		}
	}
	text, err := json.Marshal(got[0])
	if err != nil || !strings.Contains(string(text), `"seal":"legacy","order":"big-endian"`) {
		t.Errorf("JSON %s, %v", text, err)
	}
}

func TestBenchCores(t *testing.T) {
	b := Bench{Slice: 5 * time.Millisecond, Passes: 3}
	got, err := b.Cores(t.Context(), portableEngine(), 2)
	if err != nil || got.Rate <= 0 || got.Workers != 2 || got.Lowest > got.Ratio || got.Ratio > got.Most || got.Lowest <= 0 {
		t.Errorf("result %+v, %v", got, err)
	}
	eager := &Engine{name: "eager", lane: func() lane { return new(eager) }}
	if _, err := b.Cores(t.Context(), eager, 2); !errors.Is(err, ErrDisagrees) {
		t.Errorf("error %v, want ErrDisagrees", err)
	}
}

func TestBenchWorkers(t *testing.T) {
	b := Bench{Slice: 2 * time.Millisecond, Passes: 3}
	got, err := b.Workers(t.Context(), portableEngine().Worker(), portableEngine().Worker())
	if err != nil || len(got) != 2*3 {
		t.Fatalf("%d results, %v; want 3 forms of 2 workers", len(got), err)
	}
	for _, r := range got {
		if r.Name != "portable" || r.Lowest <= 0 || r.Lowest > r.Rate || r.Rate > r.Most {
			t.Errorf("result %+v is not plausible", r)
		}
	}
	eager := &Engine{name: "eager", lane: func() lane { return new(eager) }}
	if _, err := b.Workers(t.Context(), eager.Worker()); !errors.Is(err, ErrDisagrees) {
		t.Errorf("error %v, want ErrDisagrees", err)
	}
}

func TestBenchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Bench{}).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: error %v, want context.Canceled", err)
	}
	if _, err := (Bench{}).Cores(ctx, portableEngine(), 2); !errors.Is(err, context.Canceled) {
		t.Errorf("Cores: error %v, want context.Canceled", err)
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		of   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 4}, 4}, {[]float64{1, 8, 2, 4}, 3}} {
		if got := median(test.of); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.of, got, test.want)
		}
	}
}

// BenchmarkSeals is for profiles; to compare engines, use Bench.
func BenchmarkSeals(b *testing.B) {
	for _, e := range Engines() {
		b.Run(e.Name(), func(b *testing.B) {
			w := e.Worker().(*cpuWorker)
			p := Puzzle{Kind: Legacy, Block: counted(1), Difficulty: ^uint64(0)}
			w.lane.load(newBlock(p, 0))
			for b.Loop() {
				w.scan(p, 0, 1024)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/seal")
		})
	}
}
