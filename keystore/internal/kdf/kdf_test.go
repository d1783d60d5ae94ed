package kdf

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestScryptBounds(t *testing.T) {
	for _, c := range []struct {
		n, p, r uint32
		ok      bool
	}{
		{1 << 15, 1, 8, true},
		{1 << 17, 1, 8, true},
		{1 << 18, 4, 16, true},
		{1 << 19, 1, 8, false},
		{1 << 15, 5, 8, false},
		{1 << 15, 1, 17, false},
		{1<<15 + 1, 1, 8, false},
		{0, 1, 8, false},
		{1, 1, 8, false},
		{1 << 15, 0, 8, false},
		{1 << 15, 1, 0, false},
		{math.MaxUint32, math.MaxUint32, math.MaxUint32, false},
	} {
		if err := checkScrypt(c.n, c.p, c.r); (err == nil) != c.ok {
			t.Errorf("N=%d p=%d r=%d: %v", c.n, c.p, c.r, err)
		}
	}
	if _, err := Scrypt([]byte("x"), []byte("y"), 1<<30, 1, 8); err == nil {
		t.Error("a hostile cost was accepted")
	}
}

func TestAvailableMeminfo(t *testing.T) {
	for text, want := range map[string]int{
		"MemTotal:  100 kB\nMemAvailable:   2048 kB\nSwapFree: 1024 kB\n": 3 * mib,
		"MemAvailable:   1 kB\n":             1024,
		"MemTotal: 100 kB\nSwapFree: 1 kB\n": math.MaxInt,
		"MemAvailable: many kB\n":            math.MaxInt,
		"":                                   math.MaxInt,
	} {
		path := filepath.Join(t.TempDir(), "meminfo")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := availableMeminfo(path); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := availableMeminfo(filepath.Join(t.TempDir(), "absent")); got != math.MaxInt {
		t.Errorf("absent: %d", got)
	}
}

func TestAvailableCgroup(t *testing.T) {
	for _, c := range []struct {
		limit, used, stat string
		want              int
	}{
		{"1000\n", "600\n", "anon 400\ninactive_file 150\n", 550},
		{"1000\n", "600\n", "", 400},
		{"1000\n", "2000\n", "", 0},
		{"max\n", "600\n", "", math.MaxInt},
		{"", "", "", math.MaxInt},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"memory.max": c.limit, "memory.current": c.used, "memory.stat": c.stat} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := availableCgroup(dir); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestMemoryErrorComesBeforeTheWork(t *testing.T) {
	derived := false
	_, err := withMemory(cost{passes: 1, memory: 1 << 50}, func(cost) []byte { derived = true; return nil })
	var short *MemoryError
	if !errors.As(err, &short) || derived {
		t.Errorf("derived=%v, %v", derived, err)
	}
}

func TestWeakIsWeakAndIsUndone(t *testing.T) {
	before := Weaken(true)
	defer Weaken(before)
	weak, err := NaCl([]byte("passphrase"))
	if err != nil || len(weak) != KeySize {
		t.Fatal(len(weak), err)
	}
	if c := naclCost.effective(); c.memory > mib || c.passes != 1 {
		t.Errorf("weak cost %+v", c)
	}
	Weaken(false)
	if c := naclCost.effective(); c != naclCost {
		t.Errorf("cost after weakening %+v", c)
	}
}
