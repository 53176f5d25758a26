package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sort"
	"time"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/column"
	sf "github.com/streamflow/streamflow/structured"
)

// useCase is a program over topics, with rows to try it on.
type useCase struct {
	name  string
	about string
	// input are the topics and what comes into them.
	input []topic
	// setup are statements before the program: static tables.
	setup []string
	// program is the same over history and live.
	program func(s *sf.Session) (*sf.DataFrame, error)
	// sides are side outputs to show, as SQL over them.
	sides []string
}

// topic is a table over a topic, and its rows in the order in which they come.
type topic struct {
	name string
	ddl  string // columns
	more string // behind the columns: the watermark
	rows [][]any
}

var useCases = []*useCase{dashboard, fraud, iot, recommend, logs, payments, sessions}

func known() []string {
	var out []string
	for _, u := range useCases {
		out = append(out, u.name)
	}
	return out
}

func byName(name string) (*useCase, error) {
	for _, u := range useCases {
		if u.name == name {
			return u, nil
		}
	}
	return nil, fmt.Errorf("there is no use case %q: %v", name, known())
}

// query is a program that is one SQL statement.
func query(text string) func(s *sf.Session) (*sf.DataFrame, error) {
	return func(s *sf.Session) (*sf.DataFrame, error) { return s.SQL(context.Background(), text) }
}

func (u *useCase) count() (n int) {
	for _, t := range u.input {
		n += len(t.rows)
	}
	return n
}

// outcome is what a run gave, sorted.
type outcome struct{ rows, sides []string }

func (o *outcome) equal(p *outcome) bool {
	return slices.Equal(o.rows, p.rows) && slices.Equal(o.sides, p.sides)
}

// run runs the program on a new node: over topics that have their rows, or live while they come in.
func (u *useCase) run(ctx context.Context, live bool) (*outcome, error) {
	s, err := streamflow.Local(streamflow.Config{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	statements := slices.Clone(u.setup)
	for _, t := range u.input {
		statements = append(statements, fmt.Sprintf("CREATE TABLE %s (%s%s) USING topic OPTIONS (partitions 1)", t.name, t.ddl, t.more))
	}
	for _, text := range statements {
		if _, err := s.SQL(ctx, text); err != nil {
			return nil, err
		}
	}
	if !live {
		if err := u.feed(ctx, s); err != nil {
			return nil, err
		}
	}
	df, err := u.program(s.Session)
	if err != nil {
		return nil, err
	}
	rows, err := df.Over(sf.RunOptions{Name: u.name, Live: live}).Rows(ctx, sf.ExecOptions{})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	fed := make(chan error, 1)
	if live {
		go func() { fed <- u.feed(ctx, s) }()
	} else {
		fed <- nil
	}
	out := &outcome{}
	if out.rows, err = lines(ctx, rows); err != nil {
		return nil, err
	}
	sort.Strings(out.rows)
	if err := <-fed; err != nil {
		return nil, err
	}
	for _, text := range u.sides {
		side, err := s.SQL(ctx, text)
		if err != nil {
			return nil, err
		}
		r, err := side.Rows(ctx, sf.ExecOptions{})
		if err != nil {
			return nil, err
		}
		list, err := lines(ctx, r)
		if err != nil {
			return nil, err
		}
		sort.Strings(list)
		out.sides = append(out.sides, list...)
	}
	return out, nil
}

// feed lets the rows come in, some at a time, and seals the topics.
func (u *useCase) feed(ctx context.Context, s *streamflow.LocalSession) error {
	const pieces = 4
	for piece := range pieces {
		for _, t := range u.input {
			from, to := len(t.rows)*piece/pieces, len(t.rows)*(piece+1)/pieces
			if from == to {
				continue
			}
			if err := s.CreateDataFrame(t.ddl, t.rows[from:to]...).Write().InsertInto(ctx, t.name); err != nil {
				return err
			}
		}
	}
	for _, t := range u.input {
		if err := s.Node().Broker().AlterConfigs(ctx, t.name, map[string]string{"streamflow.sealed": "true"}, nil); err != nil {
			return err
		}
	}
	return nil
}

// lines are rows as JSON.
func lines(ctx context.Context, rows sf.Rows) ([]string, error) {
	var out []string
	for {
		b, err := rows.Next(ctx)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range b.N {
			out = append(out, string(column.AppendJSONRow(nil, b, i, len(b.Cols), time.UTC)))
		}
	}
}

// start is when the rows of the examples begin.
var start = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

// seconds is a moment after the start.
func seconds(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Second))) }
