// Package cloudpam is the Go client of the CloudPAM API: scopes, pools, allocations, prefixes and events.
//
//	c, err := cloudpam.New("https://cloudpam.example.com", os.Getenv("CLOUDPAM_TOKEN"))
//	subnet, err := c.CreateAllocation(ctx, cloudpam.NewAllocation{Pool: "prod-euw1", Name: "app-a", PrefixLength: new(24)})
//
// Every call retries what is worth retrying (connection errors, 429, 502, 503, 504) with jitter, honours Retry-After,
// and sends one Idempotency-Key for all attempts of a write, so that a retry never has a second effect.
// A refusal of the server is an [*Error]; errors.Is tells refusals apart by their [Code].
// A server that cannot be reached is an [*UnreachableError]. Lists are iterators that fetch pages as they go.
package cloudpam
