package ocr_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"

	ocr "ocr-grpc/clients/go"
	"ocr-grpc/clients/go/ocrv1"
)

func TestTheServiceIsHealthy(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		answer, err := connect(t, address).Health.Check(bounded(t),
			&grpc_health_v1.HealthCheckRequest{Service: "ocr_grpc.v1.OcrService"})
		check(t, err)
		if answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Fatal(answer)
		}
	})
}

func TestAUserRegistersAndSignsInAndOut(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		ctx, client, name := bounded(t), connect(t, address), randomName()
		_, err := client.Auth.Register(ctx,
			&ocrv1.RegisterRequest{UserName: name, Password: password})
		check(t, err)
		_, err = client.Login(ctx, name, "not the password")
		wantError(t, err, codes.Unauthenticated, "LOGIN_FAILED")
		user, err := client.Login(ctx, name, password)
		check(t, err)
		me, err := client.Auth.GetMe(ctx, &ocrv1.GetMeRequest{})
		check(t, err)
		if me.GetUser().GetUserId() != user.GetUserId() || user.GetUserName() != name {
			t.Fatal(me)
		}
		check(t, client.Logout(ctx))
		_, err = client.Auth.GetMe(ctx, &ocrv1.GetMeRequest{})
		wantError(t, err, codes.Unauthenticated, "CREDENTIALS_MISSING")
	})
}

func TestAKeyIsMadeAndUsed(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		user, err := keyed(t, address, nil).Auth.GetMe(bounded(t), &ocrv1.GetMeRequest{})
		check(t, err)
		if user.GetUser().GetUserId() == "" {
			t.Fatal(user)
		}
	})
}

func TestCallsAtOnceRenewATokenOnce(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		var renewals atomic.Int32
		client := newcomer(t, address, nil,
			counting(ocrv1.AuthService_RefreshToken_FullMethodName, &renewals))
		for round := int32(1); round <= 3; round++ { // each with the refresh token of the last
			ocr.Age(client)
			var calls sync.WaitGroup
			for range 8 {
				calls.Go(func() {
					if _, err := client.Auth.GetMe(t.Context(), &ocrv1.GetMeRequest{}); err != nil {
						t.Error(err)
					}
				})
			}
			calls.Wait()
			if renewals.Load() != round {
				t.Fatalf("%d renewals after %d rounds", renewals.Load(), round)
			}
		}
	})
}

func TestASessionThatIsOverSaysSo(t *testing.T) {
	doors(t, func(t *testing.T, address string) {
		ctx, client := bounded(t), newcomer(t, address, nil)
		_, err := client.Auth.Logout(ctx, &ocrv1.LogoutRequest{Everywhere: true})
		check(t, err)
		ocr.Age(client)
		for range 2 {
			_, err = client.Auth.GetMe(ctx, &ocrv1.GetMeRequest{})
			var failure *ocr.Error
			if !errors.As(err, &failure) || failure.Code != codes.Unauthenticated ||
				failure.Reason == "" {
				t.Fatalf("%#v", err)
			}
		}
	})
}

// wantError fails unless an error is the service's, and complete.
func wantError(t *testing.T, err error, code codes.Code, reason string) *ocr.Error {
	t.Helper()
	var failure *ocr.Error
	if !errors.As(err, &failure) {
		t.Fatalf("no *ocr.Error: %v", err)
	}
	if failure.Code != code || failure.Reason != reason || failure.RequestID == "" ||
		failure.Message == "" {
		t.Fatalf("%v, request id %q", err, failure.RequestID)
	}
	return failure
}
