package webhook_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/webhook"
)

// Spellings of addresses that are nobody's on the Internet, and of others that mean them to some program.
var forbidden = []string{
	"127.0.0.1", "127.1.2.3", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0177.1", "127.0.0.1.", "0", "0.0.0.0", "0.0.0.1",
	"localhost", "LOCALHOST", "localhost.", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[0:0:0:0:0:0:0:1]",
	"169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "[fe80::1]", "[fe80::1%25lo]", "2852039166", "0xa9fea9fe", "169.254.43518",
	"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "[fc00::1]", "[fd12:3456::1]", "[fec0::1]",
	"192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "[ff02::1]",
	"[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]", "[2002:7f00:1::1]", "[2001::1]", "[2001:db8::1]", "[100::1]", "[3fff::1]", "[5f00::1]",
}

func TestNothingIsSentToAnAddressThatIsNotPublic(t *testing.T) {
	l := open(t, sqlite(t))
	dials := listenEverywhere(t)
	l.Book = webhook.New(l.kernel, webhook.Guard{}, "test")
	for _, host := range forbidden {
		for _, scheme := range []string{"https", "http"} {
			w := ipam.Webhook{Name: "x", URL: scheme + "://" + host + dials.port + "/", Enabled: true}
			if _, err := l.CreateWebhook(t.Context(), system, w); ipam.CodeOf(err) != ipam.CodeInvalid {
				t.Errorf("%s is taken: %v", w.URL, err)
				_ = l.DeleteWebhook(t.Context(), system, "x", ipam.AnyVersion)
			}
		}
	}
	for _, text := range []string{"ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1/", "https://user:password@example.com/", "https:example.com", "//example.com/", "https:///x", "https://example.com/#x", "javascript:1", "https://1.2.3.4.5/", "https://[1.2.3.4]/", " "} {
		if _, err := l.CreateWebhook(t.Context(), system, ipam.Webhook{Name: "x", URL: text, Enabled: true}); ipam.CodeOf(err) != ipam.CodeInvalid {
			t.Errorf("%s is taken: %v", text, err)
		}
	}
	if n := dials.count.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestPublicAddressesArePermitted(t *testing.T) {
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2400::1"} {
		if permitted, plain := (webhook.Guard{}).Permits(netip.MustParseAddr(text)); !permitted || plain {
			t.Errorf("%s: permitted %v, without TLS %v", text, permitted, plain)
		}
	}
}

// A name may mean a public address while a webhook is made, and another when a message is sent.
func TestANameIsJudgedWhenItIsDialled(t *testing.T) {
	l := open(t, sqlite(t))
	dials := listenEverywhere(t)
	var asked atomic.Int64
	guard := webhook.Guard{Resolver: nameserver(t, func() [4]byte {
		if asked.Add(1) == 1 {
			return [4]byte{8, 8, 8, 8}
		}
		return [4]byte{127, 0, 0, 1}
	})}
	l.Book = webhook.New(l.kernel, guard, "test")
	w := ipam.Webhook{Name: "rebinding", URL: "https://rebinding.example" + dials.port + "/", Enabled: true, Actions: []string{"allocation.*"}}
	if _, err := l.CreateWebhook(t.Context(), system, w); err != nil {
		t.Fatal(err)
	}
	l.take(t, "a")
	l.round(t, 0)
	a, err := l.Test(t.Context(), ipam.Everything, "rebinding")
	if err != nil || a.Delivered || !strings.Contains(a.Error, "not a public address") || strings.Contains(a.Error, "127.") {
		t.Errorf("%+v, %v", a, err)
	}
	if asked.Load() < 3 {
		t.Errorf("the name was looked up %d times", asked.Load())
	}
	if n := dials.count.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	l := open(t, sqlite(t))
	dials := listenEverywhere(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		r := httptest.NewServer(http.RedirectHandler("http://127.0.0.1"+dials.port+"/", status))
		t.Cleanup(r.Close)
		w := ipam.Webhook{Name: "redirect", URL: r.URL, Enabled: true}
		if _, err := l.CreateWebhook(t.Context(), system, w); err != nil {
			t.Fatal(err)
		}
		if a, err := l.Test(t.Context(), ipam.Everything, "redirect"); err != nil || a.Delivered || a.Status != status || !strings.Contains(a.Error, "redirects are not followed") {
			t.Errorf("%+v, %v", a, err)
		}
		if err := l.DeleteWebhook(t.Context(), system, "redirect", ipam.AnyVersion); err != nil {
			t.Fatal(err)
		}
	}
	if n := dials.count.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// A proxy of the environment would be another address than the one judged.
func TestNoProxyIsUsed(t *testing.T) {
	dials := listenEverywhere(t)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://127.0.0.1"+dials.port)
	}
	l := open(t, sqlite(t))
	r := receive(t)
	l.add(t, r, "inventory")
	if a, err := l.Test(t.Context(), ipam.Everything, "inventory"); err != nil || !a.Delivered {
		t.Errorf("%+v, %v", a, err)
	}
	if n := dials.count.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestWithoutTLSOnlyWhereItIsAllowed(t *testing.T) {
	l := open(t, sqlite(t))
	l.Book = webhook.New(l.kernel, webhook.Guard{Resolver: nameserver(t, func() [4]byte { return [4]byte{8, 8, 8, 8} })}, "test")
	_, err := l.CreateWebhook(t.Context(), system, ipam.Webhook{Name: "x", URL: "http://public.example/", Enabled: true})
	if err == nil || !strings.Contains(err.Error(), "use https") {
		t.Error(err)
	}
}

// dials is a port of loopback that counts who connects.
type dials struct {
	port  string // with its colon
	count atomic.Int64
}

func listenEverywhere(t *testing.T) *dials {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	d := &dials{port: ":" + port}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.count.Add(1)
			_ = c.Close()
		}
	}()
	return d
}

// nameserver is a resolver whose every name has the address that is answered.
func nameserver(t *testing.T, answer func() [4]byte) *net.Resolver {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		buffer := make([]byte, 1024)
		for {
			n, from, err := c.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AResource{A: answer()}}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = c.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
}
