package powsolver

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the CPU time that this thread has used, so that a busy machine does
// not show in a measurement.
func cpuTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return wallTime()
	}
	return time.Duration(t.Nano())
}
