package ocr

import (
	"context"
	"crypto/rand"
	"io"
	"iter"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"ocr-grpc/clients/go/ocrv1"
)

// An Event is what happened next to a document; see protos/ocr_grpc/v1/extraction.proto. The last
// one is `finished`.
type Event = ocrv1.UploadExtractResponse

// ExtractOptions says how to read and send a document. nil means the defaults.
type ExtractOptions struct {
	// Reading says which pages to read and how. nil: as the service does by default.
	Reading *ocrv1.ExtractOptions
	// RequestID makes a repetition free of charge, for a day: 1 to 128 letters, digits and `._:/=+-`.
	// Empty: one is made at random, so that what this client repeats is charged once.
	RequestID string
	// NotResumable has the service keep nothing; a connection that breaks is then the end. So it is
	// with pictures of pages (`page_image_side_px`), which are too large to be kept.
	NotResumable bool
	// Patience is how long a stream whose connection broke may bring no event. 0: a minute.
	Patience time.Duration
}

// Extract sends a document and yields what is read while it is read. The numbers of the events go
// from 1 without a gap, whatever happens to the connection meanwhile. An error comes once and last;
// it is an *Error, or what reading the source failed with.
//
// Leaving the loop, or the end of the context, ends the call; the service then stops reading within
// a second. Each loop over the result is a call of its own.
func (c *Client) Extract(
	ctx context.Context, source Source, options *ExtractOptions,
) iter.Seq2[*Event, error] {
	if options == nil {
		options = &ExtractOptions{}
	}
	return func(yield func(*Event, error) bool) {
		newExtraction(c, source, options).run(ctx, yield)
	}
}

// Read returns a whole document. Pages that could not be read are in it, with the reason; the call
// fails if none could be.
func (c *Client) Read(
	ctx context.Context, source Source, options *ExtractOptions,
) (*Document, error) {
	var assembler Assembler
	for event, err := range c.Extract(ctx, source, options) {
		if err != nil {
			return nil, err
		}
		assembler.Add(event)
	}
	return assembler.Document(), nil
}

// An extraction is one document under way.
type extraction struct {
	serial[*Event]
	first    *ocrv1.UploadExtractRequest // what the first message says, without content
	id       string                      // known once it has started
	sending  *attempts
	patience *patience
}

func newExtraction(client *Client, source Source, options *ExtractOptions) *extraction {
	id := options.RequestID
	if id == "" {
		id = rand.Text()
	}
	e := &extraction{
		first: &ocrv1.UploadExtractRequest{
			Options:   options.Reading,
			FileName:  source.name,
			RequestId: id,
			Resumable: !options.NotResumable && options.Reading.GetPageImageSidePx() == 0,
		},
		sending:  newAttempts(client, source),
		patience: newPatience(options.Patience),
	}
	e.serial = serial[*Event]{
		client: client, open: e.call, last: lastOfExtraction, again: e.retry, noted: e.note}
	return e
}

func (e *extraction) call(ctx context.Context, after int32) (receiver[*Event], error) {
	if e.id != "" {
		return e.resume(ctx, after)
	}
	return e.upload(ctx)
}

func (e *extraction) note(event *Event) {
	if started := event.GetStarted(); started != nil && e.first.GetResumable() {
		e.id = started.GetExtractionId()
	}
	e.patience.restore()
}

func (e *extraction) retry(ctx context.Context, failure *Error) (time.Duration, bool) {
	switch {
	case e.id != "":
		return e.patience.again(failure)
	case e.after > 0: // what was yielded cannot be yielded again
		return 0, false
	}
	return e.sending.again(ctx, failure)
}

func lastOfExtraction(event *Event) (bool, *Error) {
	if failed := event.GetFailed(); failed != nil {
		return true, errorOf(status.FromProto(failed.GetStatus()))
	}
	return event.GetFinished() != nil, nil
}

// upload sends the document while events may already come: a refusal does not wait for its end.
func (e *extraction) upload(ctx context.Context) (receiver[*Event], error) {
	document, err := e.sending.open()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stream, err := e.client.OCR.UploadExtract(ctx, sentOnce)
	if err != nil {
		cancel(nil)
		_ = document.Close()
		return nil, err
	}
	message := proto.CloneOf(e.first)
	message.SizeBytes = document.size
	push := func(piece []byte) error {
		message.Content = &httpbody.HttpBody{Data: piece}
		err := stream.Send(message)
		message = &ocrv1.UploadExtractRequest{}
		return err
	}
	go sendAside(ctx, document, push, stream.CloseSend, cancel)
	return &uploading{stream, ctx}, nil
}

// resume reads what ResumeExtract answers as the events of UploadExtract: fields and numbers of both
// messages are the same.
func (e *extraction) resume(ctx context.Context, after int32) (receiver[*Event], error) {
	shape := &grpc.StreamDesc{ServerStreams: true}
	stream, err := e.client.connection.NewStream(
		ctx, shape, ocrv1.OcrService_ResumeExtract_FullMethodName)
	if err != nil {
		return nil, err
	}
	resumed := &grpc.GenericClientStream[ocrv1.ResumeExtractRequest, Event]{ClientStream: stream}
	request := &ocrv1.ResumeExtractRequest{ExtractionId: e.id, AfterSequence: after}
	// io.EOF: the call has ended already, and receiving says why.
	if err := stream.SendMsg(request); err != nil && err != io.EOF {
		return nil, err
	}
	return resumed, stream.CloseSend()
}

// uploading is a call of which the other half is still being sent.
type uploading struct {
	receiver[*Event]
	ctx context.Context
}

func (u *uploading) Recv() (*Event, error) {
	event, err := u.receiver.Recv()
	return event, orUnreadable(u.ctx, err)
}
