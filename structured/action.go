package structured

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/logical"
)

// Actions: what runs a DataFrame.

// Rows runs the query and returns its result in batches, as they come.
func (d *DataFrame) Rows(ctx context.Context, opts ExecOptions) (Rows, error) {
	if d.err != nil {
		return nil, d.err
	}
	rows, err := d.s.backend.Execute(ctx, d.plan, opts)
	if err != nil {
		return nil, err
	}
	return &observedRows{rows, d.s}, nil
}

// Collect runs the query and returns all rows.
func (d *DataFrame) Collect(ctx context.Context) (out []Row, err error) {
	rows, err := d.Rows(ctx, ExecOptions{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, rowsOf(rows.Schema(), b.Clone())...)
	}
}

// Take runs the query for its first n rows.
func (d *DataFrame) Take(ctx context.Context, n int64) ([]Row, error) {
	return d.Limit(n).Collect(ctx)
}

// First is the first row; ok is false when there is none.
func (d *DataFrame) First(ctx context.Context) (row Row, ok bool, err error) {
	rows, err := d.Take(ctx, 1)
	if err != nil || len(rows) == 0 {
		return Row{}, false, err
	}
	return rows[0], true, nil
}

// Tail runs the query for its last n rows.
func (d *DataFrame) Tail(ctx context.Context, n int64) ([]Row, error) {
	return d.then(notNegative("tail", n), func() logical.Plan { return &logical.Tail{N: n, Child: d.plan} }).Collect(ctx)
}

// Count runs the query and counts its rows.
func (d *DataFrame) Count(ctx context.Context) (int64, error) {
	row, ok, err := d.GroupBy().Count().First(ctx)
	if err != nil {
		return 0, err
	}
	n, isInt := row.Get("count").(int64)
	if !ok || !isInt {
		return 0, fmt.Errorf("structured: count was answered by %v", row)
	}
	return n, nil
}

// IsEmpty reports whether the query has no rows.
func (d *DataFrame) IsEmpty(ctx context.Context) (bool, error) {
	_, ok, err := d.First(ctx)
	return !ok, err
}

// Schema is the result's schema.
func (d *DataFrame) Schema(ctx context.Context) (*column.Schema, error) {
	info, err := d.analyze(ctx)
	if err != nil {
		return nil, err
	}
	return info.Schema, nil
}

// Columns are the names of the result's columns.
func (d *DataFrame) Columns(ctx context.Context) ([]string, error) {
	s, err := d.Schema(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]string, s.Len())
	for i, f := range s.Fields {
		out[i] = f.Name
	}
	return out, nil
}

// IsStreaming reports whether the DataFrame reads a growing source.
func (d *DataFrame) IsStreaming(ctx context.Context) (bool, error) {
	info, err := d.analyze(ctx)
	if err != nil {
		return false, err
	}
	return info.Streaming, nil
}

func (d *DataFrame) analyze(ctx context.Context) (*Analysis, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.s.backend.Analyze(ctx, d.plan)
}

// Explain prints the plan: mode "simple", "extended" or "formatted"; extended shows every stage of planning.
func (d *DataFrame) Explain(ctx context.Context, mode string) error {
	text, err := d.ExplainString(ctx, mode)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(d.s.out, text)
	return err
}

// ExplainString is what Explain prints.
func (d *DataFrame) ExplainString(ctx context.Context, mode string) (string, error) {
	if d.err != nil {
		return "", d.err
	}
	if mode == "" {
		mode = "simple"
	}
	return d.s.backend.Explain(ctx, d.plan, mode)
}

// PrintSchema prints the schema as a tree.
func (d *DataFrame) PrintSchema(ctx context.Context) error {
	s, err := d.Schema(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(d.s.out, TreeString(s, 0))
	return err
}

// Show prints the first n rows as a table; cells are cut to truncate characters, 0 cuts none.
func (d *DataFrame) Show(ctx context.Context, n, truncate int) error {
	text, err := d.ShowString(ctx, n, truncate, false)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(d.s.out, text)
	return err
}

// ShowString is what Show prints; vertical puts each cell on a line of its own.
func (d *DataFrame) ShowString(ctx context.Context, n, truncate int, vertical bool) (string, error) {
	loc, err := d.s.location(ctx)
	if err != nil {
		return "", err
	}
	rows, err := d.Limit(int64(n)+1).Rows(ctx, ExecOptions{})
	if err != nil {
		return "", err
	}
	schema := rows.Schema()
	batches, err := readAll(ctx, rows)
	if err != nil {
		return "", err
	}
	return ShowString(schema, batches, n, truncate, vertical, loc), nil
}

// CreateOrReplaceTempView names the query for the session's SQL.
func (d *DataFrame) CreateOrReplaceTempView(ctx context.Context, name string) error {
	parts, err := SplitName(name)
	if err != nil {
		return err
	}
	return d.do(ctx, func(p logical.Plan) logical.Plan {
		return &logical.CreateView{Name: parts, Temporary: true, OrReplace: true, Query: p}
	})
}

// do runs a command over the DataFrame's plan.
func (d *DataFrame) do(ctx context.Context, command func(logical.Plan) logical.Plan) error {
	if d.err != nil {
		return d.err
	}
	rows, err := d.s.backend.Execute(ctx, command(d.plan), ExecOptions{})
	if err != nil {
		return err
	}
	_, err = readAll(ctx, &observedRows{rows, d.s})
	return err
}
