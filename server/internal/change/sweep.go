package change

import (
	"context"
	"errors"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// sweepSize is how much of the past one write of a sweep takes: a sweep never keeps others waiting.
const sweepSize = 500

// Sweep ends all that is due, some at a time, each in a transaction of its own. What cannot be ended is left, and does not keep
// the rest from its end: its error is told at last. A lost lease is the end of all. End reports whether it did something.
func Sweep[T any](ctx context.Context, k *Kernel, due func(*store.Tx, int) ([]T, error), id func(T) string, end func(T) (bool, error)) (ended int64, err error) {
	failed := map[string]error{}
	for {
		// What failed comes again at the head of the list.
		items, err := Read(ctx, k, func(tx *store.Tx) ([]T, error) { return due(tx, sweepSize+len(failed)) })
		if err != nil {
			return ended, err
		}
		fresh := 0
		for _, item := range items {
			if _, known := failed[id(item)]; known {
				continue
			}
			fresh++
			did, err := end(item)
			switch {
			case errors.Is(err, ErrLeaseLost):
				return ended, err
			case err != nil && ipam.CodeOf(err) != ipam.CodeNotFound:
				failed[id(item)] = err
			case err == nil && did:
				ended++
			default: // renewed or gone meanwhile, so it is not due any more; were it listed again, this would never end
				failed[id(item)] = nil
			}
			if ctx.Err() != nil {
				return ended, ctx.Err()
			}
		}
		if fresh == 0 {
			var all []error
			for _, err := range failed {
				if len(all) < 5 {
					all = append(all, err)
				}
			}
			return ended, errors.Join(all...)
		}
	}
}

// Forget drops rows of the past, some at a time, until none is left.
func (k *Kernel) Forget(ctx context.Context, some func(*store.Tx, int) (int64, error)) error {
	for {
		var n int64
		err := k.Work(ctx, "memory", func(tx *store.Tx) (err error) {
			n, err = some(tx, sweepSize)
			return err
		})
		if err != nil || n < sweepSize {
			return err
		}
	}
}
