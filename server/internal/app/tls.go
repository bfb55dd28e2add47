package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is a pair of PEM files that others renew. Safe for concurrent use.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	looked time.Time
	read   [2]os.FileInfo
	pair   *tls.Certificate
	refuse string // why the files of now are not used, as it was logged; "" where they are
}

// lookAgain is how soon after a look at the files a handshake looks again.
const lookAgain = time.Second

func openCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// config is for clients of TLS 1.2 and later, with Go's choice of ciphers.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.now(), nil }}
}

// now is the pair of the files. While they are no pair, because the renewal of one is seen before that of the other or
// because somebody wrote something else, it is the one before.
func (c *certificate) now() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookAgain {
		return c.pair
	}
	c.looked = time.Now()
	files, err := c.stat()
	if err == nil && same(files, c.read) {
		return c.pair
	}
	if err == nil {
		err = c.load()
	}
	switch {
	case err == nil:
		c.refuse = ""
		c.log.Info("the certificate was read again", "subject", c.pair.Leaf.Subject.String(), "not_after", c.pair.Leaf.NotAfter)
	case err.Error() != c.refuse:
		c.refuse = err.Error()
		c.log.Error("the certificate of before is used: the files are no pair", "error", err)
	}
	return c.pair
}

func (c *certificate) load() error {
	files, err := c.stat()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", c.cert, c.key, err)
	}
	c.read, c.pair = files, &pair
	return nil
}

// stat follows links: Kubernetes renews a mounted secret by moving one.
func (c *certificate) stat() (files [2]os.FileInfo, err error) {
	for i, name := range []string{c.cert, c.key} {
		if files[i], err = os.Stat(name); err != nil {
			return files, err
		}
	}
	return files, nil
}

func same(a, b [2]os.FileInfo) bool {
	for i := range a {
		if !os.SameFile(a[i], b[i]) || !a[i].ModTime().Equal(b[i].ModTime()) || a[i].Size() != b[i].Size() {
			return false
		}
	}
	return true
}
