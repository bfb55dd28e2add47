package httpapi_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// TestTheContractHasTheTargetsThatAreRegistered compares the one list that a contract must have of its own.
func TestTheContractHasTheTargetsThatAreRegistered(t *testing.T) {
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	var said, known []string
	for _, one := range spec.Components.Schemas["Target"].Value.Enum {
		said = append(said, fmt.Sprint(one))
	}
	for _, c := range ipam.Clouds() {
		for _, limits := range c.Targets {
			known = append(known, string(limits.Target))
		}
	}
	slices.Sort(said)
	slices.Sort(known)
	if !slices.Equal(said, known) {
		t.Errorf("the contract has %v, registered are %v", said, known)
	}
}
