package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
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
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	url := "http://" + net.JoinHostPort(host, port) + "/readyz"
	// The certificate is one for the names that clients use, not for the loopback; nothing secret is sent or read.
	client := &http.Client{Timeout: c.Timeout, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec
	if c.TLSCertFile != "" {
		url = "https" + url[len("http"):]
	}
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usage(fmt.Errorf("CLOUDPAM_LISTEN is %q: %w", c.Listen, err))
	}
	answer, err := client.Do(ask)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d: %s", url, answer.StatusCode, said)
	}
	fmt.Printf("%s\n", said)
	return nil
}
