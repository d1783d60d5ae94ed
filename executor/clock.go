package executor

import (
	"context"
	"errors"
	"time"
)

var errTime = errors.New("time")

// clock bounds the time that a runtime runs. It stands still while the storage
// is read: what a slow line takes is not the runtime's doing, and who waits for
// it has a context.
type clock struct {
	timer   *time.Timer
	left    time.Duration
	started time.Time
}

// limit is a context that ends with errTime as its cause when the clock has run
// for a time. stop frees it.
func limit(ctx context.Context, d time.Duration) (limited context.Context, c *clock, stop func()) {
	limited, cancel := context.WithCancelCause(ctx)
	c = &clock{left: d, started: time.Now(), timer: time.AfterFunc(d, func() { cancel(errTime) })}
	return limited, c, func() {
		c.timer.Stop()
		cancel(nil)
	}
}

func (c *clock) pause() {
	if c.timer.Stop() {
		c.left -= time.Since(c.started)
	}
}

// resume runs on. Time that ran out at the moment of the pause is over at once:
// a clock that was not set again would never end the call.
func (c *clock) resume() {
	c.started = time.Now()
	c.timer.Reset(max(c.left, 0))
}
