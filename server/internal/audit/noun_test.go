package audit

import (
	"maps"
	"slices"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// What verify knows events of can be asked for by a webhook, and nothing else.
func TestAWebhookMayAskForEveryKindOfEvent(t *testing.T) {
	told := slices.Sorted(maps.Keys(nouns))
	told = append(told, "restoration") // which has no row of its own
	slices.Sort(told)
	if !slices.Equal(told, ipam.EventKinds) {
		t.Errorf("there are events of %v, and webhooks may ask for %v", told, ipam.EventKinds)
	}
}
