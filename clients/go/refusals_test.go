package ocr_test

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

// failed returns the event with which the service refuses a document, before the status says the same.
func failed(as refusal) []*ocr.Event {
	return []*ocr.Event{{Sequence: 1, Event: &ocrv1.UploadExtractResponse_Failed{
		Failed: &ocrv1.ExtractionFailed{Status: as.status().Proto()}}}}
}

func TestAFailedDocumentIsAnErrorAndNoEvent(t *testing.T) {
	refused := refusal{code: codes.InvalidArgument, reason: "EMPTY_DOCUMENT"}
	for name, answer := range map[string]answer{
		"whole":   {events: failed(refused), err: refused},
		"cut off": {events: failed(refused), err: reset},
		"late":    {events: append(events(1), failedLater(refused)), err: refused},
	} {
		t.Run(name, func(t *testing.T) {
			service := serve(t, answer)
			numbers, err := extract(t, service, ocr.Bytes("", nil), nil)
			var failure *ocr.Error
			if !errors.As(err, &failure) || failure.Reason != "EMPTY_DOCUMENT" ||
				len(numbers) != len(answer.events)-1 || len(service.asked) != 1 {
				t.Fatal(numbers, err, service.asked)
			}
		})
	}
}

func TestARefusalForAMomentIsTriedAgainThoughAnEventSaysItToo(t *testing.T) {
	busy := refusal{code: codes.Unavailable, reason: "LEDGER_UNAVAILABLE"}
	lasting := refusal{code: codes.ResourceExhausted, reason: "TOO_MANY_STREAMS",
		delay: 21 * time.Second, pushback: "21000"}
	for name, test := range map[string]struct {
		first answer
		calls int
	}{
		"full":               {answer{events: failed(full), err: full}, 2},
		"full and cut off":   {answer{events: failed(full), err: reset}, 2},
		"unavailable":        {answer{events: failed(busy), err: busy}, 2},
		"for a month":        {answer{events: failed(spent), err: spent}, 1},
		"longer than 20 s":   {answer{events: failed(lasting), err: lasting}, 1},
		"after it had begun": {answer{events: append(events(1), failedLater(full)), err: full}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			service := serve(t, test.first, whole)
			numbers, err := extract(t, service, ocr.Bytes("", nil), nil)
			if again := test.calls == 2; again != (err == nil) || again != (len(numbers) == 4) ||
				len(service.asked) != test.calls {
				t.Fatal(numbers, err, service.asked)
			}
		})
	}
}

func failedLater(as refusal) *ocr.Event {
	event := failed(as)[0]
	event.Sequence = 2
	return event
}
