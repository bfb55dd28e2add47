package provider

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// renames are the entries of renamed that this plan carries out, new key → old key. Like a moved block, an entry stays in the
// configuration: one that the state has was carried out before, and one whose old key is no member is about a past that this set does
// not have. Nothing else tells an exchange of two keys that is to be done from one that is done. It refuses what the server would.
func (m setModel) renames(ctx context.Context, state setModel) (cloudpam.Renamed, diag.Diagnostics) {
	var diags diag.Diagnostics
	to := cloudpam.Renamed{}
	has, said := state.IDs.Elements(), state.Renamed.Elements()
	leaves := map[string]string{}
	refuse := func(key, format string, args ...any) (cloudpam.Renamed, diag.Diagnostics) {
		diags.AddAttributeError(path.Root("renamed").AtMapKey(key), "Member cannot be renamed", fmt.Sprintf(format, args...))
		return nil, diags
	}
	entries := m.Renamed.Elements()
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		old := textOf(entries[key])
		if has[old] == nil || said[key] != nil && said[key].Equal(entries[key]) {
			continue
		}
		if other, twice := leaves[old]; twice {
			return refuse(key, "The member %q of this set is to become %q, and %q too. Leave one of these entries out of renamed.", old, other, key)
		}
		to[key], leaves[old] = old, key
	}
	keys, known := m.keys(ctx)
	if !known {
		return to, diags
	}
	for _, key := range slices.Sorted(maps.Keys(to)) {
		old := to[key]
		switch {
		case has[key] != nil && leaves[key] == "":
			return refuse(key, "This set has a member %q already, so %q cannot become it. Rename that member too, choose another key, or leave this entry out of renamed.", key, old)
		case slices.Contains(keys, old) && to[old] == "":
			return refuse(key, "The member %q of this set is still asked for, so it cannot become %q. Leave %q out of the sizes, or this entry out of renamed.", old, key, old)
		case !slices.Contains(keys, key):
			return refuse(key, "The member %q of this set is to become %q, which has no size. Give %q the size, or leave this entry out of renamed.", old, key, key)
		}
	}
	return to, diags
}

// rekeyed is the state as it would be had its members had their new keys all along: new key → old key.
func (m setModel) rekeyed(ctx context.Context, to cloudpam.Renamed) setModel {
	now := map[string]string{}
	for key, old := range to {
		now[old] = key
	}
	for _, of := range []*types.Map{&m.Subnets, &m.Hosts, &m.Fixed, &m.CIDRs, &m.IDs} {
		if of.IsNull() || of.IsUnknown() {
			continue
		}
		after := map[string]attr.Value{}
		for key, v := range of.Elements() {
			after[cmp.Or(now[key], key)] = v
		}
		*of = types.MapValueMust(of.ElementType(ctx), after)
	}
	return m
}

// adopts notes the allocations that become members of a set, and refuses those that the same run destroys: whoever released one by
// its id would take it out of the set.
func (r *setResource) adopts(promised cloudpam.SetPlan, m, state setModel) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, member := range promised.Members {
		id := valueOf(member.Allocation)
		if id == "" || slices.ContainsFunc(slices.Collect(maps.Values(state.IDs.Elements())), func(v attr.Value) bool { return textOf(v) == id }) {
			continue
		}
		name := m.Name.ValueString() + "/" + member.Key
		if r.session.claims.adopts(id, name) {
			diags.Append(adoptedAndDestroyed(name))
		}
	}
	return diags
}

func adoptedAndDestroyed(name string) diag.Diagnostic {
	return diag.NewErrorDiagnostic("Adopted allocation would be destroyed", fmt.Sprintf(
		"An allocation set of this configuration adopts the allocation %q, whose resource has left the configuration: Terraform would destroy it, and release the block that the set has. "+
			"Let Terraform forget the resource instead, with the address that it had:\n\n"+
			"  removed {\n    from = cloudpam_allocation.NAME\n    lifecycle {\n      destroy = false\n    }\n  }", name))
}

// adopts notes that a set takes over an allocation under its name, and reports whether this run destroys it.
func (c *claims) adopts(id, name string) (destroyed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.adopted == nil {
		c.adopted = map[string]string{}
	}
	c.adopted[id] = name
	return c.destroyed[id]
}

// destroys notes that this run destroys an allocation, and answers its name where a set takes it over.
func (c *claims) destroys(id string) (adopted string) {
	c.note(&c.destroyed, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.adopted[id]
}

// memberTaken explains that something else has the name of a member; false where it has that of the set.
func (a attempt) memberTaken(e *cloudpam.Error, diags *diag.Diagnostics) bool {
	at, next := a.at("members"), "Choose another key. Or make that allocation the member: set adopt = true, and ask for the block that it is. "+
		"Where Terraform manages it, its resource leaves the configuration with a removed block that does not destroy it (lifecycle { destroy = false })."
	if a.adopts {
		next = "Ask for the block that the allocation is, choose another key, or release the allocation first."
	}
	for _, f := range e.Errors {
		switch {
		case f.Pointer == "/name":
			return false
		case strings.HasPrefix(f.Pointer, "/renamed/"):
			at, next = path.Root("renamed"), "Choose another key for the member that is renamed, or release the allocation first."
		}
	}
	a.add(diags, at, "Name of a member is taken", e, next)
	return true
}
