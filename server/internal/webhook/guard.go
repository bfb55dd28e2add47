package webhook

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Guard says where messages may go: to public addresses, and to those that the operator of the server allows. Whoever may add a
// webhook could otherwise reach what only the server reaches, such as the credentials that a cloud gives to its machines (SSRF).
// The zero value allows public addresses only.
type Guard struct {
	Allow    []netip.Prefix // also these, and over http too
	Resolver *net.Resolver  // of names; nil is the system's
}

// special are addresses that are nobody's on the Internet, or stand for others. RFC 6890 and the registries of IANA that go on with it.
var special = func() (all []netip.Prefix) {
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
		"192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		// Of IPv6 only 2000::/3 is given out. Of that: what carries an IPv4 address inside, and what is for documents.
		"::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48",
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}()

// Permits reports whether a message may be sent to an address, and whether without TLS.
func (g Guard) Permits(a netip.Addr) (permitted, plain bool) {
	a = a.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(g.Allow, in) {
		return true, true
	}
	return !slices.ContainsFunc(special, in), false
}

// control judges each address that is about to be dialled, which is later than any look at its name.
func (g Guard) control(scheme string) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%q is no address to send to", address)
		}
		permitted, plain := g.Permits(at.Addr())
		switch {
		case !permitted:
			return errForbidden
		case scheme != "https" && !plain:
			return errPlain
		}
		return nil
	}
}

// What a receiver that is not permitted fails with. They do not name the address: who adds a webhook would learn it.
var (
	errForbidden = fmt.Errorf("it is not a public address, and the server's CLOUDPAM_WEBHOOK_ALLOW does not have it")
	errPlain     = fmt.Errorf("http is for addresses in the server's CLOUDPAM_WEBHOOK_ALLOW; use https")
)

func (g Guard) resolver() *net.Resolver {
	if g.Resolver != nil {
		return g.Resolver
	}
	return net.DefaultResolver
}

// lookTime bounds the look at a name while a webhook is made.
const lookTime = 3 * time.Second

// checkURL refuses an address that nothing could be sent to. A name that nobody answers for now may be answered for later, and is
// judged again each time.
func (g Guard) checkURL(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return ipam.Invalid("/url", "%q is not a URL", text)
	}
	addresses := []netip.Addr{}
	if literal, err := netip.ParseAddr(u.Hostname()); err == nil {
		addresses = append(addresses, literal)
	} else {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		addresses, _ = g.resolver().LookupNetIP(ctx, "ip", strings.TrimSuffix(u.Hostname(), "."))
	}
	for _, a := range addresses {
		if err := g.control(u.Scheme)("", netip.AddrPortFrom(a, 443).String(), nil); err != nil {
			return ipam.Invalid("/url", "nothing can be sent to %s: %v", u.Hostname(), err)
		}
	}
	if len(addresses) == 0 && u.Scheme != "https" {
		return ipam.Invalid("/url", "nothing can be sent to %s: %v", u.Hostname(), errPlain)
	}
	return nil
}
