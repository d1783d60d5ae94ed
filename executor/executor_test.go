package executor

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// state is a storage in memory.
type state map[string]string

func (s state) Get(_ context.Context, key []byte) ([]byte, bool, error) {
	v, ok := s[string(key)]
	return []byte(v), ok, nil
}

func (s state) Next(_ context.Context, key []byte) ([]byte, bool, error) {
	best, found := "", false
	for k := range s {
		if k > string(key) && (!found || k < best) {
			best, found = k, true
		}
	}
	return []byte(best), found, nil
}

// program is a runtime made by hand: its imports take one i32 and give one, and
// its methods are bodies of (i32, i32) → i64.
func program(imports []string, methods map[string][]byte) []byte {
	n := uint32(len(imports))
	types := []byte{2, 0x60, 2, 0x7f, 0x7f, 1, 0x7e, 0x60, 1, 0x7f, 1, 0x7f}
	in := uleb(nil, n+1)
	for _, f := range imports {
		in = append(name(name(in, "env"), f), 0, 1)
	}
	in = append(name(name(in, "env"), "memory"), 2, 0, 1)
	var names []string
	for m := range methods {
		names = append(names, m)
	}
	slices.Sort(names)
	functions, code := uleb(nil, uint32(len(names))), uleb(nil, uint32(len(names)))
	exports := append(name(uleb(nil, uint32(len(names)+1)), "__heap_base"), 3, 0)
	for i, m := range names {
		functions = append(functions, 0)
		exports = uleb(append(name(exports, m), 0), n+uint32(i))
		body := append([]byte{0}, methods[m]...)
		code = append(uleb(code, uint32(len(body))), body...)
	}
	b := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	b = section(b, 1, types)
	b = section(b, 2, in)
	b = section(b, 3, functions)
	b = section(b, 6, []byte{1, 0x7f, 0, 0x41, 0x10, 0x0b}) // __heap_base = 16
	b = section(b, 7, exports)
	return section(b, 10, code)
}

var (
	echo = []byte{0x20, 0, 0xad, 0x20, 1, 0xad, 0x42, 32, 0x86, 0x84, 0x0b} // pointer | length << 32
	loop = []byte{0x03, 0x40, 0x0c, 0, 0x0b, 0, 0x0b}
	trap = []byte{0, 0x0b}
	// malloc of 1 MiB, for ever
	eat = []byte{0x03, 0x40, 0x41, 0x80, 0x80, 0xc0, 0, 0x10, 0, 0x1a, 0x0c, 0, 0x0b, 0, 0x0b}
	// free of what was never given out
	free = []byte{0x41, 7, 0x10, 0, 0x1a, 0x42, 0, 0x0b}
	far  = []byte{0x42, 0x7f, 0x0b} // an answer beyond the memory
)

