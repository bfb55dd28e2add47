package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
)

// besideSeed is the seed of another build of the server. That one makes it, over its own API: its schema may be another.
func besideSeed(ctx context.Context, dir, binary string, count, others int) (s *seed, err error) {
	s = &seed{dir: dir, count: count, path: filepath.Join(dir, fmt.Sprintf("beside-seed-%d.db", count))}
	other, err := startServer(ctx, binary, s.path, "CLOUDPAM_BOOTSTRAP_TOKEN="+secret)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, other.Stop(ctx)) }()
	for n := range others + 1 {
		name, cidr := poolID, poolCIDR
		if n > 0 {
			name, cidr = otherPool(n)
		}
		if err := createPool(ctx, other.address, name, cidr); err != nil {
			return nil, err
		}
	}
	return s, allocateAll(ctx, other.address, count)
}

func createPool(ctx context.Context, address, name, cidr string) error {
	body := strings.NewReader(fmt.Sprintf(`{"name":%q,"cidr":%q}`, name, cidr))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/api/v1/pools", body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusCreated {
		err = fmt.Errorf("make the pool %s: %s", name, res.Status)
	}
	return errors.Join(err, res.Body.Close())
}

// otherPool is a pool in which nothing happens.
func otherPool(n int) (name, cidr string) {
	return fmt.Sprintf("other-%d", n), fmt.Sprintf("172.%d.%d.0/24", 16+n>>8, n&255)
}
