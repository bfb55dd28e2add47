package observe

import (
	"context"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// What a page that is narrowed to what is managed, or is not, looks at: so many at a time, and so many times at most.
const (
	looked    = 1000
	mostTurns = 20
)

// Observations lists a page of observations with what is desired there, and where the next page begins; nil at the end. Managed narrows
// it to what something has, or nothing has. Then a page may be short, and yet there is another one.
func (o *Observer) Observations(ctx context.Context, see ipam.Visible, f ipam.ObservationFilter, managed *bool, p ipam.Page) (page []ipam.Shown, next *ipam.Cursor, err error) {
	page, err = change.Read(ctx, o.k, func(tx *store.Tx) (page []ipam.Shown, err error) {
		at := p
		next = nil
		if managed != nil {
			at.Limit = max(p.Limit, looked)
		}
		for range mostTurns {
			some, err := tx.Observations(see, f, at)
			if err != nil {
				return nil, err
			}
			shown, err := tx.Told(some)
			if err != nil {
				return nil, err
			}
			for i, s := range shown {
				if managed != nil && *managed != (s.By != nil) {
					continue
				}
				page = append(page, s)
				if len(page) == p.Limit && (i+1 < len(shown) || len(shown) == at.Limit) {
					next = &ipam.Cursor{ID: string(s.UID), Prefix: s.CIDR}
					return page, nil
				}
			}
			if len(some) < at.Limit || len(page) == p.Limit {
				next = nil
				return page, nil
			}
			last := some[len(some)-1]
			at.After = ipam.Cursor{ID: string(last.UID), Prefix: last.CIDR}
			next = &at.After
		}
		return page, nil
	})
	return page, next, err
}
