package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/remote"
)

// healthCommand takes the settings of the server that say where it listens: beside it, in its container, they are the same.
type healthCommand struct {
	Listen      string        `env:"CLOUDPAM_LISTEN" default:"127.0.0.1:8080" help:"Where the server listens; of all addresses, its loopback is asked."`
	TLSCertFile string        `name:"tls-cert-file" env:"CLOUDPAM_TLS_CERT_FILE" help:"Where it is set, the server speaks TLS."`
	Timeout     time.Duration `default:"3s" help:"How long to wait for the answer."`
}

func (c *healthCommand) Run(ctx context.Context) error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return usage(fmt.Errorf("CLOUDPAM_LISTEN is %q; write host:port, like 127.0.0.1:8080", c.Listen))
	}
	// By number: an image from scratch has no file that says what localhost is.
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.Is6() {
			host = "::1"
		}
	}
	scheme := "http://"
	if c.TLSCertFile != "" {
		scheme = "https://"
	}
	said, err := remote.Ready(ctx, scheme+net.JoinHostPort(host, port), c.Timeout)
	if err != nil {
		return err
	}
	fmt.Println(said)
	return nil
}
