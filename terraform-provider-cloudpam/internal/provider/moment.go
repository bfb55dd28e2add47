package provider

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

// parseMoment reads a point in time in RFC 3339, as exactly as the server keeps it: to the microsecond.
func parseMoment(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q is not a point in time. Write it in RFC 3339, like \"2027-06-30T00:00:00Z\" or \"2027-06-30T02:00:00+02:00\"", s)
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// momentSpelling is that of a point in time: 02:00+02:00 is 00:00Z.
type momentSpelling struct{}

type (
	momentType         = spelled[momentSpelling]
	momentValue        = spelledValue[momentSpelling]
	keepMomentSpelling = keepSpelling[momentSpelling]
)

func (momentSpelling) name() string  { return "moment" }
func (momentSpelling) wrong() string { return "Not a point in time" }

func (momentSpelling) check(text string) error {
	_, err := parseMoment(text)
	return err
}

func (momentSpelling) same(a, b string) bool {
	t, err := parseMoment(a)
	if err != nil {
		return a == b
	}
	u, err := parseMoment(b)
	return err == nil && t.Equal(u)
}

// fromMoment is what the server says, nil for never.
func fromMoment(t *time.Time) momentValue {
	if t == nil {
		return momentValue{basetypes.NewStringNull()}
	}
	return momentValue{basetypes.NewStringValue(t.UTC().Format(time.RFC3339Nano))}
}

// timeOf is nil when a moment is null, unknown or wrong.
func timeOf(v momentValue) *time.Time {
	if !v.known() {
		return nil
	}
	t, err := parseMoment(v.ValueString())
	if err != nil {
		return nil
	}
	return &t
}
