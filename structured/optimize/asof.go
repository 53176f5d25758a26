package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// asof resolves an as-of join: equalities of ON or USING become its keys, the match condition its times and direction.
func (a *analyzer) asof(p *logical.AsofJoin) (logical.Plan, error) {
	if p.Done {
		return p, nil
	}
	j := *p
	j.Done, j.Match, j.Cond, j.Using = true, nil, nil, nil
	var err error
	if j.Left, err = a.plan(p.Left); err != nil {
		return nil, err
	}
	if j.Right, err = a.plan(p.Right); err != nil {
		return nil, err
	}
	both := over(j.Left, j.Right)
	switch {
	case p.Versioned:
		err = a.asofVersion(p, &j)
	case p.Match != nil:
		err = a.asofMatch(p, &j, both)
	default:
		err = a.asofTimes(p, &j)
	}
	if err != nil {
		return nil, at(err, p.Pos)
	}
	if err := a.asofTolerance(p, &j); err != nil {
		return nil, err
	}
	if p.Cond != nil {
		cond, err := a.expr(p.Cond, both)
		if err != nil {
			return nil, err
		}
		if err := a.asofKeys(p, &j, cond); err != nil {
			return nil, err
		}
	}
	if len(p.Using) == 0 {
		return &j, nil
	}
	return a.asofUsing(p, &j)
}

// asofSides puts the operands of a comparison in the order left, right; swapped tells that they were not.
func asofSides(x, y expr.Expr, j *logical.AsofJoin) (l, r expr.Expr, swapped, ok bool) {
	left, right := idsOf(j.Left.Output()), idsOf(j.Right.Output())
	reads := func(e expr.Expr, s idSet) bool { return len(attrsOf(e)) > 0 && s.covers(e) }
	switch {
	case reads(x, left) && reads(y, right):
		return x, y, false, true
	case reads(y, left) && reads(x, right):
		return y, x, true, true
	}
	return nil, nil, false, false
}

var asofOps = map[string]struct {
	direction logical.AsofDirection
	strict    bool
}{">=": {logical.Backward, false}, ">": {logical.Backward, true}, "<=": {logical.Forward, false}, "<": {logical.Forward, true}}

var mirrored = map[string]string{">=": "<=", ">": "<", "<=": ">=", "<": ">"}

// asofMatch reads MATCH_CONDITION (left.time >= right.time).
func (a *analyzer) asofMatch(p *logical.AsofJoin, j *logical.AsofJoin, both *scope) error {
	bad := usererr.New("INVALID_ASOF_JOIN.MATCH_CONDITION", "42601", "MATCH_CONDITION compares a time of the left side with one of the right by >=, >, <= or <.").
		WithFix("Write MATCH_CONDITION (a.ts >= b.ts).")
	m, err := a.expr(p.Match, both)
	if err != nil {
		return err
	}
	c, ok := m.(*expr.Call)
	if !ok || len(c.Args) != 2 {
		return bad
	}
	l, r, swapped, ok := asofSides(c.Args[0], c.Args[1], j)
	op := c.Fn
	if swapped {
		op = mirrored[op]
	}
	o, known := asofOps[op]
	if !ok || !known {
		return bad
	}
	j.LeftTime, j.RightTime, j.Direction, j.Strict = l, r, o.direction, o.strict
	return nil
}

// asofVersion finds the event time of the right side, by which its rows become valid, for FOR SYSTEM_TIME AS OF a.ts.
func (a *analyzer) asofVersion(p *logical.AsofJoin, j *logical.AsofJoin) error {
	var found *expr.Attr
	out := j.Right.Output()
	logical.Walk(j.Right, func(n logical.Plan) bool {
		if w, ok := n.(*logical.Watermark); ok && found == nil {
			for _, c := range out {
				if k, ok := w.Col.(*expr.Attr); ok && k.ID == c.ID {
					found = c
				}
			}
		}
		return found == nil
	})
	if found == nil {
		return usererr.New("INVALID_ASOF_JOIN.NO_EVENT_TIME", "42K09", "FOR SYSTEM_TIME AS OF reads versions of a table by its event time, but nothing declares that of the right side.").
			WithFix("Declare one: CREATE TABLE … (…, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE), or write ASOF JOIN … MATCH_CONDITION (a.ts >= b.ts).")
	}
	return a.asofTimes(&logical.AsofJoin{LeftTime: p.LeftTime, RightTime: found}, j)
}

