package ocr_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"google.golang.org/grpc/codes"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

func TestFilesHaveAnyNameThatTheSystemAllows(t *testing.T) {
	for name, sent := range map[string]string{
		"größe 😀\n.txt": "größe 😀\n.txt", "latin-\xe4\xf6.txt": "latin-\uFFFD.txt",
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
			t.Skip(err) // not this system
		}
		for _, source := range []ocr.Source{ocr.File(path), ocr.Bytes(name, nil)} {
			service := serve(t, whole)
			_, err := extract(t, service, source, nil)
			check(t, err)
			if first := service.asked[0].(*ocrv1.UploadExtractRequest); first.GetFileName() != sent {
				t.Fatalf("%q", first.GetFileName())
			}
		}
	}
}

// What is left in a pipe after it was sent is not the document.
func TestAFileThatIsNoneIsSentOnce(t *testing.T) {
	service := serve(t, unavailable, whole)
	read, write, err := os.Pipe()
	check(t, err)
	defer read.Close()
	_, err = write.WriteString("text")
	check(t, errors.Join(err, write.Close()))
	path := fmt.Sprintf("/dev/fd/%d", read.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip(err) // not this system
	}
	_, err = extract(t, service, ocr.File(path), nil)
	wantError(t, err, codes.Unavailable, "SHUTTING_DOWN")
	first := service.asked[0].(*ocrv1.UploadExtractRequest)
	if len(service.asked) != 1 || first.GetSizeBytes() != 0 || string(first.GetContent().GetData()) != "text" {
		t.Fatal(service.asked)
	}
}

func TestACallThatIsOverTakesNoMoreFromASlowReader(t *testing.T) {
	service, before := serve(t, answer{err: spent, hasty: true}), runtime.NumGoroutine()
	client, err := ocr.Connect(service.address, ocr.WithPlaintext())
	check(t, err)
	slow := &drops{next: make(chan byte, 1)} // it may not be asked at all any more
	document := io.MultiReader(io.LimitReader(endless{}, 256<<10), slow)
	_, err = client.Read(bounded(t), ocr.Reader("", document), nil)
	wantError(t, err, codes.ResourceExhausted, "QUOTA_EXCEEDED")
	slow.next <- 'a'
	check(t, client.Close())
	settle(t, before)
}

// Drops are a reader that brings a byte at a time.
type drops struct{ next chan byte }

func (d *drops) Read(piece []byte) (int, error) {
	piece[0] = <-d.next
	return 1, nil
}

func TestAReaderThatBringsNothingIsAnError(t *testing.T) {
	_, err := extract(t, serve(t), ocr.Reader("", idle{}), nil)
	if err != io.ErrNoProgress {
		t.Fatal(err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }
