package alloc

import (
	"errors"
	"fmt"
	"net/netip"
)

// Place takes a block of length bits out of l by strategy s and names it. It
// costs one Pick, one Remove and at most one Add.
//
// It returns ErrNoFit when no free block is large enough or bits is not a
// length of the family, and l's own errors; ErrTaken from Remove means that
// another writer took the leaf in between and the call may be repeated. A
// storage whose Add can fail must undo the Remove, as a transaction does.
func Place(l Leaves, s Strategy, bits int) (netip.Prefix, error) {
	if !s.Valid() {
		return netip.Prefix{}, fmt.Errorf("place a /%d: there is no strategy %q", bits, string(s))
	}
	if bits < 0 || bits > 128 {
		return netip.Prefix{}, fmt.Errorf("place a /%d: %w: lengths go from 0 to 128", bits, ErrNoFit)
	}
	leaf, err := l.Pick(s, bits)
	if err != nil {
		return netip.Prefix{}, err
	}
	p := Cut(leaf, s, bits)
	if !p.IsValid() {
		return netip.Prefix{}, fmt.Errorf("place a /%d in %v: %w", bits, leaf, ErrNoFit)
	}
	if err := carve(l, leaf, p); err != nil {
		return netip.Prefix{}, err
	}
	return p, nil
}

// PlaceAt takes exactly p out of l. It costs one Around, one Remove and at
// most one Add.
//
// It returns ErrTaken when p is not wholly free, lies outside or is not a
// masked prefix, and l's own errors.
func PlaceAt(l Leaves, p netip.Prefix) error {
	if !p.IsValid() || p != p.Masked() {
		return fmt.Errorf("place %v: %w: it is not a masked prefix", p, ErrTaken)
	}
	leaf, err := l.Around(p)
	if err != nil {
		return err
	}
	return carve(l, leaf, p)
}

// carve removes leaf and puts back what p leaves of it.
func carve(l Leaves, leaf, p netip.Prefix) error {
	if c, ok := l.(Carver); ok {
		return c.Carve(leaf, p)
	}
	if err := l.Remove(leaf); err != nil {
		return err
	}
	if leaf == p {
		return nil
	}
	return l.Add(Buddies(leaf, p)...)
}

// Return gives p back to l, merging it with its buddy for as long as that is
// free too, and never above root. It need not be a block that Place handed
// out: any space that is held in full may be returned, in any pieces.
//
// It returns ErrNotHeld when p lies outside root, is free already in whole or
// in part, or is not a masked prefix, and l's own errors. It costs one Around,
// one Add, and one Discard for each merge plus one. A refused Add leaves l as
// it was, because the buddies merged on the way are put back.
func Return(l Leaves, root, p netip.Prefix) error {
	if !p.IsValid() || p != p.Masked() {
		return fmt.Errorf("return %v: %w: it is not a masked prefix", p, ErrNotHeld)
	}
	if !contains(root, p) {
		return fmt.Errorf("return %v: %w: it lies outside %v", p, ErrNotHeld, root)
	}
	switch leaf, err := l.Around(p); {
	case err == nil:
		return fmt.Errorf("return %v: %w: %v is free", p, ErrNotHeld, leaf)
	case !errors.Is(err, ErrTaken):
		return err
	}
	grown := p
	for grown.Bits() > root.Bits() {
		found, err := l.Discard(Buddy(grown))
		if err != nil {
			return err
		}
		if !found {
			break
		}
		grown = parent(grown)
	}
	if err := l.Add(grown); err != nil {
		if grown != p && errors.Is(err, ErrNotHeld) {
			return errors.Join(err, l.Add(Buddies(grown, p)...))
		}
		return err
	}
	return nil
}
