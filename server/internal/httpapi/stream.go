package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/audit"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// streamRoute is what echo calls the route of streams.
const streamRoute = "/api/v1/events/stream"

// How often a stream looks for events and whether its reader may still read, how often it says that it lives, and how long a reader may
// take for a message.
const (
	streamLook = 500 * time.Millisecond
	streamBeat = 15 * time.Second
	streamStep = 30 * time.Second
)

// How many streams a server has, of one principal and in all.
const (
	streamsEach = 16
	streamsAll  = 512
)

// streams counts the open ones, and ends all of them when the server stops.
type streams struct {
	stopping <-chan struct{}
	mu       sync.Mutex
	open     map[ipam.UID]int
	all      int
}

func (s *streams) take(of ipam.UID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[of] >= streamsEach {
		return ipam.Errorf(ipam.CodeQuotaExceeded, "you have %d streams of events open, as many as one may have of a server; close one", streamsEach)
	}
	if s.all >= streamsAll {
		return ipam.Errorf(ipam.CodeOverloaded, "this server has %d streams of events open, as many as it keeps; ask again later, or read the list", streamsAll)
	}
	s.open[of]++
	s.all++
	return nil
}

func (s *streams) count() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return float64(s.all)
}

func (s *streams) leave(of ipam.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.open[of]--; s.open[of] == 0 {
		delete(s.open, of)
	}
}

type askAgainKey struct{}

// canAskAgain lets a stream ask who its reader is by now.
func canAskAgain(c echo.Context, ask func() (ipam.Caller, error)) {
	if c.Path() == streamRoute {
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), askAgainKey{}, ask)))
	}
}

// StreamEvents tells of events as they are committed.
func (s *Server) StreamEvents(ctx context.Context, req api.StreamEventsRequestObject) (api.StreamEventsResponseObject, error) {
	from := value(req.Params.LastEventID)
	if from == "" {
		from = value(req.Params.After)
	}
	tail, lost, err := s.audit.Tail(ctx, caller(ctx).Sees(), from)
	if err != nil {
		return nil, err
	}
	again, _ := ctx.Value(askAgainKey{}).(func() (ipam.Caller, error))
	return eventStream{s, ctx, tail, lost, again}, nil
}

type eventStream struct {
	s     *Server
	ctx   context.Context //nolint:containedctx // an answer is written where no context is handed on
	tail  *audit.Tail
	lost  bool
	again func() (ipam.Caller, error)
}

// VisitStreamEventsResponse writes the stream until its reader leaves or may not read any more, or the server stops.
func (e eventStream) VisitStreamEventsResponse(w http.ResponseWriter) error {
	of := caller(e.ctx).UID
	if err := e.s.streams.take(of); err != nil {
		return err
	}
	defer e.s.streams.leave(of)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // which proxies would otherwise keep
	out := &streamWriter{w: w, control: http.NewResponseController(w)}
	first := "ready"
	if e.lost {
		first = "lost"
	}
	if out.send(first, e.tail.Position(), struct{}{}) != nil {
		return nil //nolint:nilerr // the reader has left, and nobody waits for an answer
	}
	e.follow(out)
	return nil
}

func (e eventStream) follow(out *streamWriter) {
	look := time.NewTicker(streamLook)
	defer look.Stop()
	beat := time.Now()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-e.s.streams.stopping:
			return
		case <-look.C:
		}
		who, err := e.again()
		if err == nil {
			err = e.tell(out, who.Sees(), &beat)
		}
		switch {
		case err == nil:
			continue
		case !errors.Is(err, errReaderLeft) && e.ctx.Err() == nil:
			_ = out.send("end", "", problem(e.ctx, e.s.log, err))
		}
		return
	}
}

// tell tells of what is new, all of it, or that the stream lives.
func (e eventStream) tell(out *streamWriter, see ipam.Visible, beat *time.Time) error {
	for {
		events, err := e.tail.Next(e.ctx, see)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			if time.Since(*beat) < streamBeat {
				return nil
			}
			*beat = time.Now()
			return out.write(":\n\n")
		}
		*beat = time.Now()
		if err := out.send("events", e.tail.Position(), api.EventPage{Items: each(events, event)}); err != nil {
			return err
		}
	}
}

var errReaderLeft = errors.New("the reader of a stream has left")

// streamWriter gives each message its own time: the server's limits are those of a whole request.
type streamWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (s *streamWriter) send(kind, id string, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	var text strings.Builder
	if id != "" {
		text.WriteString("id: " + id + "\n")
	}
	text.WriteString("event: " + kind + "\ndata: ")
	text.Write(raw) // in one line: JSON has no line ends of its own
	text.WriteString("\n\n")
	return s.write(text.String())
}

func (s *streamWriter) write(text string) error {
	err := errors.Join(s.control.SetReadDeadline(time.Time{}), s.control.SetWriteDeadline(time.Now().Add(streamStep)))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errReaderLeft
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return errReaderLeft
	}
	if s.control.Flush() != nil {
		return errReaderLeft
	}
	return nil
}
