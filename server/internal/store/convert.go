package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Addresses are stored as 16 bytes, IPv4 in its mapped form, so that both engines sort and compare them bytewise. A CIDR
// never is IPv4-mapped IPv6 itself (ipam.ParseCIDR refuses those), so the family alone tells them apart again.

func firstIP(p netip.Prefix) []byte { return ipBytes(p.Addr()) }

func lastIP(p netip.Prefix) []byte { return ipBytes(ipam.LastIP(p)) }

func ipBytes(a netip.Addr) []byte {
	b := a.As16()
	return b[:]
}

func family(p netip.Prefix) int64 { return int64(ipam.Family(p)) }

func block(first []byte, family int, length int64) (netip.Prefix, error) {
	if len(first) != 16 {
		return netip.Prefix{}, fmt.Errorf("an address of %d bytes in the database", len(first))
	}
	a := netip.AddrFrom16([16]byte(first))
	if family == 4 {
		a = a.Unmap()
	}
	p := netip.PrefixFrom(a, int(length))
	if !p.IsValid() || p.Masked() != p {
		return netip.Prefix{}, fmt.Errorf("the block %s/%d in the database is not canonical", a, length)
	}
	return p, nil
}

func micros(t time.Time) int64 { return t.UnixMicro() }

func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func optionalMicros(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	us := micros(*t)
	return &us
}

func optionalMoment(micros *int64) *time.Time {
	if micros == nil {
		return nil
	}
	t := moment(*micros)
	return &t
}

func encodeLabels(l ipam.Labels) string {
	if len(l) == 0 {
		return "{}"
	}
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // a map of strings always marshals
	}
	return string(text)
}

func decodeLabels(text string) (ipam.Labels, error) {
	labels := ipam.Labels{}
	if text == "{}" {
		return labels, nil
	}
	if err := json.Unmarshal([]byte(text), &labels); err != nil {
		return nil, fmt.Errorf("read labels from the database: %w", err)
	}
	return labels, nil
}

func length64(n *int) *int64 {
	if n == nil {
		return nil
	}
	l := int64(*n)
	return &l
}

func lengthOf(n *int64) *int {
	if n == nil {
		return nil
	}
	l := int(*n)
	return &l
}

// all converts rows in order and stops at the first that is damaged.
func all[R, T any](rows []R, err error, convert func(R) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(rows))
	for _, row := range rows {
		item, err := convert(row)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

func noRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
