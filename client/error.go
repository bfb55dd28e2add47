package cloudpam

import (
	"fmt"
	"strings"
)

// Code is the stable, machine-readable reason of a refusal. A Code is an error itself, so that
// errors.Is(err, cloudpam.ErrNameTaken) tells refusals apart.
type Code string

// The codes of the server.
const (
	ErrInvalid              Code = "invalid"
	ErrUnauthenticated      Code = "unauthenticated"
	ErrTooManyFailures      Code = "too_many_failures"
	ErrForbidden            Code = "forbidden"
	ErrNotFound             Code = "not_found"
	ErrMethodNotAllowed     Code = "method_not_allowed"
	ErrUnsupportedMediaType Code = "unsupported_media_type"
	ErrBodyTooLarge         Code = "body_too_large"
	ErrNameTaken            Code = "name_taken"
	ErrCIDRTaken            Code = "cidr_taken"
	ErrPoolExhausted        Code = "pool_exhausted"
	ErrPoolNotEmpty         Code = "pool_not_empty"
	ErrScopeNotEmpty        Code = "scope_not_empty"
	ErrDeletionProtected    Code = "deletion_protected"
	ErrHoldLost             Code = "hold_lost"
	ErrHoldConflict         Code = "hold_conflict"
	ErrPlanAgain            Code = "plan_again"
	ErrReleasePending       Code = "release_pending"
	ErrObservationTooOld    Code = "observation_too_old"
	ErrQuotaExceeded        Code = "quota_exceeded"
	ErrPolicyViolation      Code = "policy_violation"
	ErrApprovalRequired     Code = "approval_required"
	ErrApprovalRefused      Code = "approval_refused"
	ErrOutsidePool          Code = "outside_pool"
	ErrPreconditionFailed   Code = "precondition_failed"
	ErrPreconditionRequired Code = "precondition_required"
	ErrIdempotencyMismatch  Code = "idempotency_mismatch"
	ErrOverloaded           Code = "overloaded"
	ErrUnavailable          Code = "unavailable"
	ErrInternal             Code = "internal"
)

// ErrUnexpected is this client's own code: what answered does not speak CloudPAM's API, for example a proxy's
// error page, a redirect, or another server.
const ErrUnexpected Code = "unexpected_answer"

// Error returns the code in words.
func (c Code) Error() string { return strings.ReplaceAll(string(c), "_", " ") }

// Error is a refusal of the server: an RFC 9457 problem.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Code is the stable reason; test it with errors.Is.
	Code Code
	// Title is the code in words, Detail says what was refused and why, in a sentence for people.
	Title, Detail string
	// RequestID finds the request in the server's log.
	RequestID string
	// TraceID finds it in the traces that the server sends; empty where it sends none.
	TraceID string
	// Errors says which fields are wrong and what would be right.
	Errors []FieldError
	// Holders is what stands in the way of a CIDR or of a pool's deletion: the first five.
	Holders []Holder
	// LargestFreePrefixLength is the size of the pool's largest free block, with ErrPoolExhausted; nil when nothing is free.
	LargestFreePrefixLength *int
	// NearestPool is another pool that would fit, with ErrPoolExhausted; empty when there is none.
	NearestPool string
	// Approval is the request, with ErrApprovalRequired and ErrApprovalRefused; nil in a dry run, which makes none.
	Approval *Approval
	// Method and Path are those of the request.
	Method, Path string
}

// Error returns the detail, then the fields, the holders, the request id and the trace id.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Detail)
	if e.Detail == "" {
		fmt.Fprintf(&b, "%s %s was refused with status %d", e.Method, e.Path, e.Status)
	}
	for _, f := range e.Errors {
		fmt.Fprintf(&b, "; %s: %s", f.Pointer, f.Detail)
	}
	for i, h := range e.Holders {
		sep := ", "
		if i == 0 {
			sep = "; held by "
		}
		fmt.Fprintf(&b, "%s%s %s (%s)", sep, h.Kind, h.Name, h.CIDR)
	}
	fmt.Fprintf(&b, " [%s", string(e.Code))
	if e.RequestID != "" {
		fmt.Fprintf(&b, ", request %s", e.RequestID)
	}
	if e.TraceID != "" {
		fmt.Fprintf(&b, ", trace %s", e.TraceID)
	}
	b.WriteString("]")
	return b.String()
}

// Is reports whether target is the Code of this refusal.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// UnreachableError says that no answer came, after all attempts.
type UnreachableError struct {
	// Endpoint is the server's URL.
	Endpoint string
	// Attempts is how often it was tried.
	Attempts int
	// Err is what the last attempt failed with.
	Err error
}

// Error names the server, the number of attempts and the cause.
func (e *UnreachableError) Error() string {
	attempts := ""
	if e.Attempts > 1 {
		attempts = fmt.Sprintf(" (tried %d times)", e.Attempts)
	}
	return fmt.Sprintf("cannot reach CloudPAM at %s%s: %v", e.Endpoint, attempts, e.Err)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }
