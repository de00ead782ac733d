package ocr_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

func reparse(from, to proto.Message) error {
	bytes, err := proto.Marshal(from)
	return errors.Join(err, proto.Unmarshal(bytes, to))
}

// events returns some events of a document with two pages, by their numbers from 1 to 4.
func events(numbers ...int32) []*ocr.Event {
	all := []*ocr.Event{
		{Sequence: 1, Event: &ocrv1.UploadExtractResponse_Started{
			Started: &ocrv1.ExtractionStarted{ExtractionId: "e1"}}},
		{Sequence: 2, Event: &ocrv1.UploadExtractResponse_PageFinished{
			PageFinished: &ocrv1.PageFinished{PageNumber: 1, Text: "one"}}},
		{Sequence: 3, Event: &ocrv1.UploadExtractResponse_PageFinished{
			PageFinished: &ocrv1.PageFinished{PageNumber: 2, Text: "two"}}},
		{Sequence: 4, Event: &ocrv1.UploadExtractResponse_Finished{
			Finished: &ocrv1.ExtractionFinished{PagesOk: 2}}},
	}
	var chosen []*ocr.Event
	for _, number := range numbers {
		chosen = append(chosen, all[number-1])
	}
	return chosen
}

// extract returns the numbers of the events that came, and the error.
func extract(
	t *testing.T, service *fake, source ocr.Source, options *ocr.ExtractOptions,
) (numbers []int32, last error) {
	t.Helper()
	for event, err := range connect(t, service.address).Extract(bounded(t), source, options) {
		if err != nil {
			return numbers, err
		}
		numbers = append(numbers, event.GetSequence())
	}
	return numbers, nil
}

var (
	whole       = answer{events: events(1, 2, 3, 4)}
	reset       = status.Error(codes.Internal, "stream terminated by RST_STREAM")
	unavailable = refusal{code: codes.Unavailable, reason: "SHUTTING_DOWN"}
	full        = refusal{code: codes.ResourceExhausted, reason: "TOO_MANY_STREAMS",
		delay: time.Millisecond, pushback: "1"}
	spent = refusal{code: codes.ResourceExhausted, reason: "QUOTA_EXCEEDED",
		delay: time.Hour, pushback: "-1"}
)

func TestStreamsHaveNoGapWhateverBreaks(t *testing.T) {
	for name, answers := range map[string][]any{
		"nothing":           {whole},
		"before it started": {unavailable, reset, full, whole},
		"afterwards":        {answer{events: events(1, 2), err: reset}, answer{events: events(3, 4)}},
		"by the service":    {answer{events: events(1), err: unavailable}, answer{events: events(2, 3, 4)}},
		"without a status":  {answer{events: events(1, 2)}, answer{events: events(3, 4)}},
		"again and again": {answer{events: events(1), err: reset}, reset,
			answer{events: events(2), err: reset}, full, answer{events: events(3, 4)}},
		"with events repeated": {answer{events: events(1, 2), err: reset}, answer{events: events(1, 2, 3, 4)}},
		"after the end":        {answer{events: events(1, 2, 3, 4), err: reset}},
	} {
		t.Run(name, func(t *testing.T) {
			service := serve(t, answers...)
			numbers, err := extract(t, service, ocr.Bytes("a.pdf", []byte("content")), nil)
			check(t, err)
			if len(numbers) != 4 || numbers[3] != 4 {
				t.Fatal(numbers)
			}
			if len(service.calls) != 0 {
				t.Fatalf("answers that nobody asked for: %v", service.calls)
			}
			wantSameRequest(t, service.asked)
		})
	}
}

// wantSameRequest fails unless uploads are whole and are one to the service, and the rest resumes.
func wantSameRequest(t *testing.T, asked []any) {
	t.Helper()
	first := asked[0].(*ocrv1.UploadExtractRequest)
	if string(first.GetContent().GetData()) != "content" || first.GetRequestId() == "" ||
		first.GetSizeBytes() != 7 || first.GetFileName() != "a.pdf" || !first.GetResumable() {
		t.Fatal(first)
	}
	for _, request := range asked {
		switch request := request.(type) {
		case *ocrv1.UploadExtractRequest:
			if !proto.Equal(request, first) {
				t.Fatalf("%v is not %v", request, first)
			}
		case *ocrv1.ResumeExtractRequest:
			if request.GetExtractionId() != "e1" || request.GetAfterSequence() == 0 {
				t.Fatal(request)
			}
		}
	}
}

func TestWhatARepetitionWouldNotMendFailsAtOnce(t *testing.T) {
	internal := refusal{code: codes.Internal, reason: "INTERNAL"}
	resumed := refusal{code: codes.Aborted, reason: "EXTRACTION_RESUMED"}
	for name, answers := range map[string][]any{
		"a fault of the service": {internal},
		"a quota":                {spent},
		"no delay":               {refusal{code: codes.ResourceExhausted, reason: "RESUMABLE_FULL"}},
		"a fault later":          {answer{events: events(1, 2), err: internal}},
		"another reader":         {answer{events: events(1), err: reset}, resumed},
	} {
		t.Run(name, func(t *testing.T) {
			service := serve(t, answers...)
			_, err := extract(t, service, ocr.Bytes("", []byte("content")), nil)
			var failure *ocr.Error
			if !errors.As(err, &failure) || failure.Reason == "" || failure.RequestID != "the-call" {
				t.Fatal(err)
			}
			if len(service.asked) != len(answers) {
				t.Fatal(service.asked)
			}
		})
	}
}

