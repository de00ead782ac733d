package ocr_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

func TestAScanIsReadWhileItsTextStreams(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		var kinds []string
		texts := map[int32]string{}
		sequence := int32(0)
		client := keyed(t, address, nil)
		for event, err := range client.Extract(bounded(t), sample(t, "scan.pdf"), nil) {
			check(t, err)
			if sequence++; event.GetSequence() != sequence {
				t.Fatalf("event %d came as number %d", event.GetSequence(), sequence)
			}
			switch {
			case event.GetDelta() != nil:
				kinds = append(kinds, "delta")
			case event.GetPageFinished() != nil:
				kinds = append(kinds, "finished")
				texts[event.GetPageFinished().GetPageNumber()] = event.GetPageFinished().GetText()
			}
		}
		if delta := slices.Index(kinds, "delta"); delta < 0 || delta > slices.Index(kinds, "finished") {
			t.Fatal(kinds)
		}
		for index, lines := range expectedLines(t) {
			wantLines(t, texts[int32(index)+1], lines...)
		}
	})
}

// wantLines compares the lines of a page, whatever blank lines are between them.
func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	found := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return line == "" })
	if !slices.Equal(found, lines) {
		t.Fatalf("%q is not %q", found, lines)
	}
}

func TestAWholeDocumentIsPutTogether(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		client, ctx := keyed(t, address, nil), bounded(t)
		content, err := os.ReadFile(filepath.Join(given(t, "OCR_SAMPLES"), "scan.pdf"))
		check(t, err)
		sources := map[string]ocr.Source{
			"a file":   sample(t, "scan.pdf"),
			"bytes":    ocr.Bytes("scan.pdf", content),
			"a reader": ocr.Reader("scan.pdf", io.LimitReader(bytes.NewReader(content), 1<<40)),
		}
		for name, source := range sources {
			document, err := client.Read(ctx, source, nil)
			check(t, err)
			if len(document.Pages) != 3 || document.PagesOK != 3 ||
				document.Usage.GetInputBytes() != int64(len(content)) {
				t.Fatalf("%s: %v", name, document)
			}
			for index, lines := range expectedLines(t) {
				page := document.Pages[index]
				wantLines(t, page.GetText(), lines...)
				if len(page.GetLines()) != len(lines) || page.GetLines()[0].GetText() != lines[0] ||
					len(page.GetLines()[0].GetPolygon()) != 4 {
					t.Fatalf("%s: %v", name, page)
				}
			}
		}
	})
}

func TestLeavingTheLoopStopsTheReading(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		client, ctx := keyed(t, address, nil), bounded(t)
		for event, err := range client.Extract(ctx, sample(t, "long.pdf"), nil) {
			check(t, err)
			if event.GetDelta() != nil {
				break
			}
		}
		record := ledgerOf(t, client, func(record *ocrv1.UsageRecord) bool {
			return record.GetStatus() != "OPEN"
		})
		if record.GetStatus() != "CANCELLED" || record.GetUsage().GetPages() >= 24 {
			t.Fatal(record)
		}
	})
}

// ledgerOf waits until a row of a user's uploads is as it is wanted.
func ledgerOf(
	t *testing.T, client *ocr.Client, wanted func(*ocrv1.UsageRecord) bool,
) *ocrv1.UsageRecord {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request := &ocrv1.ListUsageRequest{
		Filter: &ocrv1.UsageFilter{Method: "OcrService/UploadExtract"}}
	for {
		answer, err := client.Usage.ListUsage(ctx, request)
		check(t, err)
		if found := slices.IndexFunc(answer.GetRecords(), wanted); found >= 0 {
			return answer.GetRecords()[found]
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("the ledger has no such row")
		}
	}
}

func TestAContextThatEndsEndsTheStream(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		ctx, cancel := context.WithCancel(bounded(t))
		defer cancel()
		var last error
		for event, err := range keyed(t, address, nil).Extract(ctx, sample(t, "long.pdf"), nil) {
			if last = err; event.GetDelta() != nil {
				cancel()
			}
		}
		wantContextError(t, last, context.Canceled)
	})
}

func TestFiftyMegabytesAreUploaded(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		document, err := keyed(t, address, nil).Read(bounded(t), sample(t, "large.pdf"), nil)
		check(t, err)
		if document.Usage.GetInputBytes() != 50_000_000 || len(document.Pages) != 1 {
			t.Fatal(document)
		}
	})
}

func TestARefusalHasItsReasonAndItsRequestID(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		client, ctx := keyed(t, address, nil), bounded(t)
		_, err := client.Read(ctx, ocr.Bytes("empty.pdf", nil), nil)
		wantError(t, err, codes.InvalidArgument, "EMPTY_DOCUMENT")
		_, err = client.Read(ctx, ocr.Bytes("broken.pdf", []byte("%PDF-1.7 and no more")), nil)
		wantError(t, err, codes.InvalidArgument, "CORRUPT_DOCUMENT")
		_, err = client.Upload(ctx, ocr.Bytes("empty.pdf", nil))
		wantError(t, err, codes.InvalidArgument, "EMPTY_DOCUMENT")
	})
}

func TestWhatCannotBeReadHereIsNotSent(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		client, ctx := keyed(t, address, nil), bounded(t)
		_, err := client.Read(ctx, ocr.File("no such file"), nil)
		if !os.IsNotExist(err) {
			t.Fatal(err)
		}
		_, err = client.Read(ctx, ocr.Reader("cut.pdf", io.MultiReader(
			strings.NewReader("%PDF"), &failing{})), nil)
		if err != io.ErrUnexpectedEOF {
			t.Fatal(err)
		}
	})
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
