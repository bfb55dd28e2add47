package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/access"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

const (
	secret      = "cpam_bench_0123456789abcdefghijklmnopqrstuvwx"
	poolID      = "bench"
	poolCIDR    = "10.0.0.0/8"
	blockLength = 28      // a million of them fit
	keepAbove   = 100_000 // allocations; from here on a measurement adds too little to need a new copy
)

// seed is a database with a number of allocations in it, from which measurements take copies.
type seed struct {
	dir   string
	count int
	path  string

	beside *seed // the other build's, where one is measured
}

// newSeed makes its allocations through the registry, as the server would, without HTTP.
func newSeed(ctx context.Context, dir string, count, others int) (s *seed, err error) {
	s = &seed{dir: dir, count: count, path: filepath.Join(dir, fmt.Sprintf("seed-%d.db", count))}
	db, err := store.Open(ctx, "sqlite://"+s.path, store.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx, "bench"); err != nil {
		return nil, err
	}
	if err := db.Start(ctx); err != nil {
		return nil, err
	}
	k := change.New(db, time.Now)
	r := registry.New(k)
	if _, err := access.New(k).SetUp(ctx, secret); err != nil {
		return nil, err
	}
	by := ipam.System("seed")
	if _, err := r.CreatePool(ctx, by, ipam.NewPool{Name: poolID, CIDR: netip.MustParsePrefix(poolCIDR)}); err != nil {
		return nil, err
	}
	for n := range others {
		name, cidr := otherPool(n + 1)
		if _, err := r.CreatePool(ctx, by, ipam.NewPool{Name: name, CIDR: netip.MustParsePrefix(cidr)}); err != nil {
			return nil, err
		}
	}
	return s, fill(ctx, r, by, count)
}

func fill(ctx context.Context, r *registry.Registry, by ipam.Caller, count int) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, 128)
	for i := range errs {
		wg.Go(func() {
			bits := blockLength
			for n := next.Add(1); n <= int64(count) && errs[i] == nil; n = next.Add(1) {
				_, errs[i] = r.Allocate(ctx, by, ipam.NewAllocation{Pool: poolID, Name: fmt.Sprintf("seed-%07d", n), BlockSize: ipam.BlockSize{Length: &bits}})
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// fresh gives a copy of the seed for one side of the comparison. Large ones are used again: copying them would disturb
// the disk more than the few rows that a measurement adds disturb the next one.
func (s *seed) fresh(side string) (string, error) {
	path := filepath.Join(s.dir, fmt.Sprintf("%s-%d.db", side, s.count))
	if _, err := os.Stat(path); err == nil && s.count >= keepAbove {
		return path, nil
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	from, err := os.Open(s.path) // closed by its last user, so there is nothing of it in a log
	if err != nil {
		return "", err
	}
	defer from.Close()
	to, err := os.Create(path)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, from)
	return path, errors.Join(err, to.Sync(), to.Close())
}
