package ocr

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// sentOnce keeps gRPC from sending small uploads again by itself: this package does it for those of
// any size, and both together would multiply the attempts.
var sentOnce = grpc.MaxRetryRPCBufferSize(0)

// attempts counts how often a document is sent until the service has begun.
type attempts struct {
	source     Source
	renew      func(context.Context, *Error) bool
	failures   int
	repeatable bool // whether what was opened last can be opened again
}

func newAttempts(client *Client, source Source) *attempts {
	return &attempts{source: source, renew: client.credentials.renewal()}
}

// open returns the document for the next attempt.
func (a *attempts) open() (*content, error) {
	document, err := a.source.open()
	a.repeatable = err == nil && document.again
	return document, err
}

func (a *attempts) again(ctx context.Context, failure *Error) (time.Duration, bool) {
	a.failures++
	if !a.repeatable || a.failures >= uploads.attempts {
		return 0, false
	}
	if a.renew(ctx, failure) {
		return 0, true
	}
	pause, told := failure.RetryDelay()
	if failure.pushback != nil {
		pause, told = *failure.pushback, true
	}
	switch {
	case told && (pause < 0 || pause > maxDelay):
		return 0, false
	case broken(failure) && !told:
		return uploads.pause(a.failures), true
	}
	return pause, told && (broken(failure) || failure.Code == codes.ResourceExhausted)
}
