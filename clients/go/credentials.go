package ocr

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc/credentials"

	"ocr-grpc/clients/go/ocrv1"
)

// What a call carries to say who is calling.
type credential interface {
	// metadata returns what goes with a call now.
	metadata(ctx context.Context) (map[string]string, error)
}

// An apiKey travels as it is.
type apiKey secret

func (k apiKey) metadata(context.Context) (map[string]string, error) {
	return map[string]string{"x-api-key": k()}, nil
}

// callCredentials gives every call of a connection what it carries.
type callCredentials struct {
	guarded bool // whether credentials may travel at all
	tls     bool
	current atomic.Pointer[credential]
}

// useKey has calls carry an API key from now on.
func (c *callCredentials) useKey(key secret) error {
	// gRPC would say so at each call, as if a connection had broken.
	if strings.ContainsFunc(key(), func(each rune) bool { return each < ' ' || each > '~' }) {
		return errors.New("ocr: what is no printable ASCII is in the API key")
	}
	return c.use(apiKey(key))
}

// use has calls carry something else from now on; nil: nothing.
func (c *callCredentials) use(next credential) error {
	if next == nil {
		c.current.Store(nil)
		return nil
	}
	if !c.guarded {
		return errPlaintext
	}
	c.current.Store(&next)
	return nil
}

// session returns the session that calls carry, if they do.
func (c *callCredentials) session() *session {
	if current := c.current.Load(); current != nil {
		session, _ := (*current).(*session)
		return session
	}
	return nil
}

// GetRequestMetadata is called by gRPC for every attempt of every call.
func (c *callCredentials) GetRequestMetadata(
	ctx context.Context, _ ...string,
) (map[string]string, error) {
	current := c.current.Load()
	call, _ := credentials.RequestInfoFromContext(ctx)
	if current == nil || anonymous(call.Method) {
		return nil, nil
	}
	return (*current).metadata(ctx)
}

// RequireTransportSecurity has gRPC refuse connections in plain text unless they were asked for.
func (c *callCredentials) RequireTransportSecurity() bool {
	return c.tls
}

// anonymous tells the calls of who has no credentials yet, or no good ones any more.
func anonymous(method string) bool {
	switch method {
	case ocrv1.AuthService_Login_FullMethodName,
		ocrv1.AuthService_IssueToken_FullMethodName,
		ocrv1.AuthService_RefreshToken_FullMethodName,
		ocrv1.AuthService_Register_FullMethodName,
		ocrv1.AuthService_VerifyEmail_FullMethodName,
		ocrv1.AuthService_RequestPasswordReset_FullMethodName,
		ocrv1.AuthService_ResetPassword_FullMethodName:
		return true
	}
	// Probes must not depend on a session.
	return strings.HasPrefix(method, "/grpc.health.v1.")
}
