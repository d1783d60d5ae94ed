package atomicfile

import (
	"os"

	"golang.org/x/sys/windows"
)

// renameNew renames and refuses a name that is taken: MoveFile, unlike
// os.Rename, does not replace.
func renameNew(from, to string) error {
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	if err := windows.MoveFile(old, name); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// SyncDir does nothing: Windows has no way to sync a folder, and NTFS journals
// its names.
func SyncDir(string) error { return nil }
