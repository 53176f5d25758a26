package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/nexmark"
	nexmarkrun "github.com/streamflow/streamflow/internal/nexmark/run"
	"github.com/streamflow/streamflow/internal/term"
)

func nexmarkCommand() *cli.Command {
	return &cli.Command{
		Name: "nexmark", Usage: "run queries of the Nexmark benchmark on a node in this process, exactly once into a topic, and measure them",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "query", Value: "all", Usage: "`LIST` of q0 to q23 and cep0 to cep3, comma separated, or all"},
			&cli.StringFlag{Name: "events", Value: "1M", Usage: "`COUNT` of events, such as 50M: 2 % persons, 6 % auctions, 92 % bids"},
			&cli.StringFlag{Name: "tps", Value: "100K", Usage: "`COUNT` of events in a second of event time"},
			&cli.StringFlag{Name: "source", Value: "topic", Usage: "topic: rows are read from the log; generator: made as they are read"},
			&cli.StringFlag{Name: "format", Value: "arrow", Usage: "of the topics: arrow or json"},
			&cli.Int64Flag{Name: "seed", Value: 1, Usage: "`NUMBER` that decides the events"},
			&cli.IntFlag{Name: "partitions", Value: 2, Usage: "of each topic"},
			&cli.StringFlag{Name: "pace", Usage: "measure latency too, while `COUNT` events come in a second"},
			&cli.DurationFlag{Name: "pace-for", Value: 5 * time.Second, Usage: "how long latency is measured for each query"},
			&cli.BoolFlag{Name: "show", Usage: "print the queries instead of running them"},
			&cli.StringFlag{Name: "profile", Usage: "write a processor profile of each query into `DIR`"},
			term.OutputFlag("table or json")},
		Action: runNexmark,
	}
}

func runNexmark(c *cli.Context) error {
	if c.NArg() > 0 {
		return term.Usage("unexpected argument %q", c.Args().First())
	}
	queries, err := nexmarkQueries(c.String("query"))
	if err != nil {
		return err
	}
	if c.Bool("show") {
		for _, q := range queries {
			fmt.Printf("%s;\n\n", q.SQL)
		}
		return nil
	}
	if out := c.String("output"); out != "table" && out != "json" {
		return term.Usage("--output must be table or json, not %q", out)
	}
	o := nexmarkrun.Suite{Queries: queries, PaceFor: c.Duration("pace-for"), Profile: c.String("profile"), Progress: nexmarkProgress()}
	o.Source, o.Format, o.Seed, o.Partitions, o.Logger = c.String("source"), c.String("format"), c.Int64("seed"), c.Int("partitions"), logger()
	for flag, to := range map[string]*int64{"events": &o.Events, "tps": &o.TPS, "pace": &o.Pace} {
		if text := c.String(flag); text != "" {
			if *to, err = parseCount(flag, text); err != nil {
				return err
			}
		}
	}
	if o.Dir = c.String("data-dir"); o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "streamflow-nexmark-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.Dir)
	}
	laps, err := o.Run(c.Context)
	clearProgress()
	if err != nil {
		return err
	}
	return errors.Join(printLaps(laps, c.String("output")), faults(laps))
}

func nexmarkQueries(list string) ([]nexmark.Query, error) {
	if list == "all" {
		return append(nexmark.Queries(), nexmark.Patterns()...), nil
	}
	var out []nexmark.Query
	for _, name := range strings.Split(list, ",") {
		q, err := nexmark.QueryByName(strings.TrimSpace(name))
		if err != nil {
			return nil, term.Usage("--query: %v", err)
		}
		out = append(out, q)
	}
	return out, nil
}

// parseCount reads a positive number with K, M or G behind it.
func parseCount(flag, text string) (int64, error) {
	number, unit := text, int64(1)
	for suffix, n := range map[string]int64{"K": 1e3, "M": 1e6, "G": 1e9} {
		if rest, ok := strings.CutSuffix(strings.ToUpper(text), suffix); ok {
			number, unit = rest, n
		}
	}
	x, err := strconv.ParseFloat(number, 64)
	if n := x * float64(unit); err == nil && n >= 1 && n <= 1e12 {
		return int64(n), nil
	}
	return 0, term.Usage("--%s must be a count such as 100000, 100K or 2.5M, not %q", flag, text)
}

// nexmarkProgress draws what is being done; nil where nobody would see it.
func nexmarkProgress() func(what string, done, of int64) {
	if !term.IsTerminal(os.Stderr) {
		return nil
	}
	began, last := time.Now(), ""
	return func(what string, done, of int64) {
		if what != last {
			began, last = time.Now(), what
		}
		rate := float64(done) / max(time.Since(began).Seconds(), 1e-3)
		draw(fmt.Sprintf("%s %s %d of %d rows, %.0f rows/s", what, bar(min(done, of), max(of, 1)), done, of, rate))
	}
}

// faults is an error when some query did not run.
func faults(laps []nexmarkrun.Lap) error {
	var names []string
	for _, l := range laps {
		if l.Fault != "" {
			names = append(names, l.Query)
		}
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("%d of %d queries did not run: %s", len(names), len(laps), strings.Join(names, ", "))
}

func printLaps(laps []nexmarkrun.Lap, output string) error {
	if output == "json" {
		enc := json.NewEncoder(os.Stdout)
		for _, l := range laps {
			if err := enc.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	header := []string{"query", "events", "rows out", "s", "events/s", "events/s/core", "aim", "state keys", "state MiB", "p50 ms", "p99 ms"}
	var rows [][]any
	for _, l := range laps {
		if l.Fault != "" {
			continue
		}
		rows = append(rows, []any{l.Query, l.Events, l.RowsOut, fmt.Sprintf("%.2f", l.Wall), thousands(l.Rate), thousands(l.PerCore), thousands(float64(l.Aim)), l.StateKeys,
			fmt.Sprintf("%.1f", float64(l.StateBytes)/(1<<20)), millis(l.P50, l.PacedRate), millis(l.P99, l.PacedRate)})
	}
	if err := term.Rows(os.Stdout, output, header, rows); err != nil {
		return err
	}
	for _, l := range laps {
		if l.Fault != "" {
			note("%s: %s", l.Query, l.Fault)
		}
	}
	return nil
}

// thousands writes a rate short; nothing for none.
func thousands(n float64) string {
	switch {
	case n == 0:
		return ""
	case n >= 1e6:
		return fmt.Sprintf("%.2f M", n/1e6)
	}
	return fmt.Sprintf("%.0f K", n/1e3)
}

func millis(ms float64, paced int64) string {
	if paced == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", ms)
}
