package remote

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Ready asks a server at an address of this machine whether it is ready, and returns what it says. Whose certificate it has is not
// asked: that is one for the names that clients use, not for the loopback, and nothing secret is sent or read.
func Ready(ctx context.Context, url string, patience time.Duration) (string, error) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // see above
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return "", err
	}
	answer, err := client.Do(ask)
	if err != nil {
		return "", fmt.Errorf("no answer: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if err != nil {
		return "", fmt.Errorf("%s: %w", ask.URL, err)
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %d: %s", ask.URL, answer.StatusCode, strings.TrimSpace(string(said)))
	}
	return strings.TrimSpace(string(said)), nil
}
