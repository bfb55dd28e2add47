package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/app"
	"github.com/cloudpam/cloudpam/server/internal/cloud/aws/awsfake"
	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

const number = "111111111111"

// looker is a server that looks at an AWS in memory whenever a test says so: its jobs do not run by themselves.
type looker struct {
	*app.App

	cloud *awsfake.Cloud
	log   *lockedLog
}

type lockedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// eachLooking runs a test on both databases, with an account in which nothing is yet.
func eachLooking(t *testing.T, body func(t *testing.T, l looker)) {
	t.Helper()
	for engine, url := range storetest.Empty(t) {
		t.Run(engine, func(t *testing.T) {
			l := looker{cloud: awsfake.New([]string{"eu-west-1", "us-east-1"}, number), log: &lockedLog{}}
			aws := httptest.NewServer(l.cloud)
			t.Cleanup(aws.Close)
			for name, value := range map[string]string{
				"AWS_ENDPOINT_URL": aws.URL, "AWS_ACCESS_KEY_ID": awsfake.AccessKey(number), "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
			} {
				t.Setenv(name, value)
			}
			c := serve(url(t))
			c.Clouds, c.SyncEvery = []string{"aws"}, time.Hour
			a, err := app.New(t.Context(), c, "1.2.3", slog.New(slog.NewTextHandler(l.log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			l.App = a
			go func() { _ = a.Serve() }()
			t.Cleanup(func() { _ = a.Close() })
			l.ask(t, "POST", "/accounts", `{"cloud":"aws","external_id":"`+number+`","name":"payments"}`)
			body(t, l)
		})
	}
}

func (l looker) network(region, cidr, name string, subnets ...string) {
	id := l.cloud.AddNetwork(number, region, name, netip.MustParsePrefix(cidr))
	for i, s := range subnets {
		l.cloud.AddSubnet(number, region, id, fmt.Sprintf("%s-%d", name, i), netip.MustParsePrefix(s))
	}
}

func (l looker) ask(t *testing.T, method, path, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Addr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if path != "/metrics" {
		req.URL.Path = "/api/v1" + req.URL.Path
	}
	req.Header.Set("Authorization", "Bearer "+strings.Repeat("s", 32))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, answer, err)
	}
	return answer
}

// items are the members of a list, as far as they are texts.
func (l looker) items(t *testing.T, path string) []map[string]any {
	t.Helper()
	var page struct{ Items []map[string]any }
	if err := json.Unmarshal(l.ask(t, "GET", path, ""), &page); err != nil {
		t.Fatal(err)
	}
	return page.Items
}

func (l looker) job(t *testing.T, name string) int64 {
	t.Helper()
	for _, j := range l.Jobs() {
		if j.Name == name {
			n, err := j.Run(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return n
		}
	}
	t.Fatalf("there is no job %q", name)
	return 0
}

// figure is a metric; -1 where there is none.
func (l looker) figure(t *testing.T, name string) float64 {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (.+)$`).FindSubmatch(l.ask(t, "GET", "/metrics", ""))
	if line == nil {
		return -1
	}
	n, err := strconv.ParseFloat(string(line[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func names(items []map[string]any) (all []string) {
	for _, i := range items {
		all = append(all, fmt.Sprint(i["name"], " ", i["cidr"]))
	}
	slices.Sort(all)
	return all
}

func TestWhatTheRulesAdoptIsAdoptedByTheServer(t *testing.T) {
	eachLooking(t, func(t *testing.T, l looker) {
		l.network("eu-west-1", "10.64.0.0/16", "prod", "10.64.1.0/24", "10.64.2.0/24", "10.64.3.0/28")
		l.network("us-east-1", "10.65.0.0/16", "other", "10.65.1.0/24")
		l.network("us-east-1", "10.66.0.0/16", "theirs", "10.66.1.0/24")
		l.ask(t, "POST", "/pools", `{"name":"vpc","cidr":"10.64.0.0/16","max_prefix_length":24}`)
		if n := l.job(t, "look at clouds"); n != 1 {
			t.Fatalf("%d accounts were looked at", n)
		}
		if n := l.job(t, "answer drifts"); n != 0 || len(l.items(t, "/allocations")) != 0 {
			t.Errorf("without a rule %d were adopted", n)
		}
		l.ask(t, "PUT", "/drift-rules", `{"rules":[{"kinds":["unmanaged"],"labels":{"Name":"theirs"},"action":"ignore"},{"kinds":["unmanaged"],"labels":{"Name":"theirs-0"},"action":"ignore"},{"kinds":["unmanaged"],"action":"adopt"}]}`)
		before := len(l.items(t, "/events?limit=1000"))
		// The pool hands out no /28: that part is refused, and said, and keeps nothing else back.
		if n := l.job(t, "answer drifts"); n != 4 {
			t.Errorf("%d were adopted, want 4", n)
		}
		if got := names(l.items(t, "/allocations")); fmt.Sprint(got) != "[other-0 10.65.1.0/24 prod-0 10.64.1.0/24 prod-1 10.64.2.0/24]" {
			t.Errorf("allocations: %v", got)
		}
		if got := names(l.items(t, "/pools")); fmt.Sprint(got) != "[other 10.65.0.0/16 vpc 10.64.0.0/16]" {
			t.Errorf("pools: %v", got)
		}
		events := l.items(t, "/events?limit=1000")
		if len(events) != before+4 {
			t.Errorf("%d events for 4 adoptions", len(events)-before)
		}
		for _, e := range events {
			if action := fmt.Sprint(e["action"]); strings.HasPrefix(action, "allocation") && (e["actor"] != "system" || e["request_id"] != "drift-rules" || !strings.HasPrefix(fmt.Sprint(e["reason"]), "adopts aws:subnet-")) {
				t.Errorf("%v", e)
			}
		}
		if said := l.log.String(); !strings.Contains(said, "what the rules adopt was refused") || !strings.Contains(said, "max_prefix_length") {
			t.Errorf("the log does not say what was refused:\n%s", said)
		}
		if left := l.items(t, "/drifts"); len(left) != 1 || left[0]["cidr"] != "10.64.3.0/28" {
			t.Errorf("left is %v", left)
		}
		if ignored := l.items(t, "/drifts?ignored=true"); len(ignored) != 2 {
			t.Errorf("ignored are %v", ignored)
		}
		if n := l.job(t, "answer drifts"); n != 0 || len(l.items(t, "/events?limit=1000")) != len(events) {
			t.Errorf("again, it adopted %d", n)
		}
		if n := l.figure(t, `cloudpam_drifts{kind="unmanaged"}`); n != 1 {
			t.Errorf("the metric says %v", n)
		}
		over := 0
		for _, r := range l.items(t, "/drift-history?limit=1000") {
			if r["ended_at"] != nil {
				over++
			}
		}
		if over != 4 {
			t.Errorf("the history says of %d that they are over, want 4", over)
		}
	})
}

func TestTheMetricsTellOfLooksAtClouds(t *testing.T) {
	eachLooking(t, func(t *testing.T, l looker) {
		const id = `{account="aws:` + number + `"}`
		l.network("eu-west-1", "10.64.0.0/16", "prod", "10.64.1.0/24", "10.64.2.0/24")
		complete := func(yes bool) float64 {
			return max(0, l.figure(t, fmt.Sprintf(`cloudpam_cloud_look_duration_seconds_count{cloud="aws",complete="%v"}`, yes)))
		}
		made := func() (n float64) {
			for _, calls := range l.cloud.Calls() {
				n += float64(calls)
			}
			return n
		}
		if age := l.figure(t, "cloudpam_cloud_view_age_seconds"+id); age != -1 || complete(true) != 0 {
			t.Errorf("before anybody looked a view is %v old", age)
		}
		began := time.Now()
		l.ask(t, "POST", "/accounts/aws:"+number+"/sync", `{}`)
		if complete(true) != 1 || complete(false) != 0 {
			t.Errorf("after a look there are %v complete ones, and %v others", complete(true), complete(false))
		}
		if n := l.figure(t, `cloudpam_cloud_calls_total{cloud="aws"}`); n != made() || n < 6 {
			t.Errorf("it counts %v calls, the cloud %v", n, made())
		}
		seen := l.figure(t, "cloudpam_cloud_last_complete_view_timestamp_seconds"+id)
		if at := time.UnixMilli(int64(seen * 1000)); at.Before(began.Add(-2*time.Second)) || at.After(time.Now().Add(2*time.Second)) {
			t.Errorf("the last complete view began at %s, by the metric", at)
		}
		if age := l.figure(t, "cloudpam_cloud_view_age_seconds"+id); age < -2 || age > time.Since(began).Seconds()+2 {
			t.Errorf("it is %v old", age)
		}

		var once sync.Once
		l.cloud.Set(func(c fault.Call) (f fault.Fault) {
			if c.Action == "ec2:DescribeSubnets" && c.Region == "eu-west-1" {
				once.Do(func() { f.Kind = fault.Throttle })
			}
			return f
		})
		l.ask(t, "POST", "/accounts/aws:"+number+"/sync", `{}`)
		if n := l.figure(t, `cloudpam_cloud_retries_total{cloud="aws",code="throttled"}`); n != 1 || complete(true) != 2 {
			t.Errorf("of one throttle it counts %v, and %v complete looks", n, complete(true))
		}
		if n := l.figure(t, `cloudpam_cloud_calls_total{cloud="aws"}`); n != made() {
			t.Errorf("with a throttle it counts %v calls, the cloud %v", n, made())
		}

		seen = l.figure(t, "cloudpam_cloud_last_complete_view_timestamp_seconds"+id)
		l.cloud.Set(func(c fault.Call) fault.Fault {
			if c.Region == "us-east-1" {
				return fault.Fault{Kind: fault.Denied}
			}
			return fault.Fault{}
		})
		l.ask(t, "POST", "/accounts/aws:"+number+"/sync", `{}`)
		if complete(true) != 2 || complete(false) != 1 {
			t.Errorf("after a region that is denied there are %v complete ones, and %v others", complete(true), complete(false))
		}
		if now := l.figure(t, "cloudpam_cloud_last_complete_view_timestamp_seconds"+id); now != seen {
			t.Errorf("a partial view counts for a complete one: %v, before %v", now, seen)
		}

		l.job(t, "answer drifts")
		for kind, want := range map[string]float64{"unmanaged": 3, "missing": 0, "mismatched": 0, "conflicting": 0, "misplaced": 0} {
			if n := l.figure(t, `cloudpam_drifts{kind="`+kind+`"}`); n != want {
				t.Errorf("of %s there are %v, want %v", kind, n, want)
			}
		}
	})
}
