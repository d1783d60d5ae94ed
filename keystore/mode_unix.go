//go:build unix

package keystore

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

const (
	openNonblock = syscall.O_NONBLOCK
	hasModes     = true
)

// checkClosed refuses a secret that others may read or change, as ssh does.
// Root may use a file of any owner: containers mount their users' files so.
func checkClosed(info fs.FileInfo, path string) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		me := os.Geteuid()
		if owner := int(st.Uid); owner != me && owner != 0 && me != 0 {
			return &UnsafeFileError{Path: path, Reason: fmt.Sprintf("belongs to another user (uid %d)", owner)}
		}
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return &UnsafeFileError{
			Path:   path,
			Reason: fmt.Sprintf("is open to other users (mode %04o)", perm),
			Fix:    "chmod 600 " + shellQuote(path),
		}
	}
	return nil
}

// shellQuote makes a path one word of a POSIX shell.
func shellQuote(path string) string {
	if !strings.ContainsFunc(path, func(r rune) bool { return notNameRune(r) && r != '/' }) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
