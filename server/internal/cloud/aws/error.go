package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/cloudpam/cloudpam/server/internal/cloud"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// codes are AWS's words for what every cloud says. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
var codes = map[string]cloud.Code{
	"UnauthorizedOperation": cloud.CodeDenied, "AccessDenied": cloud.CodeDenied, "AccessDeniedException": cloud.CodeDenied,
	"InvalidClientTokenId": cloud.CodeDenied, "UnrecognizedClientException": cloud.CodeDenied, "SignatureDoesNotMatch": cloud.CodeDenied,
	"ExpiredToken": cloud.CodeDenied, "ExpiredTokenException": cloud.CodeDenied, "RequestExpired": cloud.CodeDenied, "MissingAuthenticationToken": cloud.CodeDenied,
	"AuthFailure": cloud.CodeDisabled, "OptInRequired": cloud.CodeDisabled, "Blocked": cloud.CodeDisabled,
	"RequestLimitExceeded": cloud.CodeThrottled, "Throttling": cloud.CodeThrottled, "ThrottlingException": cloud.CodeThrottled, "TooManyRequestsException": cloud.CodeThrottled,
	"InvalidSubnet.Conflict": cloud.CodeConflict, "DependencyViolation": cloud.CodeConflict, "IncorrectState": cloud.CodeConflict,
	"InvalidSubnet.Range": cloud.CodeInvalid, "InvalidVpc.Range": cloud.CodeInvalid, "InvalidParameterValue": cloud.CodeInvalid, "InvalidParameterCombination": cloud.CodeInvalid,
	"MissingParameter": cloud.CodeInvalid, "SubnetLimitExceeded": cloud.CodeInvalid, "TagLimitExceeded": cloud.CodeInvalid,
	"AWSOrganizationsNotInUseException": cloud.CodeUnsupported,
}

// credentialCodes are those in which the credentials themselves are wrong, whatever they are used for.
var credentialCodes = map[string]bool{
	"InvalidClientTokenId": true, "UnrecognizedClientException": true, "SignatureDoesNotMatch": true, "ExpiredToken": true, "ExpiredTokenException": true,
	"RequestExpired": true, "MissingAuthenticationToken": true,
}

// explain turns a failure of the SDK into one of ours: what was asked where, and what to do.
func explain(a ipam.Account, region string, err error) error {
	if err == nil {
		return nil
	}
	var ours *cloud.Error
	if errors.As(err, &ours) {
		return err
	}
	operation := operationOf(err)
	where := "account " + a.ExternalID
	if region != "" {
		where += ", " + region
	}
	e := &cloud.Error{Code: cloud.CodeUnavailable, Cause: err}
	var said smithy.APIError
	switch {
	case errors.As(err, &said):
		code := said.ErrorCode()
		e.Detail = fmt.Sprintf("AWS refuses %s (%s): %s: %s", operation, where, code, said.ErrorMessage())
		switch known, listed := codes[code]; {
		case listed:
			e.Code = known
		case strings.HasSuffix(code, ".NotFound"):
			e.Code = cloud.CodeNotFound
		}
		switch {
		case credentialCodes[code]:
			e.Fix = "Give CloudPAM valid credentials: see the AWS_* variables, or the role of its machine or pod."
		case e.Code == cloud.CodeDenied && operation == "sts:AssumeRole":
			e.Permission = operation
			e.Fix = fmt.Sprintf("Let the trust policy of %s name CloudPAM's own role, with the external id that CLOUDPAM_AWS_EXTERNAL_ID says, and let that role assume this one.", a.RoleARN)
		case e.Code == cloud.CodeDenied:
			e.Permission = operation
			e.Fix = fmt.Sprintf("Allow %s to the role that CloudPAM has in account %s; examples/aws-policies has all that it needs.", operation, a.ExternalID)
		case e.Code == cloud.CodeDisabled:
			e.Fix = fmt.Sprintf("Enable %s in account %s, or leave it out of the account's regions. Where every region says so, the credentials are wrong.", region, a.ExternalID)
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e.Detail = fmt.Sprintf("AWS did not answer %s in time (%s)", operation, where)
	default:
		e.Detail = fmt.Sprintf("AWS cannot be asked for %s (%s): %v", operation, where, err)
	}
	return e
}

// noCredentials is the failure to find out who we are: a refusal of AWS, or that nobody has said.
func noCredentials(a ipam.Account, region string, err error) error {
	var said smithy.APIError
	if errors.As(err, &said) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return explain(a, region, err)
	}
	return &cloud.Error{
		Code: cloud.CodeDenied, Detail: fmt.Sprintf("CloudPAM has no credentials for AWS: %v", err), Cause: err,
		Fix: "Give CloudPAM credentials: see the AWS_* variables, or the role of its machine or pod.",
	}
}

// operationOf is the innermost operation of an error, as a policy calls it: "ec2:DescribeVpcs", or "sts:AssumeRole" where that was
// in the way of it.
func operationOf(err error) string {
	name := "a call"
	var op *smithy.OperationError
	for errors.As(err, &op) {
		name = strings.ToLower(op.Service()) + ":" + op.Operation()
		err = op.Err
	}
	return name
}
