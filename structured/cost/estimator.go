package cost

import (
	"math"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/stats"
)

// Estimator remembers what it estimated, by node. It belongs to one planning of one query: statistics are asked for once for
// each scan.
type Estimator struct {
	done map[logical.Plan]*Relation
}

// NewEstimator returns an estimator that knows nothing yet.
func NewEstimator() *Estimator { return &Estimator{done: map[logical.Plan]*Relation{}} }

// Of estimates what p makes.
func (e *Estimator) Of(p logical.Plan) *Relation {
	if r := e.done[p]; r != nil {
		return r
	}
	r := e.estimate(p)
	e.done[p] = r
	return r
}

func (e *Estimator) estimate(p logical.Plan) *Relation {
	switch p := p.(type) {
	case *logical.Scan:
		return scanned(p)
	case *logical.Local:
		return local(p)
	case *logical.Range:
		return ranged(p)
	case *logical.Filter:
		return e.Of(p.Child).Filter(p.Cond)
	case *logical.Project:
		return e.project(p)
	case *logical.Aggregate:
		return e.grouped(e.Of(p.Child), p.Keys, p.List)
	case *logical.Dedup:
		return e.dedup(p)
	case *logical.Join:
		return e.join(p)
	case *logical.Union:
		return e.union(p)
	case *logical.Limit:
		return e.limited(p.Child, p.N)
	case *logical.Tail:
		return e.limited(p.Child, p.N)
	case *logical.Sample:
		return e.Of(p.Child).scaled(math.Max(p.Upper-p.Lower, 0))
	case *logical.Generate:
		r := e.Of(p.Child)
		return r.resized(r.Rows * generated)
	case *logical.Expand:
		r := e.Of(p.Child)
		return r.resized(r.Rows * float64(max(len(p.Sets), 1)))
	}
	if kids := p.Children(); len(kids) == 1 {
		return e.Of(kids[0])
	}
	return unknown()
}

// generated is how many rows a generator is taken to make of one.
const generated = 4

func scanned(s *logical.Scan) *Relation {
	t := s.Stats
	if src, ok := s.Table.(stats.Source); ok {
		t = stats.Merge(src.Statistics(), t)
	}
	if t == nil {
		return unknown()
	}
	r := &Relation{Rows: float64(t.Rows), Known: true, cols: make(map[int64]Column, len(s.Attrs))}
	for i, a := range s.Attrs {
		c, _ := t.Column(s.Table.Schema().Fields[s.Columns[i]].Name)
		r.cols[a.ID] = tableColumn(c, a, r.Rows)
	}
	if s.Limit > 0 && float64(s.Limit) < r.Rows {
		r = r.resized(float64(s.Limit))
	}
	if len(s.Filters) > 0 {
		r = r.Filter(expr.AndAll(s.Filters))
	}
	return r
}

func tableColumn(c stats.Column, a *expr.Attr, rows float64) Column {
	out := Column{Distinct: float64(c.Distinct), Domain: float64(c.Distinct), Counted: c.Counted, Low: c.Low, High: c.High, Ranged: c.Ranged, Width: c.Width, Total: rows}
	if a.Null && c.Nulls > 0 && rows > 0 {
		out.Nulls = float64(c.Nulls) / rows
	}
	return out
}

// countedRows is up to how many rows of a relation in the plan are looked at.
const countedRows = 1000

// local counts rows that travel in the plan.
func local(l *logical.Local) *Relation {
	r := &Relation{Known: true, cols: map[int64]Column{}}
	for _, b := range l.Batches {
		r.Rows += float64(b.N)
	}
	if len(l.Attrs) != l.Schema.Len() || r.Rows > countedRows {
		return r
	}
	for i, a := range l.Attrs {
		r.cols[a.ID] = counted(l, i, r.Rows)
	}
	return r
}

func ranged(p *logical.Range) *Relation {
	r := &Relation{Known: true, cols: map[int64]Column{}}
	if p.Step != 0 {
		r.Rows = math.Max(math.Ceil(float64(p.End-p.Start)/float64(p.Step)), 0)
	}
	if p.Attr != nil {
		r.cols[p.Attr.ID] = Column{Distinct: r.Rows, Domain: r.Rows, Counted: true, Total: r.Rows, Ranged: r.Rows > 0,
			Low: float64(min(p.Start, p.End)), High: float64(max(p.Start, p.End))}
	}
	return r
}

// project renames columns; of what it computes, nothing but the number of rows is known.
func (e *Estimator) project(p *logical.Project) *Relation {
	in := e.Of(p.Child)
	out := &Relation{Rows: in.Rows, Known: in.Known, cols: make(map[int64]Column, len(p.List))}
	for _, x := range p.List {
		at := logical.AttrOf(x)
		if a, ok := unalias(x).(*expr.Attr); ok && at != nil {
			if c, have := in.cols[a.ID]; have {
				out.cols[at.ID] = c
			}
		}
	}
	return out
}

func unalias(x expr.Expr) expr.Expr {
	if a, ok := x.(*expr.Alias); ok {
		return a.Child
	}
	return x
}

// grouped is a row for each combination of keys.
func (e *Estimator) grouped(in *Relation, keys, list []expr.Expr) *Relation {
	if len(keys) == 0 {
		return &Relation{Rows: 1, Known: true, cols: map[int64]Column{}}
	}
	groups := 1.0
	for _, k := range keys {
		d := 0.0
		if a, ok := unalias(k).(*expr.Attr); ok {
			d = in.cols[a.ID].Distinct
		}
		if d <= 0 {
			d = math.Max(math.Sqrt(in.Rows), 1) // nothing is known of it
		}
		groups *= d
	}
	out := in.resized(math.Min(groups, in.Rows))
	for _, x := range list {
		at := logical.AttrOf(x)
		if a, ok := unalias(x).(*expr.Attr); ok && at != nil {
			if c, have := out.cols[a.ID]; have {
				c.Total = out.Rows
				c.Distinct = math.Min(in.cols[a.ID].Distinct, out.Rows)
				if len(keys) == 1 {
					c.Distinct = out.Rows // each value once
				}
				out.cols[at.ID] = c
			}
		}
		if g, ok := unalias(x).(*expr.Agg); ok && at != nil {
			if c, ok := spread(g, in, in.Rows/math.Max(groups, 1)); ok {
				out.cols[at.ID] = c
			}
		}
	}
	return out
}

func (e *Estimator) dedup(p *logical.Dedup) *Relation {
	cols := p.Cols
	if len(cols) == 0 {
		for _, a := range p.Child.Output() {
			cols = append(cols, a)
		}
	}
	return e.grouped(e.Of(p.Child), cols, cols)
}

func (e *Estimator) union(p *logical.Union) *Relation {
	out := &Relation{Known: true, cols: map[int64]Column{}}
	for _, k := range p.Kids {
		r := e.Of(k)
		out.Rows += r.Rows
		out.Known = out.Known && r.Known
	}
	return out
}

func (e *Estimator) limited(child logical.Plan, n int64) *Relation {
	r := e.Of(child)
	if n >= 0 && float64(n) < r.Rows {
		out := r.resized(float64(n))
		return out
	}
	return r
}
