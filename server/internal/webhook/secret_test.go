package webhook_test

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

func TestAfterARotationBothSecretsSignForADay(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		r := receive(t)
		before := l.add(t, r, "inventory").Secret
		changed, err := l.RotateSecret(t.Context(), system, "inventory", "")
		if err != nil {
			t.Fatal(err)
		}
		want := func(former bool) {
			t.Helper()
			l.take(t, string(ipam.NewUID("n")))
			l.round(t, 1)
			if m := r.told()[0]; m.verified(before) != former || !m.verified(changed.Secret) {
				t.Errorf("signed with the former secret: %v, with the new one: %v", m.verified(before), m.verified(changed.Secret))
			}
		}
		want(true)
		l.wait(24*time.Hour - time.Second)
		want(true)
		l.wait(time.Second)
		want(false)
		if _, err := l.RotateSecret(t.Context(), system, "inventory", "whsec_c2hvcnQ="); ipam.CodeOf(err) != ipam.CodeInvalid {
			t.Errorf("a short secret: %v", err)
		}
	})
}

// A secret is told once. Nothing that is read later has it: no answer that is given again, no event, nothing that is not the row itself.
func TestASecretIsToldOnceAndIsNowhereElse(t *testing.T) {
	each(t, func(t *testing.T, l lab) {
		by := system
		by.Retry = &ipam.Retry{Key: "create-inventory", Fingerprint: sha256.Sum256([]byte("x"))}
		r := receive(t)
		in := ipam.Webhook{Name: "inventory", URL: r.URL, Enabled: true}
		first, err := l.CreateWebhook(t.Context(), by, in)
		if err != nil || first.Secret == "" {
			t.Fatal(first, err)
		}
		by.Retry = &ipam.Retry{Key: "create-inventory", Fingerprint: sha256.Sum256([]byte("x"))}
		again, err := l.CreateWebhook(t.Context(), by, in)
		if err != nil || again.ID != first.ID || again.Secret != "" {
			t.Errorf("again: %+v, %v", again, err)
		}
		rotated, err := l.RotateSecret(t.Context(), system, "inventory", "")
		if err != nil {
			t.Fatal(err)
		}
		l.take(t, "a")
		l.round(t, 3)
		secrets := []string{first.Secret, rotated.Secret}
		_, err = change.Read(t.Context(), l.kernel, func(tx *store.Tx) (struct{}, error) {
			for _, table := range []string{"events", "idempotency_keys", "deliveries", "chains"} {
				rows, err := tx.RowsAfter(table, 0, 1000)
				if err != nil {
					return struct{}{}, err
				}
				for _, row := range rows {
					for column, v := range row {
						if text, ok := v.(string); ok && slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(text, s) }) {
							t.Errorf("%s.%s has a secret", table, column)
						}
					}
				}
			}
			return struct{}{}, nil
		})
		if err != nil {
			t.Error(err)
		}
		for _, m := range r.told() {
			if strings.Contains(m.body, "whsec_") {
				t.Errorf("a message has a secret: %s", m.body)
			}
		}
		text, err := json.Marshal(rotated)
		if err != nil || strings.Contains(string(text), "whsec_") {
			t.Errorf("%s, %v", text, err)
		}
	})
}
