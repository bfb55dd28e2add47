package job_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/job"
)

func TestAJobComesAgainAlsoAfterAFailureAndEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	runs, refused := 0, 0
	job.Run(ctx, slog.New(slog.DiscardHandler), job.Job{
		Name: "work", Every: time.Millisecond,
		Mine: func(_ context.Context, work string, length time.Duration) (bool, error) {
			if work != "work" || length >= time.Millisecond {
				t.Errorf("%s is taken for %s", work, length)
			}
			refused++
			return refused%2 == 0, nil
		},
		Run: func(context.Context) (int64, error) {
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
