package oracle

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
)

// Spark is a process of Apache Spark. It belongs to one goroutine.
type Spark struct{ *process }

// StartSpark starts testdata/spark/answer.py under a Python that has PySpark with Spark itself. The error is an *Unavailable when there is none.
func StartSpark(ctx context.Context, python, program string, threads int, memory string) (*Spark, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return nil, &Unavailable{"no Spark: there is no java"}
	}
	if out, err := exec.CommandContext(ctx, python, "-c", "import os, pyspark, sys; sys.exit(not os.path.isdir(os.path.join(os.path.dirname(pyspark.__file__), 'jars')))").CombinedOutput(); err != nil {
		return nil, &Unavailable{fmt.Sprintf("no Spark: %s has no pyspark with its jars (%v) %s", python, err, out)}
	}
	p, err := start(exec.CommandContext(ctx, python, program, strconv.Itoa(threads), memory))
	if err != nil {
		return nil, err
	}
	return &Spark{p}, nil
}

// Verdict is what a statement gives: rows as text, or an error condition.
type Verdict struct {
	Result
	Condition string `json:"condition,omitempty"` // Spark's error condition; "" when there are rows
	SQLState  string `json:"sqlState,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Ask runs a statement with settings of its own.
func (s *Spark) Ask(sql string, conf map[string]string) (v Verdict, err error) {
	return v, s.call(map[string]any{"sql": sql, "conf": conf}, &v)
}

// Query runs a statement, as Client.Query does.
func (s *Spark) Query(sql string, rows bool) (a Answer, err error) {
	if err := s.call(map[string]any{"sql": sql, "rows": rows, "measure": true}, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, fmt.Errorf("oracle: %s", a.Error)
	}
	return a, nil
}

// Examples are the statements of the examples in Spark's documentation: function and statement.
func (s *Spark) Examples() (v Verdict, err error) { return s.Ask("!examples", nil) }

// Judge runs a statement in a session and casts what it gives to STRING (binary to hex), as Ask does.
func Judge(ctx context.Context, s *structured.Session, sql string) (v Verdict, err error) {
	v.Result, err = collectText(ctx, s, sql)
	var user *usererr.Error
	if errors.As(err, &user) {
		return Verdict{Condition: user.Code, SQLState: user.SQLState, Error: err.Error()}, nil
	}
	return v, err
}

func collectText(ctx context.Context, s *structured.Session, sql string) (r Result, err error) {
	df, err := s.SQL(ctx, sql)
	if err != nil {
		return r, err
	}
	schema, err := df.Schema(ctx)
	if err != nil || len(schema.Fields) == 0 {
		return r, err
	}
	names, types := make([]string, len(schema.Fields)), make([]string, len(schema.Fields))
	texts := make([]structured.Column, len(schema.Fields))
	for i, f := range schema.Fields {
		names[i], types[i] = fmt.Sprintf("c%d", i), f.Type.String()
		if texts[i] = structured.Col(names[i]).Cast("string"); f.Type.Kind == column.Binary {
			texts[i] = structured.Expr("hex(" + names[i] + ")")
		}
	}
	r, err = collect(ctx, df.ToDF(names...).Select(texts...))
	r.Columns, r.Types = nil, types
	return r, err
}
