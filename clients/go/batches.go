package ocr

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"iter"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/proto"

	"ocr-grpc/clients/go/ocrv1"
)

// BatchOptions says what a batch shall be. nil means the defaults.
type BatchOptions struct {
	// Reading says which pages to read and how. nil: as the service does by default.
	Reading *ocrv1.ExtractOptions
	// DisplayName is what the caller calls it, at most 128 characters.
	DisplayName string
	// Priority is how urgent it is. Unspecified: normal, or what the role allows if that is less.
	Priority ocrv1.BatchPriority
	// RetentionHours is how long it is kept after it has ended. 0: as long as the server keeps any.
	RetentionHours int32
	// RequestID has a repetition return the batch that the first call made: 1 to 128 letters, digits
	// and `._:/=+-`. Empty: one is made at random, for the repetitions of this client.
	RequestID string
}

// CreateBatch uploads documents, one after the other, and makes a batch of them: 1 to 1,000. It
// returns when the batch is made; Watch tells how far it is.
//
// Uploads are tried again as documents of Extract are. If the call fails, what was uploaded by then
// is deleted by the service after some days.
func (c *Client) CreateBatch(
	ctx context.Context, sources []Source, options *BatchOptions,
) (*ocrv1.Batch, error) {
	if options == nil {
		options = &BatchOptions{}
	}
	request := &ocrv1.CreateBatchRequest{
		Options:        options.Reading,
		DisplayName:    options.DisplayName,
		Priority:       options.Priority,
		RetentionHours: options.RetentionHours,
		RequestId:      options.RequestID,
	}
	if request.RequestId == "" {
		request.RequestId = rand.Text()
	}
	for _, source := range sources {
		uploaded, err := c.Upload(ctx, source)
		if err != nil {
			return nil, err
		}
		request.Documents = append(request.Documents,
			&ocrv1.NewBatchDocument{UploadId: uploaded.GetUploadId()})
	}
	answer, err := c.Batches.CreateBatch(ctx, request)
	return answer.GetBatch(), err
}

// Upload sends a document for batches to come. It is kept for some days, and while a batch uses it.
func (c *Client) Upload(ctx context.Context, source Source) (*ocrv1.UploadedDocument, error) {
	sending := newAttempts(c, source)
	for {
		uploaded, err := c.uploadOnce(ctx, source.name, sending)
		var failure *Error
		if err == nil || !errors.As(err, &failure) {
			return uploaded, err
		}
		pause, again := sending.again(ctx, failure)
		if !again || ctx.Err() != nil {
			return nil, err
		}
		if err := c.sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

func (c *Client) uploadOnce(
	ctx context.Context, name string, sending *attempts,
) (*ocrv1.UploadedDocument, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	document, err := sending.open()
	if err != nil {
		return nil, err
	}
	stream, err := c.Batches.UploadDocument(ctx, sentOnce)
	if err != nil {
		_ = document.Close()
		return nil, err
	}
	message := &ocrv1.UploadDocumentRequest{FileName: name, SizeBytes: document.size}
	push := func(piece []byte) error {
		message.Content = &httpbody.HttpBody{Data: piece}
		err := stream.Send(message)
		message = &ocrv1.UploadDocumentRequest{}
		return err
	}
	// Not CloseAndRecv, once all is sent: a refusal comes before.
	go sendAside(ctx, document, push, stream.CloseSend, cancel)
	answer := &ocrv1.UploadDocumentResponse{}
	err = stream.RecvMsg(answer)
	return answer.GetDocument(), orUnreadable(ctx, err)
}

// WatchOptions says what to watch. nil means the defaults.
type WatchOptions struct {
	// AfterSequence is the number of the last event that is known. 0: from the beginning.
	AfterSequence int32
	// Pages has pages come with their text and lines.
	Pages bool
	// Patience is how long a stream whose connection broke may bring no event. 0: a minute.
	Patience time.Duration
}

// A BatchEvent is what happened next in a batch. The last one is `finished`.
type BatchEvent = ocrv1.WatchBatchResponse

// Watch yields the events of a batch: those that happened, then those to come, until it has ended.
// Their numbers have no gap, whatever happens to the connection. An error comes once and last.
func (c *Client) Watch(
	ctx context.Context, batchID string, options *WatchOptions,
) iter.Seq2[*BatchEvent, error] {
	if options == nil {
		options = &WatchOptions{}
	}
	return func(yield func(*BatchEvent, error) bool) {
		request := &ocrv1.WatchBatchRequest{BatchId: batchID, Pages: options.Pages}
		patience := newPatience(options.Patience)
		watch := serial[*BatchEvent]{
			client: c,
			after:  options.AfterSequence,
			open: func(ctx context.Context, after int32) (receiver[*BatchEvent], error) {
				next := proto.CloneOf(request)
				next.AfterSequence = after
				return c.Batches.WatchBatch(ctx, next)
			},
			last:  func(event *BatchEvent) (bool, *Error) { return event.GetFinished() != nil, nil },
			empty: true,
			noted: func(*BatchEvent) { patience.restore() },
			again: func(_ context.Context, failure *Error) (time.Duration, bool) {
				return patience.again(failure)
			},
		}
		watch.run(ctx, yield)
	}
}

// DownloadDocument writes the result of one document of a batch. Fails with FAILED_PRECONDITION
// (`DOCUMENT_NOT_FINISHED`) while pages are missing. Whatever it fails with, what was written by
// then is not the whole.
func (c *Client) DownloadDocument(
	ctx context.Context, batchID, documentID string, format ocrv1.ResultFormat, to io.Writer,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Batches.DownloadBatchDocument(ctx, &ocrv1.DownloadBatchDocumentRequest{
		BatchId: batchID, DocumentId: documentID, Format: format})
	if err != nil {
		return err
	}
	return write[*ocrv1.DownloadBatchDocumentResponse](stream, to)
}

// DownloadBatch writes the results of all documents of a batch that were read, as a zip archive.
// Fails with FAILED_PRECONDITION (`BATCH_NOT_FINISHED`) while it is under way. Whatever it fails
// with, what was written by then is no archive.
func (c *Client) DownloadBatch(
	ctx context.Context, batchID string, format ocrv1.ResultFormat, to io.Writer,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Batches.DownloadBatch(ctx, &ocrv1.DownloadBatchRequest{
		BatchId: batchID, Format: format})
	if err != nil {
		return err
	}
	return write[*ocrv1.DownloadBatchResponse](stream, to)
}
