package change

import "github.com/cloudpam/cloudpam/server/internal/ipam"

// May refuses a change in a place where the caller's role does not reach: CodeForbidden, with the role that it takes, and where. It
// judges in the transaction of the change, of a row that was read there: so nothing that it is about can have moved since. That the
// caller sees the place is for whoever has read the row.
func (c Change) May(in ipam.In) error { return c.MayHave(in, ipam.Extent{}) }

// MayHave is May for blocks: a role may be narrowed to some sizes and labels, and then leads neither in nor out of them.
func (c Change) MayHave(in ipam.In, of ipam.Extent, and ...ipam.Extent) error {
	if c.By.Everywhere() {
		return nil
	}
	var above []ipam.UID
	if in.PoolUID != "" {
		var err error
		if above, err = c.Tx.PoolsAbove(in.PoolUID); err != nil {
			return err
		}
	}
	for _, b := range append(and, of) {
		if err := c.By.Allow(in, above, b); err != nil {
			return err
		}
	}
	return nil
}

// MayStand is May for a new pool, before anything is said of its name: the locks of what is to be around it come later, and with them
// the last word.
func (c Change) MayStand(p ipam.Pool) error {
	if c.By.Everywhere() {
		return nil
	}
	if p.Parent == "" {
		s, err := c.Tx.Scope(c.By.Sees(), p.Scope)
		if err != nil {
			return ipam.NoScope(err)
		}
		return c.May(s.Root())
	}
	parent, err := c.Tx.Pool(c.By.Sees(), p.Parent)
	if ipam.CodeOf(err) == ipam.CodeNotFound {
		err = ipam.At("/parent", err)
	}
	if err != nil {
		return err
	}
	return c.May(parent.Inside())
}
