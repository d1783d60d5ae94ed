//go:build linux || darwin || freebsd

package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

// clock is one that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// folder is one whose name is short enough for a socket, wherever tests run.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "agent") //nolint:usetesting // t.TempDir names the test, and a socket's path has at most 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// running is an agent that serves, with a client of it.
type running struct {
	*Client
	server *Server
	clock  *clock
	stop   func()
	ended  chan error
}

func run(t *testing.T, path string) *running {
	t.Helper()
	c := newClock()
	server, err := Listen(path, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, server, c)
}

func serve(t *testing.T, server *Server, c *clock) *running {
	ctx, stop := context.WithCancel(t.Context())
	r := &running{NewClient(server.Path()), server, c, stop, make(chan error, 1)}
	done := make(chan struct{})
	go func() { r.ended <- server.Serve(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return r
}

func key(t *testing.T, path string, scheme tao.Scheme) *keystore.Key {
	t.Helper()
	k, err := keystore.DevKey(path, scheme)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (r *running) mustAdd(t *testing.T, k *keystore.Key, d time.Duration) {
	t.Helper()
	if err := r.Add(t.Context(), k, d); err != nil {
		t.Fatal(err)
	}
}

func (r *running) mustSigner(t *testing.T, account tao.Account) *Signer {
	t.Helper()
	s, err := r.Signer(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func want[E error](t *testing.T, err error) {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Errorf("error %v (%T), want a %T", err, err, e)
	}
}

func TestSign(t *testing.T) {
	r := run(t, filepath.Join(folder(t), "new", "agent.sock"))
	for _, scheme := range []tao.Scheme{tao.Sr25519, tao.Ed25519} {
		k := key(t, "//Alice", scheme)
		_, err := r.Signer(t.Context(), k.Account())
		want[*NotHeldError](t, err)
		r.mustAdd(t, k, time.Minute)
		k.Wipe() // the agent has its own
		s := r.mustSigner(t, k.Account())
		for _, size := range []int{0, 1, 32, 300, MaxMessage} {
			message := bytes.Repeat([]byte{7}, size)
			sig, err := s.Sign(t.Context(), message)
			if err != nil {
				t.Fatalf("%s, %d bytes: %v", scheme, size, err)
			}
			if err := keystore.Verify(k.Account(), message, sig); err != nil || sig.Scheme != scheme {
				t.Errorf("%s, %d bytes: scheme %s, %v", scheme, size, sig.Scheme, err)
			}
		}
		if _, err := s.Sign(t.Context(), make([]byte, MaxMessage+1)); err == nil {
			t.Error("a message above the limit was signed")
		}
		s.Wipe()
		if _, err := s.Sign(t.Context(), nil); err != nil {
			t.Errorf("a signer's Wipe took the agent's key: %v", err)
		}
	}
}

func TestSignConcurrently(t *testing.T) {
	r := run(t, filepath.Join(folder(t), "agent.sock"))
	k := key(t, "//Alice", tao.Sr25519)
	r.mustAdd(t, k, time.Minute)
	s := r.mustSigner(t, k.Account())
	var g sync.WaitGroup
	for i := range 2 * maxPeers { // half of them wait for their turn
		g.Go(func() {
			if _, err := s.Sign(t.Context(), fmt.Append(nil, i)); err != nil {
				t.Error(err)
			}
			if err := r.Add(t.Context(), k, time.Minute); err != nil { // must not disturb the others
				t.Error(err)
			}
		})
	}
	g.Wait()
}

func TestTimeIsAbsolute(t *testing.T) {
	r := run(t, filepath.Join(folder(t), "agent.sock"))
	k := key(t, "//Alice", tao.Sr25519)
	r.mustAdd(t, k, time.Minute)
	s := r.mustSigner(t, k.Account())
	for left := int64(60); left > 0; left -= 20 {
		keys, err := r.Keys(t.Context())
		if err != nil || len(keys) != 1 || keys[0].Left != left || keys[0].Scheme != tao.Sr25519 || keys[0].Account != k.Account() {
			t.Fatalf("keys %+v, %v; want %d s left", keys, err, left)
		}
		if _, err := s.Sign(t.Context(), []byte("x")); err != nil { // does not lengthen the time
			t.Fatal(err)
		}
		r.clock.move(20 * time.Second)
	}
	_, err := s.Sign(t.Context(), []byte("x"))
	want[*NotHeldError](t, err)
	if keys, err := r.Keys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("keys %+v, %v; want none", keys, err)
	}
}

// The secret must go when the time is over, whether or not anybody asks.
func TestSweepWipes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{ring: newRing(time.Now)}
		k := key(t, "//Alice", tao.Sr25519)
		if err := s.Hold(k, time.Minute); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go s.sweep(ctx)
		wait(ctx, time.Minute-time.Second)
		synctest.Wait()
		if _, err := k.Sign(ctx, nil); err != nil {
			t.Errorf("before its time: %v", err)
		}
		wait(ctx, 2*sweepEvery)
		synctest.Wait()
		if _, err := k.Sign(ctx, nil); !errors.Is(err, keystore.ErrWiped) {
			t.Errorf("after its time: %v, want ErrWiped", err)
		}
	})
}

