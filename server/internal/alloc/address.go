package alloc

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// key is an address left-aligned in 128 bits, so that the n-th bit of a
// prefix sits in the same place in both families: an IPv4 address fills the
// top 32 bits and the rest is zero.
type key struct{ hi, lo uint64 }

func keyOf(a netip.Addr) key {
	if a.Is4() {
		b := a.As4()
		return key{hi: uint64(binary.BigEndian.Uint32(b[:])) << 32}
	}
	b := a.As16()
	return key{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// block gives the prefix of length n that starts at k, in the family whose
// addresses are width bits long.
func (k key) block(width, n int) netip.Prefix {
	if width == 32 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(k.hi>>32))
		return netip.PrefixFrom(netip.AddrFrom4(b), n)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], k.hi)
	binary.BigEndian.PutUint64(b[8:], k.lo)
	return netip.PrefixFrom(netip.AddrFrom16(b), n)
}

// first has its first n bits set, n from 0 to 128. A shift of 64 or more
// gives 0 in Go, which both ends rely on.
func first(n int) key {
	if n <= 64 {
		return key{hi: ^(^uint64(0) >> uint(n))}
	}
	return key{^uint64(0), ^(^uint64(0) >> uint(n-64))}
}

// nth has only its n-th bit set, n from 1 to 128.
func nth(n int) key {
	if n <= 64 {
		return key{hi: 1 << uint(64-n)}
	}
	return key{lo: 1 << uint(128-n)}
}

func (k key) and(o key) key    { return key{k.hi & o.hi, k.lo & o.lo} }
func (k key) andNot(o key) key { return key{k.hi &^ o.hi, k.lo &^ o.lo} }
func (k key) or(o key) key     { return key{k.hi | o.hi, k.lo | o.lo} }
func (k key) xor(o key) key    { return key{k.hi ^ o.hi, k.lo ^ o.lo} }
func (k key) zero() bool       { return k.hi|k.lo == 0 }

// lead counts the zero bits before the first set one; 128 when none is set.
func (k key) lead() int {
	if k.hi != 0 {
		return bits.LeadingZeros64(k.hi)
	}
	return 64 + bits.LeadingZeros64(k.lo)
}

// last is the number of the last set bit, from 1 to 128; one must be set.
func (k key) last() int {
	if k.lo != 0 {
		return 128 - bits.TrailingZeros64(k.lo)
	}
	return 64 - bits.TrailingZeros64(k.hi)
}

// contains reports whether block outer holds all of block inner. Both are masked
// and of one family; invalid prefixes hold nothing.
func contains(outer, inner netip.Prefix) bool {
	return outer.IsValid() && inner.IsValid() && outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// slot reads the six bits that follow the first d, d from 0 to 127; bits past
// the 128th read as zero.
func (k key) slot(d int) int {
	if d < 64 {
		return int((k.hi<<uint(d) | k.lo>>uint(64-d)) >> 58)
	}
	return int(k.lo << uint(d-64) >> 58)
}

// atSlot puts the six bits of s after the first d, undoing slot.
func atSlot(s, d int) key {
	top := uint64(s) << 58
	if d < 64 {
		return key{top >> uint(d), top << uint(64-d)}
	}
	return key{lo: top >> uint(d-64)}
}
