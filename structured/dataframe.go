package structured

import (
	"context"
	"fmt"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// DataFrame is a query in the making. Methods return new DataFrames and run nothing; a mistake in an argument is kept and
// returned by the action that would have used it (see also Err).
type DataFrame struct {
	s    *Session
	plan logical.Plan
	id   int64
	err  error
}

// Err is the mistake made in building the DataFrame, if any.
func (d *DataFrame) Err() error { return d.err }

// Plan is the DataFrame's plan.
func (d *DataFrame) Plan() (logical.Plan, error) { return d.plan, d.err }

// Session is the session that the DataFrame belongs to.
func (d *DataFrame) Session() *Session { return d.s }

// then makes the DataFrame that f's plan describes, unless there is a mistake already.
func (d *DataFrame) then(err error, f func() logical.Plan) *DataFrame {
	if d.err != nil {
		return d
	}
	if err != nil {
		return d.s.frame(nil, err)
	}
	return d.s.frame(f(), nil)
}

func exprs(cols []Column) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(cols))
	for i, c := range cols {
		if c.err != nil {
			return nil, c.err
		}
		out[i] = c.e
	}
	return out, nil
}

// Col is the column of this DataFrame, told apart from columns of the same name that a join brings in.
func (d *DataFrame) Col(name string) Column {
	c := Col(name)
	if a, ok := c.e.(*expr.UnresolvedAttr); ok {
		return Column{e: &expr.UnresolvedAttr{Parts: a.Parts, PlanID: d.id}}
	}
	return c
}

// Select computes columns from each row.
func (d *DataFrame) Select(cols ...Column) *DataFrame {
	list, err := exprs(cols)
	return d.then(err, func() logical.Plan { return &logical.Project{List: list, Child: d.plan} })
}

// SelectExpr is Select of SQL texts: "amount * 2 AS x".
func (d *DataFrame) SelectExpr(texts ...string) *DataFrame {
	cols := make([]Column, len(texts))
	for i, t := range texts {
		cols[i] = Expr(t)
	}
	return d.Select(cols...)
}

// Filter keeps the rows for which cond is true; null counts as false.
func (d *DataFrame) Filter(cond Column) *DataFrame {
	return d.then(cond.err, func() logical.Plan { return &logical.Filter{Cond: cond.e, Child: d.plan} })
}

// Where is Filter by SQL text.
func (d *DataFrame) Where(text string) *DataFrame { return d.Filter(Expr(text)) }

// WithColumn adds a column, or replaces the one of that name.
func (d *DataFrame) WithColumn(name string, c Column) *DataFrame {
	return d.then(c.err, func() logical.Plan {
		return &logical.WithColumns{Cols: []*expr.Alias{{Child: c.e, Name: name, ID: expr.NewID()}}, Child: d.plan}
	})
}

// WithColumnRenamed renames a column; a name that there is not changes nothing.
func (d *DataFrame) WithColumnRenamed(from, to string) *DataFrame {
	return d.then(nil, func() logical.Plan {
		return &logical.RenameColumns{From: []string{from}, To: []string{to}, Child: d.plan}
	})
}

// Drop leaves out columns; names that there are not change nothing.
func (d *DataFrame) Drop(names ...string) *DataFrame {
	return d.then(nil, func() logical.Plan {
		p := &logical.DropColumns{Child: d.plan}
		for _, n := range names {
			p.Cols = append(p.Cols, &expr.UnresolvedAttr{Parts: []string{n}})
		}
		return p
	})
}

// ToDF renames all columns.
func (d *DataFrame) ToDF(names ...string) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.ToDF{Names: names, Child: d.plan} })
}

// Alias names the DataFrame: its columns can then be written alias.column.
func (d *DataFrame) Alias(name string) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.SubqueryAlias{Alias: name, Child: d.plan} })
}

// GroupBy groups rows of equal keys; without keys all rows are one group.
func (d *DataFrame) GroupBy(keys ...Column) *GroupedData {
	list, err := exprs(keys)
	if d.err != nil {
		err = d.err
	}
	return &GroupedData{d: d, keys: list, err: err}
}