// A machine that slept has moved one clock, a person who set the time the other.
func TestEitherClockEnds(t *testing.T) {
	start := time.Now() // with a monotonic reading
	k := heldKey{until: start.Add(time.Minute)}
	for _, c := range []struct {
		name string
		now  time.Time
		over bool
	}{
		{"before", start.Add(59 * time.Second), false},
		{"after", start.Add(time.Minute), true},
		{"wall clock alone, after", start.Round(0).Add(time.Minute), true},
		{"wall clock alone, before", start.Round(0), false},
	} {
		if got := k.over(c.now); got != c.over {
			t.Errorf("%s: over %t, want %t", c.name, got, c.over)
		}
	}
}

func TestTimeLimits(t *testing.T) {
	r := run(t, filepath.Join(folder(t), "agent.sock"))
	k := key(t, "//Alice", tao.Sr25519)
	for _, d := range []time.Duration{-time.Hour, 0, time.Second - 1, MaxTime + time.Second} {
		err := r.Add(t.Context(), k, d)
		want[*RefusedError](t, err)
	}
	for _, d := range []time.Duration{-1, 0, MaxTime + 1} {
		spare := key(t, "//Bob", tao.Sr25519)
		if err := r.server.Hold(spare, d); err == nil {
			t.Errorf("a key is held for %v", d)
		}
		if _, err := spare.Sign(t.Context(), nil); !errors.Is(err, keystore.ErrWiped) {
			t.Errorf("a key that was refused is not wiped: %v", err)
		}
	}
	r.mustAdd(t, k, MaxTime)
}