func TestADocumentIsSentAsOftenAsThePolicySays(t *testing.T) {
	service := serve(t, full, full, full, full, full, whole)
	_, err := extract(t, service, ocr.Bytes("", []byte("content")), nil)
	wantError(t, err, codes.ResourceExhausted, "TOO_MANY_STREAMS")
	if len(service.asked) != 5 {
		t.Fatal(len(service.asked))
	}
}

func TestAReaderIsSentOnce(t *testing.T) {
	service := serve(t, unavailable, whole)
	_, err := extract(t, service, ocr.Reader("", io.LimitReader(endless{}, 1<<20)), nil)
	wantError(t, err, codes.Unavailable, "SHUTTING_DOWN")
}

type endless struct{}

func (endless) Read(piece []byte) (int, error) { return len(piece), nil }

func TestARefusalDoesNotWaitForTheEndOfTheUpload(t *testing.T) {
	service := serve(t, answer{err: spent, hasty: true})
	_, err := extract(t, service, ocr.Reader("", endless{}), nil)
	wantError(t, err, codes.ResourceExhausted, "QUOTA_EXCEEDED")
}

func TestAReaderThatNeverAnswersHoldsNobodyUp(t *testing.T) {
	service := serve(t, answer{err: spent, hasty: true})
	silent, _ := io.Pipe()
	first := io.LimitReader(endless{}, 256<<10)
	client := connect(t, service.address)
	_, err := client.Read(bounded(t), ocr.Reader("", io.MultiReader(first, silent)), nil)
	wantError(t, err, codes.ResourceExhausted, "QUOTA_EXCEEDED")
	// This service knows no batches, and says so before a byte came.
	_, err = client.Upload(bounded(t), ocr.Reader("", silent))
	if status.Code(err) != codes.Unimplemented {
		t.Fatal(err)
	}
}

func TestAStreamThatCannotBeResumedEndsWhereItBroke(t *testing.T) {
	for name, options := range map[string]*ocr.ExtractOptions{
		"on request":    {NotResumable: true},
		"with pictures": {Reading: &ocrv1.ExtractOptions{PageImageSidePx: 64}},
	} {
		t.Run(name, func(t *testing.T) {
			service := serve(t, answer{events: events(1, 2), err: unavailable}, whole)
			numbers, err := extract(t, service, ocr.Bytes("", nil), options)
			wantError(t, err, codes.Unavailable, "SHUTTING_DOWN")
			first := service.asked[0].(*ocrv1.UploadExtractRequest)
			if len(numbers) != 2 || len(service.asked) != 1 || first.GetResumable() {
				t.Fatal(numbers, service.asked)
			}
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	service := serve(t, answer{events: events(1), err: reset})
	service.calls = append(service.calls, reset, reset, reset, reset, reset, reset, reset, reset)
	_, err := extract(t, service, ocr.Bytes("", nil), &ocr.ExtractOptions{Patience: 10 * time.Millisecond})
	var failure *ocr.Error
	if !errors.As(err, &failure) || failure.Code != codes.Internal || len(service.asked) < 2 {
		t.Fatal(err)
	}
}

func TestSmallCallsAreTriedAgainByGRPC(t *testing.T) {
	for name, refused := range map[string]error{"unavailable": unavailable, "full": full} {
		t.Run(name, func(t *testing.T) {
			service := serve(t, refused, refused, answer{})
			_, err := connect(t, service.address).OCR.GetCapabilities(bounded(t),
				&ocrv1.GetCapabilitiesRequest{})
			check(t, err)
			if len(service.asked) != 3 {
				t.Fatal(len(service.asked))
			}
		})
	}
	service := serve(t, spent, answer{})
	_, err := connect(t, service.address).OCR.GetCapabilities(bounded(t), &ocrv1.GetCapabilitiesRequest{})
	failure := wantError(t, err, codes.ResourceExhausted, "QUOTA_EXCEEDED")
	if failure.Message != "No." || len(service.asked) != 1 {
		t.Fatal(failure, len(service.asked))
	}
}

func TestRetriesThatAreUsedUpLeaveTheMessageOfTheService(t *testing.T) {
	service := serve(t, full, full, full, full, full)
	_, err := connect(t, service.address).OCR.GetCapabilities(bounded(t), &ocrv1.GetCapabilitiesRequest{})
	if failure := wantError(t, err, codes.ResourceExhausted, "TOO_MANY_STREAMS"); failure.Message != "No." {
		t.Fatal(failure)
	}
}
