package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/structured/stream"
)

func benchLatencyCommand() *cli.Command {
	return &cli.Command{
		Name: "latency", Usage: "how long an event takes through a 1-minute window count, topic to topic, exactly once, beside two syncs of the disk", Action: benchWindowLatency,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "rates", Value: "1000,50000", Usage: "`LIST` of events a second; one event at a time is measured besides"},
			&cli.IntFlag{Name: "keys", Value: 1000, Usage: "how many keys the events have"},
			&cli.DurationFlag{Name: "duration", Value: 15 * time.Second, Usage: "how long each rate is measured"},
			&cli.StringFlag{Name: "dir", Usage: "`DIR` for the node's data, on the disk to measure; a temporary one without"},
			&cli.StringFlag{Name: "profile", Usage: "write cpu, allocs, block and mutex profiles and an execution trace into `DIR`"},
			term.OutputFlag("table or json"),
		},
	}
}

// windowLatency is what one rate took. Times are milliseconds.
type windowLatency struct {
	Events  string          `json:"events"`
	Rows    int             `json:"rows"`
	P50     float64         `json:"p50_ms"`
	P99     float64         `json:"p99_ms"`
	BestP99 float64         `json:"best_second_p99_ms"`
	DiskP50 float64         `json:"two_syncs_p50_ms"`
	DiskP99 float64         `json:"two_syncs_p99_ms"`
	Batches int             `json:"batches"`
	Steps   []batchStepTime `json:"batch_steps_p50_ms"`
	Beyond  float64         `json:"batch_beyond_waiting_for_the_disk_p50_ms"`
}

type batchStepTime struct {
	Step string  `json:"step"`
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
}

// batchSteps are the parts of a micro-batch, in the order in which they come. Two of them wait for a sync: flush for that of
// what was staged, commit for that of the entry.
var batchSteps = []struct {
	name string
	of   func(*stream.Progress) time.Duration
}{
	{"choose", func(p *stream.Progress) time.Duration { return p.Choose }},
	{"tasks", func(p *stream.Progress) time.Duration { return p.Run - p.Sync }},
	{"flush", func(p *stream.Progress) time.Duration { return p.Sync }},
	{"commit", func(p *stream.Progress) time.Duration { return p.Commit }},
	{"publish", func(p *stream.Progress) time.Duration { return p.Publish }},
}

func benchWindowLatency(c *cli.Context) error {
	rates := []int{0}
	for _, text := range strings.Split(c.String("rates"), ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return term.Usage("--rates takes numbers of events such as 1000,50000, not %q", text)
		}
		rates = append(rates, n)
	}
	if out := c.String("output"); out != "table" && out != "json" {
		return term.Usage("--output must be table or json, not %q", out)
	}
	if c.Int("keys") < 1 {
		return term.Usage("--keys must be positive, not %d", c.Int("keys"))
	}
	dir, err := os.MkdirTemp(c.String("dir"), "streamflow-bench-")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir)
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	b := &bench{ctx: c.Context, c: c, dir: dir, profiles: c.String("profile")}
	var out []windowLatency
	err = b.profiled("latency", func(b *bench) error {
		out, err = b.windowLatencies(rates)
		return err
	})
	if err != nil {
		return fmt.Errorf("bench: latency: %w", err)
	}
	return printWindowLatencies(c.String("output"), out)
}

func (b *bench) windowLatencies(rates []int) (out []windowLatency, err error) {
	n, err := b.node("latency")
	if err != nil {
		return nil, err
	}
	for _, rate := range rates {
		l, err := n.windowLatency(b, rate)
		if err != nil {
			return out, errors.Join(err, n.Close())
		}
		out = append(out, l)
	}
	return out, n.Close()
}

// windowLatency measures one rate between two looks at the disk.
func (n *benchNode) windowLatency(b *bench, rate int) (windowLatency, error) {
	lq := latencyQuery{name: "window", columns: "w TIMESTAMP, k BIGINT, n BIGINT, sent BIGINT", mode: "update", rate: rate, keys: b.c.Int("keys"),
		text: "SELECT window(ts, '1 minute').start AS w, k, count(*) AS n, max(sent) AS sent FROM %s GROUP BY window(ts, '1 minute'), k"}
	p50, p99, err := b.twoSyncs(200)
	if err != nil {
		return windowLatency{}, err
	}
	seconds, err := n.measure(b, lq)
	if err != nil {
		return windowLatency{}, err
	}
	again50, again99, err := b.twoSyncs(200)
	all, batches := slices.Concat(seconds...), n.takeBatches()
	l := windowLatency{Events: fmt.Sprintf("%d events/s", rate), Rows: len(all), P50: quantile(all, 0.5), P99: quantile(all, 0.99), BestP99: bestSecond(seconds, 0.99),
		DiskP50: (p50 + again50) / 2, DiskP99: (p99 + again99) / 2, Batches: len(batches), Beyond: beyondDisk(batches)}
	if rate == 0 {
		l.Events = "one at a time"
	}
	for _, s := range batchSteps {
		var list []float64
		for _, p := range batches {
			list = append(list, ms(s.of(p)))
		}
		l.Steps = append(l.Steps, batchStepTime{s.name, quantile(list, 0.5), quantile(list, 0.99)})
	}
	return l, err
}

// beyondDisk is what half of the batches took at the most besides waiting for what they staged and for their commit.
func beyondDisk(batches []*stream.Progress) float64 {
	var list []float64
	for _, p := range batches {
		list = append(list, ms(p.Total()-p.Sync-p.Commit))
	}
	return quantile(list, 0.5)
}

func printWindowLatencies(output string, out []windowLatency) error {
	if output == "json" {
		enc := json.NewEncoder(os.Stdout)
		for _, l := range out {
			if err := enc.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	header, steps := []string{"events", "rows", "p50 ms", "p99 ms", "best second p99", "two syncs p50", "two syncs p99"}, []string{"events", "batches"}
	for _, s := range batchSteps {
		steps = append(steps, s.name+" p50/p99 ms")
	}
	steps = append(steps, "beyond flush and commit p50")
	var rows, parts [][]any
	for _, l := range out {
		rows = append(rows, []any{l.Events, l.Rows, hundredths(l.P50), hundredths(l.P99), hundredths(l.BestP99), hundredths(l.DiskP50), hundredths(l.DiskP99)})
		part := []any{l.Events, l.Batches}
		for _, s := range l.Steps {
			part = append(part, hundredths(s.P50)+" / "+hundredths(s.P99))
		}
		parts = append(parts, append(part, hundredths(l.Beyond)))
	}
	if err := term.Rows(os.Stdout, output, header, rows); err != nil {
		return err
	}
	return term.Rows(os.Stdout, output, steps, parts)
}

func hundredths(x float64) string { return fmt.Sprintf("%.2f", x) }
