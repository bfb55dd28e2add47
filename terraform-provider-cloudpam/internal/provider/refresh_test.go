package provider

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/acctest"
)

// shelf is a server with a pool of n allocations, and a client that reaches it through a counting proxy.
func shelf(t *testing.T, n int, intercept acctest.Intercept) (*refreshes[cloudpam.Allocation], *cloudpam.Client, *acctest.Proxy, []string) {
	t.Helper()
	server := acctest.Start(t)
	proxy := server.Proxy(t, intercept)
	if _, err := server.Client.CreatePool(t.Context(), cloudpam.NewPool{Name: "corp", CIDR: new("10.0.0.0/16")}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range n {
		a, err := server.Client.CreateAllocation(t.Context(), cloudpam.NewAllocation{Pool: "corp", Name: fmt.Sprint("app-", i), PrefixLength: new(28)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	through, err := cloudpam.New(proxy.Endpoint, acctest.Token, cloudpam.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return allocationRefreshes(through), server.Client, proxy, ids
}

func readAll(t *testing.T, r *refreshes[cloudpam.Allocation], ids []string) {
	t.Helper()
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			if a, err := r.read(t.Context(), id, "corp"); err != nil || a.ID != id {
				t.Errorf("read %s: %s, %v", id, a.ID, err)
			}
		})
	}
	wg.Wait()
}

func counted(t *testing.T, proxy *acctest.Proxy, want map[string]int) {
	t.Helper()
	if got := proxy.Counts(); !maps.Equal(got, want) {
		t.Errorf("the server was asked %v, want %v", got, want)
	}
}

func TestAfterAFewReadsOneListAnswersTheRest(t *testing.T) {
	t.Parallel()
	r, _, proxy, ids := shelf(t, 40, nil)
	readAll(t, r, ids)
	counted(t, proxy, map[string]int{"GET allocations/{id}": singleReads, "GET allocations": 1})
	readAll(t, r, ids[:7]) // a second read of the same object is a second look
	counted(t, proxy, map[string]int{"GET allocations/{id}": 7})
}

func TestAFewReadsAreNotWorthAList(t *testing.T) {
	t.Parallel()
	r, _, proxy, ids := shelf(t, singleReads, nil)
	readAll(t, r, ids)
	counted(t, proxy, map[string]int{"GET allocations/{id}": singleReads})
}

func TestAListNeverAnswersForWhatThisRunWrites(t *testing.T) {
	t.Parallel()
	r, server, _, ids := shelf(t, 10, nil)
	readAll(t, r, ids[:6]) // 6 to 9 are listed and wait for their read
	r.forget(ids[9])
	if _, err := server.UpdateAllocation(t.Context(), ids[9], cloudpam.AllocationPatch{Owner: new("payments")}); err != nil {
		t.Fatal(err)
	}
	if a, err := r.read(t.Context(), ids[9], "corp"); err != nil || a.Owner != "payments" {
		t.Errorf("read after write: owner %q, %v", a.Owner, err)
	}
}

func TestAWriteDuringTheListWins(t *testing.T) {
	t.Parallel()
	var r *refreshes[cloudpam.Allocation]
	var last string
	r, _, proxy, ids := shelf(t, 10, func(w http.ResponseWriter, req *http.Request, server http.Handler) bool {
		if req.URL.Path != "/api/v1/allocations" {
			return false
		}
		r.forget(last) // the list is under way, and what it will say of this one is old
		server.ServeHTTP(w, req)
		return true
	})
	last = ids[9]
	readAll(t, r, ids[:9])
	proxy.Counts()
	readAll(t, r, ids[9:])
	counted(t, proxy, map[string]int{"GET allocations/{id}": 1})
}

func TestOnlyASingleReadProvesAbsence(t *testing.T) {
	t.Parallel()
	r, server, proxy, ids := shelf(t, 10, nil)
	if err := server.ReleaseAllocation(t.Context(), ids[9]); err != nil {
		t.Fatal(err)
	}
	readAll(t, r, ids[:9])
	proxy.Counts()
	if _, err := r.read(t.Context(), ids[9], "corp"); !errors.Is(err, cloudpam.ErrNotFound) {
		t.Errorf("a released allocation reads %v", err)
	}
	counted(t, proxy, map[string]int{"GET allocations/{id}": 1})
}

func TestAListThatFailsCostsSingleReads(t *testing.T) {
	t.Parallel()
	r, _, proxy, ids := shelf(t, 10, func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if req.URL.Path != "/api/v1/allocations" {
			return false
		}
		http.Error(w, "no", http.StatusForbidden)
		return true
	})
	readAll(t, r, ids)
	counted(t, proxy, map[string]int{"GET allocations/{id}": 10, "GET allocations": 1})
}

func TestAnImportLooksIntoTheListAndLeavesItsAnswerToTheRead(t *testing.T) {
	t.Parallel()
	r, _, proxy, ids := shelf(t, 10, nil)
	readAll(t, r, ids[:5])
	proxy.Counts()
	for _, key := range []allocationKey{{id: ids[8]}, {pool: "corp", name: "app-8"}} {
		if a, ok := r.find(t.Context(), key.pool, key.names); !ok || a.ID != ids[8] {
			t.Errorf("%s is %q, %v", key, a.ID, ok)
		}
	}
	if _, ok := r.find(t.Context(), "corp", allocationKey{pool: "corp", name: "app-1000"}.names); ok {
		t.Error("found what does not exist")
	}
	readAll(t, r, ids[8:9])
	counted(t, proxy, map[string]int{})
}
