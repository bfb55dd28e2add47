package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// sender posts messages.
type sender struct {
	version string
	clients map[string]*http.Client // by scheme
}

// sendTime bounds one attempt.
const sendTime = 15 * time.Second

// newSender dials what the guard permits, follows no redirect and uses no proxy: each would be another address than the one judged.
func newSender(guard Guard, version string) *sender {
	s := &sender{version: version, clients: map[string]*http.Client{}}
	for _, scheme := range []string{"http", "https"} {
		dialer := &net.Dialer{Timeout: 5 * time.Second, Resolver: guard.resolver(), Control: guard.control(scheme)}
		s.clients[scheme] = &http.Client{
			Timeout:       sendTime,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
				MaxIdleConnsPerHost: atOnce, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true,
			},
		}
	}
	return s
}

// outcome is how an attempt went. Nothing that the receiver says is in it but its status: who may add a webhook would read it.
type outcome struct {
	status int
	err    error
	after  time.Duration // the receiver asks not to be tried before
	took   time.Duration
}

// refused reports whether the receiver works and will not have this message.
func (o outcome) refused() bool {
	return o.status >= 400 && o.status < 500 && o.status != http.StatusTooManyRequests && o.status != http.StatusRequestTimeout
}

// send posts a message to a webhook, signed with its secrets at a time.
func (s *sender) send(ctx context.Context, w ipam.Webhook, id string, at time.Time, body []byte) (o outcome) {
	begun := time.Now()
	defer func() { o.took = time.Since(begun) }()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return outcome{err: errors.New("its URL cannot be sent to")}
	}
	signature, err := sign(w.Secrets.At(at), id, at, body)
	if err != nil {
		return outcome{err: err}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "CloudPAM/"+s.version)
	r.Header.Set(standardwebhooks.HeaderWebhookID, id)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	resp, err := s.clients[r.URL.Scheme].Do(r)
	if err != nil {
		return outcome{err: plainly(err)}
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	o.status = resp.StatusCode
	switch {
	case o.status >= 200 && o.status < 300:
		return o
	case o.status >= 300 && o.status < 400:
		o.err = fmt.Errorf("it answered %d, and redirects are not followed; change the URL", o.status)
	default:
		o.err = fmt.Errorf("it answered %d %s", o.status, strings.ToLower(http.StatusText(o.status)))
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		o.after = min(time.Duration(seconds)*time.Second, time.Hour)
	}
	return o
}

func sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	var signatures []string
	for _, secret := range secrets {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return "", errors.New("its secret cannot sign; give it another")
		}
		signature, err := w.Sign(id, at, body)
		if err != nil {
			return "", errors.New("its secret cannot sign; give it another")
		}
		signatures = append(signatures, signature)
	}
	return strings.Join(signatures, " "), nil
}

// plainly says why a receiver could not be reached, without the addresses and names that only the server sees.
func plainly(err error) error {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, errForbidden):
		return errForbidden
	case errors.Is(err, errPlain):
		return errPlain
	case isDNS && dns.IsNotFound:
		return errors.New("its name has no address")
	case isDNS:
		return errors.New("its name could not be looked up")
	case errors.Is(err, context.Canceled):
		return errors.New("the server was shutting down")
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errors.New("it did not answer in time")
	}
	if strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: ") {
		return errors.New("its certificate is not trusted, or it does not speak TLS")
	}
	return errors.New("it could not be reached")
}

// Test sends a message of type webhook.test now. Errors: CodeNotFound.
func (b *Book) Test(ctx context.Context, see ipam.Visible, id string) (Attempt, error) {
	w, err := b.Webhook(ctx, see, id)
	if err != nil {
		return Attempt{}, err
	}
	at := b.k.Now()
	message, err := testBody(w, at)
	if err != nil {
		return Attempt{}, err
	}
	o := b.sender.send(ctx, w, string(ipam.NewUID("test")), at, message)
	a := Attempt{Delivered: o.err == nil, Status: o.status, Took: o.took}
	if o.err != nil {
		a.Error = o.err.Error()
	}
	return a, nil
}

// Attempt is how a test went.
type Attempt struct {
	Delivered bool
	Status    int    // what the receiver answered; 0 for nothing
	Error     string // "" when it was delivered
	Took      time.Duration
}
