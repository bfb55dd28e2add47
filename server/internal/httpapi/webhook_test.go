package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/api"
)

// A webhook from its first request to its last. What is sent in data is what GET /events answers.
func TestWebhooksOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, s lab) {
		sent := make(chan []byte, 10)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent <- body
		}))
		t.Cleanup(receiver.Close)
		want := func(status int, a answer) {
			t.Helper()
			if a.status != status {
				t.Errorf("%d %s, want %d", a.status, a.body, status)
			}
		}
		made := post[api.WebhookWithSecret](t, s, "/webhooks", `{"name": "inventory", "url": "`+receiver.URL+`", "actions": ["pool.*", "pool.*"]}`)
		if made.Secret == nil || !strings.HasPrefix(*made.Secret, "whsec_") || len(made.Webhook.Actions) != 1 || !made.Webhook.Enabled {
			t.Errorf("%+v", made)
		}
		own := post[api.WebhookWithSecret](t, s, "/webhooks", `{"name": "own", "url": "`+receiver.URL+`", "enabled": false, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`)
		if own.Secret != nil || own.Webhook.Enabled {
			t.Errorf("%+v", own)
		}
		want(201, s.send(t, "POST", "/api/v1/pools", `{"name": "corp", "cidr": "10.0.0.0/8"}`))

		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _, _ = s.Webhooks.Deliver(ctx) }()
		var told struct {
			Type      string
			Timestamp time.Time
			Data      json.RawMessage
		}
		if err := json.Unmarshal(<-sent, &told); err != nil {
			t.Fatal(err)
		}
		stop()
		<-ended
		var listed struct{ Items []json.RawMessage }
		if err := json.Unmarshal([]byte(s.send(t, "GET", "/api/v1/events?action=pool.created", "").body), &listed); err != nil || len(listed.Items) != 1 {
			t.Fatal(listed, err)
		}
		var a, b any
		_ = json.Unmarshal(told.Data, &a)
		_ = json.Unmarshal(listed.Items[0], &b)
		if told.Type != "pool.created" || !reflect.DeepEqual(a, b) {
			t.Errorf("%s was sent, and %s is listed", told.Data, listed.Items[0])
		}

		want(200, s.send(t, "PATCH", "/api/v1/webhooks/inventory", `{"enabled": false, "description": "the CMDB"}`, "If-Match: "+s.send(t, "GET", "/api/v1/webhooks/inventory", "").header.Get("ETag")))
		rotated := post[api.WebhookWithSecret](t, s, "/webhooks/inventory/secrets", `{}`)
		if rotated.Secret == nil || *rotated.Secret == *made.Secret {
			t.Errorf("%+v", rotated)
		}
		want(200, s.send(t, "POST", "/api/v1/webhooks/inventory/tests", ""))
		if test := string(<-sent); !strings.Contains(test, `"type":"webhook.test"`) {
			t.Error(test)
		}
		want(200, s.send(t, "GET", "/api/v1/webhooks/inventory/deliveries?state=dead", ""))
		want(200, s.send(t, "POST", "/api/v1/webhooks/inventory/replays", `{"since": "2020-01-01T00:00:00Z"}`))
		want(200, s.send(t, "GET", "/api/v1/webhooks?limit=1", ""))
		want(204, s.send(t, "DELETE", "/api/v1/webhooks/"+made.Webhook.ID, "", "If-Match: *"))
		want(404, s.send(t, "GET", "/api/v1/webhooks/inventory", ""))
	})
}
