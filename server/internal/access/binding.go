package access

import (
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// bindingObject is a binding in the system's chain, as a token.
func bindingObject(b ipam.Binding) change.Object { return change.Object{Kind: "binding", ID: b.ID} }

// bind gives a principal a role. The caller must be admin in its place. Errors: CodeInvalid, CodeNotFound, CodeForbidden.
func bind(c change.Change, to ipam.Principal, in ipam.NewBinding) (ipam.Binding, error) {
	b := ipam.Binding{ID: change.NewID("binding"), Principal: to.UID, Actor: to.String(), Role: in.Role, Labels: in.Labels, CreatedAt: c.At}
	if in.Largest != nil {
		b.Largest = *in.Largest
	}
	var above []ipam.UID
	switch {
	case in.Pool != "":
		pool, err := ipam.RealPool(c.Tx.Pool(c.By.Sees(), in.Pool))
		if err != nil {
			return b, ipam.At("/pool", err)
		}
		b.In = pool.Inside()
		if above, err = c.Tx.PoolsAbove(pool.UID); err != nil {
			return b, err
		}
	case in.Scope != "":
		scope, err := ipam.RealScope(c.Tx.Scope(c.By.Sees(), in.Scope))
		if err != nil {
			return b, ipam.At("/scope", err)
		}
		b.In = scope.Root()
	}
	if err := c.By.BindingOver(b, above); err != nil {
		return b, err
	}
	if err := c.Tx.InsertBinding(b); err != nil {
		return b, err
	}
	return b, c.Record(bindingObject(b), "created", nil, b)
}
