//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestLinkNewRefusesToReplace(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := os.WriteFile(from, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := linkNew(from, to); err != nil {
		t.Fatal(err)
	}
	if err := linkNew(from, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second link: %v, want fs.ErrExist", err)
	}
}
