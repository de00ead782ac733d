package ocr_test

import (
	"archive/zip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

func TestABatchIsWatchedAndDownloaded(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		client, ctx := keyed(t, address, nil), bounded(t)
		sources := []ocr.Source{sample(t, "scan.pdf"), sample(t, "text.pdf")}
		batch, err := client.CreateBatch(ctx, sources, &ocr.BatchOptions{DisplayName: "October"})
		check(t, err)
		finished, texts := watchToTheEnd(ctx, t, client, batch.GetBatchId())
		wantNothingAfterTheEnd(ctx, t, client, batch.GetBatchId())
		progress := finished.GetProgress()
		if progress.GetDocumentsFinished() != 2 || progress.GetPagesOk() != 5 || len(texts) != 5 {
			t.Fatalf("%v %q", finished, texts)
		}
		listed, err := client.Batches.ListBatchDocuments(ctx,
			&ocrv1.ListBatchDocumentsRequest{BatchId: batch.GetBatchId()})
		check(t, err)
		var text strings.Builder
		check(t, client.DownloadDocument(ctx, batch.GetBatchId(),
			listed.GetDocuments()[0].GetDocumentId(), ocrv1.ResultFormat_RESULT_FORMAT_TEXT, &text))
		pages := strings.Split(text.String(), "\f")
		for index, lines := range expectedLines(t) {
			wantLines(t, pages[index], lines...)
		}
		wantArchive(ctx, t, client, batch.GetBatchId())
	})
}

// watchToTheEnd returns a batch that has ended, and the texts of its pages.
func watchToTheEnd(
	ctx context.Context, t *testing.T, client *ocr.Client, batchID string,
) (finished *ocrv1.Batch, texts []string) {
	t.Helper()
	sequence := int32(0)
	for event, err := range client.Watch(ctx, batchID, &ocr.WatchOptions{Pages: true}) {
		check(t, err)
		if sequence++; event.GetSequence() != sequence {
			t.Fatalf("event %d came as number %d", event.GetSequence(), sequence)
		}
		if page := event.GetPageFinished(); page != nil {
			texts = append(texts, page.GetPage().GetText())
		}
		finished = event.GetFinished()
	}
	if finished == nil {
		t.Fatal("the last event is not `finished`")
	}
	return finished, texts
}

// wantNothingAfterTheEnd watches a batch that has ended, after its last event and after one more.
func wantNothingAfterTheEnd(
	ctx context.Context, t *testing.T, client *ocr.Client, batchID string,
) {
	t.Helper()
	options := &ocr.WatchOptions{}
	for event, err := range client.Watch(ctx, batchID, nil) {
		check(t, err)
		options.AfterSequence = event.GetSequence()
	}
	for event, err := range client.Watch(ctx, batchID, options) {
		t.Fatal(event, err)
	}
	options.AfterSequence++
	for _, err := range client.Watch(ctx, batchID, options) {
		wantError(t, err, codes.InvalidArgument, "SEQUENCE_OUT_OF_RANGE")
	}
}

func wantArchive(ctx context.Context, t *testing.T, client *ocr.Client, batchID string) {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "october.zip")
	check(t, client.SaveBatch(ctx, batchID, ocrv1.ResultFormat_RESULT_FORMAT_TEXT, path))
	archive, err := zip.OpenReader(path)
	check(t, err)
	defer archive.Close()
	if len(archive.File) < 2 {
		t.Fatal(archive.File)
	}
	// What fails leaves nothing.
	err = client.SaveBatch(ctx, "none", ocrv1.ResultFormat_RESULT_FORMAT_TEXT, path+".other")
	wantError(t, err, codes.NotFound, "BATCH_NOT_FOUND")
	files, err := os.ReadDir(folder)
	check(t, err)
	if len(files) != 1 {
		t.Fatal(files)
	}
	wantModeOfFiles(t, path)
}

// wantModeOfFiles fails unless a file may be read by whom new files may be.
func wantModeOfFiles(t *testing.T, path string) {
	t.Helper()
	other, err := os.Create(filepath.Join(t.TempDir(), "other"))
	check(t, err)
	defer other.Close()
	usual, err := other.Stat()
	check(t, err)
	saved, err := os.Stat(path)
	check(t, err)
	if saved.Mode() != usual.Mode() {
		t.Fatalf("%v, not %v", saved.Mode(), usual.Mode())
	}
}

func TestABatchIsCancelled(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		client, ctx := keyed(t, address, nil), bounded(t)
		batch, err := client.CreateBatch(ctx, []ocr.Source{sample(t, "long.pdf")}, nil)
		check(t, err)
		answer, err := client.Batches.CancelBatch(ctx,
			&ocrv1.CancelBatchRequest{BatchId: batch.GetBatchId()})
		check(t, err)
		if answer.GetBatch().GetState() != ocrv1.BatchState_BATCH_STATE_CANCELLED {
			t.Fatal(answer)
		}
		finished, _ := watchToTheEnd(ctx, t, client, batch.GetBatchId())
		if finished.GetState() != ocrv1.BatchState_BATCH_STATE_CANCELLED {
			t.Fatal(finished)
		}
	})
}

func TestACreationThatIsRepeatedReturnsTheBatch(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		client, ctx := keyed(t, address, nil), bounded(t)
		options := &ocr.BatchOptions{RequestID: "october-1"}
		sources := []ocr.Source{sample(t, "text.pdf")}
		first, err := client.CreateBatch(ctx, sources, options)
		check(t, err)
		second, err := client.CreateBatch(ctx, sources, options)
		check(t, err)
		if first.GetBatchId() != second.GetBatchId() {
			t.Fatalf("%v %v", first, second)
		}
	})
}
