package alloc

import (
	"fmt"
	"net/netip"
)

// refusal is an error that is written out only when somebody reads it: every
// release asks whether its block is free and expects to be refused, and the
// text would cost more than the search.
type refusal struct {
	verb  string
	block netip.Prefix
	root  netip.Prefix
	kind  error
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s %v in %v: %v", r.verb, r.block, r.root, r.kind)
}

func (r *refusal) Unwrap() error { return r.kind }

// noFit is the refusal of a length.
type noFit struct {
	root netip.Prefix
	bits int
}

func (n *noFit) Error() string {
	return fmt.Sprintf("place a /%d in %v: %v", n.bits, n.root, ErrNoFit)
}

func (n *noFit) Unwrap() error { return ErrNoFit }
