package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// flushInput discards what the terminal holds unread (termios(3), tcflush).
func flushInput(tty *os.File) error {
	return unix.IoctlSetInt(int(tty.Fd()), unix.TCFLSH, unix.TCIFLUSH)
}
