//go:build opencl

package opencl

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/taoctl/taoctl/powsolver"
)

// These tests need an OpenCL driver, PoCL for one: make opencl.

func devices(t testing.TB) []Device {
	t.Helper()
	list, errs := Devices()
	if len(errs) > 0 || len(list) == 0 {
		t.Fatalf("devices %v, errors %v: these tests need an OpenCL driver", list, errs)
	}
	for _, d := range list {
		t.Logf("%s (%s), %d units, %s %s", d.Name, d.Kind, d.Units, d.Platform, d.Driver)
	}
	return list
}

// widths are all that a device might be given: a GPU's kernel is tested on a CPU too.
var widths = []uint32{1, 2, 4, 8}

// TestOpen checks every width of the kernel on every device, against the known
// answers and the definition, and by powsolver's judge.
func TestOpen(t *testing.T) {
	for _, d := range devices(t) {
		for _, width := range append(widths, d.width()) {
			w, err := open(d, width, source)
			if err != nil {
				t.Errorf("width %d: %v", width, err)
				continue
			}
			if err := powsolver.Judge(t.Context(), w); err != nil {
				t.Errorf("width %d: %v", width, err)
			}
		}
	}
}

// TestEveryCandidate compares what whole launches find with a CPU engine, over two
// high parts.
func TestEveryCandidate(t *testing.T) {
	for _, d := range devices(t) {
		w, err := Open(d)
		if err != nil {
			t.Fatal(err)
		}
		engine := powsolver.Engines()[0].Worker()
		for _, a := range answers() {
			p := a.puzzle
			p.Difficulty = 50_000
			const count = 1 << 20
			from := 5<<p.Span() - uint64(count/2) - 3
			if got, want := all(t, w, p, from, count), all(t, engine, p, from, count); !equal(got, want) || len(want) < 5 {
				t.Errorf("%s, %s: found %v, want %v", p.Kind, p.Order, got, want)
			}
		}
	}
}

// all searches on behind each solution.
func all(t *testing.T, w powsolver.Worker, p powsolver.Puzzle, from, count uint64) (found []uint64) {
	t.Helper()
	var tried atomic.Uint64
	for end := from + count; from < end; {
		nonce, ok, err := w.Search(t.Context(), p, from, end-from, &tried)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		found = append(found, nonce)
		from = p.Position(nonce) + 1
	}
	if tried.Load() != count {
		t.Errorf("%s counted %d of %d seals", w.Name(), tried.Load(), count)
	}
	return found
}

func equal(a, b []uint64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// TestMoreThanRoom searches where nearly every nonce is a solution.
func TestMoreThanRoom(t *testing.T) {
	w, err := Open(devices(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	p := answers()[0].puzzle
	p.Difficulty = 1
	nonce, found, err := w.Search(t.Context(), p, 77, 1<<20, new(atomic.Uint64))
	if err != nil || !found || nonce < 77 {
		t.Errorf("got %d, %v, %v", nonce, found, err)
	}
}

func TestStops(t *testing.T) {
	w, err := Open(devices(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := answers()[0].puzzle
	p.Difficulty = 1 << 62
	var tried atomic.Uint64
	go func() {
		for tried.Load() == 0 {
		}
		cancel()
	}()
	if _, found, err := w.Search(ctx, p, 0, 1<<60, &tried); found || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", found, err)
	}
	var bad *powsolver.PuzzleError
	if _, _, err := w.Search(t.Context(), powsolver.Puzzle{}, 0, 1, &tried); !errors.As(err, &bad) {
		t.Errorf("an impossible puzzle: %v", err)
	}
}

// TestBroken has the check find kernels that compute wrongly, each in its own way.
func TestBroken(t *testing.T) {
	d := devices(t)[0]
	for _, c := range []struct{ what, good, bad string }{
		{"a constant of SHA-256", "0xc67178f2u", "0xc67178f3u"},
		{"a term of the schedule", "w38 = SIG1(w36) + w31", "w38 = SIG1(w36) + w30"},
		{"a constant of Keccak", "{0x00008080, 0x80000000}", "{0x00008081, 0x80000000}"},
		{"the last round, big-endian", "CHI3(b0, b1, b2) ^ ROUND_CONSTANT(23)", "CHI3(b0, b1, b2)"},
		{"the last round, little-endian", "return CHI3(b3, b4, b0);", "return CHI3(b3, b0, b4);"},
		{"the comparison", "each[i] <= limit", "each[i] < limit"},
		{"a lane", "note(found, low + i)", "note(found, low)"},
		{"the bits beside the low part", "SWAP32(low) | WORD0", "SWAP32(low)"},
	} {
		if strings.Count(source, c.good) != 1 {
			t.Errorf("%s: kernel.cl has %q %d times", c.what, c.good, strings.Count(source, c.good))
			continue
		}
		if _, err := open(d, 8, strings.Replace(source, c.good, c.bad, 1)); !errors.Is(err, powsolver.ErrDisagrees) {
			t.Errorf("%s: got %v", c.what, err)
		}
	}
	var call *CallError
	if _, err := open(d, 1, "nonsense"); !errors.As(err, &call) || call.Call != "clBuildProgram" || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("a text that is no program: %v", err)
	}
}

// BenchmarkSearch counts seals, launches and all.
func BenchmarkSearch(b *testing.B) {
	list, errs := Devices()
	if len(list) == 0 {
		b.Fatal(errs)
	}
	for _, d := range list {
		for _, width := range append(widths, d.width()) {
			w, err := open(d, width, source)
			if err != nil {
				b.Fatal(err)
			}
			for _, i := range []int{1, 3, 5} {
				p := answers()[i].puzzle
				p.Difficulty = 1 << 62
				b.Run(d.Name+"/"+string('0'+rune(width))+"/"+p.Kind.String()+"/"+p.Order.String(), func(b *testing.B) {
					var tried atomic.Uint64
					for b.Loop() {
						if _, _, err := w.Search(b.Context(), p, tried.Load(), 1<<22, &tried); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(tried.Load())/b.Elapsed().Seconds()/1e6, "MH/s")
				})
			}
		}
	}
}