func TestCall(t *testing.T) {
	const malloc = "ext_allocator_malloc_version_1"
	ctx := t.Context()
	r, err := Load(ctx, program([]string{malloc}, map[string][]byte{
		"Test_echo": echo, "Test_loop": loop, "Test_trap": trap, "Test_eat": eat, "Test_far": far,
	}), WithTime(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if got := r.Methods(); len(got) != 5 {
		t.Errorf("methods %q", got)
	}
	for _, input := range []string{"", "hello", strings.Repeat("x", 100_000)} {
		res, err := r.Call(ctx, state{}, "Test_echo", []byte(input))
		if err != nil || string(res.Output) != input || len(res.Changes) != 0 {
			t.Errorf("echo of %d bytes: %d bytes, %v", len(input), len(res.Output), err)
		}
	}
	for method, want := range map[string]any{
		"Test_none": new(*MethodError), "memory": new(*MethodError), "Test_loop": new(*LimitError),
		"Test_eat": new(*LimitError), "Test_trap": new(*TrapError), "Test_far": new(*TrapError),
	} {
		if _, err := r.Call(ctx, state{}, method, nil); !errors.As(err, want) {
			t.Errorf("%s: %T %v", method, err, err)
		}
	}
	// After all that the runtime still works, and a caller may give up.
	if _, err := r.Call(ctx, state{}, "Test_echo", []byte("x")); err != nil {
		t.Error(err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.Call(gone, state{}, "Test_loop", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	good := program(nil, map[string][]byte{"Test_echo": echo})
	packed := func(b []byte) []byte {
		w, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return w.EncodeAll(b, slices.Clone(compressed))
	}
	if r, err := Load(t.Context(), packed(good)); err != nil {
		t.Error(err)
	} else {
		_ = r.Close()
	}
	for what, code := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "half": good[:len(good)/2],
		"a bomb": packed(make([]byte, MaxCode+1)), "no zstd": append(slices.Clone(compressed), 1, 2, 3),
		"an empty module": {0, 'a', 's', 'm', 1, 0, 0, 0},
	} {
		var wrong *CodeError
		if _, err := Load(t.Context(), code); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var unknown *HostError
	_, err := Load(t.Context(), program([]string{"ext_wishes_grant_version_1", "ext_allocator_malloc_version_1"}, nil))
	if !errors.As(err, &unknown) || !slices.Equal(unknown.Names, []string{"env.ext_wishes_grant_version_1"}) {
		t.Errorf("%v", err)
	}
}

// Storage transactions, against a plain model of them.
func TestState(t *testing.T) {
	base := state{"a1": "1", "a2": "2", "b": "3"}
	ctx, clock, stop := limit(t.Context(), time.Minute)
	defer stop()
	c := &call{ctx: ctx, clock: clock, storage: base, layers: []layer{{}}}
	keys := func() string {
		var list []string
		for k, ok := c.next(""); ok; k, ok = c.next(k) {
			v, _ := c.get(k)
			list = append(list, k+"="+string(v))
		}
		return strings.Join(list, " ")
	}
	is := func(want string) {
		t.Helper()
		if got := keys(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	is("a1=1 a2=2 b=3")
	c.begin()
	c.remove("a1")
	c.set("a0", []byte("0"))
	is("a0=0 a2=2 b=3")
	c.begin()
	if n, left := c.clear("a", 1); n != 1 || !left {
		t.Errorf("cleared %d, %v", n, left)
	}
	is("a2=2 b=3")
	c.end(false)
	is("a0=0 a2=2 b=3")
	c.begin()
	if n, left := c.clear("a", 9); n != 2 || left {
		t.Errorf("cleared %d, %v", n, left)
	}
	c.end(true)
	is("b=3")
	c.set("list", nil)
	for i := range 70 {
		c.append("list", []byte{byte(i)})
	}
	v, _ := c.get("list")
	if n, size := compact(v); n != 70 || size != 2 || len(v) != 72 || v[71] != 69 {
		t.Errorf("a list of 70: %x", v)
	}
	// A list is counted once however often it grows: events are one.
	if c.written > 2000 {
		t.Errorf("%d bytes are counted for a list of 70", c.written)
	}
	c.remove("list")
	c.end(true)
	want := []Change{{Key: []byte("a0"), Deleted: true}, {Key: []byte("a1"), Deleted: true}, {Key: []byte("a2"), Deleted: true}, {Key: []byte("list"), Deleted: true}}
	if got := c.changes(); !slices.EqualFunc(got, want, func(a, b Change) bool { return bytes.Equal(a.Key, b.Key) && a.Deleted == b.Deleted }) {
		t.Errorf("changes %v", got)
	}
	if base["a1"] != "1" {
		t.Error("the storage was written")
	}
}

// Code comes from a node that may lie: whatever it is, it is refused or loaded.
func FuzzLoad(f *testing.F) {
	f.Add(program([]string{"ext_allocator_malloc_version_1"}, map[string][]byte{"Test_echo": echo, "Test_eat": eat}))
	f.Add(program(nil, map[string][]byte{"Test_loop": loop, "Test_far": far}))
	f.Add(append(slices.Clone(compressed), 0x28, 0xb5, 0x2f, 0xfd))
	f.Fuzz(func(t *testing.T, code []byte) {
		r, err := Load(t.Context(), code, WithTime(time.Millisecond))
		if err != nil {
			return
		}
		defer func() { _ = r.Close() }()
		for _, m := range r.Methods() {
			_, _ = r.Call(t.Context(), state{}, m, []byte("input"))
		}
	})
}

// What a runtime frees that it was not given ends the call, and so does asking
// for what is not provided.
func TestFaults(t *testing.T) {
	r, err := Load(t.Context(), program([]string{"ext_allocator_free_version_1"}, map[string][]byte{"Test_free": free}))
	if err == nil {
		defer func() { _ = r.Close() }()
		_, err = r.Call(t.Context(), state{}, "Test_free", nil)
	}
	if err == nil || !strings.Contains(err.Error(), "freed") {
		t.Errorf("%v", err)
	}
}
