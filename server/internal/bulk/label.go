package bulk

import (
	"maps"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Labels are those that columns of their own say, each by its key; "" is none.
type Labels map[string]string

// of are labels with these over them.
func (l Labels) of(base ipam.Labels) ipam.Labels {
	if len(l) == 0 {
		return base
	}
	all := ipam.Labels{}
	maps.Copy(all, base)
	for key, value := range l {
		if value == "" {
			delete(all, key)
		} else {
			all[key] = value
		}
	}
	return all
}

// over is the change of labels that a row asks for: to those that it says as a whole, or else to those that are there, with these over them.
func (l Labels) over(said *ipam.Labels, there ipam.Labels) *ipam.Labels {
	if len(l) == 0 {
		return said
	}
	if said != nil {
		there = *said
	}
	return new(l.of(there))
}
