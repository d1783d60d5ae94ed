package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/powsolver/remote"
)

func TestParseOpenCL(t *testing.T) {
	list := []remote.Device{{Index: 0, Kind: "cpu"}, {Index: 1, Kind: "gpu"}, {Index: 2, Kind: "other"}, {Index: 3, Kind: "accelerator"}}
	for choice, want := range map[string][]int{"gpu": {1, 3}, "all": {0, 1, 2, 3}, "none": nil, "2,0": {2, 0}, "3,3": {3}} {
		c, err := parseOpenCL(choice)
		if err != nil {
			t.Errorf("%s: %v", choice, err)
			continue
		}
		picked, err := c.from(list)
		var got []int
		for _, d := range picked {
			got = append(got, d.Index)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v; want %v", choice, got, err, want)
		}
	}
	for _, choice := range []string{"", "-1", "0,", "0, 1", "cpu", "99999999999"} {
		if c, err := parseOpenCL(choice); !is[*usageError](err) {
			t.Errorf("%q: got %+v, %v", choice, c, err)
		}
	}
	c, err := parseOpenCL("4")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.from(list); !is[*usageError](err) {
		t.Errorf("a device that is not there: %v", err)
	}
}

// stage is a worker that plays a part.
type stage struct {
	name string
	play func(ctx context.Context) (found bool, err error)
}

func (s stage) Name() string { return s.name }

func (s stage) Search(ctx context.Context, p powsolver.Puzzle, _, _ uint64, _ *atomic.Uint64) (uint64, bool, error) {
	found, err := s.play(ctx)
	nonce := uint64(0)
	for found && !p.Meets(p.Seal(nonce)) {
		nonce++
	}
	return nonce, found, err
}

// TestLeftOutIsTold has a device fail in the middle of a search: it is told once, by
// name, and never again in the searches that follow.
func TestLeftOutIsTold(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var solver *powsolver.Solver
		solver = powsolver.NewSolver(
			stage{"cpu", func(context.Context) (bool, error) {
				for solver.Progress().Workers[1].Err == nil {
					runtime.Gosched()
				}
				return true, nil
			}},
			stage{"opencl 0 (X\x1b)", func(context.Context) (bool, error) { return false, errors.New("it hangs") }},
		)
		var out bytes.Buffer
		a := newApp(&Env{Err: &out})
		a.out.json = asJSON
		for range 2 {
			show := a.showSearch(solver)
			_, err := solver.Solve(t.Context(), powsolver.Puzzle{Kind: powsolver.Legacy, Block: [32]byte{1}, Difficulty: 2}, nil)
			show.stop()
			if err != nil {
				t.Fatal(err)
			}
		}
		want := "left out: opencl 0 (X\\x1b): it hangs\n"
		if asJSON {
			want = `{"event":"left_out","device":"opencl 0 (X\u001b)","reason":"it hangs"}` + "\n"
		}
		if out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	}
}

// TestSearchLine has every worker's share in the line of progress.
func TestSearchLine(t *testing.T) {
	solver := powsolver.NewSolver(stage{"cpu", nil}, stage{"cpu", nil}, stage{"opencl 0 (X)", nil})
	var out bytes.Buffer
	a := newApp(&Env{Err: &out})
	a.out.json = true
	show := &searchShow{app: a, solver: solver}
	p := solver.Progress()
	show.tell(p, speed{from: p, to: p})
	var line searchLine
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if want := []pace{{"cpu", 2, 0}, {"opencl 0 (X)", 1, 0}}; !slices.Equal(line.Workers, want) || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("got %s", out.String())
	}
}

func TestShares(t *testing.T) {
	none := powsolver.NewSolver(stage{"cpu", nil}).Progress()
	if got := (speed{none, none}).shares(); got != "" {
		t.Errorf("the CPU alone: %q", got)
	}
	both := powsolver.NewSolver(stage{"cpu", nil}, stage{"opencl 1 (Y)", nil}).Progress()
	if got := (speed{both, both}).shares(); got != " (cpu 0, opencl 1 0)" {
		t.Errorf("got %q", got)
	}
}
