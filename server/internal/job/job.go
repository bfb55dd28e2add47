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
	Name  string // in the past tense, as its log line says it
	Every time.Duration
	Run   func(context.Context) (int64, error)
}

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
	due := time.NewTicker(j.Every)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-due.C:
		}
		n, err := j.Run(ctx)
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "a job failed", "job", j.Name, "error", err)
		}
		if n > 0 {
			log.InfoContext(ctx, "did a job", "job", j.Name, "count", n)
		}
	}
}
