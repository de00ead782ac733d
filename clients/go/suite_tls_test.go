package ocr_test

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

func TestTLSWorksWithTheAuthorityOfTheService(t *testing.T) {
	for _, door := range []string{"OCR_TLS_GRPC", "OCR_TLS_ENVOY"} {
		t.Run(door, func(t *testing.T) {
			address := given(t, door)
			client, err := ocr.Connect(address, ocr.WithCAFile(given(t, "OCR_CA_FILE")))
			check(t, err)
			defer client.Close()
			answer, err := client.OCR.GetCapabilities(bounded(t), &ocrv1.GetCapabilitiesRequest{})
			check(t, err)
			if answer.GetVersion() == "" {
				t.Fatal(answer)
			}
			_, err = client.Login(bounded(t), given(t, "OCR_ADMIN_NAME"),
				given(t, "OCR_ADMIN_PASSWORD"))
			check(t, err)
			check(t, client.Logout(bounded(t)))
		})
	}
}

func TestTLSFailsWithoutIt(t *testing.T) {
	for _, door := range []string{"OCR_TLS_GRPC", "OCR_TLS_ENVOY"} {
		t.Run(door, func(t *testing.T) {
			client, err := ocr.Connect(given(t, door))
			check(t, err)
			defer client.Close()
			// The policy has no retries for this one: they would only cost time here.
			_, err = client.Health.Check(bounded(t), &grpc_health_v1.HealthCheckRequest{})
			var failure *ocr.Error
			if !errors.As(err, &failure) || failure.Code != codes.Unavailable ||
				!strings.Contains(failure.Message, "certificate") {
				t.Fatal(err)
			}
		})
	}
}
