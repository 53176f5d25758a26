package connect

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// retryPolicy repeats calls whose failure may pass, as Spark's clients do.
type retryPolicy struct {
	tries   int
	first   time.Duration
	factor  float64
	longest time.Duration
	jitter  time.Duration
}

var defaultRetry = retryPolicy{tries: 15, first: 50 * time.Millisecond, factor: 4, longest: time.Minute, jitter: 500 * time.Millisecond}

const releaseTimeout = 5 * time.Second

// do calls f until it succeeds, fails for good or has been tried often enough.
func (p retryPolicy) do(ctx context.Context, f func() error) error {
	wait := p.first
	for try := 1; ; try++ {
		err := f()
		if err == nil || try >= p.tries || !passing(err) {
			return err
		}
		pause := wait
		if wait >= 2*time.Second {
			pause += rand.N(p.jitter)
		}
		if asked := retryDelay(err); asked > 0 {
			pause = asked
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
		wait = min(time.Duration(float64(wait)*p.factor), p.longest)
	}
}

// passing reports whether an error may be gone at the next try.
func passing(err error) bool {
	st, ok := status.FromError(err)
	if !ok {
		return false
	}
	switch st.Code() {
	case codes.Unavailable:
		return true
	case codes.Internal:
		return strings.Contains(st.Message(), "INVALID_CURSOR.DISCONNECTED") || retryDelay(err) > 0
	}
	return retryDelay(err) > 0
}

// retryDelay is how long the server asks to wait, or 0.
func retryDelay(err error) time.Duration {
	st, ok := status.FromError(err)
	if !ok {
		return 0
	}
	for _, d := range st.Details() {
		if r, ok := d.(*errdetails.RetryInfo); ok {
			return max(r.GetRetryDelay().AsDuration(), time.Millisecond)
		}
	}
	return 0
}

// errorID is the id under which the server keeps an error's details, or "".
func errorID(err error) string {
	st, ok := status.FromError(err)
	if !ok {
		return ""
	}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetMetadata()["errorId"]
		}
	}
	return ""
}
