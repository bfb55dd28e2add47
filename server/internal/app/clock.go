package app

import (
	"context"
	"time"
)

// clockBound is how far clocks may be apart before anybody is told.
const clockBound = 5 * time.Second

// watchClock keeps the time in the database, and tells of a clock that is wrong: once for each change.
func (a *App) watchClock(ctx context.Context) (int64, error) {
	if err := a.kernel.KeepClock(ctx); err != nil {
		return 0, err
	}
	c := a.kernel.Clock()
	wrong := ""
	switch {
	case c.Doubted != 0:
		wrong = "the time has jumped ahead: what has expired is neither collected nor given away until that has lasted for an hour"
	case c.Behind > clockBound:
		wrong = "the time is behind a time that was written already, which is written until it is past"
	case c.Differs.Abs() > clockBound:
		wrong = "the clock of this server differs from that of the database, which is the one that counts"
	}
	was, _ := a.wrongClock.Swap(wrong).(string)
	switch {
	case was == wrong:
	case wrong == "":
		a.log.InfoContext(ctx, "the clocks are right again")
	default:
		a.log.WarnContext(ctx, "a clock is wrong", "reason", wrong, "ahead", c.Doubted, "behind", c.Behind, "difference", c.Differs, "time", c.Now)
	}
	return 0, nil
}

// clock is what the metrics say of it.
func (a *App) clock() (differs, behind, doubted time.Duration) {
	c := a.kernel.Clock()
	return c.Differs, c.Behind, c.Doubted
}
