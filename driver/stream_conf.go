package driver

import (
	"context"
	"strconv"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/stream"
)

// Settings of a session that a streaming query takes along for its life.
const (
	confTarget          = "streamflow.trigger.target.latency"    // how long a batch should take
	confSavepoint       = "streamflow.savepoint.interval"        // how often the query makes a savepoint by itself
	confSavepointKeep   = "streamflow.savepoint.retain"          // how many of those stay
	confStateRetain     = "streamflow.state.retain"              // for how long a version of the state can be read
	confRestart         = "streamflow.restart.strategy"          // stream.Restart, and what it needs:
	confRestartAttempts = "streamflow.restart.attempts"          // .Attempts
	confRestartDelay    = "streamflow.restart.delay"             // .Delay
	confRestartMaxDelay = "streamflow.restart.max.delay"         // .MaxDelay
	confRestartInterval = "streamflow.restart.failures.interval" // .Interval
	defaultKept         = 3
	defaultRetain       = 2 * time.Minute
)

// streamConf is what those settings say.
type streamConf struct {
	target    time.Duration
	saveEvery time.Duration
	keep      int
	retain    time.Duration
	restart   stream.Restart
}

func (s *Session) streamConf(ctx context.Context) (streamConf, error) {
	r := confReader{s: s, ctx: ctx}
	c := streamConf{target: r.delay(confTarget, 0), saveEvery: r.delay(confSavepoint, 0), keep: r.number(confSavepointKeep, defaultKept, 1)}
	c.retain = r.delay(confStateRetain, defaultRetain)
	c.restart = stream.Restart{Strategy: r.oneOf(confRestart, stream.RestartExponential, stream.RestartNone, stream.RestartFixed, stream.RestartExponential, stream.RestartRate)}
	d := stream.DefaultRestart
	c.restart.Attempts = r.number(confRestartAttempts, d.Attempts, 0)
	c.restart.Delay, c.restart.MaxDelay = r.delay(confRestartDelay, d.Delay), r.delay(confRestartMaxDelay, d.MaxDelay)
	c.restart.Interval = r.delay(confRestartInterval, time.Minute)
	return c, r.err
}

// confReader reads settings until one is wrong.
type confReader struct {
	s   *Session
	ctx context.Context
	err error
}

// text is a setting; ok is false when it is not set, or something was wrong before.
func (r *confReader) text(key string) (v string, ok bool) {
	if r.err != nil {
		return "", false
	}
	v, ok, r.err = r.s.conf.Get(r.ctx, key)
	return v, ok && r.err == nil
}

func (r *confReader) delay(key string, otherwise time.Duration) time.Duration {
	v, ok := r.text(key)
	if !ok {
		return otherwise
	}
	if v == "0" {
		return 0
	}
	micros, err := structured.ParseDelay(v)
	r.err = err
	return time.Duration(micros) * time.Microsecond
}

func (r *confReader) number(key string, otherwise, least int) int {
	v, ok := r.text(key)
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least {
		r.err = usererr.New("INVALID_CONF_VALUE", "22022", "%s must be a number of at least %d, not %q.", key, least, v)
	}
	return n
}

func (r *confReader) oneOf(key, otherwise string, words ...string) string {
	v, ok := r.text(key)
	if !ok {
		return otherwise
	}
	for _, w := range words {
		if v == w {
			return v
		}
	}
	r.err = usererr.New("INVALID_CONF_VALUE", "22022", "%s must be one of %v, not %q.", key, words, v)
	return ""
}
