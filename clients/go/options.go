package ocr

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// An Option says how to connect.
type Option func(*settings)

// What the options chose.
type settings struct {
	plaintext            bool
	plaintextCredentials bool
	caFile               string
	apiKey               secret
	dialOptions          []grpc.DialOption
}

// WithPlaintext connects without TLS. Credentials go to this machine only (a loopback address,
// `localhost` or a Unix socket), unless WithPlaintextCredentials allows more.
func WithPlaintext() Option {
	return func(s *settings) { s.plaintext = true }
}

// WithPlaintextCredentials lets credentials travel in plain text to other machines too. Whoever sees
// the network can then use them: it is for networks that are guarded by other means.
func WithPlaintextCredentials() Option {
	return func(s *settings) { s.plaintextCredentials = true }
}

// WithCAFile trusts the certificates in a PEM file instead of the system's authorities.
func WithCAFile(path string) Option {
	return func(s *settings) { s.caFile = path }
}

// WithAPIKey sends an API key with every call, as `x-api-key`. The line break at the end of a file
// with a key does no harm.
func WithAPIKey(key string) Option {
	key = strings.TrimSpace(key)
	return func(s *settings) { s.apiKey = func() string { return key } }
}

// WithDialOptions passes options on to grpc.NewClient, after those of this package.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.dialOptions = append(s.dialOptions, options...) }
}

// A secret is a function, so that printing what holds it prints an address.
type secret func() string

// errPlaintext says why credentials are not sent.
var errPlaintext = errors.New("ocr: credentials would travel in plain text to another machine: " +
	"use TLS, or allow it by WithPlaintextCredentials")

// checkAddress refuses what gRPC would look up as the name of a machine.
func checkAddress(address string) error {
	if address == "" || strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return fmt.Errorf("ocr: the address %q is not such as \"ocr.example.com:50051\"", address)
	}
	return nil
}

// guarded says whether credentials may travel to an address.
func (s *settings) guarded(address string) bool {
	return !s.plaintext || s.plaintextCredentials || isLocal(address)
}

func isLocal(address string) bool {
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address // it has no port
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// transport returns how bytes travel: TLS, unless plain text was chosen.
func (s *settings) transport() (credentials.TransportCredentials, error) {
	if s.plaintext {
		if s.caFile != "" {
			return nil, errors.New("ocr: WithCAFile and WithPlaintext exclude each other")
		}
		return insecure.NewCredentials(), nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.caFile != "" {
		pem, err := os.ReadFile(s.caFile)
		if err != nil {
			return nil, fmt.Errorf("ocr: the file of WithCAFile: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ocr: no certificate in %s", s.caFile)
		}
	}
	return credentials.NewTLS(config), nil
}
