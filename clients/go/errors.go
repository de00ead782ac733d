package ocr

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// domain is that of the service's ErrorInfo; a status without it was made elsewhere on the way.
const domain = "ocr_grpc"

// An Error is how a call failed. Find it by errors.As. It matches context.Canceled if the caller's
// context was, and context.DeadlineExceeded if that, or the deadline of the policy, was passed.
type Error struct {
	// Code is the status code.
	Code codes.Code
	// Reason is a stable word such as `QUOTA_EXCEEDED`. Empty if the service did not make the
	// status, but gRPC or a proxy on the way.
	Reason string
	// Message is a sentence for people.
	Message string
	// Metadata has what varies in the message, such as the limit that was reached.
	Metadata map[string]string
	// FieldViolations names the fields of the request that are wrong.
	FieldViolations []*errdetails.BadRequest_FieldViolation
	// QuotaViolations names the quotas that are spent.
	QuotaViolations []*errdetails.QuotaFailure_Violation
	// RequestID names the call in the service's log. Empty if the service did not answer.
	RequestID string

	status     *status.Status
	retryDelay *time.Duration
	pushback   *time.Duration // negative: do not come again
	ended      error          // what a context says that ended
}

// Error returns the code, the reason and the message.
func (e *Error) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("ocr: %v: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("ocr: %v (%s): %s", e.Code, e.Reason, e.Message)
}

// RetryDelay returns after what time a repetition makes sense, and whether the service says so.
func (e *Error) RetryDelay() (time.Duration, bool) {
	if e.retryDelay == nil {
		return 0, false
	}
	return *e.retryDelay, true
}

// GRPCStatus returns the whole status, for google.golang.org/grpc/status.
func (e *Error) GRPCStatus() *status.Status {
	return e.status
}

// Is says whether the error is that of a context.
func (e *Error) Is(target error) bool {
	return e.ended != nil && target == e.ended
}

// newError reads the error and the trailing metadata of a call that had a context.
func newError(ctx context.Context, err error, trailer metadata.MD) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	failure := errorOf(statusOf(err))
	switch {
	case failure.Code == codes.Canceled: // proxies and Close do so, too
		failure.ended = ctx.Err()
	case failure.Code == codes.DeadlineExceeded && failure.Reason == "":
		failure.ended = context.DeadlineExceeded
	}
	if ids := trailer.Get("x-request-id"); len(ids) > 0 {
		failure.RequestID = ids[0]
	}
	if values := trailer.Get("grpc-retry-pushback-ms"); len(values) > 0 {
		milliseconds, err := strconv.Atoi(values[0])
		if err != nil {
			milliseconds = -1
		}
		failure.pushback = new(time.Duration(milliseconds) * time.Millisecond)
	}
	return failure
}

// statusOf finds the status that gRPC wraps when its retries are used up: there its message stands
// as the service wrote it.
func statusOf(err error) *status.Status {
	var with interface{ GRPCStatus() *status.Status }
	if errors.As(err, &with) {
		return with.GRPCStatus()
	}
	return status.FromContextError(err)
}

func errorOf(from *status.Status) *Error {
	failure := &Error{Code: from.Code(), Message: from.Message(), status: from}
	for _, detail := range from.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == domain {
				failure.Reason, failure.Metadata = detail.GetReason(), detail.GetMetadata()
			}
		case *errdetails.RetryInfo:
			failure.retryDelay = new(detail.GetRetryDelay().AsDuration())
		case *errdetails.BadRequest:
			failure.FieldViolations = detail.GetFieldViolations()
		case *errdetails.QuotaFailure:
			failure.QuotaViolations = detail.GetViolations()
		}
	}
	return failure
}