func TestTooManyKeys(t *testing.T) {
	r := run(t, filepath.Join(folder(t), "agent.sock"))
	for i := range maxKeys {
		if err := r.server.Hold(key(t, fmt.Sprintf("//%d", i), tao.Ed25519), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	err := r.Add(t.Context(), key(t, "//more", tao.Ed25519), time.Hour)
	want[*RefusedError](t, err)
	if keys, err := r.Keys(t.Context()); err != nil || len(keys) != maxKeys {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	r.clock.move(time.Hour) // makes room
	r.mustAdd(t, key(t, "//more", tao.Ed25519), time.Hour)
}

func TestAddChecksTheAccount(t *testing.T) {
	r := run(t, filepath.Join(folder(t), "agent.sock"))
	alice, bob := key(t, "//Alice", tao.Sr25519), key(t, "//Bob", tao.Sr25519)
	err := alice.Reveal(func(s keystore.Secrets) error {
		for _, private := range [][]byte{s.Private, s.Private[:63], nil, make([]byte, 64)} {
			_, _, err := r.ask(t.Context(), request{Op: opAdd, Account: bob.Account(), Scheme: tao.Sr25519, Seconds: 60}, private)
			want[*RefusedError](t, err)
		}
		_, _, err := r.ask(t.Context(), request{Op: opAdd, Account: bob.Account(), Scheme: tao.Ecdsa, Seconds: 60}, s.Private)
		want[*RefusedError](t, err)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := r.Keys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("keys %+v, %v; want none", keys, err)
	}
}

func TestLock(t *testing.T) {
	r := run(t, filepath.Join(folder(t), "agent.sock"))
	held := key(t, "//Alice", tao.Sr25519)
	if err := r.server.Hold(held, time.Minute); err != nil {
		t.Fatal(err)
	}
	s := r.mustSigner(t, held.Account())
	keys, err := r.Lock(t.Context())
	if err != nil || len(keys) != 1 || keys[0].Account != held.Account() {
		t.Errorf("lock: %+v, %v", keys, err)
	}
	if _, err := held.Sign(t.Context(), nil); !errors.Is(err, keystore.ErrWiped) {
		t.Errorf("the agent's key after lock: %v, want ErrWiped", err)
	}
	_, err = s.Sign(t.Context(), nil)
	want[*NotHeldError](t, err)
}

// However an agent ends, its keys are wiped and its socket is gone.
func TestEnds(t *testing.T) {
	for name, end := range map[string]func(*running) error{
		"stopped":  func(r *running) error { _, err := r.Stop(context.Background()); return err },
		"signal":   func(r *running) error { r.stop(); return nil },
		"repeated": func(r *running) error { r.stop(); r.stop(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder(t), "agent.sock")
			r := run(t, path)
			k := key(t, "//Alice", tao.Sr25519)
			if err := r.server.Hold(k, time.Minute); err != nil {
				t.Fatal(err)
			}
			slow := connect(t, path) // must not delay the end
			if _, err := r.Keys(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := end(r); err != nil {
				t.Fatal(err)
			}
			if err := <-r.ended; err != nil {
				t.Errorf("Serve: %v", err)
			}
			if _, err := slow.Read(make([]byte, 1)); err == nil {
				t.Error("a peer is still connected")
			}
			if _, err := k.Sign(t.Context(), nil); !errors.Is(err, keystore.ErrWiped) {
				t.Errorf("the key: %v, want ErrWiped", err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the socket: %v", err)
			}
			_, err := r.Keys(t.Context())
			want[*NotRunningError](t, err)
			run(t, path) // the place is free
		})
	}
}

// Who has stopped an agent can start another at once.
func TestStopFreesThePlace(t *testing.T) {
	path := filepath.Join(folder(t), "agent.sock")
	for range 20 {
		r := run(t, path)
		if _, err := r.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSecondAgent(t *testing.T) {
	path := filepath.Join(folder(t), "agent.sock")
	first := run(t, path)
	_, err := Listen(path, time.Now)
	want[*RunningError](t, err)
	if err := os.Remove(path + ".lock"); err != nil { // an agent that answers is enough
		t.Fatal(err)
	}
	_, err = Listen(path, time.Now)
	want[*RunningError](t, err)
	if _, err := first.Keys(t.Context()); err != nil {
		t.Errorf("the first agent: %v", err)
	}
}

// Many start at once on what a crashed one left; one wins, and is reached.
func TestRaceForTheSocket(t *testing.T) {
	path := filepath.Join(folder(t), "agent.sock")
	leaveStale(t, path)
	winners := make(chan *Server, 20)
	var g sync.WaitGroup
	for range cap(winners) {
		g.Go(func() {
			s, err := Listen(path, time.Now)
			if err != nil {
				want[*RunningError](t, err)
				return
			}
			winners <- s
		})
	}
	g.Wait()
	if len(winners) != 1 {
		t.Fatalf("%d agents have the socket", len(winners))
	}
	r := serve(t, <-winners, newClock())
	if _, err := r.Keys(t.Context()); err != nil {
		t.Error(err)
	}
}

// leaveStale leaves a socket as a process that was killed does.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func TestStaleSocket(t *testing.T) {
	path := filepath.Join(folder(t), "agent.sock")
	leaveStale(t, path)
	_, err := NewClient(path).Keys(t.Context())
	want[*NotRunningError](t, err)
	r := run(t, path)
	if _, err := r.Keys(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(folder(t), "deep", "taoctl")
	path := filepath.Join(dir, "agent.sock")
	run(t, path)
	for name, mode := range map[string]fs.FileMode{dir: 0o700, path: 0o600, path + ".lock": 0o600} {
		if info, err := os.Lstat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, mode)
		}
	}
}

func TestUnsafePlaces(t *testing.T) {
	dir := folder(t)
	link := filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "loose"), 0o700), os.Chmod(filepath.Join(dir, "loose"), 0o750),
		os.Symlink(dir, link), os.Mkdir(filepath.Join(dir, "taken"), 0o700),
		os.WriteFile(filepath.Join(dir, "taken", "agent.sock"), []byte("precious"), 0o600)); err != nil {
		t.Fatal(err)
	}
	_, err := Listen(filepath.Join(dir, "loose", "agent.sock"), time.Now)
	want[*FolderError](t, err)
	_, err = Listen(filepath.Join(link, "agent.sock"), time.Now)
	want[*FolderError](t, err)
	if _, err = Listen(filepath.Join(dir, "taken", "agent.sock"), time.Now); err == nil {
		t.Error("a file was replaced by a socket")
	}
	if text, err := os.ReadFile(filepath.Join(dir, "taken", "agent.sock")); string(text) != "precious" {
		t.Errorf("the file in the way: %q, %v", text, err)
	}
	long := filepath.Join(dir, string(bytes.Repeat([]byte("x"), maxPath)))
	if _, err = Listen(long, time.Now); err == nil {
		t.Error("a name too long for a socket was taken")
	}
	_, err = NewClient(long).Keys(t.Context())
	want[*NotRunningError](t, err)
}
