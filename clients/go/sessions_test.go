package ocr_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

func signedIn(t *testing.T, service *fake) *ocr.Client {
	client := connect(t, service.address)
	_, err := client.Login(bounded(t), "ann", password)
	check(t, err)
	return client
}

var expired = refusal{code: codes.Unauthenticated, reason: "TOKEN_EXPIRED"}

func TestATokenThatExpiredEarlyIsRenewedAndTheCallMadeOnceMore(t *testing.T) {
	service := serve(t, expired, answer{}, answer{})
	_, err := signedIn(t, service).Auth.GetMe(bounded(t), &ocrv1.GetMeRequest{})
	check(t, err)
	last := service.asked[2].([]string)
	if !slices.Equal(last, []string{"Bearer second"}) {
		t.Fatal(last)
	}
	service = serve(t, expired, answer{}, expired)
	_, err = signedIn(t, service).Auth.GetMe(bounded(t), &ocrv1.GetMeRequest{})
	wantError(t, err, codes.Unauthenticated, "TOKEN_EXPIRED")
}

func TestSoAreStreamsAndUploads(t *testing.T) {
	service := serve(t, expired, answer{}, whole)
	for _, err := range signedIn(t, service).Extract(bounded(t), ocr.Bytes("", nil), nil) {
		check(t, err)
	}
	service = serve(t, expired, answer{}, whole)
	stream, err := signedIn(t, service).OCR.ResumeExtract(bounded(t),
		&ocrv1.ResumeExtractRequest{ExtractionId: "e1", AfterSequence: 1})
	check(t, err)
	event, err := stream.Recv()
	check(t, err)
	again := service.asked[2].(*ocrv1.ResumeExtractRequest)
	if event.GetStarted() == nil || again.GetExtractionId() != "e1" {
		t.Fatal(event, again)
	}
}

func TestATokenThatIsStillGoodIsUsedWhileItCannotBeRenewed(t *testing.T) {
	service := serve(t, unavailable, answer{})
	client := signedIn(t, service)
	ocr.Age(client)
	_, err := client.Auth.GetMe(bounded(t), &ocrv1.GetMeRequest{})
	check(t, err)
	if last := service.asked[1].([]string); !slices.Equal(last, []string{"Bearer first"}) {
		t.Fatal(last)
	}
}

// Its refresh token may be spent: sent again it would end the session, and what runs in it.
func TestATokenIsUsedToItsEndIfItsRenewalWasNotAnswered(t *testing.T) {
	service := serve(t, reset, answer{}, answer{}, expired, answer{}, answer{})
	client := signedIn(t, service)
	ocr.Age(client)
	for range 3 {
		_, err := client.Auth.GetMe(bounded(t), &ocrv1.GetMeRequest{})
		check(t, err)
	}
	var renewals []int
	for index, request := range service.asked {
		if _, is := request.(*ocrv1.RefreshTokenRequest); is {
			renewals = append(renewals, index)
		}
	}
	if !slices.Equal(renewals, []int{0, 4}) {
		t.Fatal(service.asked)
	}
}

func TestASpentRefreshTokenIsNotSentAgain(t *testing.T) {
	service := serve(t, refusal{code: codes.Unauthenticated, reason: "REFRESH_TOKEN_REUSED"})
	client := signedIn(t, service)
	ocr.Age(client)
	for range 2 {
		_, err := client.Auth.GetMe(bounded(t), &ocrv1.GetMeRequest{})
		wantError(t, err, codes.Unauthenticated, "REFRESH_TOKEN_REUSED")
	}
	if len(service.asked) != 1 {
		t.Fatal(service.asked)
	}
	// What nobody needs credentials for still works: this service does not know it, and says so.
	_, err := client.Auth.ResetPassword(bounded(t), &ocrv1.ResetPasswordRequest{})
	if status.Code(err) != codes.Unimplemented {
		t.Fatal(err)
	}
}

func TestCredentialsGoInPlainTextToThisMachineOnly(t *testing.T) {
	for address, allowed := range map[string]bool{
		"127.0.0.1:50051": true, "localhost:50051": true, "[::1]:50051": true, "unix:/run/ocr": true,
		"127.0.0.1": true, "::1": true, "ocr.example.com": false,
		"ocr.example.com:50051": false, "10.0.0.1:50051": false, "localhost.example.com:1": false,
		"dns:///ocr.example.com:1": false,
	} {
		_, err := ocr.Connect(address, ocr.WithPlaintext(), ocr.WithAPIKey("ocr_secret"))
		if (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
		client, err := ocr.Connect(address, ocr.WithPlaintext())
		check(t, err)
		if !allowed {
			if _, err := client.Login(t.Context(), "ann", password); err == nil {
				t.Errorf("a password went to %s", address)
			}
		}
		for _, more := range [][]ocr.Option{
			{}, {ocr.WithPlaintext(), ocr.WithPlaintextCredentials()}} {
			_, err = ocr.Connect(address, append(more, ocr.WithAPIKey("ocr_secret"))...)
			check(t, err)
		}
	}
}

func TestWhatCannotBeAnAddressOrAKeyIsSaidAtOnce(t *testing.T) {
	for _, address := range []string{"", "http://127.0.0.1:8080", "https://ocr.example.com"} {
		if _, err := ocr.Connect(address); err == nil || !strings.Contains(err.Error(), "address") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, key := range []string{"ocr_secret\nx", "ocr_secret\x00", "ocr_secretä"} {
		_, err := ocr.Connect("localhost:1", ocr.WithAPIKey(key))
		if err == nil || strings.Contains(err.Error(), "ocr_secret") {
			t.Errorf("%q: %v", key, err)
		}
	}
	_, err := ocr.Connect("localhost:1", ocr.WithAPIKey("ocr_secret\n")) // as a file has it
	check(t, err)
}

func TestNoSecretIsPrinted(t *testing.T) {
	client, err := ocr.Connect("localhost:1", ocr.WithAPIKey("ocr_secret"))
	check(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if strings.Contains(fmt.Sprintf(verb, client), "ocr_secret") {
			t.Fatal(verb)
		}
	}
	service := serve(t)
	if session := signedIn(t, service); strings.Contains(fmt.Sprintf("%#v", session), "first") {
		t.Fatal("a token")
	}
}

func TestADeadAddressFailsInTime(t *testing.T) {
	client, started := connect(t, "127.0.0.1:1"), time.Now()
	_, err := client.Auth.Register(bounded(t), &ocrv1.RegisterRequest{})
	if err == nil || time.Since(started) > time.Minute {
		t.Fatal(err)
	}
}
