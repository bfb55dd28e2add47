// Package cloud is what CloudPAM asks of a cloud: to look, and to make, change and remove subnets. How to speak to one is a folder
// below; cloudtest is this contract as a test suite, which each of them passes.
package cloud

import (
	"context"
	"net/netip"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Provider is a cloud. Its methods are safe for concurrent use, take their credentials from the environment or the machine, and
// act in an account as the role that the account names. They stop when their context ends.
//
// Listings page through everything and answer what they saw and which views of it are whole: one region that is denied, one
// page that fails or comes twice, or an answer without a list makes that region's view partial and no other's. They wait and
// try again, with jitter, while a cloud says that it is asked too often or fails by itself.
//
// All other methods fail with an [Error].
type Provider interface {
	Name() ipam.Cloud

	// Validate makes sure that CloudPAM can look into the account, and where its mode is apply that it may act there: CodeDenied
	// names the permission that is missing, CodeInvalid what is wrong with the account.
	Validate(ctx context.Context, a ipam.Account) error

	// Accounts lists the accounts below a parent: an AWS Organization (any parent), a GCP folder ("folders/123") or organization
	// ("organizations/123"). CodeUnsupported where a cloud has no such thing.
	Accounts(ctx context.Context, a ipam.Account, parent string) ([]Member, error)

	// Networks lists the networks that the account sees, those shared with it included, in its regions; without any in all that
	// are enabled.
	Networks(ctx context.Context, a ipam.Account) Listing[Network]

	// Subnets lists the subnets of these networks.
	Subnets(ctx context.Context, a ipam.Account) Listing[Subnet]

	// Ranges lists what the cloud's own planner has set aside: pools and allocations of AWS IPAM, internal ranges of GCP. A cloud
	// without one, and an account that does not use it, has none.
	Ranges(ctx context.Context, a ipam.Account) Listing[Range]

	// CreateSubnet makes a subnet that carries the mark. It is idempotent: where a subnet of the network has this mark and block
	// already, that one is the answer, also when an earlier call was made and its answer lost. Errors: CodeConflict where the
	// block overlaps another one of the network, CodeNotFound for the network, CodeInvalid for a block that the network or the
	// cloud cannot have, CodeUnsupported.
	CreateSubnet(ctx context.Context, a ipam.Account, s NewSubnet) (Subnet, error)

	// GrowSubnet makes the block of a subnet larger in place: to is around the block that it has. Where it is that large already
	// it is the answer. Errors: CodeNotFound, CodeConflict, CodeInvalid, and CodeUnsupported of clouds that cannot.
	GrowSubnet(ctx context.Context, a ipam.Account, s Subnet, to netip.Prefix) (Subnet, error)

	// MarkSubnet writes the mark on a subnet that exists. Errors: CodeNotFound, and CodeUnsupported of clouds in which a mark can
	// only be made with what it is on.
	MarkSubnet(ctx context.Context, a ipam.Account, s Subnet, m Mark) error

	// DeleteSubnet removes a subnet of ours. It looks first: what is there must have the id, the block and the instance and
	// allocation of the mark that s says, and the mark must not be zero, or nothing happens and the error is CodeConflict, as it
	// is when something is in use there. CodeNotFound where it is gone.
	DeleteSubnet(ctx context.Context, a ipam.Account, s Subnet) error
}

// Member is an account below a parent.
type Member struct {
	ID     string // the cloud's own: "123456789012", "my-project"
	Name   string
	Parent string // "ou-…", "folders/123"; "" where the cloud does not say
	Active bool   // false: suspended or being deleted
}

// Network is a VPC.
type Network struct {
	ID      string         // the cloud's own, unique in it: "vpc-…", "my-project/my-network"
	Name    string         // "" where it has none
	Owner   string         // the account that it belongs to: another one's where it is shared
	Region  string         // Global where it spans all
	CIDRs   []netip.Prefix // all that are associated, sorted; none where a network has no blocks of its own
	Default bool           // the cloud made it by itself
	Tags    map[string]string
}

// Subnet is a subnet with all its blocks.
type Subnet struct {
	ID        string // the cloud's own, unique in it: "subnet-…", "my-project/europe-west1/my-subnet"
	Name      string
	Owner     string
	Network   string // Network.ID
	Region    string
	Zone      string
	CIDRs     []netip.Prefix // the IPv4 block, where there is one, and then those of IPv6
	Secondary []Secondary    // by name
	Mark      Mark
	Tags      map[string]string // without those of the mark
}

// Has reports whether a block is one of the subnet's own, secondary ones aside.
func (s Subnet) Has(block netip.Prefix) bool { return slices.Contains(s.CIDRs, block) }

// Secondary is another range of a subnet, such as GCP keeps for pods and services. It shares one space with all primary ones.
type Secondary struct {
	Name string
	CIDR netip.Prefix
}

// Range is what a cloud's own planner set aside.
type Range struct {
	ID     string
	Name   string
	Owner  string
	Region string
	Kind   RangeKind
	CIDR   netip.Prefix
	For    string // the id of what uses it; "" where nothing does
	Mark   Mark
}

// RangeKind is what a range is.
type RangeKind string

// The kinds of ranges.
const (
	RangePool       RangeKind = "pool"       // blocks are handed out of it
	RangeAllocation RangeKind = "allocation" // handed out
	RangeInternal   RangeKind = "internal"   // an internal range of GCP
)

// Mark is how we know again what we made. It is zero on what we did not make.
type Mark struct {
	Instance   string // the CloudPAM that made it
	Allocation string // the allocation that it is the subnet of
	Epoch      int64  // of the lease under which it was made
}

// Same reports whether two marks name one allocation of one CloudPAM; who held the lease does not matter.
func (m Mark) Same(other Mark) bool {
	return m.Instance == other.Instance && m.Allocation == other.Allocation
}

// Zero reports whether there is no mark.
func (m Mark) Zero() bool { return m == Mark{} }

// NewSubnet describes a subnet to make.
type NewSubnet struct {
	Network string // Network.ID
	Region  string
	Zone    string // "" where the cloud may choose, or has none for subnets
	Name    string
	CIDR    netip.Prefix
	Mark    Mark // not zero
	Tags    map[string]string
}

// Check refuses what no cloud could make.
func (s NewSubnet) Check() error {
	switch {
	case s.Mark.Instance == "" || s.Mark.Allocation == "":
		return Errorf(CodeInvalid, "a subnet without a mark could never be told from a stranger's")
	case !s.CIDR.IsValid() || s.CIDR != s.CIDR.Masked():
		return Errorf(CodeInvalid, "%q is no block", s.CIDR)
	case s.Network == "" || s.Region == "":
		return Errorf(CodeInvalid, "a subnet needs a network and a region")
	}
	return nil
}
