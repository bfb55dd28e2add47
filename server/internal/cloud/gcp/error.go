package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// reasons are GCP's words for what every cloud says. https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-general
var reasons = map[string]cloud.Code{
	"notFound": cloud.CodeNotFound, "forbidden": cloud.CodeDenied, "required": cloud.CodeInvalid, "authError": cloud.CodeDenied,
	"rateLimitExceeded": cloud.CodeThrottled, "userRateLimitExceeded": cloud.CodeThrottled, "quotaExceeded": cloud.CodeInvalid,
	"accessNotConfigured": cloud.CodeDisabled, "alreadyExists": cloud.CodeConflict, "resourceInUseByAnotherResource": cloud.CodeConflict,
	"conditionNotMet": cloud.CodeConflict, "resourceNotReady": cloud.CodeUnavailable, "invalid": cloud.CodeInvalid,
}

var (
	permission = regexp.MustCompile(`Required '([a-zA-Z.]+)' permission`)
	overlap    = regexp.MustCompile(`conflicts with existing (subnetwork|route)`)
)

// explain turns a failure of the library into one of ours.
func explain(a ipam.Account, what string, err error) error {
	var ours *cloud.Error
	if err == nil || errors.As(err, &ours) {
		return err
	}
	e := &cloud.Error{Code: cloud.CodeUnavailable, Cause: err}
	var said *googleapi.Error
	switch {
	case errors.As(err, &said):
		reason := ""
		if len(said.Errors) > 0 {
			reason = said.Errors[0].Reason
		}
		e.Code = codeOf(said.Code, reason, said.Message)
		e.Detail = fmt.Sprintf("GCP refuses %s (project %s): %d %s: %s", what, a.ExternalID, said.Code, reason, said.Message)
		switch e.Code {
		case cloud.CodeDenied:
			e.Fix = "Give CloudPAM valid credentials: GOOGLE_APPLICATION_CREDENTIALS, or the service account of its machine or pod."
			if found := permission.FindStringSubmatch(said.Message); found != nil {
				e.Permission = found[1]
				e.Fix = fmt.Sprintf("Give %s in project %s to the service account that CloudPAM uses; examples/gcp-roles has all that it needs.", found[1], a.ExternalID)
			}
		case cloud.CodeDisabled:
			e.Fix = fmt.Sprintf("Enable the Compute Engine API in project %s, or take the project out of CloudPAM.", a.ExternalID)
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e.Detail = fmt.Sprintf("GCP did not answer %s in time (project %s)", what, a.ExternalID)
	default:
		e.Detail = fmt.Sprintf("GCP cannot be asked for %s (project %s): %v", what, a.ExternalID, err)
	}
	return e
}

func codeOf(status int, reason, message string) cloud.Code {
	known, listed := reasons[reason]
	switch {
	case overlap.MatchString(message):
		return cloud.CodeConflict
	case listed:
		return known
	case status == http.StatusTooManyRequests:
		return cloud.CodeThrottled
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return cloud.CodeDenied
	case status == http.StatusBadRequest:
		return cloud.CodeInvalid
	}
	return cloud.CodeUnavailable // a 404 without a reason comes from something on the way, not from GCP
}

// opCode is the code of an error that an operation ended with: SHOUTED_LIKE_THIS.
func opCode(said, message string) cloud.Code {
	switch {
	case overlap.MatchString(message), strings.Contains(said, "IN_USE"), strings.Contains(said, "ALREADY_EXISTS"):
		return cloud.CodeConflict
	case strings.Contains(said, "NOT_FOUND"):
		return cloud.CodeNotFound
	case strings.Contains(said, "INVALID"), strings.Contains(said, "QUOTA"):
		return cloud.CodeInvalid
	case strings.Contains(said, "RATE_LIMIT"):
		return cloud.CodeThrottled
	}
	return cloud.CodeUnavailable
}
