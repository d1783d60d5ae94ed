package executor

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Time that is up ends the call, also where it ran out at the moment of a pause.
func TestClockRunsOut(t *testing.T) {
	for what, left := range map[string]time.Duration{"time is left": time.Millisecond, "none is left": 0, "less than none": -time.Second} {
		ctx, c, stop := limit(t.Context(), time.Hour)
		c.pause()
		c.left = left
		c.resume()
		<-ctx.Done() // or the test hangs
		if !errors.Is(context.Cause(ctx), errTime) {
			t.Errorf("%s: %v", what, context.Cause(ctx))
		}
		stop()
	}
}
