package ipam

import (
	"errors"
	"fmt"
	"net/netip"
)

// Code is a stable, machine-readable name of what went wrong. Codes are part of the API and never change their meaning.
type Code string

// The codes, each with the meaning that docs/problems.md explains to users.
const (
	CodeInvalid              Code = "invalid"
	CodeUnauthenticated      Code = "unauthenticated"
	CodeTooManyFailures      Code = "too_many_failures"
	CodeForbidden            Code = "forbidden"
	CodeNotFound             Code = "not_found"
	CodeNameTaken            Code = "name_taken"
	CodeCIDRTaken            Code = "cidr_taken"
	CodePoolExhausted        Code = "pool_exhausted"
	CodePoolNotEmpty         Code = "pool_not_empty"
	CodeScopeNotEmpty        Code = "scope_not_empty"
	CodeDeletionProtected    Code = "deletion_protected"
	CodeHoldLost             Code = "hold_lost"
	CodeHoldConflict         Code = "hold_conflict"
	CodePlanAgain            Code = "plan_again"
	CodeReleasePending       Code = "release_pending"
	CodeQuotaExceeded        Code = "quota_exceeded"
	CodePolicyViolation      Code = "policy_violation"
	CodeApprovalRequired     Code = "approval_required"
	CodeApprovalRefused      Code = "approval_refused"
	CodeOutsidePool          Code = "outside_pool"
	CodePreconditionFailed   Code = "precondition_failed"
	CodePreconditionRequired Code = "precondition_required"
	CodeIdempotencyMismatch  Code = "idempotency_mismatch"
	CodeOverloaded           Code = "overloaded"
	CodeUnavailable          Code = "unavailable"
	CodeObservationTooOld    Code = "observation_too_old"
)

// Error is a failure that a user may see: its code and detail are public, its cause is for the log only.
type Error struct {
	Code        Code
	Detail      string
	Fields      []FieldError
	Holders     []Holder
	LargestFree *int        // with CodePoolExhausted: the length of the pool's largest free block
	NearestPool string      // with CodePoolExhausted: another pool that would fit
	Violations  []Violation // with CodePolicyViolation of a policy: the rules
	Approval    *Approval   // with CodeApprovalRequired and CodeApprovalRefused: the request
	Cause       error       `json:"-"`
}

// FieldError says which input is wrong and what would be right.
type FieldError struct {
	Pointer string // a JSON pointer into the body, or query:NAME, header:NAME, path:NAME
	Detail  string
}

// Holder is a block that stands in the way.
type Holder struct {
	Kind Kind
	ID   string
	Name string
	CIDR netip.Prefix
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Detail, e.Cause)
	}
	return e.Detail
}

// Unwrap gives the cause, which is never shown to users.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an Error of the code with a public detail.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Invalid makes a CodeInvalid error about one input.
func Invalid(pointer, format string, args ...any) *Error {
	detail := fmt.Sprintf(format, args...)
	return &Error{Code: CodeInvalid, Detail: detail, Fields: []FieldError{{Pointer: pointer, Detail: detail}}}
}

// At turns an error into one that points to a field of the request.
func At(pointer string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	at := *e
	at.Fields = []FieldError{{Pointer: pointer, Detail: e.Detail}}
	return &at
}

// Below turns an error about a part of a request into one about the whole, in which the part stands at a pointer.
func Below(pointer string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	below := *e
	below.Fields = nil
	for _, f := range e.Fields {
		below.Fields = append(below.Fields, FieldError{Pointer: pointer + f.Pointer, Detail: f.Detail})
	}
	return &below
}

// CodeOf returns the code of err, or "" when it is not an Error.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
