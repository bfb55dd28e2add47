package ipam

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Approval is a request that a second person allows a change. It is bound to what was shown, allows it once and to who asked, and
// the change is judged anew when it is made.
type Approval struct {
	ID          UID            `json:"id"`
	In                         // of the first block, as it was called
	Requester   UID            `json:"requester"`
	Actor       string         `json:"actor"`  // the requester's name
	Action      string         `json:"action"` // of the event that would tell of the change: "allocation.created"
	Target      string         `json:"target"` // what the change is about: of that, a requester has one open request
	Digest      string         `json:"digest"` // of Blocks
	Blocks      []Needed       `json:"blocks"`
	Reason      string         `json:"reason"` // that was given with the change
	Source      string         `json:"source"`
	Status      ApprovalStatus `json:"status"`
	Decider     UID            `json:"decider,omitempty"`
	DecidedBy   string         `json:"decided_by,omitempty"` // the decider's name
	DecidedAt   *time.Time     `json:"decided_at,omitempty"`
	Comment     string         `json:"comment,omitempty"`   // why, in the words of the decider
	Emergency   bool           `json:"emergency,omitempty"` // approved by the first token, in place of a second person
	Until       time.Time      `json:"until"`
	Version     int64          `json:"version"`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
	URL         string         `json:"-"` // where a person decides
	EmergencyAt time.Time      `json:"-"` // from when on the first token may approve
}

// ApprovalStatus is how far a request is.
type ApprovalStatus string

// The states of a request. Pending and approved ones are open; the others are the end.
const (
	ApprovalPending    ApprovalStatus = "pending"
	ApprovalApproved   ApprovalStatus = "approved"
	ApprovalRefused    ApprovalStatus = "refused"
	ApprovalUsed       ApprovalStatus = "used"       // the change was made
	ApprovalExpired    ApprovalStatus = "expired"    // nobody decided in time, or the change was not made in time
	ApprovalSuperseded ApprovalStatus = "superseded" // the requester asked for something else instead, or what it was about is gone
	ApprovalWithdrawn  ApprovalStatus = "withdrawn"
)

// Needed is one block of a change that needs approval, as it is shown to who decides.
type Needed struct {
	Kind Kind   `json:"kind"`         // allocation or pool
	ID   string `json:"id,omitempty"` // of what stands already
	In
	Name          string       `json:"name"`
	CIDR          netip.Prefix `json:"cidr"`
	Set           string       `json:"set,omitempty"` // of a member, whose name the one before it may have still
	Was           netip.Prefix `json:"was,omitzero"`  // the block of what stands
	Version       int64        `json:"version,omitempty"`
	Owner         string       `json:"owner,omitempty"`
	Purpose       string       `json:"purpose,omitempty"`
	Account       string       `json:"account,omitempty"`
	Region        string       `json:"region,omitempty"`
	Environment   string       `json:"environment,omitempty"`
	Labels        Labels       `json:"labels,omitempty"`
	Rule          string       `json:"rule"` // of Rules
	Above         int          `json:"above"`
	Of            In           `json:"of"` // whose policy asks: an admin there decides
	Policy        UID          `json:"policy"`
	PolicyVersion int64        `json:"policy_version"`
}

// ReleaseRule is the rule that asks before a block is given up.
const ReleaseRule = "release_approval_above"

// Releases reports whether the block is given up: all of Was where CIDR is that, and otherwise but for CIDR.
func (n Needed) Releases() bool { return n.Rule == ReleaseRule }

// Why says which rule asks, as people read it.
func (n Needed) Why() string {
	if n.Releases() {
		what := fmt.Sprintf("giving up a /%d", n.Was.Bits())
		if n.CIDR != n.Was {
			what = fmt.Sprintf("making a /%d smaller", n.Was.Bits())
		}
		return fmt.Sprintf("%s, which is larger than a /%d: the policy of pool %s has %s %d here", what, n.Above, n.Of.Pool, ReleaseRule, n.Above)
	}
	rule := "approval_above"
	if n.Kind == KindPool {
		rule = "pool_approval_above"
	}
	return fmt.Sprintf("a /%d is larger than a /%d: the policy of pool %s has %s %d here", n.CIDR.Bits(), n.Above, n.Of.Pool, rule, n.Above)
}

