//go:build unix

package keystore_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/keystore/keystoretest"
)

// TestHostileFiles puts things in a coldkey's place that are no keys. Each must
// give its own error, at once, and stay as it was.
func TestHostileFiles(t *testing.T) {
	keystoretest.WeakKDF(t)
	unsafe := func(err error) bool { var e *keystore.UnsafeFileError; return errors.As(err, &e) }
	malformed := func(err error) bool { var e *keystore.MalformedError; return errors.As(err, &e) }
	locked := func(err error) bool { var e *keystore.WrongPassphraseError; return errors.As(err, &e) }

	source := newStore(t)
	good, err := os.ReadFile(save(t, source, alice, newKey(t), encrypted()).Path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)/2] ^= 1
	write := func(data []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, data, 0o600) }
	}
	for _, c := range []struct {
		name  string
		plant func(path string) error
		want  func(error) bool
	}{
		{"folder", func(p string) error { return os.Mkdir(p, 0o700) }, unsafe},
		{"named pipe", func(p string) error { return syscall.Mkfifo(p, 0o600) }, unsafe},
		{"huge", write(make([]byte, 1<<20)), unsafe},
		{"sparse and huge", func(p string) error { return errors.Join(os.WriteFile(p, nil, 0o600), os.Truncate(p, 1<<40)) }, unsafe},
		{"link out", func(p string) error { return os.Symlink("/etc/hostname", p) }, unsafe},
		{"link up and out", func(p string) error { return os.Symlink("../../../../etc/hostname", p) }, unsafe},
		{"link to a device", func(p string) error { return os.Symlink("/dev/zero", p) }, unsafe},
		{"open to others", func(p string) error { return errors.Join(os.WriteFile(p, good, 0o600), os.Chmod(p, 0o644)) }, unsafe},
		{"empty", write(nil), malformed},
		{"not UTF-8", write([]byte{0xff, 0xfe, '{', '}'}), malformed},
		{"mark only", write(good[:5]), malformed},
		{"cut in the nonce", write(good[:20]), malformed},
		{"cut in the body", write(good[:len(good)-1]), locked},
		{"bit flipped", write(flipped), locked},
		{"one byte more", write(append(append([]byte(nil), good...), '\n')), locked},
		{"zeros", write(make([]byte, 600)), malformed},
		{"deep JSON", write([]byte(strings.Repeat(`{"a":`, 9000))), malformed},
		{"vault header", write([]byte("$ANSIBLE_VAULT;1.1;AES256\n")), malformed},
		{"token mark", write([]byte("gAAAAA")), malformed},
		{"export in place", write([]byte(`{"encoded":"AA==","encoding":{"content":["pkcs8","sr25519"],"type":["none"],"version":"3"}}`)), malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			dir := filepath.Join(s.Dir(), alice.Wallet)
			path := filepath.Join(dir, "coldkey")
			if err := errors.Join(os.MkdirAll(dir, 0o700), c.plant(path)); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Unlock(t.Context(), alice, unlocker(t, pass)); !c.want(err) {
				t.Errorf("Unlock: %T %v", err, err)
			}
			if _, err := s.Wallets(); err != nil {
				t.Errorf("Wallets: %v", err)
			}
			if _, err := s.Examine(t.Context(), nil); err != nil {
				t.Errorf("Examine: %v", err)
			}
			var taken *keystore.ExistsError
			if _, err := s.Save(t.Context(), alice, newKey(t), nil, encrypted()); !errors.As(err, &taken) {
				t.Errorf("Save over it: %v", err)
			}
			after, err := os.Lstat(path)
			if err != nil || !os.SameFile(before, after) || before.Size() != after.Size() || before.ModTime() != after.ModTime() {
				t.Errorf("it was touched: %v", err)
			}
		})
	}
}

func TestLinkInsideTheStoreIsFollowed(t *testing.T) {
	s := newStore(t)
	k := newKey(t)
	save(t, s, alice, k, keystore.SaveOptions{Plain: true})
	if err := os.Symlink("alice", filepath.Join(s.Dir(), "also")); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Account(keystore.Ref{Wallet: "also"}); err != nil || got != k.Account() {
		t.Errorf("%v %v", got, err)
	}
}

func TestWalletFolderLinkedOut(t *testing.T) {
	s := newStore(t)
	outside := t.TempDir()
	if err := errors.Join(os.MkdirAll(s.Dir(), 0o700), os.Symlink(outside, filepath.Join(s.Dir(), "alice"))); err != nil {
		t.Fatal(err)
	}
	var unsafe *keystore.UnsafeFileError
	if _, err := s.Save(t.Context(), alice, newKey(t), nil, keystore.SaveOptions{Plain: true}); !errors.As(err, &unsafe) {
		t.Errorf("Save: %T %v", err, err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("something was written outside: %v %v", left, err)
	}
}

func TestLooseModesOnRequest(t *testing.T) {
	s := newStore(t)
	saved := save(t, s, alice, newKey(t), keystore.SaveOptions{Plain: true})
	if err := os.Chmod(saved.Path, 0o640); err != nil {
		t.Fatal(err)
	}
	var unsafe *keystore.UnsafeFileError
	if _, err := s.Unlock(t.Context(), alice, nil); !errors.As(err, &unsafe) || unsafe.Fix == "" {
		t.Errorf("mode 0640: %v", err)
	}
	k, err := keystore.Open(s.Dir(), keystore.AllowLooseModes()).Unlock(t.Context(), alice, nil)
	if err != nil {
		t.Fatal(err)
	}
	k.Wipe()
}

func TestNamesCannotLeaveTheStore(t *testing.T) {
	s := newStore(t)
	for _, name := range []string{"..", ".", "", "../x", "/etc", `a\b`, "a\x00b", strings.Repeat("x", 300)} {
		var bad *keystore.NameError
		for _, ref := range []keystore.Ref{{Wallet: name}, {Wallet: "alice", Hotkey: name}} {
			if ref.Hotkey == "" && name == "" && ref.Wallet != "" {
				continue // an empty hotkey means the coldkey
			}
			if _, err := s.Unlock(t.Context(), ref, nil); !errors.As(err, &bad) {
				t.Errorf("Unlock %q: %v", ref, err)
			}
			if _, err := s.Save(t.Context(), ref, newKey(t), nil, keystore.SaveOptions{Plain: true}); !errors.As(err, &bad) {
				t.Errorf("Save %q: %v", ref, err)
			}
			if err := s.Remove(t.Context(), ref); !errors.As(err, &bad) {
				t.Errorf("Remove %q: %v", ref, err)
			}
			if err := s.Rename(t.Context(), alice, ref); !errors.As(err, &bad) && ref.Hotkey == "" {
				t.Errorf("Rename to %q: %v", ref, err)
			}
		}
	}
	if _, err := os.Stat(s.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the store was touched: %v", err)
	}
}
