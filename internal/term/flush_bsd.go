//go:build unix && !linux && !solaris && !aix

package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// flushInput discards what the terminal holds unread (tty(4), TIOCFLUSH).
func flushInput(tty *os.File) error {
	const fread = 1 // FREAD of sys/fcntl.h: the input queue
	return unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCFLUSH, fread)
}
