package remote

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taoctl/taoctl/powsolver"
)

// soon is a limit for programs that hang: short, for nothing else can pass it.
const soon = 300 * time.Millisecond

// program is the fake of package remotetest, with a fault.
func program(t testing.TB, fault string) Program {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Program{Path: path, Env: []string{fakeVariable + "=" + fault}}
}

const fakeVariable = "TAOCTL_TEST_FAKE" // see TestMain

func easy() powsolver.Puzzle {
	return powsolver.Puzzle{Kind: powsolver.V475, NetUID: 1, Block: [32]byte{1}, Difficulty: 1000}
}

func hard() powsolver.Puzzle {
	p := easy()
	p.Difficulty = 1 << 62
	return p
}

func open(t testing.TB, fault string) *Worker {
	t.Helper()
	w, err := program(t, fault).Open(t.Context(), Device{Index: 0, Name: "Fake 1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func TestDevices(t *testing.T) {
	t.Setenv("BT_PASSWORD", "hunter2")
	list, note, err := program(t, "half").Devices(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "Fake 1" || note != "a driver failed" {
		t.Fatalf("got %+v, %q, %v", list, note, err)
	}
	// The second one's driver tells what the program sees of the environment.
	for _, variable := range strings.Split(list[1].Driver, ",") {
		name, _, _ := strings.Cut(variable, "=")
		if name != fakeVariable && name != "GOTRACEBACK" && name != "SYSTEMROOT" {
			t.Errorf("the program sees $%s", name)
		}
	}
}

// TestListFaults has programs fail before any device is known.
func TestListFaults(t *testing.T) {
	for fault, want := range map[string]error{
		"mute": ErrSilent, "quits": ErrEnded, "garbage": ErrTalk, "stranger": ErrTalk, "unasked": ErrTalk,
		"endless line": ErrTalk, "floods": ErrTalk,
	} {
		t.Run(fault, func(t *testing.T) {
			p := program(t, fault)
			if fault == "mute" {
				p.ListWithin = soon
			}
			_, _, err := p.Devices(t.Context())
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

func TestOpenFaults(t *testing.T) {
	for fault, want := range map[string]error{
		"mute": ErrSilent, "opens nothing": ErrFailed, "is blind": powsolver.ErrDisagrees, "deaf": ErrSilent, "stranger": ErrTalk,
	} {
		t.Run(fault, func(t *testing.T) {
			p := program(t, fault)
			if fault == "mute" {
				p.OpenWithin = soon
			}
			if fault == "deaf" {
				p.Silence = soon
			}
			_, err := p.Open(t.Context(), Device{Name: "Fake 1"})
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
	// Devices changed places between two starts.
	if _, err := program(t, "none").Open(t.Context(), Device{Index: 1, Name: "Fake 1"}); !errors.Is(err, ErrFailed) {
		t.Errorf("another device than asked for: %v", err)
	}
	if _, err := program(t, "none").Open(t.Context(), Device{Index: 2, Name: "Fake 3"}); !errors.Is(err, ErrFailed) {
		t.Errorf("no such device: %v", err)
	}
	if _, err := (Program{Path: filepath.Join(t.TempDir(), "nothing")}).Open(t.Context(), Device{}); err == nil {
		t.Error("a program that is not there was opened")
	}
}

// TestSearchFaults has a device fail once it works beside the CPU: it is left out,
// with the reason, and the CPU finds the solution.
func TestSearchFaults(t *testing.T) {
	for fault, want := range map[string]error{
		"crashes": ErrEnded, "hangs": ErrSilent, "lies": powsolver.ErrDisagrees, "lies outside": powsolver.ErrDisagrees,
		"exaggerates": ErrTalk, "skips": ErrTalk, "fails": ErrFailed, "gives up": ErrFailed, "shouts": ErrTalk,
		"chatters": ErrFlood, "hangs and talks": ErrSilent,
	} {
		t.Run(fault, func(t *testing.T) {
			w := open(t, fault)
			if errors.Is(want, ErrSilent) {
				w.silence = soon
			}
			// The CPU's turn comes when the device has failed.
			cpu := &patient{Worker: powsolver.Engines()[0].Worker(), until: w.process.ctx.Done()}
			s := powsolver.NewSolver(cpu, w)
			solution, err := s.Solve(t.Context(), easy(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, meets := powsolver.Verify(easy(), solution.Nonce); !meets {
				t.Errorf("nonce %d does not meet the difficulty", solution.Nonce)
			}
			// The solver notes the device's error as soon as it hears it, which may be after the solution.
			_, _, err = w.Search(t.Context(), easy(), 0, 1000, new(atomic.Uint64))
			if !errors.Is(err, want) {
				t.Errorf("the device is left out for %v, want %v", err, want)
			}
		})
	}
}

// patient is a worker that begins when something has happened.
type patient struct {
	powsolver.Worker
	until <-chan struct{}
}

func (w *patient) Search(ctx context.Context, p powsolver.Puzzle, from, count uint64, tried *atomic.Uint64) (uint64, bool, error) {
	select {
	case <-w.until:
	case <-ctx.Done():
		return 0, false, ctx.Err()
	}
	return w.Worker.Search(ctx, p, from, count, tried)
}

// TestSearch finds, finds nothing, and counts exactly.
func TestSearch(t *testing.T) {
	for _, fault := range []string{"none", "babbles on stderr"} {
		w := open(t, fault)
		p := easy()
		only := uint64(1000)
		for !p.Meets(p.Seal(p.Nonce(only))) {
			only++
		}
		var tried atomic.Uint64
		nonce, found, err := w.Search(t.Context(), p, 1000, 1<<20, &tried)
		if err != nil || !found || nonce != p.Nonce(only) || tried.Load() != only-1000+1 {
			t.Errorf("got %#x, %v, %v after %d; want %#x after %d", nonce, found, err, tried.Load(), p.Nonce(only), only-1000+1)
		}
		tried.Store(0)
		const count = 300_000
		if nonce, found, err = w.Search(t.Context(), hard(), ^uint64(0)-1000, count, &tried); err != nil || found || tried.Load() != count {
			t.Errorf("got %#x, %v, %v after %d of %d", nonce, found, err, tried.Load(), count)
		}
		var bad *powsolver.PuzzleError
		if _, _, err := w.Search(t.Context(), powsolver.Puzzle{}, 0, 1, &tried); !errors.As(err, &bad) {
			t.Errorf("an impossible puzzle: %v", err)
		}
	}
}

// TestManyRequests is no flood, however many lines answer them.
func TestManyRequests(t *testing.T) {
	w := open(t, "none")
	for range 2 * floodAtOnce {
		if _, _, err := w.Search(t.Context(), hard(), 0, 1, new(atomic.Uint64)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStops gives a search up, many times and with new work at once, and has the
// next one answered.
func TestStops(t *testing.T) {
	w := open(t, "none")
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		var tried atomic.Uint64
		go func() {
			for tried.Load() == 0 {
				runtime.Gosched()
			}
			cancel()
		}()
		if _, _, err := w.Search(ctx, hard(), 0, 1<<40, &tried); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	if _, found, err := w.Search(t.Context(), easy(), 0, 1<<20, new(atomic.Uint64)); err != nil || !found {
		t.Errorf("got %v, %v", found, err)
	}
}

// TestHangsAcrossSearches finds a device out that hangs although no search waits
// for it as long as it may be silent.
func TestHangsAcrossSearches(t *testing.T) {
	w := open(t, "hangs")
	w.silence = soon
	for {
		ctx, cancel := context.WithTimeout(t.Context(), soon/10)
		_, _, err := w.Search(ctx, hard(), 0, 1<<40, new(atomic.Uint64))
		cancel()
		if errors.Is(err, ErrSilent) {
			return
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
	}
}

// TestCancel ends a program with its context.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w, err := program(t, "none").Open(ctx, Device{Name: "Fake 1"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-w.process.gone
	if _, _, err := w.Search(t.Context(), easy(), 0, 1, new(atomic.Uint64)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.Close()
	// While it hangs, too.
	ctx, cancel = context.WithTimeout(t.Context(), soon/10)
	defer cancel()
	if _, _, err := program(t, "mute").Devices(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestEndedSays(t *testing.T) {
	_, _, err := program(t, "quits").Devices(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 3; it said no \x1b[31mlibrary") {
		t.Errorf("got %v", err)
	}
}

// TestComplaints keeps the beginning and the end, whatever the pieces.
func TestComplaints(t *testing.T) {
	whole := strings.Repeat("a", 200) + strings.Repeat("b", 1000) + strings.Repeat("c", 200)
	for _, size := range []int{1, 7, 150, 199, 200, 201, 350, 5000} {
		c := new(complaints)
		for piece := range slices.Chunk([]byte(whole), size) {
			if n, err := c.Write(piece); n != len(piece) || err != nil {
				t.Fatalf("wrote %d of %d, %v", n, len(piece), err)
			}
		}
		if want := whole[:200] + " … " + whole[1200:]; c.String() != want {
			t.Errorf("in pieces of %d: %q", size, c)
		}
	}
	c := new(complaints)
	_, _ = c.Write([]byte(whole[150:350])) // it never fails
	if c.String() != whole[150:350] {
		t.Errorf("what fits became %q", c)
	}
}

func TestEnvironment(t *testing.T) {
	all := map[string]string{"PATH": "/bin", "HOME": "/home/x", "BT_WALLET_PASSWORD_FILE": "/secret", "CUDA_VISIBLE_DEVICES": "0"}
	got := Environment(func(name string) string { return all[name] })
	slices.Sort(got)
	if want := []string{"CUDA_VISIBLE_DEVICES=0", "HOME=/home/x", "PATH=/bin"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Environment(func(string) string { return "" }); got == nil {
		t.Error("an empty environment is nil, which stands for the whole one")
	}
}

func TestFind(t *testing.T) {
	file := name
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	beside, first, second := t.TempDir(), t.TempDir(), t.TempDir()
	path := strings.Join([]string{"", "relative", first, second}, string(filepath.ListSeparator))
	write := func(folder string, mode os.FileMode) string {
		p := filepath.Join(folder, file)
		if err := os.WriteFile(p, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := func(want string) {
		t.Helper()
		if got, err := Find(beside, path); got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, ErrNotFound) {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	t.Chdir(t.TempDir())
	write(".", 0o755)
	if err := os.Mkdir("relative", 0o755); err != nil {
		t.Fatal(err)
	}
	write("relative", 0o755)
	want("")
	if runtime.GOOS != "windows" {
		write(first, 0o644) // not executable
		want("")
	}
	want(write(second, 0o755))
	want(write(beside, 0o755))
}
