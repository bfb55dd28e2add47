package store

import (
	"context"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

// lost is how long the other side's machine may stay silent before the kernel gives a connection up.
const lost = 10 * time.Second

// dial makes connections on which no answer is waited for longer than a limit; 0 is no limit. PostgreSQL's own timeouts are on
// the other side, and of no help when that side is gone without a word.
func dial(silence time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: lost / 2, Interval: lost / 5, Count: 3}}
		if strings.HasPrefix(network, "tcp") {
			d.Control = func(_, _ string, c syscall.RawConn) error {
				var failed error
				err := c.Control(func(fd uintptr) { failed = giveUpAfter(fd, lost) })
				if err == nil {
					err = failed
				}
				return err
			}
		}
		conn, err := d.DialContext(ctx, network, address)
		if err != nil || silence == 0 {
			return conn, err
		}
		return &impatient{Conn: conn, silence: silence}, nil
	}
}

// impatient is a connection that ends a Read or a Write that takes too long. It keeps the deadline that the driver sets when a
// caller gives up, whichever comes first.
type impatient struct {
	net.Conn
	silence time.Duration

	mu    sync.Mutex
	until time.Time
}

func (c *impatient) Read(b []byte) (int, error) {
	if err := c.arm(c.SetReadDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c *impatient) Write(b []byte) (int, error) {
	if err := c.arm(c.SetWriteDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *impatient) arm(set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := time.Now().Add(c.silence)
	if !c.until.IsZero() && c.until.Before(at) {
		at = c.until
	}
	return set(at)
}

// SetDeadline is the only one that the driver and TLS set on what they read from.
func (c *impatient) SetDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = at
	return c.Conn.SetDeadline(at)
}
