package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a condition may take on a busy machine before a test gives up.
const patience = 5 * time.Minute

// chromium is a real browser, spoken to over the DevTools protocol on a pair of pipes: messages are JSON, each ended by
// a zero byte. The pipes keep this module free of a WebSocket library, and no port is opened.
type chromium struct {
	t       *testing.T
	out     io.Writer
	mu      sync.Mutex
	last    int
	pending map[int]chan message
	session string
	told    []string // What the page complained about: console errors, exceptions, blocked content.
}

type message struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
	SessionID string `json:"sessionId,omitempty"`
}

// startChromium opens one empty tab in a fresh profile. A missing browser fails the test: a skipped one proves nothing.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	binary, err := findChromium()
	if err != nil {
		t.Fatal(err)
	}
	theirIn, ourOut := pipe(t)
	ourIn, theirOut := pipe(t)
	cmd := exec.Command(binary, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	theirIn.Close()
	theirOut.Close()
	c := &chromium{t: t, out: ourOut, pending: map[int]chan message{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read(ourIn)
	}()
	t.Cleanup(func() {
		// Closing politely lets the browser leave its profile before the directory is removed.
		c.send(message{Method: "Browser.close"})
		leave := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		leave.Stop()
		ourOut.Close()
		<-done
	})
	c.openTab()
	return c
}

func findChromium() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium"}
	if named := os.Getenv("CLOUDPAM_CHROMIUM"); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no browser found (looked for %s): install the package chromium, or name one in CLOUDPAM_CHROMIUM", strings.Join(names, ", "))
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// watchPolicy tells us of every violation, also of those that the console words differently.
const watchPolicy = `addEventListener('securitypolicyviolation', e => policyViolation(e.violatedDirective + ' blocked ' + (e.blockedURI || 'inline') + ' at ' + e.sourceFile + ':' + e.lineNumber))`

func (c *chromium) openTab() {
	c.t.Helper()
	var target struct{ TargetID string }
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	c.mu.Lock()
	c.session = attached.SessionID
	c.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		c.call(domain+".enable", nil, nil)
	}
	c.call("Runtime.addBinding", map[string]any{"name": "policyViolation"}, nil)
	c.call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": watchPolicy}, nil)
}

func (c *chromium) read(from io.Reader) {
	var rest []byte
	chunk := make([]byte, 1<<16)
	for {
		n, err := from.Read(chunk)
		rest = append(rest, chunk[:n]...)
		for {
			raw, after, whole := bytes.Cut(rest, []byte{0})
			if !whole {
				break
			}
			rest = after
			var m message
			if json.Unmarshal(raw, &m) == nil {
				c.take(m)
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *chromium) take(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if waiting := c.pending[m.ID]; m.ID != 0 && waiting != nil {
		delete(c.pending, m.ID)
		waiting <- m
		return
	}
	if complaint := complaintIn(m); complaint != "" {
		c.told = append(c.told, complaint)
	}
}

// complaintIn reads from an event what a developer would see in red or yellow, or "".
func complaintIn(m message) string {
	var p struct {
		Type    string
		Name    string
		Payload string
		Args    []struct {
			Value       any
			Description string
		}
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
		Entry struct{ Level, Source, Text, URL string }
	}
	if json.Unmarshal(m.Params, &p) != nil {
		return ""
	}
	switch {
	case m.Method == "Runtime.bindingCalled":
		return "policy: " + p.Payload
	case m.Method == "Runtime.exceptionThrown":
		return "exception: " + p.ExceptionDetails.Text + " " + p.ExceptionDetails.Exception.Description
	case m.Method == "Runtime.consoleAPICalled" && (p.Type == "error" || p.Type == "warning" || p.Type == "assert"):
		return fmt.Sprintf("console.%s: %v", p.Type, p.Args)
	case m.Method == "Log.entryAdded" && (p.Entry.Level == "error" || p.Entry.Level == "warning"):
		return strings.TrimSpace(p.Entry.Source + ": " + p.Entry.Text + " " + p.Entry.URL)
	}
	return ""
}

// complaints returns what the page complained about since the last call.
func (c *chromium) complaints() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	told := c.told
	c.told = nil
	return told
}

func (c *chromium) send(m message) (int, chan message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	m.ID = c.last
	if !strings.HasPrefix(m.Method, "Target.") && !strings.HasPrefix(m.Method, "Browser.") {
		m.SessionID = c.session
	}
	answer := make(chan message, 1)
	c.pending[m.ID] = answer
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	c.out.Write(append(raw, 0)) //nolint:errcheck // A dead browser shows as a call without an answer.
	return m.ID, answer
}

func (c *chromium) call(method string, params, result any) {
	c.t.Helper()
	if err := c.try(method, params, result); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chromium) try(method string, params, result any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	if params == nil {
		raw = []byte("{}")
	}
	_, answer := c.send(message{Method: method, Params: raw})
	select {
	case m := <-answer:
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-time.After(patience):
		return fmt.Errorf("%s: chromium does not answer", method)
	}
}

func (c *chromium) open(url string) {
	c.t.Helper()
	c.call("Page.navigate", map[string]any{"url": url}, nil)
}

// value evaluates an expression in the page. It fails while the page is being replaced, hence the error.
func (c *chromium) value(expression string) (any, error) {
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	err := c.try("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if err == nil && r.ExceptionDetails != nil {
		err = fmt.Errorf("%s: %s", expression, r.ExceptionDetails.Exception.Description)
	}
	return r.Result.Value, err
}

func (c *chromium) text(expression string) string {
	c.t.Helper()
	v, err := c.value(expression)
	if err != nil {
		c.t.Fatal(err)
	}
	s, _ := v.(string)
	return s
}

// await returns once the expression is true in the page.
func (c *chromium) await(expression string) {
	c.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		v, err := c.value("(async () => Boolean(" + expression + "))()")
		if v == true {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			where, _ := c.value("location.href + '\\n' + document.body.innerText.slice(0, 2000)")
			c.t.Fatalf("never came true: %s (last error: %v)\ncomplaints: %q\nthe page: %v", expression, err, c.complaints(), where)
		}
	}
}
