package ocr_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"ocr-grpc/clients/go/ocrv1"
)

func TestASpentQuotaIsRefusedAtOnce(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		var sent atomic.Int32
		limits := &ocrv1.CallerLimits{PagesPerMonth: proto.Int32(1)}
		client := keyed(t, address, limits,
			countingStreams(ocrv1.OcrService_UploadExtract_FullMethodName, &sent))
		_, err := client.Read(bounded(t), sample(t, "scan.pdf"), nil)
		failure := wantError(t, err, codes.ResourceExhausted, "QUOTA_EXCEEDED")
		if len(failure.QuotaViolations) != 1 {
			t.Fatal(failure.QuotaViolations)
		}
		if delay, told := failure.RetryDelay(); !told || delay < time.Minute {
			t.Fatalf("%v %v", delay, told)
		}
		if sent.Load() != 1 {
			t.Fatalf("sent %d times", sent.Load())
		}
	})
}

func TestADocumentTooManyIsReadOnceThereIsRoom(t *testing.T) {
	limits := &ocrv1.CallerLimits{ConcurrentStreams: proto.Int32(1)}
	client, ctx := keyed(t, given(t, "OCR_GRPC"), limits), bounded(t)
	second := make(chan error, 1)
	for event, err := range client.Extract(ctx, sample(t, "long.pdf"), nil) {
		check(t, err)
		if event.GetDelta() == nil {
			continue
		}
		go func() {
			document, err := client.Read(ctx, sample(t, "scan.pdf"), nil)
			if err == nil && document.PagesOK != 3 {
				err = fmt.Errorf("%v", document)
			}
			second <- err
		}()
		ledgerOf(t, client, func(record *ocrv1.UsageRecord) bool {
			return record.GetReason() == "TOO_MANY_STREAMS"
		})
		break
	}
	check(t, <-second)
}

func TestTooManyCallsAreToldWhenToComeAgain(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		client := newcomer(t, address, &ocrv1.CallerLimits{CallsPerMinute: proto.Int32(3)})
		for range 10 {
			_, err := client.Auth.GetMe(bounded(t), &ocrv1.GetMeRequest{})
			if err == nil {
				continue
			}
			failure := wantError(t, err, codes.ResourceExhausted, "RATE_LIMITED")
			delay, told := failure.RetryDelay()
			if !told || delay <= 0 || delay > time.Minute {
				t.Fatalf("%v %v", delay, told)
			}
			return
		}
		t.Fatal("all calls passed")
	})
}

// wantContextError fails unless an error is the end of a context.
func wantContextError(t *testing.T, err, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Fatal(err)
	}
}

func TestACallHasTheDeadlineOfItsCaller(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		client := keyed(t, address, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := client.Read(ctx, sample(t, "long.pdf"), nil)
		wantContextError(t, err, context.DeadlineExceeded)
	})
}
