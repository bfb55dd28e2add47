package cloudpam

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// TokenFile is a token in a file that somebody else writes anew before it expires, as a CI system or Kubernetes does with the JWT of a
// job. It is safe for concurrent use.
type TokenFile struct {
	path string

	mu    sync.Mutex
	token string
	size  int64
	at    time.Time // of the file's last change that was read
}

// OpenTokenFile reads a token from a file. Errors: the file cannot be read, or has no token in it.
func OpenTokenFile(path string) (*TokenFile, error) {
	f := &TokenFile{path: path}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return f, f.read(info)
}

// Token is the token that the file has now. One that cannot be read, as while it is being written, leaves the one before.
func (f *TokenFile) Token() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info, err := os.Stat(f.path); err == nil && (!info.ModTime().Equal(f.at) || info.Size() != f.size) {
		_ = f.read(info) // it is looked at again with the next request
	}
	return f.token
}

func (f *TokenFile) read(info os.FileInfo) error {
	content, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	token := strings.TrimSpace(string(content))
	switch {
	case token == "":
		return fmt.Errorf("%s is empty", f.path)
	case strings.ContainsAny(token, " \t\r\n"):
		return errWhiteSpace
	}
	f.token, f.size, f.at = token, info.Size(), info.ModTime()
	return nil
}

var errWhiteSpace = errors.New("the token contains white space; a CloudPAM token is one word that begins with cpam_, and a JWT one with two dots")
