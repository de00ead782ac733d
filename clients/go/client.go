package ocr

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"ocr-grpc/clients/go/ocrv1"
)

const (
	// gRPC's own limit of 4 MiB is too little for a page with many words, or a whole document.
	maxReceiveBytes = 64 << 20
	// The service pings every 30 s while nothing comes; this only notices when that stops, and so
	// never pings more often than the service likes.
	keepaliveTime    = 45 * time.Second
	keepaliveTimeout = 10 * time.Second
	connectTimeout   = 20 * time.Second
)

// A Client calls one service over one connection. It may be used by many goroutines at once.
//
// Its fields are the stubs of the services: their calls carry the client's credentials, are tried
// again and given up as [ServiceConfig] says, and fail with an [*Error].
type Client struct {
	Auth          ocrv1.AuthServiceClient
	Keys          ocrv1.KeysServiceClient
	OCR           ocrv1.OcrServiceClient
	Batches       ocrv1.BatchServiceClient
	Usage         ocrv1.UsageServiceClient
	Organizations ocrv1.OrganizationsServiceClient
	Webhooks      ocrv1.WebhooksServiceClient
	Admin         ocrv1.AdminServiceClient
	Compatibility ocrv1.CompatibilityServiceClient
	Health        grpc_health_v1.HealthClient

	connection  *grpc.ClientConn
	credentials *callCredentials
	closed      chan struct{}
	end         func() error
}

// Connect returns a client of the service at an address such as `ocr.example.com:50051`. It speaks
// TLS and trusts the system's authorities unless options say otherwise.
//
// The connection is made by the first call and made again whenever it breaks. An address without a
// port has 443. Fails if the options contradict each other, if the API key cannot be one, or if
// credentials would go in plain text to another machine.
func Connect(address string, options ...Option) (*Client, error) {
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	chosen := &settings{}
	for _, option := range options {
		option(chosen)
	}
	transport, err := chosen.transport()
	if err != nil {
		return nil, err
	}
	own := &callCredentials{guarded: chosen.guarded(address), tls: !chosen.plaintext}
	if chosen.apiKey != nil {
		if err := own.useKey(chosen.apiKey); err != nil {
			return nil, err
		}
	}
	connection, err := grpc.NewClient(address, append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithPerRPCCredentials(own),
		grpc.WithDefaultServiceConfig(ServiceConfig),
		// The service says how to be called, not the name server.
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReceiveBytes)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: keepaliveTime, Timeout: keepaliveTimeout,
		}),
		grpc.WithConnectParams(connecting()),
		grpc.WithChainUnaryInterceptor(own.unary),
		grpc.WithChainStreamInterceptor(own.stream),
	}, chosen.dialOptions...)...)
	if err != nil {
		return nil, fmt.Errorf("ocr: %w", err)
	}
	return newClient(connection, own), nil
}

// connecting returns how fast a broken connection is made again: gRPC's own pauses grow to two
// minutes, longer than a stream waits to go on.
func connecting() grpc.ConnectParams {
	pauses := backoff.Config{
		BaseDelay:  uploads.initial,
		Multiplier: uploads.multiplier,
		Jitter:     jitter,
		MaxDelay:   uploads.max,
	}
	return grpc.ConnectParams{Backoff: pauses, MinConnectTimeout: connectTimeout}
}

func newClient(connection *grpc.ClientConn, own *callCredentials) *Client {
	closed := make(chan struct{})
	end := sync.OnceValue(func() error {
		close(closed)
		return connection.Close()
	})
	return &Client{
		Auth:          ocrv1.NewAuthServiceClient(connection),
		Keys:          ocrv1.NewKeysServiceClient(connection),
		OCR:           ocrv1.NewOcrServiceClient(connection),
		Batches:       ocrv1.NewBatchServiceClient(connection),
		Usage:         ocrv1.NewUsageServiceClient(connection),
		Organizations: ocrv1.NewOrganizationsServiceClient(connection),
		Webhooks:      ocrv1.NewWebhooksServiceClient(connection),
		Admin:         ocrv1.NewAdminServiceClient(connection),
		Compatibility: ocrv1.NewCompatibilityServiceClient(connection),
		Health:        grpc_health_v1.NewHealthClient(connection),
		connection:    connection,
		credentials:   own,
		closed:        closed,
		end:           end,
	}
}

// Close ends the connection, and every call under way with CANCELLED. It may be called twice. It does
// not end a session; see Logout.
func (c *Client) Close() error {
	return c.end()
}

// Login begins a session: from now on calls carry it instead of what they carried before. Its
// access token is renewed some time before it expires.
//
// Fails with UNAUTHENTICATED (`LOGIN_FAILED`), and with RESOURCE_EXHAUSTED (`LOGIN_THROTTLED`) and
// a retry delay after too many failures.
func (c *Client) Login(ctx context.Context, userName, password string) (*ocrv1.User, error) {
	if !c.credentials.guarded {
		return nil, errPlaintext
	}
	request := &ocrv1.LoginRequest{UserName: userName, Password: password}
	answer, err := c.Auth.Login(ctx, request)
	if err != nil {
		return nil, err
	}
	if err := c.credentials.use(newSession(c.Auth, answer)); err != nil {
		return nil, err
	}
	return answer.GetUser(), nil
}

// Logout ends the session that Login began; calls then carry no credentials.
func (c *Client) Logout(ctx context.Context) error {
	if _, err := c.Auth.Logout(ctx, &ocrv1.LogoutRequest{}); err != nil {
		return err
	}
	return c.credentials.use(nil)
}
