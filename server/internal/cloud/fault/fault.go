// Package fault is what goes wrong between a caller and a cloud, for the doubles of clouds that tests speak to.
package fault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Kind is one way for a call to go wrong.
type Kind int

// The kinds.
const (
	None       Kind = iota
	Throttle        // refused: asked too often
	Fail            // refused: the cloud fails by itself
	Reset           // nothing happens, and the connection breaks
	LoseReply       // it happens, and the connection breaks before the answer
	Truncate        // it happens, and the answer breaks off
	Empty           // a 200 with nothing in it, and nothing happens
	Denied          // refused: no permission
	Disabled        // refused: the region or the API is off
	RepeatPage      // a list whose token for the next page is the one that was asked for
	StripMark       // it happens, and what it makes carries no mark
)

// Call is what somebody asks of a cloud.
type Call struct {
	Account string
	Region  string
	Action  string // "ec2:DescribeSubnets", "compute.subnetworks.list"
	Page    int    // of a list, from 1
	Number  int    // of all calls, from 1
}

// Fault is what becomes of a call.
type Fault struct {
	Kind  Kind
	Delay time.Duration // before all else
}

// Hook decides what becomes of a call. It is called by many at once.
type Hook func(Call) Fault

// Door counts calls and asks a hook. The zero value lets all through.
type Door struct {
	mu    sync.Mutex
	hook  Hook
	calls map[string]int
	total int
}

// Set replaces the hook; nil lets all through.
func (d *Door) Set(h Hook) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hook = h
}

// Enter is asked for each call, and waits as long as the fault says.
func (d *Door) Enter(ctx context.Context, c Call) Kind {
	d.mu.Lock()
	if d.calls == nil {
		d.calls = map[string]int{}
	}
	d.calls[c.Action]++
	d.total++
	c.Number = d.total
	h := d.hook
	d.mu.Unlock()
	if h == nil {
		return None
	}
	f := h(c)
	if f.Delay > 0 {
		wait := time.NewTimer(f.Delay)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
			return Reset
		}
	}
	return f.Kind
}

// Calls says how often each action was asked for.
func (d *Door) Calls() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[string]int, len(d.calls))
	for action, n := range d.calls {
		all[action] = n
	}
	return all
}

// Transport carries requests to a handler in this process: real clients meet it with no network between, so that tests can run in
// a bubble whose time is virtual. A handler that panics with http.ErrAbortHandler breaks the connection.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ h http.Handler }

// RoundTrip calls the handler.
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = r.URL.RequestURI()
	in.Host = r.Host
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	out := &answer{header: http.Header{}}
	defer func() {
		if p := recover(); p != nil {
			if e, isError := p.(error); !isError || !errors.Is(e, http.ErrAbortHandler) {
				panic(p)
			}
			resp, err = nil, syscall.ECONNRESET
			if ended := r.Context().Err(); ended != nil {
				err = ended
			}
		}
	}()
	t.h.ServeHTTP(out, in)
	return out.response(r), nil
}

// answer collects what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

func (a *answer) response(r *http.Request) *http.Response {
	a.WriteHeader(http.StatusOK)
	length := int64(a.body.Len())
	var body io.Reader = &a.body
	if a.header.Get(truncated) != "" {
		a.header.Del(truncated)
		body = io.MultiReader(body, broken{})
		length = -1
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}
}

// truncated marks an answer that breaks off.
const truncated = "X-Fault-Truncated"

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Cut writes the first half of a body and breaks the connection, on a network as in memory.
func Cut(w http.ResponseWriter, body []byte) {
	half := body[:len(body)/2]
	if in, inMemory := w.(*answer); inMemory {
		in.header.Set(truncated, "1")
		_, _ = in.Write(half)
		return
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(half)
	if f, can := w.(http.Flusher); can {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}
