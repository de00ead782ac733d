package ocr_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

// A busy machine may need longer than most callers would wait.
var patient = &ocr.ExtractOptions{Patience: 2 * time.Minute}

func TestAStreamGoesOnAfterTheServiceWasKilled(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		given(t, "OCR_CONTROL")
		var resumed atomic.Int32
		client := keyed(t, address, nil,
			countingStreams(ocrv1.OcrService_ResumeExtract_FullMethodName, &resumed))
		var ready <-chan error
		var assembler ocr.Assembler
		finished, sequence := 0, int32(0)
		for event, err := range client.Extract(bounded(t), sample(t, "long.pdf"), patient) {
			check(t, err)
			if sequence++; event.GetSequence() != sequence {
				t.Fatalf("event %d came as number %d", event.GetSequence(), sequence)
			}
			assembler.Add(event)
			if event.GetPageFinished() != nil {
				finished++
			}
			if finished == 1 && ready == nil {
				ready = restart(t)
			}
		}
		check(t, <-ready)
		document := assembler.Document()
		if finished != 24 || document.PagesOK != 24 || resumed.Load() == 0 {
			t.Fatalf("%d pages, resumed %d times, %v", finished, resumed.Load(), document)
		}
		wantChapters(t, document)
	})
}

func wantChapters(t *testing.T, document *ocr.Document) {
	t.Helper()
	for number, page := range document.Pages {
		wantLines(t, page.GetText(), fmt.Sprintf("Chapter %d", number), "It was a dark night.")
	}
}

// The events of a batch come from one table whatever the door, so one restart will do.
func TestAWatchGoesOnAfterTheServiceWasKilled(t *testing.T) {
	client, ctx := keyed(t, given(t, "OCR_ENVOY"), nil), bounded(t)
	given(t, "OCR_CONTROL")
	batch, err := client.CreateBatch(ctx, []ocr.Source{sample(t, "long.pdf")}, nil)
	check(t, err)
	var ready <-chan error
	pages, sequence := 0, int32(0)
	for event, err := range client.Watch(ctx, batch.GetBatchId(),
		&ocr.WatchOptions{Patience: patient.Patience}) {
		check(t, err)
		if sequence++; event.GetSequence() != sequence {
			t.Fatalf("event %d came as number %d", event.GetSequence(), sequence)
		}
		if event.GetPageFinished() != nil {
			pages++
		}
		if pages == 1 && ready == nil {
			ready = restart(t)
		}
	}
	check(t, <-ready)
	if pages != 24 {
		t.Fatalf("%d pages", pages)
	}
}