// DigestOf is the hash of what is shown of a change. Names of pools are left out, which may change, and so is what every attempt makes anew.
func DigestOf(action string, blocks []Needed) string {
	bound := slices.Clone(blocks)
	slices.SortFunc(bound, func(a, b Needed) int {
		return strings.Compare(string(a.Kind)+a.ID+a.Name+a.CIDR.String()+string(a.Policy), string(b.Kind)+b.ID+b.Name+b.CIDR.String()+string(b.Policy))
	})
	for i := range bound {
		b := &bound[i]
		b.Set, b.In, b.Of = "", In{ScopeUID: b.ScopeUID, PoolUID: b.PoolUID}, In{PoolUID: b.Of.PoolUID}
		if len(b.Labels) == 0 {
			b.Labels = nil
		}
	}
	text, err := json.Marshal(struct {
		Action string
		Blocks []Needed
	}{action, bound})
	if err != nil {
		panic(err) // texts, numbers and prefixes always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// ApprovalsPage is where the queue is, in the browser's part of the server.
const ApprovalsPage = "/approvals"

// Page is where a person decides, on a server of which browsers know the address; a path where that is "".
func (a Approval) Page(server string) string {
	return server + ApprovalsPage + "?approval=" + string(a.ID)
}

// Open reports whether something is still to come of the request.
func (a Approval) Open() bool { return a.Status == ApprovalPending || a.Status == ApprovalApproved }

// At is the request as it is at a time: one whose time is over has expired, whether somebody wrote that or not.
func (a Approval) At(now time.Time) Approval {
	if a.Open() && !now.Before(a.Until) {
		a.Status = ApprovalExpired
	}
	return a
}

// Decision is what is decided about a request that was shown with a digest.
type Decision struct {
	ID, Digest string
	Approve    bool
	Comment    string
}

// ApprovalFilter narrows a list of requests; zero fields are no rule.
type ApprovalFilter struct {
	Scope, Pool, Requester string
	Status                 ApprovalStatus
	Text                   string
}

// Deciders says who decides, as people read it: an admin of each pool whose policy asks.
func (a Approval) Deciders() string {
	var pools []string
	for _, b := range a.Blocks {
		if !slices.Contains(pools, b.Of.Pool) {
			pools = append(pools, b.Of.Pool)
		}
	}
	return fmt.Sprintf("a person other than %s who is admin of pool %s", a.Actor, strings.Join(pools, " and of pool "))
}

// Shown are the blocks as people read them, the first few.
func (a Approval) Shown() string {
	const most = 3
	var all []string
	for i, b := range a.Blocks {
		if i == most {
			all = append(all, fmt.Sprintf("%d more", len(a.Blocks)-most))
			break
		}
		what := fmt.Sprintf("%s %q (%s in pool %s)", b.Kind, b.Name, b.CIDR, b.Pool)
		switch {
		case b.Releases() && b.CIDR == b.Was:
			what = "the release of " + what
		case b.Releases():
			what = fmt.Sprintf("%s %q (%s in pool %s) made %s", b.Kind, b.Name, b.Was, b.Pool, b.CIDR)
		}
		all = append(all, what)
	}
	return strings.Join(all, ", ")
}

// ApprovalRequired is the refusal of a change until it is approved: it says why, who can approve, where and until when. Without an id,
// nothing was requested yet, as in a dry run.
func ApprovalRequired(a Approval) error {
	detail := fmt.Sprintf("this needs approval: %s; %s", a.Shown(), a.Blocks[0].Why())
	if a.ID == "" {
		detail += "; without a dry run, this asks for it: " + a.Deciders() + " decides"
	} else {
		detail += fmt.Sprintf("; it is asked for as %s until %s, and %s decides: %s; send the same request again after that", a.ID, a.Until.Format(time.RFC3339), a.Deciders(), a.URL)
	}
	e := Errorf(CodeApprovalRequired, "%s", detail)
	e.Approval = &a
	return e
}

// ApprovalWasRefused is the refusal of a change that somebody has said no to.
func ApprovalWasRefused(a Approval) error {
	why := "without a reason"
	if a.Comment != "" {
		why = fmt.Sprintf("saying %q", a.Comment)
	}
	e := Errorf(CodeApprovalRefused, "this was refused by %s, %s: %s (%s); that holds for the same change until %s, and a different one is a new request", a.DecidedBy, why, a.Shown(), a.ID, a.Until.Format(time.RFC3339))
	e.Approval = &a
	return e
}

// UnderApproval refuses to release what is held for a request.
func (h Hold) UnderApproval() error {
	if h.Approval == "" {
		return nil
	}
	return Errorf(CodeApprovalRequired, "%s is held for the request %s of %s; refuse that, or withdraw it, and the block is free", h.CIDR, h.Approval, h.Actor)
}

// ApprovalGroup is whom a policy asks for approval from another size on: those who have a role in the pool, by a binding that is
// narrowed to the labels where it names some.
type ApprovalGroup struct {
	Role      Role   `json:"role,omitempty"`
	Labels    Labels `json:"labels,omitempty"`
	Above     *int   `json:"approval_above,omitempty"`
	PoolAbove *int   `json:"pool_approval_above,omitempty"`
}

// InGroup reports whether a caller is in a group at a place; above are the pools around that, its own first.
func (r Rights) InGroup(g ApprovalGroup, in In, above []UID) bool {
	return slices.ContainsFunc(r.Bindings, func(b Binding) bool {
		if !b.covers(in, above) || g.Role != "" && !b.Role.Includes(g.Role) {
			return false
		}
		for key, value := range g.Labels {
			if has, narrowed := b.Labels[key]; !narrowed || has != value {
				return false
			}
		}
		return true
	})
}
