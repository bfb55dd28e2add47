package choose

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Refusal is why a pool did not serve a request, and what it had no room for when it was not even asked.
type Refusal struct {
	*ipam.Error
	Pool  ipam.Pool
	Short *Member
}

// Refuse is the error of a pool that cannot serve the request, as an attempt would give it; nil when only an attempt tells.
// A pool that knows the name is always asked: it may have the block already, or has to say what became of it. Short is what
// it has no room for, if it is that.
func (s Selection) Refuse(pool Candidate) (short *Member, err error) {
	if pool.knows != (trace{}) {
		return nil, nil
	}
	members, err := s.sized(pool.Pool)
	if err != nil || len(members) == 0 {
		return nil, err
	}
	first := members[0]
	if err := pool.Allow(first.Length); err != nil {
		return nil, s.tell(first.Key, err)
	}
	largest := pool.room.Largest
	if first.Size.CIDR.IsValid() || pool.room.Expired || largest != nil && *largest <= first.Length {
		return nil, nil
	}
	return &first, s.tell(first.Key, NoRoom(pool.ID, first.Length, largest))
}

// PassedOver reports whether an error is of one pool only, so that another one may serve the request; why is that error.
func PassedOver(err error) (why *ipam.Error, passed bool) {
	why, ok := errors.AsType[*ipam.Error](err)
	if !ok {
		return nil, false
	}
	switch why.Code {
	case ipam.CodePoolExhausted, ipam.CodePolicyViolation, ipam.CodeOutsidePool, ipam.CodeCIDRTaken:
		return why, true
	case ipam.CodeInvalid: // all that is wrong in every pool was refused before: this one is too small, or has no default
		return why, true
	case ipam.CodeNotFound: // deleted meanwhile
		return why, true
	}
	return why, false
}

// NoneOf says why no pool of a selection could serve the request: with a CIDR that all of them lack or have given away, or
// for want of room.
func (s Selection) NoneOf(tx *store.Tx, see ipam.Visible, now time.Time, refusals []Refusal) (*ipam.Error, error) {
	for _, r := range refusals {
		if r.Code == ipam.CodeCIDRTaken {
			return r.Error, nil
		}
	}
	const told = 5
	var why []string
	var largest *int
	outside := 0
	for i, r := range refusals {
		if i < told {
			if r.Short != nil {
				if err := errors.Join(AddQuarantined(tx, r.Pool.UID, now, r.Error), AddNearest(tx, see, r.Pool, r.Short.Length, r.Error)); err != nil {
					return nil, err
				}
			}
			why = append(why, r.Pool.ID+": "+r.Detail)
		}
		if r.LargestFree != nil && (largest == nil || *r.LargestFree < *largest) {
			largest = r.LargestFree
		}
		if r.Code == ipam.CodeOutsidePool {
			outside++
		}
	}
	if more := len(refusals) - told; more > 0 {
		why = append(why, fmt.Sprintf("and %d more", more))
	}
	what := fmt.Sprintf("asked %d pools", len(refusals))
	if len(refusals) == 1 {
		what = "asked 1 pool"
	}
	e := ipam.Errorf(ipam.CodePoolExhausted, "no room in %s; %s: %s", s.selector, what, strings.Join(why, "; "))
	pointer := "/pool_selector"
	if outside == len(refusals) {
		e.Code, pointer = ipam.CodeOutsidePool, "/cidr"
	}
	e.LargestFree = largest
	e.Fields = []ipam.FieldError{{Pointer: pointer, Detail: e.Detail}}
	return e, nil
}

// NoRoom is the error of a pool that lacks a block of a length; largest is the length of the largest that it has, nil for
// none.
func NoRoom(pool string, length int, largest *int) *ipam.Error {
	what := "nothing in it is free"
	if largest != nil {
		what = fmt.Sprintf("its largest free block is a /%d", *largest)
	}
	e := ipam.Errorf(ipam.CodePoolExhausted, "pool %s has no free /%d; %s", pool, length, what)
	e.LargestFree = largest
	return e
}

// NoneHere reports whether a pool has no such block, and what it is to grow over may have it.
func NoneHere(err error) bool {
	code := ipam.CodeOf(err)
	return code == ipam.CodePoolExhausted || code == ipam.CodeOutsidePool || code == ipam.CodeInvalid
}

// NoneGained is the refusal of a block that neither a pool has nor what it is to grow over: that counts in the plan already. What needs both
// of it is to be had later.
func NoneGained(pool ipam.Pool, growth []ipam.Pool, in ipam.NewHold, err error) error {
	e, ok := errors.AsType[*ipam.Error](err)
	if !ok || len(growth) == 0 || !NoneHere(err) {
		return err
	}
	grown := pool.CIDR
	for _, d := range growth {
		if d.CIDR.Bits() <= grown.Bits() {
			grown = netip.PrefixFrom(d.CIDR.Addr(), d.CIDR.Bits()-1).Masked()
		}
	}
	length, bad := in.LengthIn(ipam.Pool{CIDR: grown, Sizes: pool.Sizes})
	switch {
	case bad != nil || length < grown.Bits() || in.CIDR.IsValid() && !in.CIDR.Overlaps(pool.CIDR):
		return err
	case length >= pool.CIDR.Bits():
		e.Detail += "; what it is planned to gain has none either"
		return e
	}
	later := ipam.Errorf(ipam.CodePoolExhausted, "pool %s has no free /%d before it has grown, as it is planned to: apply that first, and then this", pool.ID, length)
	later.Fields = []ipam.FieldError{{Pointer: "/prefix_length", Detail: later.Detail}}
	return later
}

// AddNearest adds to the error of a pool without room another one that has, and that its caller sees.
func AddNearest(tx *store.Tx, see ipam.Visible, pool ipam.Pool, length int, e *ipam.Error) (err error) {
	if e.NearestPool, err = tx.PoolWithRoom(see, pool, length); err == nil && e.NearestPool != "" {
		e.Detail += "; pool " + e.NearestPool + " has room"
	}
	return err
}
