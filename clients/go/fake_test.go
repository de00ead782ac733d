package ocr_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

// errSilent has a call neither go on nor end.
var errSilent = errors.New("nothing comes")

// A fake service answers each call as a script says: for what a real one does only in bad moments.
type fake struct {
	ocrv1.UnimplementedOcrServiceServer
	ocrv1.UnimplementedAuthServiceServer

	mu    sync.Mutex
	calls []any // the answers to come: a status, how many events, or a function
	asked []any // the requests that came: an upload as one message

	address string
}

// An answer sends events, and then ends as its error says.
type answer struct {
	events []*ocrv1.UploadExtractResponse
	err    error
	hasty  bool // without waiting for the end of the upload
}

func serve(t *testing.T, answers ...any) *fake {
	t.Helper()
	t.Cleanup(ocr.Hurry())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	service := &fake{calls: answers, address: listener.Addr().String()}
	server := grpc.NewServer()
	ocrv1.RegisterOcrServiceServer(server, service)
	ocrv1.RegisterAuthServiceServer(server, service)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return service
}

// next returns the answer to a request.
func (f *fake) next(request any) answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, request)
	if len(f.calls) == 0 {
		return answer{err: status.Error(codes.Unimplemented, "The script has no more answers.")}
	}
	now := f.calls[0]
	f.calls = f.calls[1:]
	switch now := now.(type) {
	case answer:
		return now
	case error:
		return answer{err: now}
	}
	return answer{}
}

// wait returns once so many requests came.
func (f *fake) wait(t *testing.T, requests int) {
	t.Helper()
	for ctx := bounded(t); ctx.Err() == nil; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		came := len(f.asked)
		f.mu.Unlock()
		if came >= requests {
			return
		}
	}
	t.Fatal(f.asked)
}

func (f *fake) peekHasty() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) == 0 {
		return false
	}
	now, _ := f.calls[0].(answer)
	return now.hasty
}

func (f *fake) UploadExtract(
	stream grpc.BidiStreamingServer[ocrv1.UploadExtractRequest, ocrv1.UploadExtractResponse],
) error {
	whole, err := stream.Recv()
	if err != nil {
		return err
	}
	for !f.peekHasty() {
		more, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		whole.Content.Data = append(whole.GetContent().GetData(), more.GetContent().GetData()...)
	}
	now := f.next(whole)
	for _, event := range now.events {
		if err := stream.Send(event); err != nil {
			return err
		}
	}
	return end(stream.Context(), now.err)
}

func (f *fake) ResumeExtract(
	request *ocrv1.ResumeExtractRequest, stream grpc.ServerStreamingServer[ocrv1.ResumeExtractResponse],
) error {
	now := f.next(request)
	for _, event := range now.events {
		resumed := &ocrv1.ResumeExtractResponse{}
		if err := reparse(event, resumed); err != nil {
			return err
		}
		if err := stream.Send(resumed); err != nil {
			return err
		}
	}
	return end(stream.Context(), now.err)
}

func (f *fake) GetCapabilities(
	ctx context.Context, request *ocrv1.GetCapabilitiesRequest,
) (*ocrv1.GetCapabilitiesResponse, error) {
	now := f.next(request)
	return &ocrv1.GetCapabilitiesResponse{Version: "1"}, end(ctx, now.err)
}

func (f *fake) Login(
	context.Context, *ocrv1.LoginRequest,
) (*ocrv1.LoginResponse, error) {
	return &ocrv1.LoginResponse{AccessToken: "first", RefreshToken: "r1", ExpiresIn: 600}, nil
}

func (f *fake) RefreshToken(
	ctx context.Context, request *ocrv1.RefreshTokenRequest,
) (*ocrv1.RefreshTokenResponse, error) {
	now := f.next(request)
	return &ocrv1.RefreshTokenResponse{AccessToken: "second", RefreshToken: "r2", ExpiresIn: 600},
		end(ctx, now.err)
}

func (f *fake) GetMe(ctx context.Context, _ *ocrv1.GetMeRequest) (*ocrv1.GetMeResponse, error) {
	carried, _ := metadata.FromIncomingContext(ctx)
	now := f.next(carried.Get("authorization"))
	return &ocrv1.GetMeResponse{}, end(ctx, now.err)
}

// A refusal is a status with what the service says in trailing metadata.
type refusal struct {
	code     codes.Code
	reason   string
	delay    time.Duration
	pushback string
}

func (r refusal) Error() string { return r.reason }

func end(ctx context.Context, err error) error {
	if err == errSilent {
		<-ctx.Done()
		return ctx.Err()
	}
	refused, is := err.(refusal)
	if !is {
		return err
	}
	trailer := metadata.Pairs("x-request-id", "the-call")
	if refused.pushback != "" {
		trailer.Set("grpc-retry-pushback-ms", refused.pushback)
	}
	if err := grpc.SetTrailer(ctx, trailer); err != nil {
		return err
	}
	return refused.status().Err()
}

func (r refusal) status() *status.Status {
	details := []protoadapt.MessageV1{}
	if r.reason != "" {
		details = append(details, &errdetails.ErrorInfo{Domain: "ocr_grpc", Reason: r.reason})
	}
	if r.delay != 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(r.delay)})
	}
	made, err := status.New(r.code, "No.").WithDetails(details...)
	if err != nil {
		panic(err)
	}
	return made
}
