package storetest

import (
	"bytes"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy is between a server and PostgreSQL, and does to their connections what networks do.
type Proxy struct {
	listener net.Listener
	database string
	target   atomic.Value // of new connections: the socket, a string
	mu       sync.Mutex
	links    map[*link]bool
	commits  atomic.Int32 // lose the answer to this COMMIT from now
	end      atomic.Bool  // and end its connection, instead of saying nothing more
	lost     atomic.Int32
	trips    atomic.Int64
}

type link struct {
	client, server net.Conn
	silent         atomic.Bool
	losing         atomic.Bool
	asked          atomic.Bool // and not answered yet
}

// NewProxy listens on loopback for a database on a Unix socket.
func NewProxy(t testing.TB, database string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, database: database, links: map[*link]bool{}}
	p.Point(t, database)
	t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

// Trips is how often a connection was asked something and has answered.
func (p *Proxy) Trips() int { return int(p.trips.Load()) }

// URL is that of the database through the proxy. Settings are added to it.
func (p *Proxy) URL(settings ...string) string {
	u, _ := url.Parse(p.database)
	return "postgres://" + u.User.String() + "@" + p.listener.Addr().String() + u.Path + "?" + strings.Join(append(settings, "sslmode=disable"), "&")
}

// Point leads new connections to another server. Those that exist stay with theirs.
func (p *Proxy) Point(t testing.TB, database string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil || u.Query().Get("host") == "" {
		t.Fatalf("%s is not on a Unix socket: %v", database, err)
	}
	p.target.Store(u.Query().Get("host") + "/.s.PGSQL.5432")
}

// Swallow lets nothing through any more on the connections that exist, and closes none: as when a machine is gone.
func (p *Proxy) Swallow() { p.each(func(l *link) { l.silent.Store(true) }) }

// Cut ends the connections that exist.
func (p *Proxy) Cut() {
	p.each(func(l *link) {
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

// LoseCommit loses the answer to the n-th COMMIT from now, which PostgreSQL carries out. Then the connection ends, or says
// nothing more.
func (p *Proxy) LoseCommit(n int, end bool) {
	p.end.Store(end)
	p.commits.Store(int32(n))
}

// Lost counts the answers that were lost.
func (p *Proxy) Lost() int { return int(p.lost.Load()) }

func (p *Proxy) each(do func(*link)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		do(l)
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("unix", p.target.Load().(string))
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server}
	p.mu.Lock()
	p.links[l] = true
	p.mu.Unlock()
	go l.copy(client, server, func([]byte) bool {
		if l.asked.Swap(false) {
			p.trips.Add(1)
		}
		if l.losing.Load() {
			p.lost.Add(1)
			l.silent.Store(!p.end.Load())
			return false
		}
		return true
	})
	l.copy(server, client, func(b []byte) bool {
		l.asked.Store(true)
		if bytes.Contains(b, []byte("COMMIT\x00")) && p.commits.Load() > 0 && p.commits.Add(-1) == 0 {
			l.losing.Store(true)
		}
		return true
	})
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// copy hands on what one side says until that ends or pass says no.
func (l *link) copy(to, from net.Conn, pass func([]byte) bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			break
		}
		if l.silent.Load() {
			continue
		}
		if !pass(buf[:n]) && !l.silent.Load() {
			break
		}
		if l.silent.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			break
		}
	}
	_ = to.Close()
	_ = from.Close()
}
