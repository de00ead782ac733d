package ocr_test

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"

	ocr "ocr-grpc/clients/go"
)

// counting counts calls of a method that is no stream.
func counting(method string, count *atomic.Int32) ocr.Option {
	return ocr.WithDialOptions(grpc.WithChainUnaryInterceptor(func(
		ctx context.Context, called string, request, reply any, connection *grpc.ClientConn,
		invoke grpc.UnaryInvoker, options ...grpc.CallOption,
	) error {
		if called == method {
			count.Add(1)
		}
		return invoke(ctx, called, request, reply, connection, options...)
	}))
}

// countingStreams counts calls of a method that is one.
func countingStreams(method string, count *atomic.Int32) ocr.Option {
	return ocr.WithDialOptions(grpc.WithChainStreamInterceptor(func(
		ctx context.Context, shape *grpc.StreamDesc, connection *grpc.ClientConn, called string,
		open grpc.Streamer, options ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		if called == method {
			count.Add(1)
		}
		return open(ctx, shape, connection, called, options...)
	}))
}