// asofTimes resolves the times that a DataFrame names, each over its own side, and brings them to one type.
func (a *analyzer) asofTimes(p *logical.AsofJoin, j *logical.AsofJoin) error {
	l, err := a.expr(p.LeftTime, over(j.Left))
	if err != nil {
		return err
	}
	r, err := a.expr(p.RightTime, over(j.Right))
	if err != nil {
		return err
	}
	eq, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "<=", Args: []expr.Expr{l, r}})
	if err != nil {
		return err
	}
	j.LeftTime, j.RightTime = eq.(*expr.Call).Args[0], eq.(*expr.Call).Args[1]
	return nil
}

// asofTolerance evaluates the tolerance: a number for numbers, an interval for times.
func (a *analyzer) asofTolerance(p *logical.AsofJoin, j *logical.AsofJoin) error {
	t := j.LeftTime.DataType()
	if j.Direction != logical.Nearest && p.Tolerance == nil {
		return nil
	}
	if !t.IsNumeric() && !t.IsTemporal() {
		return at(usererr.New("DATATYPE_MISMATCH.ASOF_TYPE", "42K09", "An as-of join measures distances of numbers, dates and timestamps, not of %s.", strings.ToUpper(t.String())), p.Pos)
	}
	if p.Tolerance == nil {
		return nil
	}
	e, err := a.expr(p.Tolerance, &scope{layers: [][]*expr.Attr{nil}})
	if err != nil {
		return err
	}
	want := t
	if t.IsTemporal() {
		want = column.Of(column.IntervalDT)
	}
	if got := e.DataType(); !got.Equal(want) && !(got.IsNumeric() && t.IsNumeric()) {
		return at(usererr.New("AS_OF_JOIN.TOLERANCE_IS_UNFOLDABLE", "42604", "The tolerance %s is no constant %s.", columnName(p.Tolerance), strings.ToUpper(want.String())).
			WithFix("Use an interval for times and a number for numbers."), p.Pos)
	}
	l, err := expr.EvalLiteralIn(a.env.Session, expr.Coerce(e, want))
	if err != nil {
		return at(err, p.Pos)
	}
	if l.Value == nil || negative(l) {
		return at(usererr.New("AS_OF_JOIN.TOLERANCE_IS_NON_NEGATIVE", "42604", "The tolerance of an as-of join must not be negative or null."), p.Pos)
	}
	j.Tolerance = l
	return nil
}

func negative(l *expr.Literal) bool {
	switch v := l.Value.(type) {
	case int64:
		return v < 0
	case float64:
		return v < 0
	case column.Dec128:
		return v.Hi < 0
	}
	return false
}

// asofKeys takes the equalities of ON.
func (a *analyzer) asofKeys(p *logical.AsofJoin, j *logical.AsofJoin, cond expr.Expr) error {
	for _, e := range conjuncts(cond) {
		c, ok := e.(*expr.Call)
		if ok && (c.Fn == "=" || c.Fn == "==") && len(c.Args) == 2 {
			if l, r, _, ok := asofSides(c.Args[0], c.Args[1], j); ok {
				j.LeftKeys, j.RightKeys = append(j.LeftKeys, l), append(j.RightKeys, r)
				continue
			}
		}
		return at(usererr.New("INVALID_ASOF_JOIN.CONDITION", "42601", "The condition of an as-of join is equalities of both sides' columns, joined by AND, but found %s.", plainName(e)).
			WithFix("Filter the sides before the join."), p.Pos)
	}
	return nil
}

// asofUsing joins on equal columns and puts out each once.
func (a *analyzer) asofUsing(p *logical.AsofJoin, j *logical.AsofJoin) (logical.Plan, error) {
	drop := idSet{}
	for _, n := range p.Using {
		l, err := usingColumn(n, j.Left, "left")
		if err != nil {
			return nil, at(err, p.Pos)
		}
		r, err := usingColumn(n, j.Right, "right")
		if err != nil {
			return nil, at(err, p.Pos)
		}
		eq, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "=", Args: []expr.Expr{l, r}})
		if err != nil {
			return nil, at(a.explain(err, l), p.Pos)
		}
		args := eq.(*expr.Call).Args
		j.LeftKeys, j.RightKeys = append(j.LeftKeys, args[0]), append(j.RightKeys, args[1])
		drop[r.ID] = true
	}
	var list []expr.Expr
	for _, at := range j.Output() {
		if drop[at.ID] {
			c := *at
			c.Hidden = true
			at = &c
		}
		list = append(list, at)
	}
	return &logical.Project{List: list, Child: j}, nil
}
