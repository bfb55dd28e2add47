package registry_test

import (
	"fmt"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Pools are put above others and taken away again, while others create, allocate, move and plan on the same levels. Nothing is lost,
// and nobody waits for anybody in a circle.
func TestManyWritersAroundALayer(t *testing.T) {
	each(t, func(t *testing.T, r lab) {
		for _, level := range []string{"root", "between"} {
			t.Run(level, func(t *testing.T) {
				around := ipam.Pool{Scope: r.scope(t)}
				if level == "between" {
					around = r.root(t, "0.0.0.0/0")
				}
				create := func(on lab, name, cidr string, tweaks ...tweak) error {
					in := ipam.NewPool{Scope: around.Scope, Name: name, Parent: around.ID, CIDR: r.cidr(cidr)}
					for _, change := range tweaks {
						change(&in)
					}
					_, err := on.CreatePool(t.Context(), alice, in)
					return err
				}
				var kids []ipam.Pool
				for i := range 4 {
					if err := create(r, fmt.Sprint("kid", i), fmt.Sprintf("10.%d.0.0/16", i)); err != nil {
						t.Fatal(err)
					}
					kids = append(kids, r.pool(t, ipam.PoolID(around.Scope, fmt.Sprint("kid", i))))
				}
				servers := r.replicas(t)
				outcomes := together(72, func(i int) error {
					on, kid := servers[i%len(servers)], kids[i%len(kids)]
					switch i % 8 {
					case 0:
						return may(create(on, "layer", "10.0.0.0/8", encloses), ipam.CodeNameTaken, ipam.CodeCIDRTaken)
					case 1:
						return may(on.DissolvePool(t.Context(), alice, ipam.PoolID(around.Scope, "layer"), ipam.AnyVersion), ipam.CodeNotFound, ipam.CodePreconditionFailed)
					case 2:
						return may(create(on, fmt.Sprint("more", i), fmt.Sprintf("10.%d.0.0/16", 100+i)), ipam.CodeCIDRTaken)
					case 3:
						in := ipam.NewPool{Scope: around.Scope, Name: fmt.Sprint("planned", i), Parent: around.ID, CIDR: r.cidr("10.0.0.0/7"), Encloses: true}
						_, err := on.DraftPool(t.Context(), bob, in, ipam.Plan{Holder: "workspace", Run: fmt.Sprint(i)})
						return may(err, ipam.CodeCIDRTaken, ipam.CodePlanAgain)
					case 4: // an empty pool moves into another
						_, err := on.rehome(r.pool(t, kid.ID), kids[(i+1)%len(kids)].ID, "/20")
						return may(err, ipam.CodePoolNotEmpty, ipam.CodePreconditionFailed)
					default:
						_, err := on.try(kid, fmt.Sprint("n", i), "/24")
						return err
					}
				})
				wantOutcomes(t, outcomes, map[ipam.Code]int{"": 72})
				r.wantSound(t)
			})
		}
	})
}

// may is an error unless it is one of those that a race may end in.
func may(err error, codes ...ipam.Code) error {
	for _, code := range codes {
		if ipam.CodeOf(err) == code {
			return nil
		}
	}
	return err
}
