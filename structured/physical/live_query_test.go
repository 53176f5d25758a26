package physical

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/sql"
)

// LiveQuery is a batch query that is to run over streams: each of its tables, and each VALUES in it, is a stream then.
type LiveQuery struct {
	Text string
	// Table finds the rows of a table; an error of it ends the attempt.
	Table func(name string) ([]*column.Batch, *column.Schema, error)

	t       testing.TB
	streams tables
	ctes    map[string]bool
	err     error
}

// ErrNoTable: a query reads nothing that could be a stream.
var ErrNoTable = errors.New("the query reads no table")

// Check runs the query over history and cut into batches of 1, 7 and all rows, in 1 and 2 partitions, and compares. The error says why
// the query cannot run so.
func (q *LiveQuery) Check(t testing.TB) error {
	q.t, q.streams, q.ctes = t, tables{}, map[string]bool{}
	p, err := sql.Parse(q.Text)
	if err != nil {
		return err
	}
	if s, ok := p.(*logical.Sort); ok {
		p = s.Child // a bag has no order
	}
	live := q.overStreams(p)
	if q.err != nil {
		return q.err
	}
	if len(q.streams) == 0 {
		return ErrNoTable
	}
	want, err := q.history(p)
	if err != nil {
		return err
	}
	o := Options{OutputMode: connector.Update, ANSI: true, Conf: map[string]string{UnboundedState: "allow"}}
	for _, parts := range []int{1, 2} {
		for _, cut := range []int64{1, 7, math.MaxInt64} {
			l, err := q.plan(live)
			if err != nil {
				return err
			}
			r, err := planLive(t, l, o, parts)
			if err != nil {
				return err
			}
			r.cut, r.rng = cut, rand.New(rand.NewPCG(uint64(cut), uint64(parts)))
			if err := r.tryToEnd(); err != nil {
				return err
			}
			if got := r.table(); !slices.Equal(got, want) {
				t.Errorf("%s\n%d parts, cut %d: got\n%q\nwant\n%q\n%s", q.Text, parts, cut, got, want, r.phys.Format())
				return nil
			}
		}
	}
	return nil
}

// overStreams is p with streams for its tables and VALUES, in its subqueries too.
func (q *LiveQuery) overStreams(p logical.Plan) logical.Plan {
	logical.Walk(p, func(n logical.Plan) bool {
		if w, ok := n.(*logical.With); ok {
			for _, name := range w.Names {
				q.ctes[name] = true
			}
		}
		return true
	})
	return logical.TransformUp(p, func(n logical.Plan) logical.Plan {
		n = logical.TransformExprs(n, func(e expr.Expr) expr.Expr {
			s, ok := e.(*logical.Subquery)
			if !ok {
				return e
			}
			c := *s
			c.Query = q.overStreams(s.Query)
			return &c
		})
		switch n := n.(type) {
		case *logical.UnresolvedTable:
			if len(n.Parts) == 1 && q.ctes[n.Parts[0]] || n.Format != "" {
				return n
			}
			rows, schema, err := q.Table(n.String()[len("'Table "):])
			if err != nil {
				q.err = err
				return n
			}
			c := *n
			c.Streaming = true
			q.add(n.Parts[len(n.Parts)-1], rows, schema)
			c.Parts = c.Parts[len(c.Parts)-1:]
			return &c
		case *logical.UnresolvedValues:
			return q.values(n)
		case *logical.TableFunc:
			if strings.EqualFold(n.Name, "range") {
				return q.values(n)
			}
		}
		return n
	})
}

// values is a stream of the rows of VALUES or range.
func (q *LiveQuery) values(n logical.Plan) logical.Plan {
	l, err := q.plan(n)
	if err != nil {
		q.err = err
		return n
	}
	rows, err := batchRows(q.t, l)
	if err != nil {
		q.err = err
		return n
	}
	s := &column.Schema{}
	for _, a := range l.Output() {
		s.Fields = append(s.Fields, column.Field{Name: a.Name, Type: a.Typ, Nullable: true})
	}
	name := fmt.Sprintf("values%d", len(q.streams))
	q.add(name, rows, s)
	return &logical.UnresolvedTable{Parts: []string{name}, Streaming: true}
}

func (q *LiveQuery) add(name string, rows []*column.Batch, s *column.Schema) {
	m := memory.New(name, s, 1)
	for _, b := range rows {
		if err := m.Append(0, b); err != nil {
			q.t.Fatal(err)
		}
	}
	m.Seal()
	q.streams[name] = m
}

func (q *LiveQuery) plan(p logical.Plan) (logical.Plan, error) {
	l, err := optimize.Analyze(context.Background(), p, optimize.Env{Catalog: q.streams, Text: q.Text})
	if err != nil {
		return nil, err
	}
	return optimize.Optimize(l), nil
}

func (q *LiveQuery) history(p logical.Plan) ([]string, error) {
	l, err := q.plan(p)
	if err != nil {
		return nil, err
	}
	rows, err := batchRows(q.t, l)
	return sorted(texts(rows)), err
}

func batchRows(t testing.TB, l logical.Plan) ([]*column.Batch, error) {
	phys, err := Plan(context.Background(), l, Options{Parts: 2, ANSI: true})
	if err != nil {
		return nil, err
	}
	return newRunner(t).run(phys.Lower(), phys.Binding())
}
