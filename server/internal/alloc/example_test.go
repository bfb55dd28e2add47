package alloc_test

import (
	"fmt"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/alloc"
)

func Example() {
	pool := alloc.NewTree(netip.MustParsePrefix("10.0.0.0/24"))
	first, _ := pool.Allocate(alloc.BestFit, 26)
	second, _ := pool.Allocate(alloc.Sparse, 28)
	fmt.Println(first, second)
	for p := range pool.Free() {
		fmt.Println("free", p)
	}
	fmt.Println(pool.Release(first), pool.Release(first))
	// Output:
	// 10.0.0.0/26 10.0.0.192/28
	// free 10.0.0.64/26
	// free 10.0.0.128/26
	// free 10.0.0.208/28
	// free 10.0.0.224/27
	// <nil> return 10.0.0.0/26: block is not held: 10.0.0.0/25 is free
}
