package chatblock

import (
	"context"
	"testing"
	"time"
)

func TestWaitingIsNeverWithoutLimit(t *testing.T) {
	for _, left := range []time.Duration{-time.Hour, -time.Nanosecond, 0, time.Millisecond, time.Hour} {
		ctx, cancel := context.WithTimeout(context.Background(), left)
		defer cancel()
		if wait := sliceBefore(ctx); wait < 0 || wait > slice+time.Millisecond {
			t.Errorf("%v before the deadline: %v", left, wait)
		}
	}
}