// Rollup groups by all keys, then by ever fewer of them, then all rows together: subtotals. Keys that a grouping leaves out are
// null in its rows.
func (d *DataFrame) Rollup(keys ...Column) *GroupedData {
	g := d.GroupBy(keys...)
	g.sets = logical.RollupSets(len(keys))
	return g
}

// Cube groups by every selection of the keys; there may be up to 12 of them.
func (d *DataFrame) Cube(keys ...Column) *GroupedData {
	g := d.GroupBy(keys...)
	if len(keys) > 12 {
		g.err = firstError(g.err, fmt.Errorf("structured: a cube of %d keys has too many groupings; at most 12 keys are possible", len(keys)))
		return g
	}
	g.sets = logical.CubeSets(len(keys))
	return g
}

// Agg is GroupBy().Agg: aggregates over all rows.
func (d *DataFrame) Agg(aggs ...Column) *DataFrame { return d.GroupBy().Agg(aggs...) }

var joinKinds = map[string]logical.JoinKind{"": logical.Inner, "inner": logical.Inner, "cross": logical.Cross,
	"outer": logical.FullOuter, "full": logical.FullOuter, "fullouter": logical.FullOuter, "full_outer": logical.FullOuter,
	"left": logical.LeftOuter, "leftouter": logical.LeftOuter, "left_outer": logical.LeftOuter,
	"right": logical.RightOuter, "rightouter": logical.RightOuter, "right_outer": logical.RightOuter,
	"semi": logical.LeftSemi, "leftsemi": logical.LeftSemi, "left_semi": logical.LeftSemi,
	"anti": logical.LeftAnti, "leftanti": logical.LeftAnti, "left_anti": logical.LeftAnti}

// Join pairs rows for which on is true. The kind is Spark's: "inner", "left", "right", "outer", "semi", "anti".
func (d *DataFrame) Join(other *DataFrame, on Column, kind string) *DataFrame {
	return d.join(other, on, nil, kind)
}

// JoinUsing pairs rows whose columns of these names are equal; the result has each of them once.
func (d *DataFrame) JoinUsing(other *DataFrame, names []string, kind string) *DataFrame {
	return d.join(other, Column{}, names, kind)
}

// CrossJoin pairs every row with every row.
func (d *DataFrame) CrossJoin(other *DataFrame) *DataFrame {
	return d.join(other, Column{}, nil, "cross")
}

func (d *DataFrame) join(other *DataFrame, on Column, using []string, kind string) *DataFrame {
	k, ok := joinKinds[kind]
	err := firstError(on.err, other.err)
	if !ok {
		err = invalidValue("join kind", kind, `it is none of "inner", "left", "right", "outer", "semi", "anti", "cross"`)
	}
	return d.then(err, func() logical.Plan {
		return &logical.Join{Kind: k, Left: d.plan, Right: other.plan, Cond: on.e, Using: using}
	})
}

func firstError(errs ...error) error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}

// OrderBy sorts all rows. A column without Asc or Desc is ascending.
func (d *DataFrame) OrderBy(cols ...Column) *DataFrame { return d.sort(true, cols) }

// SortWithinPartitions sorts each partition by itself.
func (d *DataFrame) SortWithinPartitions(cols ...Column) *DataFrame { return d.sort(false, cols) }

func (d *DataFrame) sort(global bool, cols []Column) *DataFrame {
	list, err := exprs(cols)
	return d.then(err, func() logical.Plan {
		p := &logical.Sort{Global: global, Child: d.plan}
		for _, e := range list {
			o, ok := e.(*expr.SortOrder)
			if !ok {
				o = &expr.SortOrder{Child: e, NullsFirst: true}
			}
			p.Orders = append(p.Orders, o)
		}
		return p
	})
}

// Limit passes the first n rows.
func (d *DataFrame) Limit(n int64) *DataFrame {
	return d.then(notNegative("limit", n), func() logical.Plan { return &logical.Limit{N: n, Child: d.plan} })
}

