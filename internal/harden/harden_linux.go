package harden

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// process sets the core file's size to zero, and the process undumpable: then
// ptrace and /proc/PID/mem are closed to others than root (prctl(2),
// PR_SET_DUMPABLE).
func process() error {
	err := noCore()
	if e := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); e != nil {
		err = errors.Join(err, fmt.Errorf("forbid reading this process' memory: %w", e))
	}
	return err
}
