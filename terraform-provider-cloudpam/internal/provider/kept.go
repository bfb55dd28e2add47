package provider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// A CIDR that is configured may be that of something which the same run destroys, and then the plan is good. Terraform tells no
// resource what becomes of another, but each is planned: what stays where it is says so here, and whoever comes second of the two
// has the refusal.

// wish is a configured CIDR that something else of this configuration has.
type wish struct {
	by   string // as people say it
	cidr netip.Prefix
	hold string // what is promised there since an earlier plan was to release it; "" when nothing is
}

// inOwnWay reports whether only what this run may destroy has a configured CIDR: what is in this configuration's state, and not
// planned to stay. A replacement takes the place of what it destroys, so whether the CIDR will be free is for the apply to find out.
func (c *claims) inOwnWay(err error, w wish) bool {
	refusal, ok := errors.AsType[*cloudpam.Error](err)
	if !ok || refusal.Code != cloudpam.ErrCIDRTaken || len(refusal.Holders) == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, holder := range refusal.Holders {
		if !c.read[holder.ID] || c.kept[holder.ID] {
			return false
		}
	}
	if c.wishes == nil {
		c.wishes = map[string][]wish{}
	}
	for _, holder := range refusal.Holders {
		c.wishes[holder.ID] = append(c.wishes[holder.ID], w)
	}
	return true
}

// keeps notes that what has an id stays, as the block that it is planned to be, and refuses what else is planned there. What is
// replaced after all, with -replace, is told by leaves.
func (s *session) keeps(ctx context.Context, id string, at netip.Prefix, from path.Path) diag.Diagnostics {
	var diags diag.Diagnostics
	if s == nil || id == "" || !at.IsValid() {
		return diags
	}
	s.claims.note(&s.claims.kept, id)
	for _, w := range s.claims.wishesFor(id) {
		switch {
		case !w.cidr.Overlaps(at):
		case w.hold != "":
			diags.Append(s.giveUp(ctx, from, at, w))
		case strings.HasPrefix(w.by, "pool ") && w.cidr.Bits() < at.Bits():
			diags.AddAttributeError(from, "CIDR is asked for twice", fmt.Sprintf(
				"This is %s and stays so, and %s of this configuration asks for %s around it. Set encloses = true there, which puts it above this one, and name it as the parent here; or choose another CIDR for it.",
				at, w.by, w.cidr))
		default:
			diags.AddAttributeError(from, "CIDR is asked for twice", fmt.Sprintf(
				"This is %s and stays so, and %s of this configuration asks for %s. Choose another CIDR for that one, or leave its cidr out and set prefix_length, so that CloudPAM chooses a free one.",
				at, w.by, w.cidr))
		}
	}
	return diags
}

// wishFor notes what is promised at a place in a pool for all that has been read there, but for what is replaced; true when some of
// that is kept.
func (c *claims) wishFor(pool, self string, w wish) (kept bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, at := range c.blocks[pool] {
		if id == self || !at.Overlaps(w.cidr) {
			continue
		}
		if c.wishes == nil {
			c.wishes = map[string][]wish{}
		}
		c.wishes[id] = append(c.wishes[id], w)
		kept = kept || c.kept[id]
	}
	return kept
}

func (c *claims) wishesFor(id string) []wish {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.wishes[id])
}

// leaves ends what keeps noted of an id: what replaces it is being planned. Without that, self is "".
func (s *session) leaves(self, id string) {
	if s == nil || self == "" {
		return
	}
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	delete(s.claims.kept, id)
}