// Offset leaves out the first n rows.
func (d *DataFrame) Offset(n int64) *DataFrame {
	return d.then(notNegative("offset", n), func() logical.Plan { return &logical.Limit{N: -1, Offset: n, Child: d.plan} })
}

func notNegative(what string, n int64) error {
	if n < 0 {
		return invalidValue(what, "negative", "it must not be negative")
	}
	return nil
}

// Union puts the rows of other after these, columns by position; duplicates stay.
func (d *DataFrame) Union(other *DataFrame) *DataFrame { return d.union(other, false, false) }

// UnionByName matches columns by name; with allowMissing a column that one side lacks is null there.
func (d *DataFrame) UnionByName(other *DataFrame, allowMissing bool) *DataFrame {
	return d.union(other, true, allowMissing)
}

func (d *DataFrame) union(other *DataFrame, byName, missing bool) *DataFrame {
	return d.then(other.err, func() logical.Plan {
		return &logical.Union{Kids: []logical.Plan{d.plan, other.plan}, ByName: byName, AllowMissing: missing}
	})
}

// IntersectAll has the rows that are in both, each as often as in the one that has it less often.
func (d *DataFrame) IntersectAll(other *DataFrame) *DataFrame {
	return d.then(other.err, func() logical.Plan { return &logical.SetOp{All: true, Left: d.plan, Right: other.plan} })
}

// ExceptAll has the rows of d, each as many times more often as it is in d than in other.
func (d *DataFrame) ExceptAll(other *DataFrame) *DataFrame {
	return d.then(other.err, func() logical.Plan {
		return &logical.SetOp{All: true, Except: true, Left: d.plan, Right: other.plan}
	})
}

// Intersect has the distinct rows that are in both.
func (d *DataFrame) Intersect(other *DataFrame) *DataFrame {
	return d.then(other.err, func() logical.Plan { return &logical.SetOp{Left: d.plan, Right: other.plan} })
}

// Subtract has the distinct rows that are not in other.
func (d *DataFrame) Subtract(other *DataFrame) *DataFrame {
	return d.then(other.err, func() logical.Plan { return &logical.SetOp{Except: true, Left: d.plan, Right: other.plan} })
}

// Distinct keeps one of equal rows.
func (d *DataFrame) Distinct() *DataFrame { return d.DropDuplicates() }

// DropDuplicates keeps one row for each combination of the columns, of all columns when none is named. On a stream the
// keys are remembered until the watermark passes them, if the event time is one of them.
func (d *DataFrame) DropDuplicates(names ...string) *DataFrame { return d.dedup(names, false) }

// DropDuplicatesWithinWatermark drops rows that equal an earlier one which came at most the watermark's delay before.
func (d *DataFrame) DropDuplicatesWithinWatermark(names ...string) *DataFrame {
	return d.dedup(names, true)
}

func (d *DataFrame) dedup(names []string, within bool) *DataFrame {
	return d.then(nil, func() logical.Plan {
		p := &logical.Dedup{WithinWatermark: within, Child: d.plan}
		for _, n := range names {
			p.Cols = append(p.Cols, &expr.UnresolvedAttr{Parts: []string{n}})
		}
		return p
	})
}

// WithWatermark declares the event time column and how long to wait for late rows: "10 minutes".
func (d *DataFrame) WithWatermark(col, delay string) *DataFrame {
	us, err := ParseDelay(delay)
	parts, perr := SplitName(col)
	return d.then(firstError(err, perr), func() logical.Plan {
		return &logical.Watermark{Col: &expr.UnresolvedAttr{Parts: parts}, Delay: us, Child: d.plan}
	})
}

// Repartition spreads rows over n partitions, by the hash of cols when there are any.
func (d *DataFrame) Repartition(n int, cols ...Column) *DataFrame {
	list, err := exprs(cols)
	return d.then(err, func() logical.Plan { return &logical.Repartition{N: n, Keys: list, Child: d.plan} })
}

// Sample keeps about the fraction of rows, the same ones for the same seed.
func (d *DataFrame) Sample(fraction float64, seed int64) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.Sample{Upper: fraction, Seed: seed, Child: d.plan} })
}

