//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// SyncDir makes the names in a folder durable. A file system that cannot sync
// folders (some network and FUSE ones) is not an error: it has no better way.
func SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

// linkNew gives the file its name by a hard link, which refuses a name that is
// taken. The temporary name is removed by the caller.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) {
		return fmt.Errorf("this file system cannot create a file without the risk of replacing another: %w", err)
	}
	return err
}
