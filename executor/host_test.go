package executor

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// guest is a runtime's memory and storage, without a runtime: it calls host
// functions as one would.
type guest struct {
	t *testing.T
	*call
	host functions
}

func newGuest(t *testing.T, s Storage) *guest {
	t.Helper()
	r, err := Load(t.Context(), program(nil, map[string][]byte{"Test_echo": echo}))
	if err != nil {
		t.Fatal(err)
	}
	m, done, err := r.instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, clock, stop := limit(t.Context(), time.Minute)
	t.Cleanup(func() {
		stop()
		done()
		_ = r.Close()
	})
	c := &call{ctx: ctx, clock: clock, storage: s, layers: []layer{{}}, memory: m.Memory(), heap: newHeap(m.Memory(), 16)}
	return &guest{t, c, hostFunctions()}
}

// pointer puts bytes into the memory and gives where they are.
func (g *guest) pointer(b []byte) uint64 { return uint64(uint32(g.put(b))) }

// ask calls a function and gives its result, and what ended the call if anything.
func (g *guest) ask(name string, args ...uint64) (result uint64, stopped string) {
	g.t.Helper()
	f := g.host[name]
	if f == nil {
		g.t.Fatalf("there is no %s", name)
	}
	defer func() {
		if r := recover(); r != nil {
			stopped = fmt.Sprint(r)
		}
	}()
	stack := append(args, 0)
	f(g.call, stack)
	return stack[0], ""
}

