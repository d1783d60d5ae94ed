package keystore_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/keystore/keystoretest"
	"github.com/taoctl/taoctl/tao"
)

const pass = "correct horse battery"

func unlocker(t testing.TB, passphrase string) *keystore.Unlocker {
	t.Helper()
	u := keystore.NewUnlocker(func(string) ([]byte, error) { return []byte(passphrase), nil })
	t.Cleanup(u.Wipe)
	return u
}

func newKey(t testing.TB) *keystore.Key {
	t.Helper()
	m, err := keystore.NewMnemonic(12)
	if err != nil {
		t.Fatal(err)
	}
	k, err := m.Key(tao.Sr25519, keystore.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Wipe)
	return k
}

func save(t testing.TB, s *keystore.Store, ref keystore.Ref, k *keystore.Key, o keystore.SaveOptions) keystore.Saved {
	t.Helper()
	saved, err := s.Save(t.Context(), ref, k, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func encrypted() keystore.SaveOptions { return keystore.SaveOptions{Passphrase: []byte(pass)} }

var (
	alice = keystore.Ref{Wallet: "alice"}
	miner = keystore.Ref{Wallet: "alice", Hotkey: "miner"}
)

func TestSaveAndUnlock(t *testing.T) {
	keystoretest.WeakKDF(t)
	for name, o := range map[string]keystore.SaveOptions{
		"encrypted": encrypted(),
		"plain":     {Plain: true},
		"lean":      {Plain: true, OmitPhrase: true},
	} {
		for _, ref := range []keystore.Ref{alice, miner} {
			t.Run(name+" "+ref.Kind(), func(t *testing.T) {
				s := keystore.Open(filepath.Join(t.TempDir(), "not", "yet", "there"))
				k := newKey(t)
				save(t, s, ref, k, o)
				again, err := s.Unlock(t.Context(), ref, unlocker(t, pass))
				if err != nil {
					t.Fatal(err)
				}
				defer again.Wipe()
				if again.Account() != k.Account() {
					t.Errorf("unlocked %v, saved %v", again, k)
				}
				sig, err := again.Sign(t.Context(), []byte("message"))
				if err != nil {
					t.Fatal(err)
				}
				if err := keystore.Verify(k.Account(), []byte("message"), sig); err != nil {
					t.Error(err)
				}
				modes(t, s.Dir())
			})
		}
	}
}

// modes checks that nothing in a store can be read by others.
func modes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSaveRefusesToReplace(t *testing.T) {
	s := newStore(t)
	first, second := newKey(t), newKey(t)
	plain := keystore.SaveOptions{Plain: true}
	saved := save(t, s, alice, first, plain)
	before, err := os.ReadFile(saved.Path)
	if err != nil {
		t.Fatal(err)
	}
	var taken *keystore.ExistsError
	if _, err := s.Save(t.Context(), alice, second, nil, plain); !errors.As(err, &taken) || !errors.Is(err, fs.ErrExist) {
		t.Fatalf("second save: %v", err)
	}
	plain.Replace = true
	replaced := save(t, s, alice, second, plain)
	if got, err := s.Account(alice); err != nil || got != second.Account() {
		t.Errorf("the wallet is %v, %v", got, err)
	}
	kept, err := os.ReadFile(replaced.Backup)
	if err != nil || string(kept) != string(before) {
		t.Errorf("the backup does not hold the first key: %v", err)
	}
	modes(t, s.Dir())
}

func TestUnlockErrors(t *testing.T) {
	keystoretest.WeakKDF(t)
	s := newStore(t)
	save(t, s, alice, newKey(t), encrypted())

	var wrong *keystore.WrongPassphraseError
	if _, err := s.Unlock(t.Context(), alice, unlocker(t, "wrong")); !errors.As(err, &wrong) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := s.Unlock(t.Context(), alice, keystore.NewUnlocker(nil)); !errors.Is(err, keystore.ErrNoPassphrase) {
		t.Errorf("nobody to ask: %v", err)
	}
	if _, err := s.Unlock(t.Context(), alice, nil); !errors.Is(err, keystore.ErrNoPassphrase) {
		t.Errorf("no unlocker: %v", err)
	}
	declined := errors.New("declined")
	if _, err := s.Unlock(t.Context(), alice, keystore.NewUnlocker(func(string) ([]byte, error) { return nil, declined })); !errors.Is(err, declined) {
		t.Errorf("callback's error: %v", err)
	}
	if _, err := s.Unlock(t.Context(), miner, unlocker(t, pass)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Unlock(canceled, alice, unlocker(t, pass)); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func newStore(t testing.TB, o ...keystore.Option) *keystore.Store {
	t.Helper()
	return keystore.Open(filepath.Join(t.TempDir(), "wallets"), o...)
}
