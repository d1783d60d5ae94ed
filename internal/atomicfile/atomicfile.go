// Package atomicfile writes whole files so that a crash, at any moment, leaves
// either the old content or the new, never a mixture and never neither.
//
// The road is the usual one: a temporary file in the same folder, written,
// synced, renamed over the target, and the folder synced, so that the rename
// itself survives a power cut.
package atomicfile

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Step names a moment in the life of a write, in the order of the constants.
type Step int

// The steps. A Writer calls its At function before each of them.
const (
	Open   Step = iota // the temporary file is made
	Fill               // the data is written to it
	Sync               // it is synced to the disk
	Rename             // it takes its final name
	SyncUp             // the folder is synced
)

// Steps lists every step, for tests that stop at each.
func Steps() []Step { return []Step{Open, Fill, Sync, Rename, SyncUp} }

var stepNames = [...]string{"open", "fill", "sync", "rename", "sync the folder"}

// String names the step.
func (s Step) String() string { return stepNames[s] }

// Writer writes files. The zero Writer is the one to use; At is for tests of
// crashes and full disks.
type Writer struct {
	// At, if set, is called before each step. An error from it fails the write
	// as an error of that step would.
	At func(Step) error
}

// Write puts data into the file at path and sets its mode, replacing what is
// there. A symbolic link at path is replaced, not followed.
func Write(path string, data []byte, mode fs.FileMode) error {
	return Writer{}.Write(path, data, mode)
}

// Create is Write for a file that must not exist yet: of several writers one
// wins, and the others get an error that satisfies errors.Is(err, fs.ErrExist).
func Create(path string, data []byte, mode fs.FileMode) error {
	return Writer{}.Create(path, data, mode)
}

// Write is the package's [Write].
func (w Writer) Write(path string, data []byte, mode fs.FileMode) error {
	return w.put(path, data, mode, os.Rename)
}

// Create is the package's [Create].
func (w Writer) Create(path string, data []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	return w.put(path, data, mode, renameNew)
}

func (w Writer) put(path string, data []byte, mode fs.FileMode, rename func(from, to string) error) error {
	temp, err := w.fill(path, data, mode)
	if temp != "" {
		// After the rename there is nothing left to remove.
		defer os.Remove(temp)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := w.do(Rename, func() error { return rename(temp, path) }); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := w.do(SyncUp, func() error { return SyncDir(filepath.Dir(path)) }); err != nil {
		return fmt.Errorf("writing %s: the file is in place, but its folder was not synced: %w", path, err)
	}
	return nil
}

// fill makes the temporary file, and returns its name as soon as it exists.
func (w Writer) fill(path string, data []byte, mode fs.FileMode) (temp string, err error) {
	var f *os.File
	if err := w.do(Open, func() error { f, err = openTemp(path, mode); return err }); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	temp = f.Name()
	if err := w.do(Fill, func() error { return fillMode(f, data, mode) }); err != nil {
		return temp, err
	}
	return temp, w.do(Sync, f.Sync)
}

func (w Writer) do(s Step, act func() error) error {
	if w.At != nil {
		if err := w.At(s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return act()
}

// openTemp makes the temporary file. O_EXCL never follows a symbolic link, so
// nobody who can guess the name can point it elsewhere. It starts with the
// owner's bits alone: the umask may not widen what another may read.
func openTemp(path string, mode fs.FileMode) (*os.File, error) {
	var r [6]byte
	rand.Read(r[:])
	name := TempPrefix + filepath.Base(path) + "." + hex.EncodeToString(r[:]) + TempSuffix
	return os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode&0o700|0o200)
}

func fillMode(f *os.File, data []byte, mode fs.FileMode) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Chmod(mode)
}

// Move renames a file or folder within one file system, syncs both folders, and
// refuses a name that is taken with an error that satisfies fs.ErrExist.
func Move(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	rename := renameNew
	if info.IsDir() {
		rename = os.Rename // replaces an empty folder at most
	}
	if err := rename(from, to); err != nil {
		return err
	}
	if err := os.Remove(from); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(SyncDir(filepath.Dir(to)), SyncDir(filepath.Dir(from)))
}

// TempPrefix and TempSuffix stand around the name of a file being written. A
// crash can leave such a file behind; [IsTemp] knows it.
const (
	TempPrefix = "."
	TempSuffix = ".tmp"
)

// IsTemp reports whether a file name, without folder, is one that an
// interrupted write leaves behind.
func IsTemp(name string) bool {
	rest, ok := strings.CutSuffix(name, TempSuffix)
	if !ok || !strings.HasPrefix(rest, TempPrefix) || len(rest) < 14 {
		return false
	}
	_, err := hex.DecodeString(rest[len(rest)-12:])
	return err == nil && rest[len(rest)-13] == '.'
}
