package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/expr/exprlang"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
)

func exprCommand() *cli.Command {
	return &cli.Command{
		Name: "expr", Usage: "filter and reshape rows by an expression in expr-lang's language", ArgsUsage: "['amount > 10 && country == \"DE\"']",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "a `TOPIC` or table, a file (.parquet, .csv, .json), or - for JSON lines on standard input"},
			&cli.StringFlag{Name: "select", Usage: "the columns to make: '{id, cents: price * 100}'"},
			&cli.StringFlag{Name: "to", Value: "-", Usage: "a `TOPIC` (made if it is not there), a file or directory (.parquet, .csv, .json), or - for standard output"},
			&cli.BoolFlag{Name: "history", Usage: "everything up to now (the default)"},
			&cli.BoolFlag{Name: "live", Usage: "what arrives from now on"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "json", Usage: "on standard output: json, table or csv"}},
		Action: runExpr,
	}
}

// pipeline is what an expr command does to rows.
type pipeline struct {
	filter, choose string
	live           bool
}

func runExpr(c *cli.Context) error {
	if c.String("from") == "" {
		return term.Usage("expr needs --from: a topic or table, a file, or - for standard input")
	}
	if c.NArg() > 1 {
		return term.Usage("expr takes one expression, got %d arguments", c.NArg())
	}
	if c.Bool("live") && c.Bool("history") {
		return term.Usage("--history and --live exclude each other")
	}
	if err := checkOutput(c.String("output")); err != nil {
		return err
	}
	p := pipeline{filter: c.Args().First(), choose: c.String("select"), live: c.Bool("live")}
	return within(c, func(s *opened) error {
		if c.String("from") == "-" {
			return exprLines(c, s, p)
		}
		return p.run(c, s, sourcePlan(c.String("from")))
	})
}

var formats = map[string]string{".parquet": "parquet", ".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}

// formatOf is the format that a path's name means, "" for the name of a topic.
func formatOf(path string) string {
	name := strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".zst")
	if f := formats[filepath.Ext(name)]; f != "" {
		return f
	}
	return ""
}

// sourcePlan reads a file or directory when the name has a file's ending, else a table.
func sourcePlan(from string) logical.Plan {
	if f := formatOf(from); f != "" {
		abs, err := filepath.Abs(from)
		if err != nil {
			abs = from
		}
		return &logical.UnresolvedTable{Format: f, Paths: []string{abs}, Options: map[string]string{"header": "true", "inferSchema": "true"}}
	}
	return &logical.UnresolvedTable{Parts: []string{from}}
}

// run applies the pipeline to a source and sends the rows where they belong.
func (p pipeline) run(c *cli.Context, s *opened, src logical.Plan) error {
	plan, err := p.plan(c.Context, s, src)
	if err != nil {
		return err
	}
	to := c.String("to")
	name := "expr"
	switch {
	case to == "-":
	case formatOf(to) != "":
		if p.live {
			return term.Usage("--live writes to a topic or to standard output, not to %s", to)
		}
		abs, err := filepath.Abs(to)
		if err != nil {
			return err
		}
		plan = &logical.WriteTo{Format: formatOf(to), Path: abs, Mode: "overwrite", Options: map[string]string{"header": "true"}, Query: plan}
	default:
		if err := p.ensureTopic(c.Context, s, plan, to); err != nil {
			return err
		}
		name = "expr-" + to
		plan = &logical.InsertInto{Table: []string{to}, Query: plan}
	}
	if p.live {
		plan = &logical.Run{Live: true, Name: fmt.Sprintf("%s-%d", name, os.Getpid()), Child: plan}
	}
	rows, err := s.Backend().Execute(c.Context, plan, structured.ExecOptions{Progress: progress(c)})
	if err != nil {
		return err
	}
	err = print(c.Context, rows, c.String("output"))
	if p.live && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// plan parses the expressions against the source's columns.
func (p pipeline) plan(ctx context.Context, s *opened, src logical.Plan) (logical.Plan, error) {
	info, err := s.Backend().Analyze(ctx, src)
	if err != nil {
		return nil, err
	}
	var attrs []*expr.Attr
	for _, f := range info.Schema.Fields {
		attrs = append(attrs, &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Null: f.Nullable})
	}
	plan := src
	if p.filter != "" {
		cond, err := exprlang.Parse(p.filter, attrs)
		if err != nil {
			return nil, err
		}
		if k := cond.DataType().Kind; k != column.Bool && k != column.Null {
			return nil, usererr.New("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09", "The expression is %s; a filter must be boolean.", cond.DataType()).
				WithFix("Compare it with something, or use --select to compute columns.")
		}
		plan = &logical.Filter{Cond: unresolved(cond), Child: plan}
	}
	if p.choose != "" {
		list, err := exprlang.ParseSelect(p.choose, attrs)
		if err != nil {
			return nil, err
		}
		for i, e := range list {
			list[i] = unresolved(e)
		}
		plan = &logical.Project{List: list, Child: plan}
	}
	return plan, nil
}

// unresolved turns a resolved tree back into names, so that it can travel to wherever the rows are.
func unresolved(e expr.Expr) expr.Expr {
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		switch x := x.(type) {
		case *expr.Attr:
			return &expr.UnresolvedAttr{Parts: []string{x.Name}}
		case *expr.Call:
			return &expr.UnresolvedCall{Name: x.Fn, Args: x.Args}
		}
		return x
	})
}

// ensureTopic makes a JSON topic with the pipeline's columns, unless it is there.
func (p pipeline) ensureTopic(ctx context.Context, s *opened, plan logical.Plan, topic string) error {
	if _, err := s.Backend().Analyze(ctx, &logical.UnresolvedTable{Parts: []string{topic}}); err == nil {
		return nil
	}
	info, err := s.Backend().Analyze(ctx, plan)
	if err != nil {
		return err
	}
	text := "CREATE TABLE IF NOT EXISTS " + structured.JoinName([]string{topic}) + " (" + info.Schema.String() + ") USING topic"
	rows, err := s.Backend().Execute(ctx, &logical.SQLText{Text: text}, structured.ExecOptions{})
	if err != nil {
		return err
	}
	return rows.Close()
}

// exprLines runs the pipeline over JSON lines of standard input, in pieces, so that a pipe that never ends works too.
func exprLines(c *cli.Context, s *opened, p pipeline) error {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	dir, err := os.MkdirTemp("", "sfsubmit-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for n := 0; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("%d.json", n))
		last, rows, err := piece(in, path)
		if err != nil {
			return err
		}
		if rows > 0 {
			if err := p.run(c, s, sourcePlan(path)); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
}

// pieceBytes bounds a piece; a piece also ends where nothing more is there to be read at once.
const pieceBytes = 8 << 20

// piece copies lines into a file; last says that the input has ended.
func piece(in *bufio.Reader, path string) (last bool, rows int, err error) {
	f, err := os.Create(path)
	if err != nil {
		return false, 0, err
	}
	defer f.Close()
	for size := 0; size < pieceBytes; {
		line, err := in.ReadBytes('\n')
		if len(strings.TrimSpace(string(line))) > 0 {
			size += len(line)
			rows++
			if _, werr := f.Write(line); werr != nil {
				return false, rows, werr
			}
		}
		if err == io.EOF {
			return true, rows, nil
		}
		if err != nil {
			return false, rows, err
		}
		if rows > 0 && in.Buffered() == 0 {
			break
		}
	}
	return false, rows, nil
}
