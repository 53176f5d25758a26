package structured

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// Pivot makes the values of a column columns: the next Agg, Sum or the like has one of them for each value and aggregate.
// Without values the column is read first to learn which there are, at most 10,000.
func (g *GroupedData) Pivot(col string, values ...any) *GroupedData {
	p := *g
	p.pivot = &pivoting{col: Col(col)}
	for _, v := range values {
		c := Lit(v)
		p.err = firstError(p.err, c.err)
		p.pivot.values = append(p.pivot.values, c.e)
	}
	if g.pivot != nil {
		p.err = firstError(p.err, invalidValue("pivot", col, "there is a pivot already"))
	}
	if g.sets != nil {
		p.err = firstError(p.err, invalidValue("pivot", col, "only GroupBy can be pivoted"))
	}
	return &p
}

// pivoting is the column and values of a Pivot.
type pivoting struct {
	col    Column
	values []expr.Expr
}

func (g *GroupedData) pivoted(aggs []expr.Expr) logical.Plan {
	return &logical.Pivot{Keys: g.keys, ByKeys: true, Aggs: aggs, Cols: []expr.Expr{g.pivot.col.e}, Values: g.pivot.values, Child: g.d.plan}
}

// Unpivot makes of each row one row for each of values, with the value's column name in nameCol and the value in valueCol; ids
// are repeated. Nil values are all columns but ids.
func (d *DataFrame) Unpivot(ids, values []Column, nameCol, valueCol string) *DataFrame {
	idList, err := exprs(ids)
	list, verr := exprs(values)
	return d.then(firstError(err, verr), func() logical.Plan {
		return &logical.Unpivot{Ids: idList, Values: list, ValuesGiven: values != nil, NameCol: nameCol, ValueCol: valueCol, Child: d.plan}
	})
}

// Melt is Unpivot under pandas' name.
func (d *DataFrame) Melt(ids, values []Column, nameCol, valueCol string) *DataFrame {
	return d.Unpivot(ids, values, nameCol, valueCol)
}

// LateralJoin joins each row with what other makes of it: other may read this DataFrame's columns, as
// session.TableFunc("explode", Col("list")) does. The kind is "inner", "cross" or "left".
func (d *DataFrame) LateralJoin(other *DataFrame, on Column, kind string) *DataFrame {
	k, ok := joinKinds[kind]
	err := firstError(on.err, other.err)
	if !ok || k != logical.Inner && k != logical.LeftOuter && k != logical.Cross {
		err = firstError(err, invalidValue("join kind", kind, `a lateral join is "inner", "left" or "cross"`))
	}
	return d.then(err, func() logical.Plan {
		return &logical.LateralJoin{Kind: k, Left: d.plan, Right: other.plan, Cond: on.e}
	})
}

// AsofOptions say how AsofJoin finds a row's partner.
type AsofOptions struct {
	Using     []string // columns that are equal on both sides
	Kind      string   // "inner" (the default) or "left"
	Direction string   // "backward" (the default), "forward" or "nearest"
	Strict    bool     // a row of the very same time is no partner
	Tolerance any      // how far a partner may be away: a number, or a time.Duration for times; nil for any distance
}

// AsofJoin gives each row at most one partner: of the rows of other with equal keys the one whose time is nearest in the
// direction, by default the last that is not later.
func (d *DataFrame) AsofJoin(other *DataFrame, leftTime, rightTime Column, o AsofOptions) *DataFrame {
	err := firstError(leftTime.err, rightTime.err, other.err)
	dir, ok := map[string]logical.AsofDirection{"": logical.Backward, "backward": logical.Backward, "forward": logical.Forward, "nearest": logical.Nearest}[o.Direction]
	if !ok {
		err = firstError(err, invalidValue("direction", o.Direction, `it is none of "backward", "forward", "nearest"`))
	}
	kind, ok := joinKinds[o.Kind]
	if !ok || kind != logical.Inner && kind != logical.LeftOuter {
		err = firstError(err, invalidValue("join kind", o.Kind, `an as-of join is "inner" or "left"`))
	}
	var tolerance expr.Expr
	if o.Tolerance != nil {
		c := Lit(o.Tolerance)
		tolerance, err = c.e, firstError(err, c.err)
	}
	return d.then(err, func() logical.Plan {
		return &logical.AsofJoin{Kind: kind, Left: d.plan, Right: other.plan, LeftTime: leftTime.e, RightTime: rightTime.e, Using: o.Using,
			Direction: dir, Strict: o.Strict, Tolerance: tolerance}
	})
}

// TableFunc is the rows of a table-valued function: range, explode, posexplode, inline, stack, json_tuple.
func (s *Session) TableFunc(name string, args ...Column) *DataFrame {
	list, err := exprs(args)
	return s.frame(&logical.TableFunc{Name: name, Args: list}, err)
}
