package ocr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	defaultPatience = time.Minute
	// Whoever must wait longer before a first event shall hear it, not wait for it.
	maxDelay = 20 * time.Second
	// How long to wait for a call's status after its last event.
	endTimeout = 5 * time.Second
)

// An event has its number in a stream, from 1 without gaps.
type event interface {
	GetSequence() int32
}

type receiver[E event] interface {
	Recv() (E, error)
}

// A serial is one gapless stream of events that several calls bring, one after the other.
type serial[E event] struct {
	client *Client
	// open begins a call that brings what comes after an event; 0: after none.
	open func(ctx context.Context, after int32) (receiver[E], error)
	// last says whether an event ends the stream, and if it does so in an error, which.
	last func(E) (bool, *Error)
	// again says whether to call again after a failure, and after what pause.
	again func(ctx context.Context, failure *Error) (time.Duration, bool)
	// noted hears of every event.
	noted func(E)
	// empty has a call that ends well without an event be the end: the last one was known already.
	empty bool

	after int32
	over  bool // the last event came
}

// run yields the events, and at most one error, after which nothing comes.
func (s *serial[E]) run(ctx context.Context, yield func(E, error) bool) {
	var none E
	for {
		err := s.receive(ctx, yield)
		if err == nil {
			return
		}
		var failure *Error
		if errors.As(err, &failure) && !s.over {
			if pause, again := s.again(ctx, failure); again && ctx.Err() == nil {
				if err = s.client.sleep(ctx, pause); err == nil {
					continue
				}
			}
		}
		yield(none, err)
		return
	}
}

// receive yields the events of one call. nil means that there is nothing more to do: the last one
// was yielded, or nobody wants it.
func (s *serial[E]) receive(ctx context.Context, yield func(E, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.open(ctx, s.after)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		next, err := stream.Recv()
		if err == io.EOF && first && s.empty {
			return nil
		}
		if err == io.EOF {
			return cutOff("The stream ended without its last event.")
		}
		if err != nil {
			return err
		}
		switch sequence := next.GetSequence(); {
		case sequence <= s.after:
			continue
		case sequence > s.after+1:
			return cutOff(fmt.Sprintf("Event %d came after %d.", sequence, s.after))
		}
		last, failure := s.last(next)
		if last {
			ended := end(stream, cancel)
			if failure != nil {
				return s.fail(ended, failure)
			}
		}
		s.after++
		s.noted(next)
		if !yield(next, nil) || last {
			return nil
		}
	}
}

// end waits for the status of a call that brought its last event, so that the service sees it
// end well. It returns the status if that is the service's own.
func end[E event](stream receiver[E], cancel func()) *Error {
	defer time.AfterFunc(endTimeout, cancel).Stop()
	for {
		_, err := stream.Recv()
		if err == nil {
			continue
		}
		var failure *Error
		if errors.As(err, &failure) && failure.Reason != "" {
			return failure
		}
		return nil
	}
}

// fail prefers the status of the call, which has the request id, to the one of its last event. That
// is the end, unless it is the first event too: then the call was refused, perhaps for a moment.
func (s *serial[E]) fail(ended, failure *Error) error {
	s.over = s.after > 0
	if ended != nil {
		return ended
	}
	return failure
}

// cutOff is how a stream failed that broke without a status.
func cutOff(message string) *Error {
	return errorOf(status.New(codes.Internal, message))
}

// broken says whether a connection broke, or the service asks for another one. Proxies reset streams
// with several codes; what the service itself means has a reason.
func broken(failure *Error) bool {
	switch failure.Code {
	case codes.Unavailable:
		return true
	case codes.Internal, codes.Unknown, codes.Canceled:
		return failure.Reason == ""
	}
	return false
}

// sleep waits as long as there is somebody to wait for.
func (c *Client) sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return newError(ctx, ctx.Err(), nil)
	case <-c.closed:
		return errorOf(status.New(codes.Canceled, "The client was closed."))
	}
}

// A patience is how long a stream that broke may bring no event.
type patience struct {
	limit    time.Duration
	since    time.Time // when it broke; zero: it did not since the last event
	failures int
}

func newPatience(limit time.Duration) *patience {
	if limit == 0 {
		limit = defaultPatience
	}
	return &patience{limit: limit}
}

// restore is called for every event.
func (p *patience) restore() {
	p.since, p.failures = time.Time{}, 0
}

func (p *patience) again(failure *Error) (time.Duration, bool) {
	pause, full := failure.RetryDelay()
	full = full && failure.Code == codes.ResourceExhausted
	if !full && !broken(failure) {
		return 0, false
	}
	if p.since.IsZero() {
		p.since = time.Now()
	}
	p.failures++
	if !full {
		pause = uploads.pause(p.failures)
	}
	return pause, time.Since(p.since)+pause <= p.limit
}
