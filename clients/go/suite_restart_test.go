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

func TestStreamsGoOnAfterTheServiceWasKilled(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		given(t, "OCR_CONTROL")
		var resumed, watched atomic.Int32
		client := keyed(t, address, nil,
			countingStreams(ocrv1.OcrService_ResumeExtract_FullMethodName, &resumed),
			countingStreams(ocrv1.BatchService_WatchBatch_FullMethodName, &watched))
		batch := watchAside(t, client)
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
		if pages, err := batch(); pages != 24 || watched.Load() < 2 {
			t.Fatalf("%d pages, watched %d times, %v", pages, watched.Load(), err)
		}
	})
}

func wantChapters(t *testing.T, document *ocr.Document) {
	t.Helper()
	for number, page := range document.Pages {
		wantLines(t, page.GetText(), fmt.Sprintf("Chapter %d", number), "It was a dark night.")
	}
}

// watchAside makes a batch and watches it, and returns once its first page was read. What it returns
// waits for the end, and says how many pages came.
func watchAside(t *testing.T, client *ocr.Client) func() (pages int, err error) {
	t.Helper()
	ctx := bounded(t)
	batch, err := client.CreateBatch(ctx, []ocr.Source{sample(t, "long.pdf")}, nil)
	check(t, err)
	options := &ocr.WatchOptions{Patience: patient.Patience}
	begun, ended := make(chan struct{}, 24), make(chan error, 1)
	go func() {
		sequence := int32(0)
		for event, err := range client.Watch(ctx, batch.GetBatchId(), options) {
			if sequence++; err == nil && event.GetSequence() != sequence {
				err = fmt.Errorf("event %d came as number %d", event.GetSequence(), sequence)
			}
			if err != nil {
				ended <- err
				break
			}
			if event.GetPageFinished() != nil {
				begun <- struct{}{}
			}
		}
		close(begun)
		close(ended)
	}()
	<-begun
	return func() (int, error) {
		pages := 1
		for range begun {
			pages++
		}
		return pages, <-ended
	}
}
