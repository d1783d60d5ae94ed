package keystore

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/internal/atomicfile"
	"github.com/taoctl/taoctl/keystore/internal/kdf"
	"github.com/taoctl/taoctl/tao"
)

// The crash tests run a change to a store in a child process that kills itself
// before the n-th step of writing, for every n that the change has.
const (
	crashDir  = "KEYSTORE_TEST_CRASH_DIR"
	crashAt   = "KEYSTORE_TEST_CRASH_AT"
	crashWhat = "KEYSTORE_TEST_CRASH_WHAT"
)

var crashRef = Ref{Wallet: "alice", Hotkey: "miner"}

// crashChanges are the changes that could lose a key.
var crashChanges = map[string]func(t *testing.T, s *Store) error{
	"save": func(t *testing.T, s *Store) error {
		_, err := s.Save(t.Context(), Ref{Wallet: "alice", Hotkey: "fresh"}, crashKey(t, 2), nil, SaveOptions{Passphrase: []byte("new")})
		return err
	},
	"replace": func(t *testing.T, s *Store) error {
		_, err := s.Save(t.Context(), crashRef, crashKey(t, 2), nil, SaveOptions{Passphrase: []byte("new"), Replace: true})
		return err
	},
	"passwd": func(t *testing.T, s *Store) error {
		_, err := s.Passwd(t.Context(), crashRef, crashUnlocker("old"), SaveOptions{Passphrase: []byte("new")})
		return err
	},
	"passwd keeping the old": func(t *testing.T, s *Store) error {
		_, err := s.Passwd(t.Context(), crashRef, crashUnlocker("old"), SaveOptions{Passphrase: []byte("new"), KeepOld: true})
		return err
	},
}

func crashKey(t testing.TB, n byte) *Key {
	t.Helper()
	k, err := FromSeed(slices.Repeat([]byte{n}, seedSize), tao.Sr25519, "")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// crashUnlocker answers with each passphrase in turn.
func crashUnlocker(passphrases ...string) *Unlocker {
	return NewUnlocker(func(string) ([]byte, error) {
		if len(passphrases) == 0 {
			return nil, errors.New("no more passphrases")
		}
		p := passphrases[0]
		passphrases = passphrases[1:]
		return []byte(p), nil
	})
}

// TestCrashChild is the child. As a test of its own it has nothing to do.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("runs as the child of TestCrash")
	}
	kdf.Weaken(true)
	at, err := strconv.Atoi(os.Getenv(crashAt))
	if err != nil {
		t.Fatal(err)
	}
	s := Open(dir)
	n := 0
	s.files = atomicfile.Writer{At: func(atomicfile.Step) error {
		if n++; n <= at {
			return nil
		}
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		if err := self.Kill(); err != nil {
			return err
		}
		select {}
	}}
	if err := crashChanges[os.Getenv(crashWhat)](t, s); err != nil {
		t.Fatal(err)
	}
}

func TestCrash(t *testing.T) {
	defer kdf.Weaken(kdf.Weaken(true))
	for what := range crashChanges {
		t.Run(what, func(t *testing.T) {
			killed := 0
			for ; crashOnce(t, what, killed); killed++ {
			}
			if killed < len(atomicfile.Steps()) {
				t.Errorf("killed at %d steps only", killed)
			}
			t.Logf("killed at each of %d steps", killed)
		})
	}
}

// crashOnce kills the change before step n and checks what stands then. It
// returns false when the change came to its end before that.
func crashOnce(t *testing.T, what string, n int) (killed bool) {
	t.Helper()
	s := Open(filepath.Join(t.TempDir(), "wallets"))
	if _, err := s.Save(t.Context(), crashRef, crashKey(t, 1), nil, SaveOptions{Passphrase: []byte("old")}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), crashDir+"="+s.Dir(), crashAt+"="+strconv.Itoa(n), crashWhat+"="+what)
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "FAIL") {
		t.Fatalf("the child failed: %s", out)
	}
	checkAfterCrash(t, s, what, n)
	return err != nil
}

// checkAfterCrash: the old key or the new one opens under the name, and no
// public file contradicts its secret. If the new one stands and was another
// key, the old one is in the backup.
func checkAfterCrash(t *testing.T, s *Store, what string, n int) {
	t.Helper()
	k, err := s.Unlock(t.Context(), crashRef, crashUnlocker("old"))
	if err != nil {
		k, err = s.Unlock(t.Context(), crashRef, crashUnlocker("new"))
	}
	if err != nil {
		t.Fatalf("%s killed at step %d: no key opens: %v", what, n, err)
	}
	first, second := crashKey(t, 1).Account(), crashKey(t, 2).Account()
	switch {
	case k.Account() == first:
	case what == "replace" && k.Account() == second:
		backup := s.newestBackup(crashRef)
		data, err := os.ReadFile(backup)
		if err != nil {
			t.Fatalf("step %d: the replaced key is gone: %v", n, err)
		}
		old, err := OpenBytes(t.Context(), "backup", data, Detect(data), crashUnlocker("old"))
		if err != nil || old.Account() != first {
			t.Fatalf("step %d: the backup holds %v, %v", n, old, err)
		}
	default:
		t.Fatalf("%s killed at step %d: the key is %v", what, n, k)
	}
	// The next change works, whatever was left behind.
	if _, err := s.Save(t.Context(), crashRef, crashKey(t, 3), nil, SaveOptions{Plain: true, Replace: true}); err != nil {
		t.Errorf("%s killed at step %d: the next save: %v", what, n, err)
	}
}

// TestFullDisk fails every step of every change with an error instead.
func TestFullDisk(t *testing.T) {
	defer kdf.Weaken(kdf.Weaken(true))
	full := errors.New("no space left on device")
	for what, change := range crashChanges {
		for at := 0; ; at++ {
			s := Open(filepath.Join(t.TempDir(), "wallets"))
			if _, err := s.Save(t.Context(), crashRef, crashKey(t, 1), nil, SaveOptions{Passphrase: []byte("old")}); err != nil {
				t.Fatal(err)
			}
			n := 0
			s.files.At = func(atomicfile.Step) error {
				if n++; n > at {
					return full
				}
				return nil
			}
			err := change(t, s)
			s.files.At = nil
			checkAfterCrash(t, s, what, at)
			if err == nil {
				break
			}
			if !errors.Is(err, full) {
				t.Errorf("%s at step %d: %v", what, at, err)
			}
		}
	}
}
