package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/streamflow/streamflow/internal/oracle"
	"github.com/streamflow/streamflow/structured"
)

// cost is what a run took.
type cost struct {
	Wall float64 `json:"wall_seconds"`
	CPU  float64 `json:"cpu_seconds"`
	Peak float64 `json:"peak_mib"`
}

// best keeps the smaller of each.
func (c *cost) best(x cost) {
	if c.Wall == 0 || x.Wall < c.Wall {
		c.Wall = x.Wall
	}
	if c.CPU == 0 || x.CPU < c.CPU {
		c.CPU = x.CPU
	}
	c.Peak = max(c.Peak, x.Peak)
}

// lap is one query's outcome.
type lap struct {
	Query  string `json:"query"`
	Rows   int    `json:"rows"`
	Ours   cost   `json:"streamflow"`
	Theirs cost   `json:"peer"`
	Fault  string `json:"fault,omitempty"`
}

// race is a run of all queries.
type race struct {
	options
	ours   *streamFlow
	theirs peer // nil without one
}

func (r race) all(ctx context.Context) error {
	var laps []lap
	faults := 0
	for _, n := range r.only {
		text, err := r.text(n)
		if err != nil {
			return err
		}
		l := lap{Query: fmt.Sprint("q", n)}
		if err := r.lap(ctx, &l, text); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			l.Fault = err.Error()
			faults++
		}
		fmt.Fprintf(os.Stderr, "%s %.3f s %s\n", l.Query, l.Ours.Wall, l.Fault)
		laps = append(laps, l)
	}
	if err := r.print(os.Stdout, laps); err != nil {
		return err
	}
	if faults > 0 {
		return fmt.Errorf("%d of %d queries failed or gave other rows than %s", faults, len(laps), r.peerName())
	}
	return nil
}

// lap runs one query: for its rows, then for its time.
func (r race) lap(ctx context.Context, l *lap, text string) error {
	debug.FreeOSMemory() // what the query before held is not this one's peak
	got, err := oracle.Collect(ctx, r.ours.Session, text)
	if err != nil {
		return err
	}
	l.Rows = len(got.Rows)
	var differ error
	if r.theirs != nil {
		want, err := r.theirs.Query(text, true)
		if err != nil {
			return err
		}
		differ = oracle.Compare(got, want.Result, true)
	}
	if r.profile != "" {
		stop, err := r.startProfile(l.Query)
		if err != nil {
			return err
		}
		defer stop()
	}
	for range r.repeat {
		c, err := r.timed(ctx, text)
		if err != nil {
			return err
		}
		l.Ours.best(c)
		if r.theirs == nil {
			continue
		}
		a, err := r.theirs.Query(text, false)
		if err != nil {
			return err
		}
		l.Theirs.best(cost{a.Wall, a.CPU, float64(a.Peak) / (1 << 20)})
	}
	return differ
}

// timed runs a query in StreamFlow once; the rows are passed over.
func (r race) timed(ctx context.Context, text string) (c cost, err error) {
	resetPeak()
	start, cpu := time.Now(), cpuSeconds()
	if err := drain(ctx, r.ours.Session, text); err != nil {
		return c, err
	}
	return cost{time.Since(start).Seconds(), cpuSeconds() - cpu, peakMiB()}, nil
}

// startProfile profiles this process until stop is called.
func (r race) startProfile(name string) (stop func(), err error) {
	if err := os.MkdirAll(r.profile, 0o777); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(r.profile, name+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "benchbatch:", err)
		}
	}, nil
}

func drain(ctx context.Context, s *structured.Session, text string) (err error) {
	df, err := s.SQL(ctx, text)
	if err != nil {
		return err
	}
	rows, err := df.Rows(ctx, structured.ExecOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		if _, err := rows.Next(ctx); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// resetPeak makes Linux count the process's greatest memory anew; elsewhere peakMiB is that of the whole run.
func resetPeak() {
	if f, err := os.OpenFile("/proc/self/clear_refs", os.O_WRONLY, 0); err == nil {
		f.WriteString("5") // refused on some kernels; then the peak is that of the whole run
		f.Close()
	}
}

func peakMiB() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		kib := 0.0
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kib); err == nil {
			return kib / 1024
		}
	}
	return 0
}
