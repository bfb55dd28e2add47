package cloud

import (
	"context"
	"math/rand/v2"
	"time"
)

// The first wait after a failure is at most firstWait, and none is longer than longestWait.
const (
	firstWait   = 500 * time.Millisecond
	longestWait = 20 * time.Second
)

// Wait is how long to wait before a try, from 1: anything up to a bound that doubles with each ("full jitter"), so that those who
// failed together do not come back together. https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
func Wait(try int) time.Duration {
	return rand.N(min(firstWait<<min(try-1, 16), longestWait)) + time.Millisecond
}

// Backoff waits before a try, and fails where its context ends first.
func Backoff(ctx context.Context, try int) error {
	wait := time.NewTimer(Wait(try))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return &Error{Code: CodeUnavailable, Detail: "the time for the call ran out while the cloud was failing", Cause: ctx.Err()}
	}
}
