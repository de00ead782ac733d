package ocr_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

// settle waits until no more goroutines run than at some time before.
func settle(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%s", stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(time.Millisecond)
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	broken := answer{events: events(1), err: reset}
	for name, answers := range map[string][]any{
		"events come":        {answer{events: events(1), err: errSilent}},
		"nothing comes":      {errSilent},
		"it waits to go on":  {broken, refusal{code: codes.ResourceExhausted, delay: time.Minute / 2, pushback: "-1"}},
		"it waits to resend": {refusal{code: codes.ResourceExhausted, delay: time.Minute / 4}},
	} {
		t.Run(name, func(t *testing.T) {
			service, before := serve(t, answers...), runtime.NumGoroutine()
			client, err := ocr.Connect(service.address, ocr.WithPlaintext())
			check(t, err)
			ended := make(chan error)
			go func() {
				_, err := client.Read(bounded(t), ocr.Bytes("", nil), nil)
				ended <- err
			}()
			service.wait(t, len(answers))
			check(t, client.Close())
			check(t, client.Close())
			wantClosed(t, <-ended)
			_, err = client.Read(bounded(t), ocr.Bytes("", nil), nil)
			wantClosed(t, err)
			_, err = client.Upload(bounded(t), ocr.Bytes("", nil))
			wantClosed(t, err)
			_, err = client.Auth.GetMe(bounded(t), &ocrv1.GetMeRequest{})
			wantClosed(t, err)
			settle(t, before)
		})
	}
}

// wantClosed fails unless an error says that a call was cancelled, but not by its context.
func wantClosed(t *testing.T, err error) {
	t.Helper()
	var failure *ocr.Error
	if !errors.As(err, &failure) || failure.Code != codes.Canceled || errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestLeavingALoopLeavesNothingBehind(t *testing.T) {
	for stop := range 4 {
		service := serve(t, whole, answer{events: events(1, 2), err: errSilent})
		before := runtime.NumGoroutine()
		client, err := ocr.Connect(service.address, ocr.WithPlaintext())
		check(t, err)
		for event, err := range client.Extract(bounded(t), ocr.Bytes("", nil), nil) {
			check(t, err)
			if event.GetSequence() > int32(stop) {
				break
			}
		}
		ctx, cancel := context.WithCancel(bounded(t))
		var last error
		for event, err := range client.Extract(ctx, ocr.Bytes("", nil), nil) {
			if last = err; event.GetSequence() == 2 {
				cancel()
			}
		}
		wantContextError(t, last, context.Canceled)
		check(t, client.Close())
		settle(t, before)
		cancel()
	}
}

func TestErrorsAreFoundThroughOthers(t *testing.T) {
	service := serve(t, spent)
	_, err := extract(t, service, ocr.Bytes("", nil), nil)
	err = fmt.Errorf("scan.pdf: %w", errors.Join(errors.New("other"), err))
	wantError(t, err, codes.ResourceExhausted, "QUOTA_EXCEEDED")
	if whole, is := status.FromError(err); !is || len(whole.Details()) != 2 {
		t.Fatal(whole)
	}
	// Who cancels its calls by a context is not told so of those that others cancelled.
	service = serve(t, answer{events: events(1), err: status.Error(codes.Canceled, "by a proxy")})
	_, err = extract(t, service, ocr.Bytes("", nil), &ocr.ExtractOptions{NotResumable: true})
	wantClosed(t, err)
}
