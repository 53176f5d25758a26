package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name: "bench", Usage: "measure a node",
		Subcommands: []*cli.Command{benchProduceCommand(), benchConsumeCommand(), benchLatencyCommand(), {
			Name: "smoke", Usage: "throughput and latency of the whole path, as JSON lines; under two minutes", Action: benchSmoke,
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "only", Usage: "`LIST` of disk, start, history, live, latency; all without"},
				&cli.Int64Flag{Name: "events", Value: 10_000_000, Usage: "rows of the columnar topic"},
				&cli.Int64Flag{Name: "json-events", Value: 3_000_000, Usage: "records of the JSON topic"},
				&cli.IntFlag{Name: "rate", Value: 10_000, Usage: "events a second for latency"},
				&cli.DurationFlag{Name: "duration", Value: 8 * time.Second, Usage: "how long latency is measured, for each query"},
				&cli.IntFlag{Name: "repeat", Value: 3, Usage: "runs of which the best counts"},
				&cli.StringFlag{Name: "dir", Usage: "`DIR` for the node's data, on the disk to measure; a temporary one without"},
				&cli.StringFlag{Name: "sfsubmit", Value: "bin/sfsubmit", Usage: "`FILE` whose start is measured, if it is there"},
				&cli.StringFlag{Name: "profile", Usage: "write cpu, allocs, block and mutex profiles and an execution trace into `DIR`, one set for each part"},
			},
		}},
	}
}

// bench is a run of the smoke benchmark.
type bench struct {
	ctx      context.Context
	c        *cli.Context
	dir      string
	out      *json.Encoder
	diskP50  float64 // of two fsyncs, in ms; 0 until measured
	diskP99  float64
	profiles string
}

// result is one printed line. Peer is what was measured beside it; a ratio over 1 means that we are slower.
type result struct {
	Bench     string  `json:"bench"`
	Case      string  `json:"case"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
	Cores     int     `json:"cores"`
	CPU       float64 `json:"cpu_s,omitempty"` // seconds of processor time that the measured run took
	Peer      string  `json:"peer,omitempty"`
	PeerValue float64 `json:"peer_value,omitempty"`
	Ratio     float64 `json:"ratio,omitempty"`
}

func (b *bench) print(r result) {
	r.Bench, r.Cores = "smoke", runtime.NumCPU()
	if r.Peer != "" && r.PeerValue > 0 {
		r.Ratio = round(r.Value / r.PeerValue)
	}
	r.Value, r.PeerValue, r.CPU = round(r.Value), round(r.PeerValue), round(r.CPU)
	if err := b.out.Encode(r); err != nil {
		slog.Error("result cannot be written", "err", err)
	}
}

// round keeps three digits behind the point, and none of large numbers.
func round(x float64) float64 {
	unit := 1000.0
	if x >= 1000 {
		unit = 1
	}
	return float64(int64(x*unit+0.5)) / unit
}

func benchSmoke(c *cli.Context) error {
	parts := []struct {
		name string
		run  func(*bench) error
	}{{"disk", benchDisk}, {"start", benchStart}, {"history", benchHistory}, {"live", benchLive}, {"latency", benchLatency}}
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	only := names
	if c.IsSet("only") {
		only = strings.Split(c.String("only"), ",")
	}
	for _, o := range only {
		if !slices.Contains(names, o) {
			return term.Usage("--only takes %s, not %q", strings.Join(names, ", "), o)
		}
	}
	dir, err := os.MkdirTemp(c.String("dir"), "streamflow-bench-")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir)
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	b := &bench{ctx: c.Context, c: c, dir: dir, out: json.NewEncoder(io.Writer(os.Stdout)), profiles: c.String("profile")}
	for _, p := range parts {
		if !slices.Contains(only, p.name) {
			continue
		}
		if err := b.profiled(p.name, p.run); err != nil {
			return fmt.Errorf("bench: %s: %w", p.name, err)
		}
	}
	return nil
}

// best is the fastest of n runs: its duration and the processor time it took. The lowest wall time is what the machine can
// do when its neighbours are quiet.
func best(n int, run func() error) (wall time.Duration, cpu float64, err error) {
	for i := range n {
		before, began := cpuSeconds(), time.Now()
		if err := run(); err != nil {
			return 0, 0, err
		}
		took, used := time.Since(began), cpuSeconds()-before
		if i == 0 || took < wall {
			wall = took
		}
		if i == 0 || used < cpu {
			cpu = used
		}
	}
	return wall, cpu, nil
}

// quantile of a sample, which it sorts.
func quantile(list []float64, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(int(q*float64(len(list))), len(list)-1)]
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
