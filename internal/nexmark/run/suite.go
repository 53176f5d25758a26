package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/streamflow/streamflow/internal/nexmark"
)

// Suite is several queries over the same events, one after the other.
type Suite struct {
	Options
	Queries []nexmark.Query
	// Pace, when not 0, measures latency too: of each query while so many events come in a second, for PaceFor.
	Pace    int64
	PaceFor time.Duration
	// Profile, when not empty, is a directory for a processor profile of each query.
	Profile string
	// Progress, when set, is told what is done and how far it is, in rows.
	Progress func(what string, done, of int64)
}

// Run loads what the queries read, runs each, and returns what they took. A query that fails is a lap with a fault.
func (s *Suite) Run(ctx context.Context) ([]Lap, error) {
	b, err := Open(ctx, s.Options)
	if err != nil {
		return nil, err
	}
	laps, err := s.run(ctx, b)
	if cerr := b.Close(); err == nil {
		err = cerr
	}
	return laps, err
}

func (s *Suite) run(ctx context.Context, b *Bench) ([]Lap, error) {
	kinds := s.kinds()
	if err := b.Load(ctx, kinds, s.progress("writing events", rowsOf(kinds, s.Events))); err != nil {
		return nil, err
	}
	var laps []Lap
	for _, q := range s.Queries {
		lap, err := s.lap(ctx, b, q)
		if ctx.Err() != nil {
			return laps, ctx.Err()
		}
		if err != nil {
			lap = Lap{Query: q.Name, Fault: err.Error()}
		}
		laps = append(laps, lap)
	}
	return laps, nil
}

func (s *Suite) lap(ctx context.Context, b *Bench, q nexmark.Query) (Lap, error) {
	stop, err := s.profile(q.Name)
	if err != nil {
		return Lap{}, err
	}
	runtime.GC() // what came before is not this query's to collect
	lap, err := b.Drain(ctx, q, s.progress(q.Name, rowsOf(q.Reads, s.Events)))
	stop()
	if err != nil || s.Pace == 0 {
		return lap, err
	}
	if lap.P50, lap.P99, err = s.pace(ctx, q); err != nil {
		return lap, err
	}
	lap.PacedRate = s.Pace
	return lap, nil
}

// pace measures latency on a node of its own, whose topics are empty when the query starts.
func (s *Suite) pace(ctx context.Context, q nexmark.Query) (p50, p99 float64, err error) {
	o := s.Options
	o.Dir, o.Source = filepath.Join(s.Dir, "paced-"+q.Name), "topic"
	o.TPS = s.Pace // event time goes as the clock does
	b, err := Open(ctx, o)
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(o.Dir)
	p50, p99, err = b.Pace(ctx, q, s.PaceFor)
	if cerr := b.Close(); err == nil {
		err = cerr
	}
	return p50, p99, err
}

func (s *Suite) progress(what string, of int64) func(int64) {
	if s.Progress == nil {
		return nil
	}
	return func(done int64) { s.Progress(what, done, of) }
}

func (s *Suite) profile(name string) (stop func(), err error) {
	if s.Profile == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(s.Profile, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(s.Profile, name+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, fmt.Errorf("profile %s: %w", f.Name(), err)
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

// kinds are those that some query reads.
func (s *Suite) kinds() (out []nexmark.Kind) {
	read := map[nexmark.Kind]bool{}
	for _, q := range s.Queries {
		for _, k := range q.Reads {
			read[k] = true
		}
	}
	for _, k := range nexmark.Kinds {
		if read[k] {
			out = append(out, k)
		}
	}
	return out
}

func rowsOf(kinds []nexmark.Kind, events int64) (n int64) {
	for _, k := range kinds {
		n += k.Rows(events)
	}
	return n
}
