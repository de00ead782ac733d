package ocr_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

const password = "correct horse battery"

// doors runs a test against native gRPC and against the sidecar.
func doors(t *testing.T, test func(t *testing.T, address string)) {
	for _, door := range []string{"OCR_GRPC", "OCR_ENVOY"} {
		t.Run(door, func(t *testing.T) { test(t, given(t, door)) })
	}
}

// given returns what the environment says about the running service.
func given(t *testing.T, name string) string {
	value := os.Getenv(name)
	if value == "" {
		t.Skipf("%s is not set: this test calls a running service, which `make test` starts", name)
	}
	return value
}

func sample(t *testing.T, name string) ocr.Source {
	return ocr.File(filepath.Join(given(t, "OCR_SAMPLES"), name))
}

// expectedLines returns the lines of each page of scan.pdf.
func expectedLines(t *testing.T) [][]string {
	text, err := os.ReadFile(filepath.Join(given(t, "OCR_SAMPLES"), "expected.json"))
	check(t, err)
	var pages [][]string
	check(t, json.Unmarshal(text, &pages))
	return pages
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bounded returns a context that no test should outlive.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func connect(t *testing.T, address string, options ...ocr.Option) *ocr.Client {
	t.Helper()
	client, err := ocr.Connect(address, append(options, ocr.WithPlaintext())...)
	check(t, err)
	t.Cleanup(func() { check(t, client.Close()) })
	return client
}

func randomName() string {
	return "go-" + rand.Text()
}

// administrator returns a client with a session of the administrator.
func administrator(t *testing.T, address string) *ocr.Client {
	client := connect(t, address)
	_, err := client.Login(bounded(t), given(t, "OCR_ADMIN_NAME"), given(t, "OCR_ADMIN_PASSWORD"))
	check(t, err)
	return client
}

// newcomer returns a client with a session of a new user, who has limits if any are given.
func newcomer(
	t *testing.T, address string, limits *ocrv1.CallerLimits, options ...ocr.Option,
) *ocr.Client {
	t.Helper()
	user := &ocrv1.User{UserName: randomName(), Role: ocrv1.Role_ROLE_USER, Limits: limits}
	_, err := administrator(t, address).Admin.CreateUser(bounded(t),
		&ocrv1.CreateUserRequest{User: user, Password: password})
	check(t, err)
	client := connect(t, address, options...)
	_, err = client.Login(bounded(t), user.GetUserName(), password)
	check(t, err)
	return client
}

// keyed returns a client with an API key of a new user.
func keyed(
	t *testing.T, address string, limits *ocrv1.CallerLimits, options ...ocr.Option,
) *ocr.Client {
	t.Helper()
	made, err := newcomer(t, address, limits).Keys.CreateKey(bounded(t), &ocrv1.CreateKeyRequest{
		Key: &ocrv1.ApiKey{Scopes: []ocrv1.Scope{
			ocrv1.Scope_SCOPE_OCR, ocrv1.Scope_SCOPE_BATCHES, ocrv1.Scope_SCOPE_USAGE}}})
	check(t, err)
	return connect(t, address, append(options, ocr.WithAPIKey(made.GetSecret()))...)
}

// restart has the service killed and started again, and says when it is ready.
func restart(t *testing.T) <-chan error {
	control, done := given(t, "OCR_CONTROL"), make(chan error, 1)
	go func() {
		client := http.Client{Timeout: 2 * time.Minute}
		answer, err := client.Post(control+"/restart", "", nil)
		if err == nil {
			err = answer.Body.Close()
		}
		done <- err
	}()
	return done
}