// answer is ask for a function whose result is a span of SCALE.
func (g *guest) answer(name string, args ...uint64) string {
	g.t.Helper()
	span, stopped := g.ask(name, args...)
	if stopped != "" {
		g.t.Fatalf("%s stopped the call: %s", name, stopped)
	}
	return hex.EncodeToString(g.span(span))
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Signatures of "taoctl" by //Alice, made by polkadot.js 16.5.6.
var signatures = []struct{ scheme, public, signature string }{
	{"sr25519", "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d", "6634b3cf071142c215b34881e7f0ca3dd0b7a630b621fab921b69a7525cb863025de66f606f546464a512bca94d11c1e77b6d621f90bda28057f9453a7e8ba8c"},
	{"ed25519", "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee", "a3de61e04258e29f27408d774517d7032b231d5bc0a8e6431be4e1cbbcb6b15220fc441eccd1dc114655ffcb485c692260d15b37387a06d0478a8d91692fb809"},
	{"ecdsa", "020a1091341fe5664bfa1782d5e04779689068c916b04cb365ec3153755684d9a1", "b3de935f0bd60a6163ca86251ac9124369092027082adf831abd29b78e039a490b3179847187ef000561ea1eaac6a616582b24853d895adf381bb4afba17f9b001"},
}

func TestSignatures(t *testing.T) {
	g := newGuest(t, state{})
	for _, s := range signatures {
		for _, version := range []string{"1", "2"} {
			name := "ext_crypto_" + s.scheme + "_verify_version_" + version
			if g.host[name] == nil {
				continue // ed25519 has one
			}
			sig, pub := unhex(t, s.signature), unhex(t, s.public) // fresh for each
			verify := func(message string) uint64 {
				good, stopped := g.ask(name, g.pointer(sig), g.put([]byte(message)), g.pointer(pub))
				if stopped != "" {
					t.Fatal(stopped)
				}
				return good
			}
			if verify("taoctl") != 1 || verify("taoctl!") != 0 {
				t.Errorf("%s is not right", name)
			}
			sig[3] ^= 1
			if verify("taoctl") != 0 {
				t.Errorf("%s takes a changed signature", name)
			}
			g.trusting = true
			if verify("taoctl") != 0 {
				t.Errorf("%s takes a wrong signature when told to trust zeros", name)
			}
			clear(sig)
			if verify("taoctl") != 1 {
				t.Errorf("%s does not take zeros when told to", name)
			}
			g.trusting = false
			if verify("taoctl") != 0 {
				t.Errorf("%s takes zeros", name)
			}
		}
	}
}

func TestRecover(t *testing.T) {
	g := newGuest(t, state{})
	const hash = "b1db847d88306d28a544dd693344b9c29068541ed8b7768a3eb6ee0896818f59" // blake2-256 of "taoctl"
	alice := signatures[2]
	sig := func(change func([]byte)) []byte {
		b := unhex(t, alice.signature)
		if change != nil {
			change(b)
		}
		return b
	}
	for what, c := range map[string]struct {
		sig  []byte
		want string // Result
	}{
		"Alice's":        {sig(nil), "00" + alice.public},
		"with v from 27": {sig(func(b []byte) { b[64] += 27 }), "00" + alice.public},
		"v of 4":         {sig(func(b []byte) { b[64] = 4 }), "0101"},
		"v of 26":        {sig(func(b []byte) { b[64] = 26 }), "0101"},
		"r too large":    {sig(func(b []byte) { copy(b, bytes.Repeat([]byte{0xff}, 32)) }), "0100"},
		"s too large":    {sig(func(b []byte) { copy(b[32:], bytes.Repeat([]byte{0xff}, 32)) }), "0100"},
		"r of 0":         {sig(func(b []byte) { copy(b, make([]byte, 32)) }), "0102"},
	} {
		got := g.answer("ext_crypto_secp256k1_ecdsa_recover_compressed_version_2", g.pointer(c.sig), g.pointer(unhex(t, hash)))
		if got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
	plain := g.answer("ext_crypto_secp256k1_ecdsa_recover_version_2", g.pointer(sig(nil)), g.pointer(unhex(t, hash)))
	if len(plain) != 2*65 || plain[2:66] != alice.public[2:] {
		t.Errorf("the whole key is %s", plain)
	}
	good, _ := g.ask("ext_crypto_ecdsa_verify_prehashed_version_1", g.pointer(sig(nil)), g.pointer(unhex(t, hash)), g.pointer(unhex(t, alice.public)))
	if good != 1 {
		t.Error("a signature of a hash is not taken")
	}
}

// Hashes of the empty input, from the algorithms' own documents and from XXH64
// with seeds 0, 1, 2 and 3.
func TestHashes(t *testing.T) {
	g := newGuest(t, state{})
	for name, want := range map[string]string{
		"blake2_128": "cae66941d9efbd404e4d88758ea67670",
		"blake2_256": "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
		"keccak_256": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
		"sha2_256":   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"twox_64":    "99e9d85137db46ef",
		"twox_128":   "99e9d85137db46ef4bbea33613baafd5",
	} {
		at, stopped := g.ask("ext_hashing_"+name+"_version_1", g.put(nil))
		if got := hex.EncodeToString(g.bytes(uint32(at), uint32(len(want)/2))); got != want || stopped != "" {
			t.Errorf("%s: %s, want %s %s", name, got, want, stopped)
		}
	}
}

func TestStorageFunctions(t *testing.T) {
	g := newGuest(t, state{"a": "first", "ab": "second", "b": ""})
	key := func(s string) uint64 { return g.put([]byte(s)) }
	is := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	is("get", g.answer("ext_storage_get_version_1", key("a")), "0114"+hex.EncodeToString([]byte("first")))
	is("get nothing", g.answer("ext_storage_get_version_1", key("x")), "00")
	is("get what is empty", g.answer("ext_storage_get_version_1", key("b")), "0100")
	is("next", g.answer("ext_storage_next_key_version_1", key("a")), "0108"+hex.EncodeToString([]byte("ab")))
	is("next of the last", g.answer("ext_storage_next_key_version_1", key("b")), "00")
	for _, c := range []struct {
		offset     uint64
		room       int
		left, read string
	}{{0, 9, "0105000000", "first"}, {2, 2, "0103000000", "rs"}, {5, 3, "0100000000", ""}, {99, 3, "0100000000", ""}} {
		out := g.put(bytes.Repeat([]byte{0}, c.room))
		is("read", g.answer("ext_storage_read_version_1", key("a"), out, c.offset), c.left)
		is("what was read", string(bytes.TrimRight(g.span(out), "\x00")), c.read)
	}
	limit := func(n uint32) uint64 { return g.put(binary.LittleEndian.AppendUint32([]byte{1}, n)) }
	is("clear one", g.answer("ext_storage_clear_prefix_version_2", key("a"), limit(1)), "0101000000")
	is("clear the rest", g.answer("ext_storage_clear_prefix_version_2", key("a"), g.put([]byte{0})), "0001000000")
	is("cleared", g.answer("ext_storage_next_key_version_1", key("")), "0104"+hex.EncodeToString([]byte("b")))
	if _, stopped := g.ask("ext_storage_commit_transaction_version_1"); !strings.Contains(stopped, "not begun") {
		t.Errorf("a transaction that was not begun: %q", stopped)
	}
	if _, stopped := g.ask("ext_storage_get_version_1", 1<<32|0xffffffff); !strings.Contains(stopped, "outside") {
		t.Errorf("a key outside of the memory: %q", stopped)
	}
}

// A runtime asks what other code says of itself: its Core_version.
func TestVersionOf(t *testing.T) {
	const name = "ext_misc_runtime_version_version_1"
	g := newGuest(t, state{})
	answers := []byte{0x42, 0x10, 0x42, 32, 0x86, 0x42, 0, 0x84, 0x0b} // 16 bytes at 0, which are zeros
	code := program(nil, map[string][]byte{"Core_version": answers})
	if got := g.answer(name, g.put(code)); got != "0140"+strings.Repeat("00", 16) {
		t.Errorf("the version is %s", got)
	}
	for what, code := range map[string][]byte{"no code": []byte("no code"), "no Core_version": program(nil, nil), "a trap": program(nil, map[string][]byte{"Core_version": trap})} {
		if got := g.answer(name, g.put(code)); got != "00" {
			t.Errorf("the version of %s is %s", what, got)
		}
	}
	// The chain's own node may know a function that is not known here.
	if _, stopped := g.ask(name, g.put(program([]string{"ext_wishes_grant_version_1"}, nil))); !strings.Contains(stopped, "ext_wishes") {
		t.Errorf("unknown host functions: %q", stopped)
	}
	g.nested = true
	if _, stopped := g.ask(name, g.put(code)); stopped == "" {
		t.Error("code asks about code without end")
	}
}

func TestHeap(t *testing.T) {
	g := newGuest(t, state{})
	taken := map[uint32]uint32{}
	for _, n := range []uint32{0, 1, 8, 9, 100, 65536, 1 << 20} {
		at := g.take(n)
		for other, size := range taken {
			if at < other+size && other < at+n {
				t.Errorf("%d bytes at %d overlap %d at %d", n, at, size, other)
			}
		}
		if g.bytes(at, n); at%8 != 0 {
			t.Errorf("%d bytes lie at %d", n, at)
		}
		taken[at] = n
	}
	// What is given back is used again, so that a long call does not eat all.
	size := g.memory.Size()
	for range 1000 {
		at := g.take(100_000)
		if !g.heap.give(at) || g.heap.give(at) {
			t.Fatal("a block can be given back once, and once alone")
		}
	}
	if grown := g.memory.Size() - size; grown > 1<<18 {
		t.Errorf("the memory grew by %d bytes", grown)
	}
}

// Time that the storage takes does not count against the runtime.
func TestClock(t *testing.T) {
	slow := make(chan struct{})
	s := storageFunc(func(ctx context.Context) ([]byte, bool, error) {
		<-slow
		return nil, false, nil
	})
	g := newGuest(t, s)
	ctx, clock, stop := limit(t.Context(), time.Millisecond)
	defer stop()
	g.ctx, g.clock = ctx, clock
	go func() {
		<-time.After(20 * time.Millisecond)
		close(slow)
	}()
	if _, stopped := g.ask("ext_storage_get_version_1", g.put([]byte("key"))); stopped != "" {
		t.Fatal(stopped)
	}
	if clock.left <= 0 {
		t.Error("the storage's time was counted")
	}
	<-ctx.Done() // the clock goes on
	if !errors.Is(context.Cause(ctx), errTime) {
		t.Error(context.Cause(ctx))
	}
}

type storageFunc func(ctx context.Context) ([]byte, bool, error)

func (f storageFunc) Get(ctx context.Context, _ []byte) ([]byte, bool, error)  { return f(ctx) }
func (f storageFunc) Next(ctx context.Context, _ []byte) ([]byte, bool, error) { return f(ctx) }

// What asks for more room than it has bytes is refused before room is made.
func TestInspect(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	head := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	with := func(id byte, body ...[]byte) []byte { return section(slices.Clone(head), id, slices.Concat(body...)) }
	for what, code := range map[string][]byte{
		"types without end":     with(1, huge),
		"a type's parameters":   with(1, []byte{1, 0x60}, huge),
		"imports without end":   with(2, huge),
		"an import's name":      with(2, []byte{1}, huge),
		"functions without end": with(3, huge),
		"a large table":         with(4, []byte{1, 0x70, 1}, huge, huge),
		"a table that grows":    with(4, []byte{1, 0x70, 0, 1}),
		"an imported table":     with(2, []byte{1, 1, 'a', 1, 'b', 1, 0x70, 0}, huge),
		"exports without end":   with(7, huge),
		"elements without end":  with(9, []byte{1, 0, 0x41, 0, 0x0b}, huge),
		"strange elements":      with(9, []byte{1, 5, 0x70}, huge),
		"locals without end":    with(10, []byte{1, 9, 1}, huge, []byte{0x7f, 0, 0x0b}),
		"many locals":           with(10, []byte{1, 6, 1, 0x81, 0x20, 0x7f, 0, 0x0b}),
		"data without end":      with(11, []byte{1, 0, 0x41, 0, 0x0b}, huge),
		"a tag":                 with(13, []byte{0}),
		"a section cut short":   append(slices.Clone(head), 1, 9, 0),
		"a number cut short":    append(slices.Clone(head), 1, 0x80),
	} {
		if _, err := inspect(code); err == nil {
			t.Errorf("%s: not refused", what)
		}
	}
	good := program(nil, map[string][]byte{"Test_echo": echo})
	named := section(slices.Clone(good), 0, name(nil, "for people"))
	if got, err := inspect(named); err != nil || !bytes.Equal(got, good) {
		t.Errorf("a custom section: %v", err)
	}
}

// Code that runs when it starts is bounded too.
func TestStart(t *testing.T) {
	code := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	code = section(code, 1, []byte{1, 0x60, 0, 0})
	code = section(code, 3, []byte{1, 0})
	code = section(code, 5, []byte{1, 0, 1})
	code = section(code, 7, append(name([]byte{1}, "memory"), 2, 0))
	code = section(code, 8, []byte{0})
	code = section(code, 10, []byte{1, 7, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b})
	if _, err := Load(t.Context(), code, WithTime(20*time.Millisecond)); err == nil || !strings.Contains(err.Error(), "does not start") {
		t.Errorf("%v", err)
	}
}

// A runtime's methods take and give their values in its memory.
func TestNoMemory(t *testing.T) {
	code := section([]byte{0, 'a', 's', 'm', 1, 0, 0, 0}, 6, []byte{1, 0x7f, 0, 0x41, 0x10, 0x0b})
	code = section(code, 7, append(name([]byte{1}, "__heap_base"), 3, 0))
	if _, err := Load(t.Context(), code); err == nil || !strings.Contains(err.Error(), "no memory") {
		t.Errorf("%v", err)
	}
}
