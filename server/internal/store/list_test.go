package store_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestLabelsMatchAsPairs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		at := time.UnixMicro(1)
		err := db.Write(t.Context(), "/s", func(tx *store.Tx) error {
			scope := scopeNamed("s")
			if err := tx.InsertScope(scope); err != nil {
				return err
			}
			for i, labels := range []ipam.Labels{
				{"env": "prd"}, {"a": "b", "env": "prd", "z": ""}, {"Env": "prd"}, {"env": "prd2"}, {"env": `prd"`}, {`x"env`: "prd"}, {`x,"env`: "prd"}, {"x": `"env":"prd"`}, {"ключ": "знач/%_"},
			} {
				p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)
				pool := ipam.Pool{UID: ipam.NewUID("pool"), ScopeUID: scope.UID, Name: fmt.Sprint("p", i), CIDR: p, Strategy: "best_fit", Details: ipam.Details{Labels: labels}, Version: 1, CreatedAt: at, UpdatedAt: at}
				if err := tx.InsertPool(pool); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ key, value, want string }{
			{"env", "prd", "p0 p1"},
			{"Env", "prd", "p2"},
			{"ENV", "prd", ""},
			{"env", "prd2", "p3"},
			{"env", `prd"`, "p4"},
			{`x"env`, "prd", "p5"},
			{`x,"env`, "prd", "p6"},
			{"x", `"env":"prd"`, "p7"},
			{"ключ", "знач/%_", "p8"},
			{"z", "", "p1"},
			{"env", "", ""},
			{"%", "prd", ""},
		} {
			var got []string
			err := db.Read(t.Context(), func(tx *store.Tx) error {
				pools, err := tx.Pools(ipam.Everything, ipam.PoolFilter{Labels: []ipam.Label{{Key: c.key, Value: c.value}}}, ipam.Page{Limit: 100})
				for _, p := range pools {
					got = append(got, p.Name)
				}
				return err
			})
			slices.Sort(got)
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("%s=%s: %v, %v, want %q", c.key, c.value, got, err, c.want)
			}
		}
	})
}
