package registry

import (
	"context"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/choose"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

func setObject(s ipam.AllocationSet) change.Object {
	return change.Object{Kind: "allocation_set", ID: s.ID, Space: s.PoolUID, Scope: s.Scope, ScopeUID: s.ScopeUID}
}

// AllocateSet hands out a map of blocks of one pool, or of the first one of a selector that has room for all of them: all or
// none. What it adopts of these stands there already. Errors: those of Allocate; one about a member points to it.
func (r *Registry) AllocateSet(ctx context.Context, by ipam.Caller, in ipam.NewAllocationSet) (ipam.AllocationSet, error) {
	if err := in.Check(); err != nil {
		return ipam.AllocationSet{}, err
	}
	if in.Selector == nil {
		return r.allocateSetIn(ctx, by, in, anyHome)
	}
	if err := in.CheckFor(in.Selector.Family); err != nil {
		return ipam.AllocationSet{}, err
	}
	s, err := choose.Set(*in.Selector, in.Name, in.SetSizes)
	if err != nil {
		return ipam.AllocationSet{}, err
	}
	return chosen(ctx, r, by, s, func(pool string, at home) (ipam.AllocationSet, error) {
		in.Pool = pool
		return r.allocateSetIn(ctx, by, in, at)
	})
}

func (r *Registry) allocateSetIn(ctx context.Context, by ipam.Caller, in ipam.NewAllocationSet, at home) (ipam.AllocationSet, error) {
	set, err := write(ctx, r, by, in.Pool, func(c edit) (ipam.AllocationSet, error) {
		set := in.Set()
		if err := at(c); err != nil {
			return set, err
		}
		pool, err := ipam.RealPool(c.lockFor(in.Pool))
		if err != nil {
			return set, err
		}
		wanted, err := choose.Members(c.Tx, pool, in.Name, in.SetSizes)
		if err != nil {
			return set, err
		}
		if err := c.followSet(pool, in.Name, wanted); err != nil {
			return set, err
		}
		set.ID, set.In, set.Version, set.CreatedAt, set.UpdatedAt = change.NewID("set"), pool.Inside(), 1, c.At, c.At
		if err := c.Tx.InsertAllocationSet(set); err != nil {
			return set, err
		}
		for _, m := range wanted {
			if err := c.join(pool, set, m, in.Adopt); err != nil {
				return set, in.At(m.Key, err)
			}
		}
		if set, err = c.Tx.AllocationSet(ipam.Everything, set.ID); err != nil {
			return set, err
		}
		return set, c.Record(setObject(set), "created", nil, set)
	})
	return set, r.tellSet(ctx, by, in.Pool, in.Name, in.SetSizes, err)
}

// tellSet is tell for members that are asked for by size. An apply names their blocks, and is told again.
func (r *Registry) tellSet(ctx context.Context, by ipam.Caller, pool, name string, sizes ipam.SetSizes, failure error) error {
	if ipam.CodeOf(failure) != ipam.CodeHoldLost {
		return failure
	}
	asked, bySize := sizes.Asked(pool, name)
	if !bySize {
		return failure
	}
	return r.tell(ctx, by, pool, ipam.Plan{}, asked, failure)
}

// UpdateAllocationSet describes a set and its members, renames keys, or makes the members what a map of sizes says. A member keeps its
// block while its size stays; one that shrinks keeps its first address; one that grows is another block, and so another
// allocation. New blocks are placed before old ones are released: no two members, of before and after, ever share an
// address. Errors: CodeNotFound, CodePreconditionFailed, CodePreconditionRequired, and those of AllocateSet.
func (r *Registry) UpdateAllocationSet(ctx context.Context, by ipam.Caller, id string, m ipam.Match, patch ipam.AllocationSetPatch) (ipam.AllocationSet, error) {
	known, err := look(ctx, r, by, id, (*store.Tx).AllocationSet)
	if err != nil {
		return change.OrReplay[ipam.AllocationSet](ctx, r.k, by, err) // changed by this very request, and released since
	}
	named := known.Name
	set, err := write(ctx, r, by, known.Pool, func(c edit) (ipam.AllocationSet, error) {
		pool, before, err := c.lockSet(known)
		if err != nil {
			return before, err
		}
		if err := m.Require("allocation set", id, before.ETag()); err != nil {
			return before, err
		}
		after := before.Apply(patch)
		if err := ipam.CheckLabels(after.Labels); err != nil {
			return before, err
		}
		if after.Name != before.Name {
			if err := ipam.CheckFreeName("/name", after.Name); err != nil {
				return before, err
			}
			if err := c.asks().SetNameFree(pool, after.Name); err != nil {
				return before, err
			}
		}
		stay, err := c.Tx.MembersOfSet(id)
		if err != nil {
			return before, err
		}
		for _, a := range stay {
			if err := a.CheckLiving(); err != nil {
				return before, err
			}
		}
		if stay, err = c.rekey(pool, after, stay, patch); err != nil {
			return before, err
		}
		if patch.Given() {
			named = after.Name
			if err := patch.CheckNames(after.Name); err != nil {
				return before, err
			}
			if stay, err = c.reshape(pool, after, stay, patch); err != nil {
				return before, err
			}
		}
		for _, a := range stay {
			if err := c.describeMember(pool, a, patch.OfMember(a.SetKey)); err != nil {
				return before, err
			}
		}
		return c.changedSet(after, before)
	})
	return set, r.tellSet(ctx, by, string(known.PoolUID), named, patch.SetSizes, err)
}

// changedSet writes a set whose members are as they shall be.
func (c edit) changedSet(after, before ipam.AllocationSet) (ipam.AllocationSet, error) {
	if err := c.Tx.UpdateAllocationSet(after, c.At); err != nil {
		return after, err
	}
	after, err := c.Tx.AllocationSet(ipam.Everything, after.ID)
	if err != nil {
		return after, err
	}
	return after, c.Record(setObject(after), "updated", before, after)
}

// lockSet locks the pool of a set that was known before, and reads the set again.
func (c edit) lockSet(known ipam.AllocationSet) (ipam.Pool, ipam.AllocationSet, error) {
	pool, err := c.lockedPool(known.In)
	if err != nil {
		return pool, known, err
	}
	set, err := c.Tx.AllocationSet(ipam.Everything, known.ID)
	return pool, set, err
}

// describeMember renames and describes a member with its set.
func (c edit) describeMember(pool ipam.Pool, before ipam.Allocation, patch ipam.AllocationPatch) error {
	if patch == (ipam.AllocationPatch{}) {
		return nil
	}
	after := before.Apply(patch)
	if after.Name != before.Name {
		if err := c.renameAllocation(pool, before, after.Name); err != nil {
			return err
		}
	}
	_, err := c.changed(before, after, "updated")
	return err
}

// ReleaseSet gives the blocks of all members back. Errors: CodeNotFound, CodePreconditionFailed.
func (r *Registry) ReleaseSet(ctx context.Context, by ipam.Caller, id string, m ipam.Match) error {
	known, err := look(ctx, r, by, id, (*store.Tx).AllocationSet)
	if err != nil {
		return change.OrReplayMissing(ctx, r.k, by, err)
	}
	return locked(ctx, r, by, known.In, func(tx *store.Tx) (ipam.AllocationSet, error) { return tx.AllocationSet(ipam.Everything, id) }, func(c edit, pool ipam.Pool, set ipam.AllocationSet) error {
		if err := m.Check("allocation set", id, set.ETag()); err != nil {
			return err
		}
		members, err := c.Tx.MembersOfSet(id)
		if err != nil {
			return err
		}
		for _, a := range members {
			if err := c.release(pool, a, ipam.CauseReleased); err != nil {
				return err
			}
		}
		if err := c.Tx.DeleteAllocationSet(id); err != nil {
			return err
		}
		return c.Record(setObject(set), "released", set, nil)
	})
}

// followSet makes the name free for a new set. A living one whose replacement was planned steps aside with its members, as
// an allocation does (followOn).
func (c edit) followSet(pool ipam.Pool, name string, wanted []choose.Member) error {
	before, taken, err := c.Tx.AllocationSetNamed(pool.UID, name)
	if err != nil || !taken {
		return err
	}
	planned, err := c.asks().PlannedAfter(pool, name, before.ID, slices.DeleteFunc(slices.Clone(wanted), func(m choose.Member) bool { return !m.Size.CIDR.IsValid() }))
	if err != nil {
		return err
	}
	if !planned { // only a request that names the promised blocks is the one that was planned
		return c.asks().SetNameFree(pool, name)
	}
	after := before
	after.Name = before.Name + "~" + before.ID
	members, err := c.Tx.MembersOfSet(before.ID)
	if err != nil {
		return err
	}
	for _, a := range members {
		if err := c.stepAside(a, ipam.MemberName(after.Name, a.SetKey)); err != nil {
			return err
		}
	}
	if err := c.Tx.UpdateAllocationSet(after, c.At); err != nil {
		return err
	}
	if after, err = c.Tx.AllocationSet(ipam.Everything, after.ID); err != nil {
		return err
	}
	return c.Record(setObject(after), "superseded", before, after)
}
