//go:build unix

package keystore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/taoctl/taoctl/keystore"
)

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
