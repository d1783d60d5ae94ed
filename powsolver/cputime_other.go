//go:build !linux

package powsolver

import "time"

func cpuTime() time.Duration { return wallTime() }
