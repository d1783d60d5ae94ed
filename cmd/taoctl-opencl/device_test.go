//go:build opencl

package main

import (
	"os"
	"sync/atomic"
	"testing"

	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/powsolver/remote"
)

// TestWhole drives every device of this machine as taoctl does: in a process, beside
// the CPU. It needs an OpenCL driver: make opencl.
func TestWhole(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := remote.Program{Path: path, Env: append(remote.Environment(os.Getenv), asProgram+"=1")}
	list, note, err := p.Devices(t.Context())
	if err != nil || note != "" || len(list) == 0 {
		t.Fatalf("devices %+v, %q, %v: this test needs an OpenCL driver", list, note, err)
	}
	crew := powsolver.Engines()[0].Workers(1)
	for _, d := range list {
		w, err := p.Open(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		crew = append(crew, w)
	}
	for _, puzzle := range []powsolver.Puzzle{
		{Kind: powsolver.Legacy, Order: powsolver.BigEndian, Block: [32]byte{1}, Difficulty: 20_000_000},
		{Kind: powsolver.Legacy, Order: powsolver.LittleEndian, Block: [32]byte{2}, Difficulty: 20_000_000},
		{Kind: powsolver.V475, NetUID: 1, Block: [32]byte{3}, Difficulty: 20_000_000},
	} {
		for i, workers := range [][]powsolver.Worker{crew, crew[1:]} { // beside the CPU, and without it
			s := powsolver.NewSolver(workers...)
			solution, err := s.Solve(t.Context(), puzzle, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, meets := powsolver.Verify(puzzle, solution.Nonce); !meets {
				t.Errorf("%s: nonce %#x does not meet it", puzzle.Kind, solution.Nonce)
			}
			for _, w := range s.Progress().Workers {
				if w.Err != nil {
					t.Errorf("%d, %s: %v", i, w.Name, w.Err)
				}
			}
		}
	}
	// A search of known length is counted in full.
	var tried atomic.Uint64
	hard := powsolver.Puzzle{Kind: powsolver.V475, NetUID: 1, Block: [32]byte{3}, Difficulty: 1 << 62}
	if _, found, err := crew[1].Search(t.Context(), hard, 1<<24-5, 1<<21, &tried); found || err != nil || tried.Load() != 1<<21 {
		t.Errorf("found %v, %v after %d", found, err, tried.Load())
	}
}
