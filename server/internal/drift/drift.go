// Package drift compares what is desired with what clouds show and says how they differ. It is pure: the same facts in any order are
// the same differences, each with an id that stays while it does.
package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Kind is a way to differ.
type Kind string

// The kinds.
const (
	Unmanaged   Kind = "unmanaged"   // a cloud has it and nothing desired does
	Missing     Kind = "missing"     // it is allocated for an account, whose complete views do not show it
	Mismatched  Kind = "mismatched"  // the cloud's carries the mark of an allocation, and is another block
	Conflicting Kind = "conflicting" // a cloud's block lies across desired ones, in a reserved one, or across another network's in the same scope
	Misplaced   Kind = "misplaced"   // the block is right, the account, region or network is not
	Stale       Kind = "stale"       // an account has not been seen completely for too long
	Vanished    Kind = "vanished"    // so much of an account is gone at once that it is not believed
)

// Task is what answers a drift.
type Task string

// The tasks.
const (
	NoTask  Task = ""        // somebody has to look
	Adopt   Task = "adopt"   // make what is observed desired
	Create  Task = "create"  // make what is desired in the cloud
	Release Task = "release" // give up what is desired
)

// Desired is a block that somebody has: an allocation, a reservation, a hold, or a pool.
type Desired struct {
	Key                      string // of the row
	Kind                     ipam.Kind
	Name                     string // of an allocation within its pool; of a pool its id
	Scope                    string
	CIDR                     netip.Prefix
	Account, Region, Network string // where it is meant to be; "": nobody said
	Since                    time.Time
}

// What an observation is of.
const (
	Network   = "network"
	Subnet    = "subnet"
	Secondary = "secondary"
)

// Observed is one block that a cloud shows.
type Observed struct {
	ID        string // the thing's, with its cloud: "aws:subnet-…"; of several blocks of one thing the CIDR tells
	Kind      string // Network, Subnet or Secondary
	Name      string
	Scope     string // that its network is mapped to; "": to none, so that it is compared with nothing
	CIDR      netip.Prefix
	Account   string // ipam.Account.ID
	Region    string
	Network   string    // the network's id, with its cloud
	Mark      string    // the key of the allocation that it is marked as; "": it is not marked by us
	FirstSeen time.Time //
	Labels    ipam.Labels
}

// View is how well a region of an account has been seen.
type View struct {
	Account, Region string
	Complete        time.Time // when the last complete look began; zero: never
	Third           time.Time // when the third last complete one began: what is older and was in none of them is missing
}

// Drift is one difference.
type Drift struct {
	ID       string // stays while the difference does
	Kind     Kind
	Scope    string
	Account  string
	Region   string
	CIDR     netip.Prefix // the cloud's block, or the desired one that is missing
	Desired  string       // the key of what is desired; "": nothing is
	Observed string       // the id of what is observed; "": nothing is
	Pool     string       // the innermost pool around an unmanaged block; "": none is
	Detail   string       // what differs, for people
	Task     Task
	Since    time.Time // of the fact that makes the difference
	Labels   ipam.Labels
	// Facts are a digest of all that the difference is about: who ignores it, ignores it until they change.
	Facts string
}

// sealed is a drift with its id and its facts.
func sealed(d Drift) Drift {
	d.ID = "drift_" + digest(string(d.Kind), d.Scope, d.Account, d.Desired, d.Observed, blockOf(d))[:24]
	d.Facts = digest(d.ID, d.Region, d.CIDR.String(), d.Pool, d.Detail)[:24]
	return d
}

// blockOf tells several blocks of one observed thing apart; what is only desired has one.
func blockOf(d Drift) string {
	if d.Observed == "" {
		return ""
	}
	return d.CIDR.String()
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
