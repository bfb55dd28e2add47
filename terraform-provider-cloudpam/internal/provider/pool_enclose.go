package provider

import (
	"context"
	"fmt"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// A pool with encloses = true is put above pools that stand already, which keep their blocks. How the plan of both agrees:
//
//	plan    super ModifyPlan   drafted; the server says which pools it would enclose
//	        child ModifyPlan   parent: null → super: the server says that its block stays, so it is known
//	apply   super Create       the server makes the child's parent super
//	        child Update       parent is super already, so nothing is left to do
//
// Terraform plans and applies super before what refers to it.

// enclosedKey is where a pool notes in Terraform's private state that it got its parent by being enclosed. While its configuration names
// no parent it stays where it is: nobody has asked for a move, and it could not make one.
const enclosedKey = "enclosed"

type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

func wasEnclosed(ctx context.Context, private privateState) bool {
	raw, _ := private.GetKey(ctx, enclosedKey)
	return string(raw) == "true"
}

// noteEnclosed keeps whether a pool got its parent by being enclosed: it had another in the state, and has the same block. It writes only
// what is new: Terraform counts any other private state as a change outside of it.
func noteEnclosed(ctx context.Context, private interface {
	privateState
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}, state poolModel, now cloudpam.Pool,
) diag.Diagnostics {
	if state.Name.IsNull() || now.Parent != nil && types.StringPointerValue(now.Parent).Equal(state.Parent) {
		return nil // imported; or nothing new
	}
	enclosed := now.Parent != nil && prefixOf(newCIDR(now.CIDR)) == prefixOf(state.CIDR)
	if enclosed == wasEnclosed(ctx, private) {
		return nil
	}
	return private.SetKey(ctx, enclosedKey, strconv.AppendBool(nil, enclosed))
}

// parentNow is the parent of a pool whose state and plan name different ones, where those may be one under two names. The former parent
// may also stand as it did, with another pool between: then it is no other name of anything.
func (r *poolResource) parentNow(ctx context.Context, state poolModel) (string, error) {
	pool, err := r.session.client.GetPool(ctx, state.key())
	if err != nil {
		return "", err
	}
	if former, err := r.session.client.GetPool(ctx, state.Parent.ValueString()); err == nil && former.ID == state.Parent.ValueString() {
		return former.ID, nil
	}
	return types.StringPointerValue(pool.Parent).ValueString(), nil
}

// encloses notes which pools a new one of this run would enclose, and refuses those that name another parent.
func (c *claims) encloses(above string, ids []string) (astray string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.enclosed == nil {
		c.enclosed = map[string]string{}
	}
	for _, id := range ids {
		c.enclosed[id] = above
		if c.parents[id] {
			astray = id
		}
	}
	return astray
}

// staysIn notes that a pool names the parent that it has, and answers the new pool of this run which would enclose it, or "".
func (c *claims) staysIn(id string) (above string) {
	c.note(&c.parents, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.enclosed[id]
}

func astray(at path.Path, id, above string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, fmt.Sprintf("Pool %q is to be in pool %q", id, above), fmt.Sprintf(
		"Pool %q encloses %q, and the configuration of %q names the parent that it has now. Set parent = cloudpam_pool.NAME.id there, with the address of %q.", above, id, id, above))
}
