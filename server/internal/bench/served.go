package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/cloudpam/cloudpam/server/internal/servertest"
)

// server is the real one, as a process of its own.
type server struct {
	*servertest.Server
	address string
}

func startServer(ctx context.Context, binary, database string, settings ...string) (*server, error) {
	s, err := servertest.Launch(binary, filepath.Dir(database), append(settings, "CLOUDPAM_DATABASE_URL=sqlite://"+database)...)
	if err != nil {
		return nil, err
	}
	if err := s.Ready(ctx); err != nil {
		s.Kill()
		return nil, err
	}
	return &server{s, strings.TrimPrefix(s.URL, "http://")}, nil
}

// counts is what the server says of itself.
type counts struct{ writes, commits, cpu float64 }

func (s *server) counts() (c counts, err error) {
	res, err := http.Get("http://" + s.address + "/metrics")
	if err != nil {
		return c, err
	}
	defer res.Body.Close()
	scan := bufio.NewScanner(res.Body)
	for scan.Scan() {
		name, value, _ := strings.Cut(scan.Text(), " ")
		switch name {
		case "cloudpam_store_writes_total":
			c.writes, err = strconv.ParseFloat(value, 64)
		case "cloudpam_store_commits_total":
			c.commits, err = strconv.ParseFloat(value, 64)
		case "process_cpu_seconds_total":
			c.cpu, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return c, err
		}
	}
	return c, scan.Err()
}

// result is of one measurement: allocations, those of a second, milliseconds, allocations, microseconds of processor for one.
type result struct{ made, rate, p50, p99, perCommit, cpu float64 }

// load lets clients allocate for a while. A request that is not answered with 201 fails the measurement.
func load(ctx context.Context, s *server, clients int, length time.Duration) (result, error) {
	before, err := s.counts()
	if err != nil {
		return result{}, err
	}
	took, wall, err := clientsAtWork(clients, length, func(_ int, more func() bool) ([]time.Duration, error) {
		return allocateWhile(ctx, s.address, poolID, more)
	})
	if err != nil {
		return result{}, err
	}
	after, err := s.counts()
	if err != nil {
		return result{}, err
	}
	return summary(took, wall, before, after), nil
}

// clientsAtWork runs clients for a while, and says how long each of their requests took and all of it.
func clientsAtWork(clients int, length time.Duration, work func(i int, more func() bool) ([]time.Duration, error)) ([]time.Duration, time.Duration, error) {
	var wg sync.WaitGroup
	took := make([][]time.Duration, clients)
	errs := make([]error, clients)
	begin := time.Now()
	for i := range clients {
		wg.Go(func() {
			end := time.Now().Add(length)
			took[i], errs[i] = work(i, func() bool { return time.Now().Before(end) })
		})
	}
	wg.Wait()
	return slices.Concat(took...), time.Since(begin), errors.Join(errs...)
}

func summary(took []time.Duration, wall time.Duration, before, after counts) result {
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))]) / float64(time.Millisecond)
	}
	writes := after.writes - before.writes
	return result{
		made: float64(len(took)), rate: float64(len(took)) / wall.Seconds(), p50: at(.5), p99: at(.99), perCommit: writes / (after.commits - before.commits),
		cpu: (after.cpu - before.cpu) / writes * 1e6,
	}
}

// allocateAll makes a number of allocations.
func allocateAll(ctx context.Context, address string, count int) error {
	var begun atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, 64)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = allocateWhile(ctx, address, poolID, func() bool { return begun.Add(1) <= int64(count) })
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// allocateWhile is one client with one connection. It speaks HTTP by hand: Go's client would take more of the processor from
// the server than the server's own HTTP does.
func allocateWhile(ctx context.Context, address, pool string, more func() bool) ([]time.Duration, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	var out bytes.Buffer
	var took []time.Duration
	run := uuid.NewString()
	for ctx.Err() == nil && more() {
		body := fmt.Sprintf(`{"pool":%q,"name":"http-%s-%d","prefix_length":%d}`, pool, run, len(took), blockLength)
		out.Reset()
		fmt.Fprintf(&out, "POST /api/v1/allocations HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
			"Idempotency-Key: %s-%d\r\nContent-Length: %d\r\n\r\n%s", secret, run, len(took), len(body), body)
		sent := time.Now()
		if _, err := conn.Write(out.Bytes()); err != nil {
			return nil, err
		}
		if err := readCreated(r); err != nil {
			return nil, err
		}
		took = append(took, time.Since(sent))
	}
	return took, nil
}

// readCreated reads one answer, which must be a 201 with a Content-Length.
func readCreated(r *bufio.Reader) error {
	status, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	size := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Content-Length")) {
			if size, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if size < 0 {
		return fmt.Errorf("an answer without Content-Length: %s", status)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	if !strings.Contains(status, " 201 ") {
		return fmt.Errorf("%s%s", status, body)
	}
	return nil
}
