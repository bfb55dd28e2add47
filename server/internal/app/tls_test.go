package app_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/app"
)

// certify writes a new certificate for 127.0.0.1, and returns its serial number and the pool that trusts it.
func certify(t *testing.T, certFile, keyFile string) (*big.Int, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "cloudpam"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AddCert(parsed)
	return serial, trust
}

func TestACertificateThatWasRenewedIsServedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	first, trust := certify(t, certFile, keyFile)
	c := serve("sqlite://" + filepath.Join(dir, "x.db"))
	c.TLSCertFile, c.TLSKeyFile = certFile, keyFile
	log := &journal{}
	a, err := app.New(t.Context(), c, "1.2.3", slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()

	// Each question is a connection of its own, and so a handshake.
	served := func(trust *x509.CertPool) *big.Int {
		t.Helper()
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}}}
		res, err := client.Get(a.URL() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
		return res.TLS.PeerCertificates[0].SerialNumber
	}
	if got := served(trust); got.Cmp(first) != 0 {
		t.Errorf("it serves certificate %d, want %d", got, first)
	}
	if res, err := http.Get("http://" + a.Addr() + "/readyz"); err == nil {
		_ = res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("plain HTTP is answered %d", res.StatusCode)
		}
	}

	// Half of a renewal is no pair: the one before goes on.
	private, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	second, renewed := certify(t, certFile, keyFile)
	next, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, private, 0o600); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(log.String(), "no pair") {
		if got := served(trust); got.Cmp(first) != 0 {
			t.Fatalf("half of a renewal made it serve certificate %d", got)
		}
	}
	if err := os.WriteFile(keyFile, next, 0o600); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(log.String(), "read again") {
		handshake(a.Addr())
	}
	if got := served(renewed); got.Cmp(second) != 0 {
		t.Errorf("it serves certificate %d, want the renewed %d", got, second)
	}
	if strings.Count(log.String(), "no pair") != 1 {
		t.Errorf("the log tells of half a renewal more than once:\n%s", log)
	}
}

// handshake has the server look at its files.
func handshake(address string) {
	if conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}); err == nil { // whom it meets is asked by others
		_ = conn.Close()
	}
}

func TestFilesThatAreNoCertificateKeepAServerFromStarting(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	certify(t, certFile, keyFile)
	if err := os.WriteFile(keyFile, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := serve("sqlite://" + filepath.Join(dir, "x.db"))
	c.TLSCertFile, c.TLSKeyFile = certFile, keyFile
	if _, err := app.New(t.Context(), c, "1.2.3", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "CLOUDPAM_TLS_CERT_FILE") || !strings.Contains(err.Error(), keyFile) {
		t.Errorf("it started: %v", err)
	}
}
