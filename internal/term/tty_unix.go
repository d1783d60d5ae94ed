//go:build unix

package term

import (
	"os"
	"syscall"
)

// openTTY opens the controlling terminal. It fails where a process has none,
// as under cron or in a pipeline on a build machine.
func openTTY() (in, out *os.File, err error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	return f, f, err
}

// endings lists the signals that end a question.
func endings() []os.Signal {
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
}
