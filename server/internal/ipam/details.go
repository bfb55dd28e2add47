package ipam

import "maps"

// Details say what a block is for. They change nothing about where it is.
type Details struct {
	Description string `json:"description"`
	Owner       string `json:"owner"`
	Account     string `json:"account"`
	Region      string `json:"region"`
	Environment string `json:"environment"`
	Labels      Labels `json:"labels"`
}

// DetailsPatch changes details; nil leaves a field as it is.
type DetailsPatch struct {
	Description, Owner *string
	Account, Region    *string
	Environment        *string
	Labels             *Labels
}

// with returns the details with the patch applied.
func (d Details) with(patch DetailsPatch) Details {
	set(&d.Description, patch.Description)
	set(&d.Owner, patch.Owner)
	set(&d.Account, patch.Account)
	set(&d.Region, patch.Region)
	set(&d.Environment, patch.Environment)
	if patch.Labels != nil {
		d.Labels = maps.Clone(*patch.Labels)
	}
	return d
}

// stored are the details as they are kept: labels are never null.
func (d Details) stored() Details {
	if d.Labels == nil {
		d.Labels = Labels{}
	}
	return d
}
