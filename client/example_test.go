package cloudpam_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/cloudpam/cloudpam/client"
)

// A pool and a subnet of it, without choosing an address.
func Example() {
	ctx := context.Background()
	c, err := cloudpam.New(os.Getenv("CLOUDPAM_ENDPOINT"), os.Getenv("CLOUDPAM_TOKEN"))
	if err != nil {
		log.Fatal(err)
	}
	pool, err := c.CreatePool(ctx, cloudpam.NewPool{Name: "corp", CIDR: new("10.0.0.0/8")})
	if err != nil {
		log.Fatal(err)
	}
	subnet, err := c.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: pool.ID, Name: "app-a", PrefixLength: new(24)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(subnet.CIDR)
	// Output: 10.0.0.0/24
}

// Refusals are told apart by their code, and carry what the next step needs.
func ExampleError() {
	ctx := context.Background()
	c, err := cloudpam.New("https://cloudpam.example.com", os.Getenv("CLOUDPAM_TOKEN"))
	if err != nil {
		log.Fatal(err)
	}
	request := cloudpam.NewAllocation{Pool: "prod-euw1", Name: "data", PrefixLength: new(20)}
	_, err = c.CreateAllocation(ctx, request)
	var refusal *cloudpam.Error
	switch {
	case errors.Is(err, cloudpam.ErrNameTaken):
		fmt.Println("somebody has it already")
	case errors.As(err, &refusal) && refusal.Code == cloudpam.ErrPoolExhausted && refusal.NearestPool != "":
		request.Pool = refusal.NearestPool
		_, err = c.CreateAllocation(ctx, request)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// A list is walked with range; pages are fetched as they are needed.
func ExampleClient_Allocations() {
	ctx := context.Background()
	c, err := cloudpam.New("https://cloudpam.example.com", os.Getenv("CLOUDPAM_TOKEN"))
	if err != nil {
		log.Fatal(err)
	}
	filter := cloudpam.ListAllocationsParams{Pool: new("prod-euw1"), Label: cloudpam.LabelFilter{"team=payments"}}
	for allocation, err := range c.Allocations(ctx, filter) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(allocation.Name, allocation.CIDR)
	}
}

// A change that must not overwrite somebody else's carries the ETag of what it was decided on.
func ExampleWithIfMatch() {
	ctx := context.Background()
	c, err := cloudpam.New("https://cloudpam.example.com", os.Getenv("CLOUDPAM_TOKEN"))
	if err != nil {
		log.Fatal(err)
	}
	var etag string
	pool, err := c.GetPool(ctx, "corp", cloudpam.ReadETag(&etag))
	if err != nil {
		log.Fatal(err)
	}
	_, err = c.UpdatePool(ctx, pool.ID, cloudpam.PoolPatch{Owner: new("network-team")}, cloudpam.WithIfMatch(etag))
	if errors.Is(err, cloudpam.ErrPreconditionFailed) {
		fmt.Println("the pool has changed since it was read")
	}
}
