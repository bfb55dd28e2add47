package cloud

import (
	"errors"
	"fmt"
)

// Code is what went wrong, in words that all clouds share.
type Code string

// The codes.
const (
	CodeNotFound    Code = "not_found"   // the cloud says that it is not there: nothing else means gone
	CodeDenied      Code = "denied"      // the credentials are wrong, or a permission is missing
	CodeThrottled   Code = "throttled"   // asked too often, also after waiting
	CodeConflict    Code = "conflict"    // something else is in the way
	CodeInvalid     Code = "invalid"     // the cloud cannot have that
	CodeDisabled    Code = "disabled"    // the region or the API is off in the account
	CodeUnsupported Code = "unsupported" // this cloud cannot do that
	CodeUnavailable Code = "unavailable" // the cloud fails, does not answer, or answers nonsense
)

// Error is a cloud's refusal or failure.
type Error struct {
	Code       Code
	Detail     string // what happened, for people
	Permission string // with CodeDenied: the permission that is missing, where the cloud says
	Fix        string // what to do; "" where waiting is all
	Cause      error
}

func (e *Error) Error() string { return e.Detail }

// Unwrap gives the SDK's error.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// CodeOf is the code of an error; CodeUnavailable where it has none, since not knowing is never a reason to believe a thing gone.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeUnavailable
}
