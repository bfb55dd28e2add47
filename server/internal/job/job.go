// Package job runs named work again and again until the server stops.
package job

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Job is work that is due every so often. Run does all that is due, is idempotent, and reports on how many things it acted.
type Job struct {
	Name  string
	Every time.Duration
	// Mine reports whether this server does it this time, and under which context; of several on one database one does. Nil: each
	// does it.
	Mine func(ctx context.Context, work string, length time.Duration) (leased context.Context, mine bool, err error)
	Run  func(context.Context) (int64, error)
}

// first is how long after the start a job runs first, if it is not due before: what was due while no server ran waits no longer.
const first = time.Minute

// Run runs the jobs until ctx ends, each in its own rhythm, and returns when none is under way. A job that fails is logged
// and comes again at its next turn.
func Run(ctx context.Context, log *slog.Logger, jobs ...Job) {
	var all sync.WaitGroup
	for _, j := range jobs {
		all.Go(func() { j.repeat(ctx, log) })
	}
	all.Wait()
}

func (j Job) repeat(ctx context.Context, log *slog.Logger) {
	for wait := min(first, j.Every); ; wait = j.Every {
		due := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			due.Stop()
			return
		case <-due.C:
		}
		n, err := j.once(ctx)
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "a job failed", "job", j.Name, "error", err)
		}
		if n > 0 {
			log.InfoContext(ctx, "did a job", "job", j.Name, "count", n)
		}
	}
}

func (j Job) once(ctx context.Context) (int64, error) {
	if j.Mine != nil {
		// A little shorter than the rhythm, so that whoever has it is not too early for itself, and others get their turn.
		leased, mine, err := j.Mine(ctx, j.Name, j.Every-j.Every/10)
		if err != nil || !mine {
			return 0, err
		}
		ctx = leased
	}
	return j.Run(ctx)
}
