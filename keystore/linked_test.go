//go:build unix

package keystore_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

// A rename that was interrupted between its two files can be repeated, but not
// over an address that belongs to another key.
func TestRenameAgain(t *testing.T) {
	s := keystore.Open(t.TempDir())
	u := keystore.NewUnlocker(nil)
	defer u.Wipe()
	save := func(name, path string) keystore.Ref {
		t.Helper()
		key, err := keystore.DevKey(path, tao.Sr25519)
		if err != nil {
			t.Fatal(err)
		}
		defer key.Wipe()
		ref := keystore.Ref{Wallet: "w", Hotkey: name}
		if _, err := s.Save(t.Context(), ref, key, u, keystore.SaveOptions{Plain: true}); err != nil {
			t.Fatal(err)
		}
		return ref
	}
	a, b, c := save("a", "//a"), keystore.Ref{Wallet: "w", Hotkey: "b"}, save("c", "//c")
	if err := os.Rename(s.Path(a)+"pub.txt", s.Path(b)+"pub.txt"); err != nil {
		t.Fatal(err)
	}
	findings, err := s.Examine(t.Context(), nil)
	if err != nil || !slices.ContainsFunc(findings, func(f keystore.Finding) bool {
		return f.Ref == a && strings.Contains(f.What, "taoctl wallet rename "+a.String()+" "+b.String())
	}) {
		t.Errorf("the doctor does not see it: %v, %v", findings, err)
	}
	if err := s.Rename(t.Context(), a, b); err != nil {
		t.Errorf("repeated: %v", err)
	}
	if i, err := s.Info(b); err != nil || !i.Secret || !i.Known {
		t.Errorf("%+v, %v", i, err)
	}
	if err := os.Rename(s.Path(c)+"pub.txt", filepath.Join(filepath.Dir(s.Path(c)), "dpub.txt")); err != nil {
		t.Fatal(err)
	}
	save("other", "//other")
	if err := os.Rename(filepath.Join(filepath.Dir(s.Path(c)), "otherpub.txt"), filepath.Join(filepath.Dir(s.Path(c)), "dpub.txt")); err != nil {
		t.Fatal(err)
	}
	var taken *keystore.ExistsError
	if err := s.Rename(t.Context(), c, keystore.Ref{Wallet: "w", Hotkey: "d"}); !errors.As(err, &taken) {
		t.Errorf("over another key's address: %v", err)
	}
}

// A folder of keys elsewhere, linked into the store, is not deleted or moved
// with the link.
func TestRemoveAndRenameThroughLinks(t *testing.T) {
	store, out := t.TempDir(), t.TempDir()
	for _, f := range []string{"coldkey", "hotkeys/miner", "backups/coldkey.1"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(out, f)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, f), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(out, filepath.Join(store, "linked")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(store, "half"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(out, "hotkeys"), filepath.Join(store, "half", "hotkeys")); err != nil {
		t.Fatal(err)
	}
	s := keystore.Open(store)
	for what, err := range map[string]error{
		"remove a wallet":          s.Remove(t.Context(), keystore.Ref{Wallet: "linked"}),
		"remove a hotkey":          s.Remove(t.Context(), keystore.Ref{Wallet: "linked", Hotkey: "miner"}),
		"remove by hotkeys folder": s.Remove(t.Context(), keystore.Ref{Wallet: "half"}),
		"rename a hotkey":          s.Rename(t.Context(), keystore.Ref{Wallet: "half", Hotkey: "miner"}, keystore.Ref{Wallet: "other", Hotkey: "miner"}),
		"rename a wallet":          s.Rename(t.Context(), keystore.Ref{Wallet: "linked"}, keystore.Ref{Wallet: "other"}),
	} {
		var unsafe *keystore.UnsafeFileError
		if !errors.As(err, &unsafe) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, f := range []string{"coldkey", "hotkeys/miner", "backups/coldkey.1"} {
		if _, err := os.Stat(filepath.Join(out, f)); err != nil {
			t.Error(err)
		}
	}
}
