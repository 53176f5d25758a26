package main

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
)

func queryCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	return &cli.Command{
		Name: "query", Usage: "streaming queries of a node",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "all queries", Flags: []cli.Flag{outputFlag()}, Action: func(c *cli.Context) error {
				return within(c, func(s *opened) error { return script(c, s, "SHOW QUERIES", structured.RunOptions{}) })
			}},
			{Name: "describe", Usage: "a query's plan and last batch", ArgsUsage: "NAME", Flags: []cli.Flag{out}, Action: func(c *cli.Context) error {
				return within(c, func(s *opened) error { return withQuery(c, s, describeQuery) })
			}},
			{Name: "stop", Usage: "stop a query after the batch in hand", ArgsUsage: "NAME", Action: func(c *cli.Context) error {
				return within(c, func(s *opened) error {
					return withQuery(c, s, func(ctx context.Context, _ *cli.Context, q structured.QueryHandle) error { return q.Stop(ctx) })
				})
			}},
		},
	}
}

// withQuery finds the query that the argument names.
func withQuery(c *cli.Context, s *opened, work func(context.Context, *cli.Context, structured.QueryHandle) error) error {
	if c.NArg() != 1 {
		return term.Usage("query %s takes the name of a query", c.Command.Name)
	}
	name := c.Args().First()
	list, err := s.Backend().Queries(c.Context)
	if err != nil {
		return err
	}
	var names []string
	for _, q := range list {
		if q.Name() == name || q.ID() == name {
			return work(c.Context, c, q)
		}
		names = append(names, q.Name())
	}
	e := usererr.New("STREAMING_QUERY_NOT_FOUND", "42704", "There is no streaming query %s.", name)
	if near := usererr.Nearest(name, names, 1); len(near) > 0 {
		return e.WithFix("Did you mean %s?", near[0])
	}
	return e.WithFix("sfsubmit query list shows them.")
}

func describeQuery(ctx context.Context, c *cli.Context, q structured.QueryHandle) error {
	st, err := q.Status(ctx)
	if err != nil {
		return err
	}
	rows := [][]any{{"name", q.Name()}, {"id", q.ID()}, {"run", q.RunID()}, {"status", st.Message}}
	recent, err := q.Recent(ctx)
	if err != nil {
		return err
	}
	if n := len(recent); n > 0 {
		p := recent[n-1]
		rows = append(rows, []any{"batch", p.BatchID}, []any{"batch duration", p.BatchDuration.String()}, []any{"rows in", p.InputRows}, []any{"watermark", p.EventTime["watermark"]})
		for _, s := range p.Sources {
			rows = append(rows, []any{"source " + s.Description, fmt.Sprintf("%s of %s", s.End, s.Latest)})
		}
		rows = append(rows, []any{"sink", p.Sink.Description})
	}
	if err := term.Rows(os.Stdout, c.String("output"), []string{"property", "value"}, rows); err != nil || c.String("output") == "json" {
		return err
	}
	plan, err := q.Explain(ctx, true)
	if err == nil {
		fmt.Println(plan)
	}
	return err
}
