package ocr

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"ocr-grpc/clients/go/ocrv1"
)

const (
	// An access token is renewed when this part of its life is left, but at most that much.
	renewPart   = 5
	renewBefore = time.Minute
	// The call that renews it does not depend on the patience of whoever waits for it.
	renewTimeout = 30 * time.Second
)

// A pair of tokens.
type pair struct {
	number  int // in its session
	access  secret
	refresh secret
	renewal time.Time // from then on a new pair is wanted
	expiry  time.Time
}

// tokens is what Login and RefreshToken answer.
type tokens interface {
	GetAccessToken() string
	GetRefreshToken() string
	GetExpiresIn() int32
}

func newPair(number int, answer tokens) pair {
	access, refresh := answer.GetAccessToken(), answer.GetRefreshToken()
	life := time.Duration(answer.GetExpiresIn()) * time.Second
	expiry := time.Now().Add(life)
	return pair{
		number:  number,
		access:  func() string { return access },
		refresh: func() string { return refresh },
		renewal: expiry.Add(-min(life/renewPart, renewBefore)),
		expiry:  expiry,
	}
}

// A session carries an access token and renews it. A refresh token works once, and using it twice
// ends the session: however many calls want a new pair, one gets it and all wait for that one.
type session struct {
	auth ocrv1.AuthServiceClient

	mu      sync.Mutex
	pair    pair
	renewed chan struct{} // closed when the call under way has ended; nil: none is
	failure error         // of the last one, if it failed
}

func newSession(auth ocrv1.AuthServiceClient, answer tokens) *session {
	return &session{auth: auth, pair: newPair(1, answer)}
}

func (s *session) metadata(ctx context.Context) (map[string]string, error) {
	present := s.present()
	if !time.Now().Before(present.renewal) {
		err := s.renew(ctx, present)
		if err != nil && !(temporary(err) && time.Now().Before(present.expiry)) {
			return nil, err
		}
		present = s.present()
	}
	return map[string]string{"authorization": "Bearer " + present.access()}, nil
}

func (s *session) present() pair {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pair
}

// renew waits until there is another pair than one that was seen.
func (s *session) renew(ctx context.Context, seen pair) error {
	s.mu.Lock()
	if s.pair.number != seen.number {
		s.mu.Unlock()
		return nil
	}
	if s.failure != nil && !temporary(s.failure) {
		s.mu.Unlock()
		return s.failure
	}
	if s.renewed == nil {
		s.renewed = make(chan struct{})
		// Apart from the caller: if it hung up, the answer would be lost and the token be spent.
		go s.ask(s.pair.refresh(), s.renewed)
	}
	renewed := s.renewed
	s.mu.Unlock()
	select {
	case <-renewed:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.failure
	case <-ctx.Done():
		return newError(ctx, ctx.Err(), nil)
	}
}

func (s *session) ask(refresh string, renewed chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), renewTimeout)
	defer cancel()
	answer, err := s.auth.RefreshToken(ctx, &ocrv1.RefreshTokenRequest{RefreshToken: refresh})
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.failure = err; {
	case err == nil:
		s.pair = newPair(s.pair.number+1, answer)
	case unanswered(err):
		// The refresh token may be spent. Sending it again would then end the session, and with it the
		// calls under way: not before the access token is of no use any more.
		s.pair.renewal = s.pair.expiry
	}
	s.renewed = nil
	close(renewed)
}

// unanswered says whether it is unknown what the service did.
func unanswered(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Reason == ""
}

// temporary says whether an access token that is still good shall be used meanwhile.
func temporary(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Code != codes.Unauthenticated
}
