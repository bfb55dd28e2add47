package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// A name that a pool or a set gives up is not for another one of the same apply. Names of allocations are (hand_on.go), but a pool's
// name is in the id by which everything refers to it, and a set's in the names of its members: between the two changes both would
// mean something else than the plan. So whichever of the two Terraform plans second is refused. What something has that is
// destroyed may be had: the apply waits for that.

// hands notes that what has the name from is to have the name to, of the same kind; from is "" for what is new. It answers the
// change that is in the way: of what gives up the name to, or of this one where something else is to have from.
func (c *claims) hands(from, to string) (change handed, conflict bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if from == to {
		return change, false
	}
	if c.gives == nil {
		c.gives, c.takes = map[string]string{}, map[string]bool{}
	}
	c.takes[to] = true
	if from != "" {
		c.gives[from] = to
	}
	if next, given := c.gives[to]; given {
		return handed{to, next}, true
	}
	return handed{from, to}, from != "" && c.takes[from]
}

// surelyPlans reports whether the server is to be asked, and Terraform plans: an apply knows nothing of what it destroys.
func (s *session) surelyPlans(req resource.ModifyPlanRequest, diags *diag.Diagnostics) bool {
	phase := s.planning.phase(req)
	return phase != nil && !*phase && s.canPlan(diags)
}

// knowsSoon reports whether this run knows what has an id, once Terraform has planned what it can meanwhile.
func (s *session) knowsSoon(ctx context.Context, id string) bool {
	if !s.claims.knows(id) {
		s.settle(ctx)
	}
	return s.claims.knows(id)
}

// hasSet is the id of the set of this run that has a name now, as knowsSoon; "" when none has.
func (s *session) hasSet(ctx context.Context, claim string) string {
	if s.claims.refreshedAs(claim) == "" {
		s.settle(ctx)
	}
	return s.claims.refreshedAs(claim)
}

// handedOver ends what hands noted of a name that is free now.
func (c *claims) handedOver(from string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.gives, from)
}

// handed is the change of a name, as the keys that claims has.
type handed struct{ from, to string }

func (h handed) refusal(kind string, name func(key string) string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("name"), "Name is not free yet", fmt.Sprintf(
		"The %[1]s %[2]q becomes %[3]q in this plan, and another %[1]s of this configuration is to be %[2]q. Names of %[1]ss are handed on in two applies: "+
			"apply the change of the one that gives the name up first, for example with -target, and then the other. Two that exchange their names need a third name in between. Nothing was changed.",
		kind, name(h.from), name(h.to)))
}

// named refuses a name that another pool of this configuration gives up, and one that a pool outside of it has.
func (r *poolResource) named(ctx context.Context, req resource.ModifyPlanRequest, state, plan poolModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if r.session == nil || plan.ID.IsUnknown() {
		return diags
	}
	from := ""
	if !state.ID.IsNull() {
		from = poolFacts{ID: poolID(plan.Scope, state.Name)}.claim()
	}
	if change, conflict := r.session.claims.hands(from, plan.claim()); conflict {
		diags.Append(change.refusal("pool", func(key string) string { return key[1:] }))
		return diags
	}
	if from == "" || from == plan.claim() || !r.session.surelyPlans(req, &diags) || r.session.knowsSoon(ctx, plan.ID.ValueString()) {
		return diags
	}
	name := plan.Name.ValueString()
	if _, err := r.session.client.GetPool(ctx, plan.ID.ValueString()); err == nil {
		diags.AddAttributeError(path.Root("name"), "Name is taken", fmt.Sprintf("There is a pool %q already, so this one cannot become it. Choose another name, or rename or delete that pool first.", name))
	}
	return diags
}

// named refuses a name that another set of this configuration gives up, and one that a set outside of it has.
func (r *setResource) named(ctx context.Context, req resource.ModifyPlanRequest, state, plan setModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if r.session == nil || plan.Pool.IsUnknown() || plan.Name.IsUnknown() {
		return diags
	}
	from := ""
	if !state.Name.IsNull() {
		from = setModel{Pool: plan.Pool, Name: state.Name}.claim()
	}
	if change, conflict := r.session.claims.hands(from, plan.claim()); conflict {
		in := len(setModel{Pool: plan.Pool, Name: types.StringValue("")}.claim())
		diags.Append(change.refusal("allocation set", func(key string) string { return key[in:] }))
		return diags
	}
	if from == "" || from == plan.claim() || !r.session.surelyPlans(req, &diags) || r.session.hasSet(ctx, plan.claim()) != "" {
		return diags
	}
	pool, name := r.session.renames.askPool(plan.Pool.ValueString()), plan.Name.ValueString()
	if set, absent := findSet(ctx, r.session.client, pool, name); !absent.HasError() && set.ID != state.ID.ValueString() {
		diags.AddAttributeError(path.Root("name"), "Name is taken", fmt.Sprintf("There is an allocation set %q in pool %q already, so this one cannot become it. Choose another name, or rename or release that set first.", name, pool))
	}
	return diags
}
