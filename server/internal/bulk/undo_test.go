package bulk

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// What an import changes it can take back: a property that becomes one of a patch must be taken back, too.
func TestEveryPropertyThatChangesIsTakenBack(t *testing.T) {
	for name, patch := range map[string]any{
		"pool":        poolBack(ipam.Pool{}, other[ipam.Pool](t)),
		"allocation":  allocationBack(ipam.Allocation{}, other[ipam.Allocation](t)),
		"reservation": reservationBack(ipam.Reservation{}, other[ipam.Reservation](t)),
		"account":     accountBack(ipam.Account{}, other[ipam.Account](t)),
	} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(patch)) {
			if field.Anonymous || slices.Contains([]string{"Length", "Hosts", "Target"}, field.Name) {
				continue // sizes, which a CIDR says
			}
			if v := reflect.ValueOf(patch).FieldByIndex(field.Index); v.IsZero() || v.Elem().IsZero() {
				t.Errorf("%s: %s stays as the import left it", name, field.Name)
			}
		}
	}
}

// other is an object none of whose properties is empty.
func other[T any](t *testing.T) (filled T) {
	t.Helper()
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		switch v.Interface().(type) {
		case netip.Prefix:
			v.Set(reflect.ValueOf(netip.MustParsePrefix("10.0.0.0/8")))
			return
		case time.Time:
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
			return
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int, reflect.Int64:
			v.SetInt(1)
		case reflect.Uint8:
			v.SetUint(1)
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem())
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0))
		case reflect.Map:
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key)
			fill(value)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(key, value)
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Field(i).CanSet() {
					fill(v.Field(i))
				}
			}
		}
	}
	fill(reflect.ValueOf(&filled).Elem())
	return filled
}
