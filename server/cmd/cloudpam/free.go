package main

import (
	"context"
	"fmt"
	"math/big"
	"net/netip"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type freeCommand struct {
	asks
	Pool string `arg:"" predictor:"pool" help:"Id of the pool."`
	Size string `arg:"" optional:"" help:"Only whether a block of this size fits, like /22."`
}

// Run says which sizes are free in a pool. It ends with 3 where the size that is asked for does not fit.
func (c *freeCommand) Run(ctx context.Context) error {
	length := -1
	if c.Size != "" {
		cidr, l, err := parseSize(c.Size)
		if err != nil || cidr != nil {
			return usage(fmt.Errorf("the size is %q; write how long its prefix is, like /22", c.Size))
		}
		length = *l
	}
	s, err := c.open()
	if err != nil {
		return err
	}
	blocks, err := listed(s.ListFreeBlocks(ctx, c.Pool))
	if err != nil {
		return err
	}
	var rows [][]string
	for _, b := range blocks {
		rows = append(rows, []string{fmt.Sprintf("/%d", b.PrefixLength), fmt.Sprint(b.Count), b.First, b.Fits})
	}
	if length < 0 {
		said := ""
		if len(rows) == 0 {
			said = "Nothing is free in " + c.Pool + "."
		}
		return c.show(blocks, []string{"SIZE", "BLOCKS", "LOWEST", "AS MANY FIT"}, rows, said)
	}
	fit, lowest := fits(blocks, length)
	said := fmt.Sprintf("%s of /%d fit in %s; the lowest is %s", fit, length, c.Pool, lowest)
	if fit.Sign() == 0 {
		said = fmt.Sprintf("no /%d fits in %s", length, c.Pool)
	}
	if err := c.show(blocks, nil, nil, said); err != nil {
		return err
	}
	if fit.Sign() == 0 {
		return errPending
	}
	return nil
}

// fits counts the disjoint blocks of a length in the free ones, and names that with the lowest address.
func fits(free []cloudpam.FreeBlock, length int) (n *big.Int, lowest netip.Prefix) {
	n = new(big.Int)
	for _, b := range free {
		if b.PrefixLength > length {
			continue
		}
		each := new(big.Int).Lsh(big.NewInt(b.Count), uint(length-b.PrefixLength))
		n.Add(n, each)
		first, err := netip.ParsePrefix(b.First)
		if err == nil && (!lowest.IsValid() || first.Addr().Less(lowest.Addr())) {
			lowest = netip.PrefixFrom(first.Addr(), length)
		}
	}
	return n, lowest
}
