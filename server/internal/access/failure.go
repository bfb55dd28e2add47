package access

import (
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// failures counts wrong secrets by address, for a minute at a time: so what is kept is bounded by maxAddresses, however many come.
type failures struct {
	until time.Time
	of    map[netip.Addr]int
}

// maxAddresses is how many addresses are told apart; all others count as one.
const maxAddresses = 10_000

// source is what counts as one address: of IPv6 a /64, which is what one host has.
func source(from netip.Addr) netip.Addr {
	from = from.Unmap().WithZone("")
	if from.Is6() {
		return netip.PrefixFrom(from, 64).Masked().Addr()
	}
	return from
}

// now is the count of this minute. The caller holds the lock.
func (f *failures) now() map[netip.Addr]int {
	if now := time.Now(); f.of == nil || now.After(f.until) {
		f.until, f.of = now.Add(time.Minute), map[netip.Addr]int{}
	}
	return f.of
}

// at is where an address is counted.
func (f *failures) at(from netip.Addr) netip.Addr {
	from = source(from)
	if _, counted := f.now()[from]; !counted && len(f.of) >= maxAddresses {
		return netip.Addr{}
	}
	return from
}

func (g *Gate) failed(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.failures.at(from)
	g.failures.of[at]++
}

func (g *Gate) errTooMany() error {
	return ipam.Errorf(ipam.CodeTooManyFailures, "%d requests with a wrong token came from this address in a minute; wait a minute, and correct the token", g.MaxFailures)
}

// tooMany reports whether an address has sent as many wrong secrets as it may.
func (g *Gate) tooMany(from netip.Addr) bool {
	if g.MaxFailures == 0 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failures.now()[g.failures.at(from)] >= g.MaxFailures
}
