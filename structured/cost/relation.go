package cost

import (
	"math"

	"github.com/streamflow/streamflow/expr"
)

// Relation is an estimate of what a plan makes.
type Relation struct {
	Rows  float64
	Known bool // false when some row count below is a guess
	cols  map[int64]Column
}

// Column is an estimate of a column of a relation.
type Column struct {
	Distinct float64 // different values in the relation, 0 when unknown
	// Domain is how many different values there were before filters on other columns took rows away: what an equality with
	// another column chooses from. Counted says that it was counted; else it is an upper bound.
	Domain  float64
	Counted bool
	Nulls   float64 // share of rows that are null
	Low     float64 // bounds on the number line, when Ranged
	High    float64
	Ranged  bool
	// Mean and Deviation describe an aggregate's values over the groups, when Deviation > 0.
	Mean, Deviation float64
	Width           float64 // bytes, 0 when unknown
	Total           float64 // rows of the table that the column comes from, 0 when unknown
}

// unknownRows is what a relation is taken to have when nothing is known of it.
const unknownRows = 1e5

func unknown() *Relation { return &Relation{Rows: unknownRows, cols: map[int64]Column{}} }

// Column is what is known of an attribute.
func (r *Relation) Column(a *expr.Attr) Column { return r.cols[a.ID] }

// Bytes is the size of the relation in batches, of the attributes.
func (r *Relation) Bytes(attrs []*expr.Attr) float64 {
	width := 0.0
	for _, a := range attrs {
		if w := r.cols[a.ID].Width; w > 0 {
			width += w
		} else {
			width += typeWidth(a.Typ)
		}
	}
	return r.Rows * math.Max(width, 8)
}

// scaled is the relation with a share of its rows, chosen without regard to its columns.
func (r *Relation) scaled(share float64) *Relation {
	return r.resized(r.Rows * share)
}

// resized is the relation with another number of rows. Of fewer rows, a column has as many different values as that many draws
// from them would show; of more, as many as before.
func (r *Relation) resized(rows float64) *Relation {
	out := &Relation{Rows: rows, Known: r.Known, cols: make(map[int64]Column, len(r.cols))}
	for id, c := range r.cols {
		if rows < r.Rows && c.Distinct > 0 {
			c.Distinct = drawn(c.Distinct, r.Rows, rows)
		}
		out.cols[id] = c
	}
	return out
}

// drawn is how many of d different values, evenly spread over n rows, are among k of the rows.
func drawn(d, n, k float64) float64 {
	if n <= 0 || k <= 0 {
		return 0
	}
	if d >= n {
		return math.Max(k, 1)
	}
	return math.Max(d*(1-math.Pow(1-k/n, n/d)), 1)
}
