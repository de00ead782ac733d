package ocr

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// probeTimeout bounds health checks, of which the service config does not speak.
const probeTimeout = 30 * time.Second

// unary gives calls errors of this package, and makes them once more if a token expired early.
func (c *callCredentials) unary(
	ctx context.Context, method string, request, reply any, connection *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	if strings.HasPrefix(method, "/grpc.health.v1.") {
		limited, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		ctx = limited
	}
	renew := c.renewal()
	for {
		var trailer metadata.MD
		observed := append(options[:len(options):len(options)], grpc.Trailer(&trailer))
		err := invoke(ctx, method, request, reply, connection, observed...)
		if err == nil {
			return nil
		}
		failure := newError(ctx, err, trailer)
		if !renew(ctx, failure) {
			return failure
		}
	}
}

// renewal returns what says, once, that a call is worth to be made again: its token had expired,
// and there is another one now. To be called before the call.
func (c *callCredentials) renewal() func(context.Context, *Error) bool {
	session := c.session()
	if session == nil {
		return func(context.Context, *Error) bool { return false }
	}
	seen, used := session.present(), false
	return func(ctx context.Context, failure *Error) bool {
		if used || failure.Reason != "TOKEN_EXPIRED" {
			return false
		}
		used = true
		return session.renew(ctx, seen) == nil
	}
}

// stream does for streams what unary does for other calls. One that uploads is not made again here.
func (c *callCredentials) stream(
	ctx context.Context, shape *grpc.StreamDesc, connection *grpc.ClientConn, method string,
	open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	renew := c.renewal()
	reopen := func() (grpc.ClientStream, error) {
		return open(ctx, shape, connection, method, options...)
	}
	opened, err := reopen()
	if err != nil {
		return nil, newError(ctx, err, nil)
	}
	again := func(failure *Error) bool { return !shape.ClientStreams && renew(ctx, failure) }
	return &callStream{ClientStream: opened, ctx: ctx, reopen: reopen, renew: again}, nil
}

// A callStream is one stream, or the second one after a token expired early.
type callStream struct {
	grpc.ClientStream
	ctx    context.Context // the caller's: that of the stream ends with it
	last   any             // the last message that was sent
	begun  bool
	reopen func() (grpc.ClientStream, error)
	renew  func(*Error) bool
}

func (s *callStream) SendMsg(message any) error {
	s.last = message
	err := s.ClientStream.SendMsg(message)
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return newError(s.ctx, err, nil)
}

func (s *callStream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	if err == nil {
		s.begun = true
		return nil
	}
	if errors.Is(err, io.EOF) {
		return err
	}
	failure := newError(s.ctx, err, s.Trailer())
	if s.begun || !s.renew(failure) {
		return failure
	}
	return s.again(message)
}

func (s *callStream) again(message any) error {
	opened, err := s.reopen()
	if err != nil {
		return newError(s.ctx, err, nil)
	}
	s.ClientStream = opened
	// If sending fails, receiving says why.
	if err := errors.Join(s.SendMsg(s.last), s.CloseSend()); err != nil && !errors.Is(err, io.EOF) {
		return newError(s.ctx, err, nil)
	}
	return s.RecvMsg(message)
}
