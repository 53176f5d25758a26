package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/driver"
	"github.com/streamflow/streamflow/internal/term"
)

func topCommand() *cli.Command {
	return &cli.Command{
		Name: "top", Usage: "the streaming queries of a node, again and again, until Ctrl-C", Action: top,
		Flags: []cli.Flag{&cli.DurationFlag{Name: "every", Value: time.Second, Usage: "draw anew after this `TIME`"},
			&cli.IntFlag{Name: "times", Usage: "end after this `NUMBER` of times; 0 never"}},
	}
}

// top draws the queries. On a terminal each drawing takes the place of the one before.
func top(c *cli.Context) error {
	every := c.Duration("every")
	if every <= 0 {
		return term.Usage("--every must be more than nothing, not %s", every)
	}
	return within(c, func(s *opened) error {
		for n := 1; ; n++ {
			rows, err := topRows(c, s)
			if err != nil {
				return err
			}
			if term.IsTerminal(os.Stdout) {
				fmt.Print("\x1b[H\x1b[2J")
			}
			drawTop(os.Stdout, rows)
			if n == c.Int("times") || !wait(c.Context, every) {
				return nil
			}
		}
	})
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// topRows asks for every query that runs on the node.
func topRows(c *cli.Context, s *opened) ([]*driver.Why, error) {
	list, err := s.Backend().Queries(c.Context)
	if err != nil {
		return nil, err
	}
	var out []*driver.Why
	for _, q := range list {
		text, err := cell(c, s, "EXPLAIN STREAMING QUERY "+sqlText(q.Name())+" AS JSON")
		if err != nil {
			continue // it has been dropped since
		}
		w := &driver.Why{}
		if err := json.Unmarshal([]byte(text), w); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// drawTop is a line for each query and, below, what it should be known for.
func drawTop(to io.Writer, list []*driver.Why) {
	rows := make([][]any, len(list))
	for i, w := range list {
		keys, bytes := int64(0), int64(0)
		for _, s := range w.State {
			keys, bytes = keys+s.Keys, bytes+s.Bytes
		}
		mark := ""
		for _, e := range w.Watermarks {
			if mark == "" || e.Watermark < mark {
				mark = e.Watermark
			}
		}
		rows[i] = []any{w.Query, w.Status, w.Doing, w.Batches.Last, fmt.Sprintf("%.0f", w.Batches.RowsIn), fmt.Sprintf("%.0f", w.Batches.RowsOut), w.Lag(),
			fmt.Sprintf("%.1f", w.Batches.P50Ms), fmt.Sprintf("%.1f", w.Batches.P99Ms), mark, keys, bytes}
	}
	term.Table(to, []string{"query", "status", "doing", "batch", "in/s", "out/s", "behind", "p50 ms", "p99 ms", "watermark", "keys", "state bytes"}, rows)
	for _, w := range list {
		if len(w.Findings) > 0 {
			fmt.Fprintf(to, "%s: %s\n", w.Query, strings.Join(w.Findings, " "))
		}
	}
}
