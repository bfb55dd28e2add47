package job_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/job"
)

type leased struct{}

func TestAJobComesAgainAlsoAfterAFailureAndEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	runs, refused := 0, 0
	job.Run(ctx, slog.New(slog.DiscardHandler), job.Job{
		Name: "work", Every: time.Millisecond,
		Mine: func(ctx context.Context, work string, length time.Duration) (context.Context, bool, error) {
			if work != "work" || length >= time.Millisecond {
				t.Errorf("%s is taken for %s", work, length)
			}
			refused++
			return context.WithValue(ctx, leased{}, true), refused%2 == 0, nil
		},
		Run: func(ctx context.Context) (int64, error) {
			if ctx.Value(leased{}) == nil {
				t.Error("it runs under another context than that of its lease")
			}
			if runs++; runs == 3 {
				stop()
			}
			return 1, errors.New("it failed")
		},
	})
	if runs < 3 || refused < 2*runs-1 {
		t.Errorf("%d runs of %d turns", runs, refused)
	}
}
