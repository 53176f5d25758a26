package stream

import "time"

// Strategies of Restart.
const (
	RestartNone        = "none"              // the first failure ends the query
	RestartFixed       = "fixed-delay"       // Attempts in a row, Delay before each
	RestartExponential = "exponential-delay" // Attempts in a row, from Delay to MaxDelay, twice as long each time
	RestartRate        = "failure-rate"      // as long as fewer than Attempts fall into Interval, Delay before each
)

// Restart says whether a query that failed for no fault of the user is tried again, and after which pause. What is the
// user's fault fails each time the same way and is never tried again; a full disk is waited for whatever the policy.
type Restart struct {
	Strategy string
	Attempts int // failures that are borne, none for RestartNone; 0 with another strategy is any number
	Delay    time.Duration
	MaxDelay time.Duration // RestartExponential
	Interval time.Duration // RestartRate
}

// DefaultRestart bears nine failures in a row, over some five seconds.
var DefaultRestart = Restart{Strategy: RestartExponential, Attempts: 9, Delay: 10 * time.Millisecond, MaxDelay: 2 * time.Second}

// failures are the times of failures: those since the last batch that went well, and all recent ones.
type failures struct {
	inRow  int
	recent []time.Time
}

// add notes a failure.
func (f *failures) add(now time.Time) {
	f.inRow++
	if len(f.recent) == maxRecent {
		f.recent = append(f.recent[:0], f.recent[1:]...)
	}
	f.recent = append(f.recent, now)
}

// maxRecent bounds what is kept of the past; a rate of more failures than that cannot be asked for.
const maxRecent = 1000

// after says what to do about a failure that has just been added.
func (r Restart) after(f *failures, now time.Time) (pause time.Duration, again bool) {
	if r.Strategy == "" {
		r = DefaultRestart
	}
	switch r.Strategy {
	case RestartNone:
		return 0, false
	case RestartFixed:
		return r.Delay, r.Attempts == 0 || f.inRow <= r.Attempts
	case RestartRate:
		n := 0
		for _, t := range f.recent {
			if now.Sub(t) < r.Interval {
				n++
			}
		}
		return r.Delay, r.Attempts == 0 || n <= r.Attempts
	}
	return r.backoff(f.inRow), r.Attempts == 0 || f.inRow <= r.Attempts
}

// backoff is the pause before the nth attempt in a row.
func (r Restart) backoff(n int) time.Duration {
	d := r.Delay
	for i := 1; i < n && d < r.MaxDelay; i++ {
		d *= 2
	}
	return min(d, r.MaxDelay)
}
