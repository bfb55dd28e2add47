package ipam

import "net/netip"

// TerraformFacts is how Terraform's provider of a cloud writes what is there.
type TerraformFacts struct {
	Provider, Source, Version string
	Regional                  bool // a provider's block is of one region
	// Configure is what a block of the provider says for an account and, where it is regional, a region.
	Configure       func(account, region string) []Argument
	Network, Subnet func(Thing) (r Resource, written bool)
}

// Thing is a network or a subnet with all of its blocks.
type Thing struct {
	ID, Name, Network, Region, Zone string // as in Observation; ID is the cloud's
	Blocks                          []netip.Prefix
	Secondary                       []NamedBlock
	Labels                          Labels
}

// NamedBlock is a secondary range.
type NamedBlock struct {
	Name string
	CIDR netip.Prefix
}

// Family are the blocks of one family, 4 or 6.
func (t Thing) Family(family int) (all []netip.Prefix) {
	for _, b := range t.Blocks {
		if Family(b) == family {
			all = append(all, b)
		}
	}
	return all
}

// Resource is a resource of a cloud's provider.
type Resource struct {
	Type, ImportID string
	Arguments      []Argument
	Blocks         []Nested
	Unseen         []string // arguments that CloudPAM does not look at, so that a plan must not change them
}

// Argument is one argument. Its value is a string, a bool, a list or a map of strings, a netip.Prefix, or a NetworkRef.
type Argument struct {
	Name  string
	Value any
}

// Nested is a nested block.
type Nested struct {
	Type      string
	Arguments []Argument
}

// NetworkRef is the id of a network, which may be written next to what refers to it.
type NetworkRef string
