package web_test

import (
	"strings"
	"testing"
)

// step is a rule, and what somebody does in the browser to see that it is kept.
type step struct {
	rule string
	run  func(*testing.T, *server, *chromium)
}

// follow goes through steps, each of which begins where the one before has ended, and in none of which the page complains.
func follow(t *testing.T, s *server, b *chromium, steps ...step) {
	t.Helper()
	for _, step := range steps {
		ok := t.Run(step.rule, func(t *testing.T) {
			b.t, s.t = t, t
			step.run(t, s, b)
			if told := b.complaints(); len(told) > 0 {
				t.Errorf("the page complained:\n%s", strings.Join(told, "\n"))
			}
		})
		b.t, s.t = t, t
		if !ok {
			t.Fatal("the steps that follow build on this one")
		}
	}
}
