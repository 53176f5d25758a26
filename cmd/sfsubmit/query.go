package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

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
			{Name: "pause", Usage: "hold a query after the batch in hand, until it is resumed; also over a restart of the node", ArgsUsage: "NAME", Action: onQuery("PAUSE QUERY %s")},
			{Name: "resume", Usage: "let a query go on that was paused or stopped, or that failed", ArgsUsage: "NAME", Action: onQuery("RESUME QUERY %s")},
			{Name: "rescale", Usage: "give a query another number of tasks and partitions of state, between two batches", ArgsUsage: "NAME PARALLELISM", Action: rescaleQuery},
			{Name: "drop", Usage: "stop a query and forget it, with its state", ArgsUsage: "NAME", Action: onQuery("DROP STREAMING QUERY %s")},
			{Name: "replay", Usage: "run a query's program over a part of history, into a topic to look at", ArgsUsage: "NAME", Action: replayQuery, Flags: []cli.Flag{
				&cli.StringFlag{Name: "from", Required: true, Usage: "begin at this `TIME`"}, &cli.StringFlag{Name: "to", Required: true, Usage: "end before this `TIME`"},
				&cli.StringFlag{Name: "into", Required: true, Usage: "the `TOPIC`, which is made if there is none"}}},
			savepointCommand(),
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

// onQuery is a command that runs a statement about the query that its argument names.
func onQuery(statement string) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.NArg() != 1 {
			return term.Usage("query %s takes the name of a query", c.Command.Name)
		}
		return within(c, func(s *opened) error {
			return script(c, s, fmt.Sprintf(statement, sqlText(c.Args().First())), structured.RunOptions{})
		})
	}
}

func rescaleQuery(c *cli.Context) error {
	if c.NArg() != 2 {
		return term.Usage("query rescale takes the name of a query and a number")
	}
	n, err := strconv.Atoi(c.Args().Get(1))
	if err != nil || n < 1 {
		return term.Usage("the parallelism of a query is a number from 1 on, not %s", c.Args().Get(1))
	}
	return within(c, func(s *opened) error {
		return script(c, s, fmt.Sprintf("ALTER STREAMING QUERY %s SET PARALLELISM %d", sqlText(c.Args().First()), n), structured.RunOptions{})
	})
}

func replayQuery(c *cli.Context) error {
	if c.NArg() != 1 {
		return term.Usage("query replay takes the name of a query")
	}
	statement := fmt.Sprintf("REPLAY QUERY %s FROM %s TO %s INTO %s", sqlText(c.Args().First()), sqlText(c.String("from")), sqlText(c.String("to")), sqlText(c.String("into")))
	return within(c, func(s *opened) error { return script(c, s, statement, structured.RunOptions{}) })
}

func savepointCommand() *cli.Command {
	two := func(statement string) cli.ActionFunc {
		return func(c *cli.Context) error {
			if c.NArg() != 2 {
				return term.Usage("query savepoint %s takes the names of a query and of a savepoint", c.Command.Name)
			}
			return within(c, func(s *opened) error {
				return script(c, s, fmt.Sprintf(statement, sqlText(c.Args().Get(1)), sqlText(c.Args().First())), structured.RunOptions{})
			})
		}
	}
	return &cli.Command{Name: "savepoint", Usage: "copies of a query's state and place, to begin a query with", Subcommands: []*cli.Command{
		{Name: "create", Usage: "make one, between two batches", ArgsUsage: "QUERY NAME", Flags: []cli.Flag{outputFlag()}, Action: two("CREATE SAVEPOINT %s ON QUERY %s")},
		{Name: "delete", Usage: "remove one, and what only it has", ArgsUsage: "QUERY NAME", Action: two("DROP SAVEPOINT %s ON QUERY %s")},
		{Name: "list", Usage: "those of a query, or of all", ArgsUsage: "[QUERY]", Flags: []cli.Flag{outputFlag()}, Action: func(c *cli.Context) error {
			statement := "SHOW SAVEPOINTS"
			if c.NArg() > 0 {
				statement += " ON QUERY " + sqlText(c.Args().First())
			}
			return within(c, func(s *opened) error { return script(c, s, statement, structured.RunOptions{}) })
		}},
	}}
}
