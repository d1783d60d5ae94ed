package keystore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxKeyfile bounds a key's file in bytes. The largest real one has under 3 KiB.
const maxKeyfile = 64 << 10

// read returns a whole file of the store. Rel is a path inside it; symbolic
// links are followed as long as they stay inside. A secret's file must be the
// user's own and closed to others.
func (s *Store) read(rel string, secret bool) ([]byte, error) {
	path := filepath.Join(s.dir, rel)
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, notFoundOr(err, "wallets folder", s.dir)
	}
	defer root.Close()
	// Without O_NONBLOCK, opening a named pipe would wait for a writer.
	f, err := root.OpenFile(rel, os.O_RDONLY|openNonblock, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &NotFoundError{What: "file", Path: path}
	case errors.Is(err, fs.ErrPermission):
		return nil, &UnsafeFileError{Path: path, Reason: "may not be read by this user", Fix: "chmod 600 " + shellQuote(path)}
	case err != nil && s.escapes(root, rel):
		return nil, &UnsafeFileError{Path: path, Reason: "is a symbolic link that leaves the wallets folder"}
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	defer f.Close()
	return readChecked(f, path, secret && !s.looseModes, maxKeyfile)
}

// escapes reports whether rel cannot be opened because a link on the way leaves
// the store or runs in a circle. The system's error for it has no name.
func (s *Store) escapes(root *os.Root, rel string) bool {
	if _, err := root.Stat(rel); err == nil || errors.Is(err, fs.ErrNotExist) {
		return false
	}
	for ; rel != "."; rel = filepath.Dir(rel) {
		if info, err := root.Lstat(rel); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return true
		}
	}
	return false
}

func readChecked(f *os.File, path string, secret bool, limit int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if err := checkFile(info, path, limit); err != nil {
		return nil, err
	}
	if secret {
		if err := checkClosed(info, path); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", path, err)
	case int64(len(data)) > limit: // it grew since Stat
		return nil, &UnsafeFileError{Path: path, Reason: "is too large for a key"}
	}
	return data, nil
}

func checkFile(info fs.FileInfo, path string, limit int64) error {
	switch {
	case info.IsDir():
		return &UnsafeFileError{Path: path, Reason: "is a folder, not a key's file"}
	case !info.Mode().IsRegular():
		return &UnsafeFileError{Path: path, Reason: "is no regular file (" + info.Mode().Type().String() + ")"}
	case info.Size() > limit:
		return &UnsafeFileError{Path: path, Reason: fmt.Sprintf("is too large for a key: %d bytes", info.Size())}
	}
	return nil
}

func notFoundOr(err error, what, path string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &NotFoundError{What: what, Path: path}
	}
	return fmt.Errorf("opening %s %s: %w", what, path, err)
}
