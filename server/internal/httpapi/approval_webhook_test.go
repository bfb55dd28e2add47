package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/api"
)

// Other systems hear of a request and of what becomes of it; a channel reads who decides, and where.
func TestWebhooksHearOfApprovals(t *testing.T) {
	inOffice(t, func(o office) {
		sent := map[string]chan []byte{"/json": make(chan []byte, 10), "/chat": make(chan []byte, 10)}
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent[r.URL.Path] <- body
		}))
		t.Cleanup(receiver.Close)
		o.Webhooks.URL = "https://ipam.example"
		post[api.WebhookWithSecret](t, o.lab, "/webhooks", `{"name":"ticket","url":"`+receiver.URL+`/json","actions":["approval.*"]}`)
		post[api.WebhookWithSecret](t, o.lab, "/webhooks", `{"name":"chat","url":"`+receiver.URL+`/chat","format":"slack","actions":["approval.*"]}`)
		asked := o.asks("POST", "/allocations", large, "Cloudpam-Reason: for%20%3Cus%3E")
		o.approves(o.person("eve", "admins"), asked)
		post[api.Allocation](t, o.lab, "/allocations", large)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _, _ = o.Webhooks.Deliver(ctx) }()
		for _, want := range []struct{ kind, status, line string }{
			{"approval.requested", "pending", `approval requested: allocation "vpc" (` + asked.Blocks[0].CIDR + ` in pool team), by token:bootstrap, saying "for &lt;us&gt;"; a person other than token:bootstrap who is admin of pool corp decides, until 2030-01-03T03:04:05Z: https://ipam.example/approvals?approval=` + asked.ID},
			{"approval.approved", "approved", `approval approved: allocation "vpc" (` + asked.Blocks[0].CIDR + ` in pool team), by user:eve, saying "because"`},
			{"approval.used", "used", `approval used: allocation "vpc" (` + asked.Blocks[0].CIDR + ` in pool team), by token:bootstrap, saying "because"`},
		} {
			var told struct {
				Type string
				Data struct {
					After struct {
						ID, Status string
						Blocks     []struct{ CIDR string }
					}
				}
			}
			if err := json.Unmarshal(<-sent["/json"], &told); err != nil {
				t.Fatal(err)
			}
			if after := told.Data.After; told.Type != want.kind || after.ID != asked.ID || after.Status != want.status || after.Blocks[0].CIDR != asked.Blocks[0].CIDR {
				t.Errorf("told %+v, want %s", told, want.kind)
			}
			var line struct{ Text string }
			if err := json.Unmarshal(<-sent["/chat"], &line); err != nil || line.Text != want.line {
				t.Errorf("a channel reads\n%s, want\n%s", line.Text, strings.TrimSpace(want.line))
			}
		}
		stop()
		<-ended
	})
}
