package choose

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Member is a member of a set as it shall be.
type Member struct {
	Key    string
	Size   ipam.BlockSize
	Length int // what the size comes to in the pool
}

// Sized sizes members for a pool that knows none of them, in the order to place them. The error, of the first one that
// cannot be sized, is told by its key; the others are answered nevertheless.
func Sized(pool ipam.Pool, all map[string]ipam.BlockSize, tell func(string, error) error) (wanted []Member, err error) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		length, wrong := all[key].LengthIn(pool)
		switch {
		case wrong == nil:
			wanted = append(wanted, Member{key, all[key], length})
		case err == nil:
			err = tell(key, wrong)
		}
	}
	Order(wanted, nil)
	return wanted, err
}

// Order sorts members into the order to place them: those that name their CIDR, those whose keys come back to a block, then
// the largest first and those of one length by key.
func Order(members []Member, comeBack map[string]bool) {
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(
			trueFirst(a.Size.CIDR.IsValid(), b.Size.CIDR.IsValid()), trueFirst(comeBack[a.Key], comeBack[b.Key]),
			cmp.Compare(a.Length, b.Length), cmp.Compare(a.Key, b.Key),
		)
	})
}

// trueFirst puts what has a property ahead of what has not.
func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}
