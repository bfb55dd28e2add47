package provider

import (
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// renames notes which pools and scopes this run gives another name. A pool's id follows its name, so whatever refers to the id
// changes with it, though nothing moves; and while the run plans, the server does not know the new id yet:
//
//	plan    pool ModifyPlan    corp will be company            asked for company, the server is asked for corp
//	        allocation …       pool: corp → company            the same pool: an update in place
//	apply   pool ModifyPlan    the same again
//	        pool Update        corp is company                 asked for company, the server is asked for company
//	        allocation …       pool: corp → company            still the same pool
//
// Terraform plans and applies a pool before what refers to it, and reads a data source that refers to it afterwards. It is safe for concurrent use.
type renames struct {
	mu     sync.Mutex
	pools  map[string]*rename // by the id that is planned
	scopes map[string]*rename
	vague  map[string]bool // ids of pools whose planned name is not known yet
}

type rename struct {
	from string
	done bool // the server knows the new name
}

// pool notes what a pool that exists will be called. An id that is not known leaves open what.
func (r *renames) pool(from, to types.String) { r.plan(&r.pools, from, to) }

// scope notes what a scope that exists will be called.
func (r *renames) scope(from, to types.String) { r.plan(&r.scopes, from, to) }

func (r *renames) plan(in *map[string]*rename, from, to types.String) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if *in == nil {
		*in = map[string]*rename{}
	}
	if r.vague == nil {
		r.vague = map[string]bool{}
	}
	switch {
	case to.IsUnknown():
		r.vague[from.ValueString()] = true
	case to.Equal(from):
		delete(*in, to.ValueString())
	default:
		delete(r.vague, from.ValueString())
		(*in)[to.ValueString()] = &rename{from: from.ValueString()}
	}
}

// poolDone notes that the server knows a pool by its new id.
func (r *renames) poolDone(id string) { r.done(r.pools, id) }

// scopeDone notes that the server knows a scope by its new name.
func (r *renames) scopeDone(name string) { r.done(r.scopes, name) }

func (r *renames) done(in map[string]*rename, to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := in[to]; one != nil {
		one.done = true
	}
}

// samePool reports whether the pool of a state and that of a plan are one under two names.
func (r *renames) samePool(state, plan types.String) bool {
	if r == nil || state.Equal(plan) {
		return state.Equal(plan)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if plan.IsUnknown() {
		return r.vague[state.ValueString()]
	}
	before := plan.ValueString()
	if one := r.pools[before]; one != nil {
		before = one.from
	} else if scope, name, found := strings.Cut(before, "."); found && r.scopes[scope] != nil {
		before = r.scopes[scope].from + "." + name
	}
	return before == state.ValueString()
}

// sameScope is samePool for scopes.
func (r *renames) sameScope(state, plan types.String) bool {
	if r == nil || state.Equal(plan) {
		return state.Equal(plan)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.scopes[plan.ValueString()]
	return one != nil && one.from == state.ValueString()
}

// askPool is the id by which the server knows a pool now, of one that a plan or a state has.
func (r *renames) askPool(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, ok := known(r.pools, id); ok {
		return now
	}
	if scope, name, found := strings.Cut(id, "."); found {
		if now, ok := known(r.scopes, scope); ok {
			return now + "." + name
		}
	}
	return id
}

// askScope is askPool for scopes.
func (r *renames) askScope(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, ok := known(r.scopes, name); ok {
		return now
	}
	return name
}

func known(in map[string]*rename, id string) (now string, ok bool) {
	if one := in[id]; one != nil {
		if one.done {
			return id, true
		}
		return one.from, true
	}
	for to, one := range in {
		if one.from == id && one.done {
			return to, true
		}
	}
	return "", false
}

// planned is the id that a pool of the server will have after this run.
func (r *renames) planned(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for to, one := range r.pools {
		if one.from == id {
			return to
		}
	}
	if scope, name, found := strings.Cut(id, "."); found {
		return after(r.scopes, scope) + "." + name
	}
	return id
}

func after(in map[string]*rename, id string) string {
	for to, one := range in {
		if one.from == id {
			return to
		}
	}
	return id
}

// names are the renames of a session; nil before the provider is configured, as while validating.
func (s *session) names() *renames {
	if s == nil {
		return nil
	}
	return &s.renames
}

// ask is askPool and askScope of what a request names.
func (r *renames) ask(pool, scope *string) (askedPool, askedScope *string) {
	if pool != nil {
		pool = new(r.askPool(*pool))
	}
	if scope != nil {
		scope = new(r.askScope(*scope))
	}
	return pool, scope
}

// stays reports whether what exists stays in its pool, though that has another name in the plan than in the state. Where this run
// renames nothing of the kind, as after an apply that was cut short and with -refresh=false, actual says which pool the server
// has it in.
func (s *session) stays(state, plan types.String, actual func() (string, error)) bool {
	if s.names().samePool(state, plan) {
		return true
	}
	if s == nil || s.client == nil || plan.ValueString() == "" || state.ValueString() == "" {
		return false
	}
	pool, err := actual()
	if err != nil || pool != s.renames.askPool(plan.ValueString()) {
		return false
	}
	s.renames.pool(state, plan)
	s.renames.poolDone(plan.ValueString())
	return true
}

// staysInScope is stays for the scope of a pool.
func (s *session) staysInScope(state, plan types.String, actual func() (string, error)) bool {
	if s.names().sameScope(state, plan) {
		return true
	}
	if s == nil || s.client == nil || plan.ValueString() == "" {
		return false
	}
	scope, err := actual()
	if err != nil || scope != s.renames.askScope(plan.ValueString()) {
		return false
	}
	s.renames.scope(state, plan)
	s.renames.scopeDone(plan.ValueString())
	return true
}

// inPool plans the pool of something that exists. Another pool replaces it, another name of its pool does not.
func (s *session) inPool(req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, config, state, plan types.String, actual func() (string, error)) {
	if config.IsNull() || s.stays(state, plan, actual) {
		return
	}
	if s != nil && s.planning.applies(req) {
		resp.Diagnostics.AddAttributeError(path.Root("pool"), "Pool turned out to be another", fmt.Sprintf(
			"It is in pool %q, which was planned to be renamed, and its pool turned out to be %q while applying. "+
				"Nothing was changed for this resource. Run terraform plan again: the next plan knows the pool.", state.ValueString(), plan.ValueString()))
		return
	}
	resp.RequiresReplace.Append(path.Root("pool"))
}