// Hint passes a hint to the planner: "broadcast"; "name" with the name under which a stateful operator keeps its state when the
// query is edited; "state_ttl" with how long an entry of its state lives after its last change, such as "1 hour".
func (d *DataFrame) Hint(name string, args ...string) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.Hint{Name: name, Args: args, Child: d.plan} })
}

// FillNA replaces nulls and NaN by the value, in columns of a fitting type, or only in those named.
func (d *DataFrame) FillNA(value any, names ...string) *DataFrame {
	c := Lit(value)
	l, ok := c.e.(*expr.Literal)
	err := c.err
	if err == nil && !ok {
		err = invalidValue("value", c.String(), "it must be a constant")
	}
	return d.then(err, func() logical.Plan {
		return &logical.FillNA{Cols: names, Values: []*expr.Literal{l}, Child: d.plan}
	})
}

// DropNA leaves out rows with a null or NaN among the columns, among all when none is named.
func (d *DataFrame) DropNA(names ...string) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.DropNA{Cols: names, Child: d.plan} })
}

// Describe has count, mean, stddev, min and max of the columns as text, of every column of numbers or strings when none
// is named.
func (d *DataFrame) Describe(names ...string) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.Summarize{Cols: names, Child: d.plan} })
}

// Cache keeps the DataFrame's rows once they have been computed, in memory as long as there is room and on the node's disk else,
// for all DataFrames of the session that are made of it. A table that it reads and that a statement of this node changes
// makes the rows be computed again. On a server that cannot keep rows it does nothing.
func (d *DataFrame) Cache() *DataFrame {
	b, ok := d.s.backend.(Persister)
	if !ok || d.err != nil {
		return d
	}
	if err := b.Persist(context.Background(), d.plan, true); err != nil {
		c := *d
		c.err = err
		return &c
	}
	return d
}

// Persist is Cache.
func (d *DataFrame) Persist() *DataFrame { return d.Cache() }

// Unpersist forgets the rows that Cache keeps.
func (d *DataFrame) Unpersist(ctx context.Context) error {
	b, ok := d.s.backend.(Persister)
	if !ok || d.err != nil {
		return d.err
	}
	return b.Persist(ctx, d.plan, false)
}

// GroupedData is a DataFrame that GroupBy has grouped.
type GroupedData struct {
	d    *DataFrame
	keys []expr.Expr
	sets [][]int // grouping sets; nil for one grouping
	err  error

	pivot *pivoting // nil: not pivoted
}

// Agg computes aggregates of each group; the result has the keys first.
func (g *GroupedData) Agg(aggs ...Column) *DataFrame {
	list, err := exprs(aggs)
	return g.d.then(firstError(g.err, err), func() logical.Plan {
		if g.pivot != nil {
			return g.pivoted(list)
		}
		p := &logical.Aggregate{Sets: g.sets, List: append(append([]expr.Expr{}, g.keys...), list...), Child: g.d.plan}
		for _, k := range g.keys {
			if a, ok := k.(*expr.Alias); ok {
				k = a.Child
			}
			p.Keys = append(p.Keys, k)
		}
		return p
	})
}

// Count is the number of rows of each group, as the column count.
func (g *GroupedData) Count() *DataFrame { return g.Agg(CountAll().As("count")) }

// Sum, Avg, Min and Max are of the columns named.
func (g *GroupedData) Sum(names ...string) *DataFrame { return g.each(Sum, names) }
func (g *GroupedData) Avg(names ...string) *DataFrame { return g.each(Avg, names) }
func (g *GroupedData) Min(names ...string) *DataFrame { return g.each(Min, names) }
func (g *GroupedData) Max(names ...string) *DataFrame { return g.each(Max, names) }

func (g *GroupedData) each(f func(any) Column, names []string) *DataFrame {
	aggs := make([]Column, len(names))
	for i, n := range names {
		aggs[i] = f(Col(n))
	}
	return g.Agg(aggs...)
}
