package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/pattern"
)

// matchRecognize resolves MATCH_RECOGNIZE: what depends on the rows that have been matched becomes slots.
func (a *analyzer) matchRecognize(p *logical.MatchRecognize) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	c := *p
	c.Child, c.Slots, c.Analyzed = child, nil, true
	if err := checkVariables(&c); err != nil {
		return nil, err
	}
	if err := a.matchKeys(&c); err != nil {
		return nil, err
	}
	m := &matchExprs{a: a, p: &c, scope: over(c.Child), slots: map[string]*logical.Slot{}}
	c.Measures = make([]expr.Expr, len(p.Measures))
	for i, e := range p.Measures {
		l := e.(*expr.Alias)
		v, err := m.resolve(l.Child)
		if err != nil {
			return nil, err
		}
		c.Measures[i] = &expr.Alias{Child: v, Name: l.Name, ID: expr.NewID()}
	}
	c.Defines = append([]logical.Define{}, p.Defines...)
	m.defining = true
	for i := range c.Defines {
		d := &c.Defines[i]
		cond, err := m.resolve(d.Cond)
		if err != nil {
			return nil, err
		}
		if err := a.condition(cond, "DEFINE"); err != nil {
			return nil, err
		}
		d.Cond = boolean(cond)
	}
	return &c, nil
}

// matchKeys resolves PARTITION BY and ORDER BY; what is no column becomes one below.
func (a *analyzer) matchKeys(c *logical.MatchRecognize) error {
	s := over(c.Child)
	list, err := a.exprs(c.Partition, s)
	if err != nil {
		return err
	}
	var extra []expr.Expr
	asColumn := func(e expr.Expr) expr.Expr {
		if _, ok := e.(*expr.Attr); ok {
			return e
		}
		l := &expr.Alias{Child: e, Name: columnName(e), ID: expr.NewID()}
		extra = append(extra, l)
		return logical.AttrOf(l)
	}
	c.Partition = make([]expr.Expr, len(list))
	for i, e := range list {
		if l, ok := e.(*expr.Alias); ok {
			e = l.Child
		}
		c.Partition[i] = asColumn(e)
	}
	orders := c.Order
	c.Order = make([]*expr.SortOrder, len(orders))
	for i, o := range orders {
		e, err := a.expr(o.Child, s)
		if err != nil {
			return err
		}
		c.Order[i] = &expr.SortOrder{Child: asColumn(e), Desc: o.Desc, NullsFirst: o.NullsFirst}
	}
	if len(extra) > 0 {
		c.Child = &logical.Project{List: append(attrExprs(c.Child.Output()), extra...), Child: c.Child}
	}
	return nil
}

// checkVariables refuses names that the pattern does not have, or that mean two things.
func checkVariables(p *logical.MatchRecognize) error {
	vars := p.Pattern.Vars()
	known := func(name string) bool {
		for _, v := range vars {
			if equalFold(v, name) {
				return true
			}
		}
		return false
	}
	seen := map[string]bool{}
	for _, s := range p.Subsets {
		if known(s.Name) || seen[strings.ToUpper(s.Name)] {
			return badMatch(s.Pos, "The name %s stands for two things.", s.Name).WithFix("Give the subset another name.")
		}
		seen[strings.ToUpper(s.Name)] = true
		for _, v := range s.Of {
			if !known(v) {
				return unknownVariable(s.Pos, v, vars)
			}
		}
	}
	defined := map[string]bool{}
	for _, d := range p.Defines {
		if !known(d.Name) {
			return unknownVariable(d.Pos, d.Name, vars)
		}
		if defined[strings.ToUpper(d.Name)] {
			return badMatch(d.Pos, "The variable %s is defined twice.", d.Name).WithFix("Join the conditions with AND, or use two variables.")
		}
		defined[strings.ToUpper(d.Name)] = true
	}
	if _, ok := p.VarsOf(p.SkipTo); p.SkipTo != "" && !ok {
		return unknownVariable(p.Pos, p.SkipTo, vars)
	}
	if p.Skip == pattern.NoSkip && p.AllRows {
		return badMatch(p.Pos, "NO SKIP gives overlapping matches, which ALL ROWS PER MATCH cannot tell apart.").WithFix("Use ONE ROW PER MATCH.")
	}
	return nil
}

func badMatch(pos expr.Pos, format string, args ...any) *usererr.Error {
	return usererr.New("INVALID_MATCH_RECOGNIZE", "42601", format, args...).At(pos.Line, pos.Col)
}

func unknownVariable(pos expr.Pos, name string, vars []string) error {
	return badMatch(pos, "The pattern has no variable %s.", name).WithFix("It has %s.", strings.Join(vars, ", "))
}

// matchExprs rewrites measures and conditions.
type matchExprs struct {
	a        *analyzer
	p        *logical.MatchRecognize
	scope    *scope
	slots    map[string]*logical.Slot
	defining bool
}

// place is the row that a column is read at: see logical.Slot.
type place struct {
	first, final  bool
	offset, shift int
	within        string // the function that names the row, for messages
}

// resolve rewrites an expression and gives it its type.
func (m *matchExprs) resolve(e expr.Expr) (expr.Expr, error) {
	e, err := m.rewrite(e, place{})
	if err != nil {
		return nil, err
	}
	return m.a.expr(e, &scope{})
}

func (m *matchExprs) rewrite(e expr.Expr, at place) (expr.Expr, error) {
	switch e := e.(type) {
	case *expr.UnresolvedAttr:
		return m.column(e, at)
	case *expr.UnresolvedCall:
		return m.call(e, at)
	case *expr.UnresolvedLambda, *expr.Literal:
		return e, nil
	case *expr.Over:
		return nil, badMatch(e.Pos, "A window function may not stand in MATCH_RECOGNIZE.").WithFix("Compute it in a subquery below or above.")
	case *logical.Subquery:
		return nil, badMatch(e.Pos, "A subquery may not stand in MATCH_RECOGNIZE.").WithFix("Join with it below.")
	}
	return m.rewriteKids(e, at)
}

func (m *matchExprs) rewriteKids(e expr.Expr, at place) (expr.Expr, error) {
	kids := e.Children()
	if len(kids) == 0 {
		return e, nil
	}
	out := make([]expr.Expr, len(kids))
	for i, k := range kids {
		var err error
		if out[i], err = m.rewrite(k, at); err != nil {
			return nil, err
		}
	}
	return e.WithChildren(out), nil
}

// variable cuts a variable's name off the front of a column's.
func (m *matchExprs) variable(u *expr.UnresolvedAttr) (vars []string, rest *expr.UnresolvedAttr) {
	if len(u.Parts) > 1 {
		if vars, ok := m.p.VarsOf(u.Parts[0]); ok {
			return vars, &expr.UnresolvedAttr{Parts: u.Parts[1:], Pos: u.Pos}
		}
	}
	return nil, u
}

// column is a column, or a member of one, of the row at a place.
func (m *matchExprs) column(u *expr.UnresolvedAttr, at place) (expr.Expr, error) {
	vars, rest := m.variable(u)
	e, err := m.a.expr(rest, m.scope)
	if err != nil {
		return nil, err
	}
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		c, ok := x.(*expr.Attr)
		if !ok {
			return x
		}
		s := &logical.Slot{Kind: logical.SlotColumn, Arg: c, Vars: vars, First: at.first, Offset: at.offset, Shift: at.shift, Final: at.final}
		own := m.defining && vars == nil && at == (place{within: at.within})
		return m.slot(s, strings.Join(u.Parts, "."), c.Typ, c.Null || !own, u.Pos)
	}), nil
}

// slot is a reference to the slot, which is made when there is none like it.
func (m *matchExprs) slot(s *logical.Slot, name string, typ column.Type, null bool, pos expr.Pos) *expr.Attr {
	key := slotKey(s)
	if s.Kind == logical.SlotColumn && !null {
		key += " here"
	}
	if known := m.slots[key]; known != nil {
		s = known
	} else {
		s.Attr = &expr.Attr{ID: expr.NewID(), Name: name, Typ: typ, Null: null}
		m.slots[key] = s
		m.p.Slots = append(m.p.Slots, s)
	}
	ref := *s.Attr
	ref.Name = name
	m.a.pos[&ref] = pos
	return &ref
}

func slotKey(s *logical.Slot) string {
	var b strings.Builder
	b.WriteByte(byte('0' + s.Kind))
	if s.Arg != nil {
		b.WriteString(same(s.Arg))
	}
	for _, n := range []int{s.Offset, s.Shift} {
		b.WriteString("," + expr.Lit(n).String())
	}
	if s.First {
		b.WriteString(" first")
	}
	if s.Final {
		b.WriteString(" final")
	}
	if s.Vars != nil {
		b.WriteString(" of " + strings.ToUpper(strings.Join(s.Vars, ",")))
	}
	return b.String()
}

// call is one of the functions of row patterns, an aggregate, or any other function of such.
func (m *matchExprs) call(c *expr.UnresolvedCall, at place) (expr.Expr, error) {
	name := strings.ToUpper(c.Name)
	switch name {
	case "FINAL", "RUNNING":
		if m.defining && name == "FINAL" {
			return nil, badMatch(c.Pos, "FINAL has no meaning in DEFINE, where the match is not yet known.").WithFix("Leave it out.")
		}
		at.final = name == "FINAL"
		return m.rewrite(c.Args[0], at)
	case "FIRST", "LAST", "PREV", "NEXT":
		return m.navigate(c, name, at)
	case "CLASSIFIER":
		return m.classifier(c, at)
	case "MATCH_NUMBER":
		if m.defining {
			return nil, badMatch(c.Pos, "MATCH_NUMBER has no meaning in DEFINE, where it is not yet known whether there is a match.").WithFix("Use it in MEASURES.")
		}
		return m.slot(&logical.Slot{Kind: logical.SlotNumber}, "match_number()", column.Of(column.Int64), false, c.Pos), nil
	}
	if f, ok := expr.Lookup(c.Name); ok && f.Kind == expr.Aggregate {
		return m.aggregate(c, at)
	}
	return m.rewriteKids(c, at)
}

// navigate is FIRST, LAST, PREV or NEXT: it moves the place at which its operand is read.
func (m *matchExprs) navigate(c *expr.UnresolvedCall, name string, at place) (expr.Expr, error) {
	physical := name == "PREV" || name == "NEXT"
	if at.within != "" && (physical || at.within == "FIRST" || at.within == "LAST") {
		return nil, badMatch(c.Pos, "%s may not stand within %s.", name, at.within).WithFix("Write PREV(LAST(A.x, 1), 2): only FIRST and LAST stand within PREV and NEXT.")
	}
	n := 0
	if physical {
		n = 1
	}
	switch len(c.Args) {
	case 1:
	case 2:
		l, ok := c.Args[1].(*expr.Literal)
		v, isInt := int64(0), false
		if ok {
			v, isInt = l.Value.(int64)
		}
		if !isInt || v < 0 || v > 1_000_000 {
			return nil, badMatch(c.Pos, "The offset of %s is a whole number from 0.", name).WithFix("Write %s(A.x, 1).", name)
		}
		n = int(v)
	default:
		return nil, badMatch(c.Pos, "%s takes an expression and an offset.", name).WithFix("Write %s(A.x) or %s(A.x, 1).", name, name)
	}
	at.within = name
	switch name {
	case "FIRST", "LAST":
		at.first, at.offset = name == "FIRST", n
	case "PREV":
		at.shift = -n
	case "NEXT":
		at.shift = n
	}
	return m.rewrite(c.Args[0], at)
}

func (m *matchExprs) classifier(c *expr.UnresolvedCall, at place) (expr.Expr, error) {
	s := &logical.Slot{Kind: logical.SlotClassifier, First: at.first, Offset: at.offset, Shift: at.shift, Final: at.final}
	if len(c.Args) > 0 {
		u, ok := c.Args[0].(*expr.UnresolvedAttr)
		if !ok || len(u.Parts) != 1 || len(c.Args) > 1 {
			return nil, badMatch(c.Pos, "CLASSIFIER takes a variable or none.").WithFix("Write CLASSIFIER() or CLASSIFIER(A).")
		}
		if s.Vars, ok = m.p.VarsOf(u.Parts[0]); !ok {
			return nil, unknownVariable(u.Pos, u.Parts[0], m.p.Pattern.Vars())
		}
	}
	return m.slot(s, "classifier()", column.Of(column.String), true, c.Pos), nil
}

// aggregate is an aggregate over the rows of the match that are one variable, or over all.
func (m *matchExprs) aggregate(c *expr.UnresolvedCall, at place) (expr.Expr, error) {
	if at.within != "" {
		return nil, badMatch(c.Pos, "An aggregate function may not stand within %s.", at.within)
	}
	var vars []string
	of, columns := "", false
	strip := func(x expr.Expr) (expr.Expr, error) {
		name, out := "", x
		switch u := x.(type) {
		case *expr.UnresolvedAttr:
			v, rest := m.variable(u)
			if v != nil {
				name, vars, out = strings.ToUpper(u.Parts[0]), v, rest
			}
		case *expr.Star:
			if len(u.Qualifier) == 1 {
				v, ok := m.p.VarsOf(u.Qualifier[0])
				if !ok {
					return nil, unknownVariable(u.Pos, u.Qualifier[0], m.p.Pattern.Vars())
				}
				name, vars, out = strings.ToUpper(u.Qualifier[0]), v, &expr.Star{Pos: u.Pos}
			}
		default:
			return x, nil
		}
		if columns && name != of {
			return nil, badMatch(c.Pos, "The columns within %s are of different variables.", strings.ToUpper(c.Name)).
				WithFix("Aggregate over one variable, or over a SUBSET of them.")
		}
		of, columns = name, true
		return out, nil
	}
	stripped := &expr.UnresolvedCall{Name: c.Name, Distinct: c.Distinct, Pos: c.Pos, Args: make([]expr.Expr, len(c.Args))}
	var err error
	for i, x := range c.Args {
		if stripped.Args[i], err = expr.TransformErr(x, strip); err != nil {
			return nil, err
		}
	}
	if c.Filter != nil {
		if stripped.Filter, err = expr.TransformErr(c.Filter, strip); err != nil {
			return nil, err
		}
	}
	e, err := m.a.call(stripped, m.scope)
	if err != nil {
		return nil, err
	}
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		g, ok := x.(*expr.Agg)
		if !ok {
			return x
		}
		s := &logical.Slot{Kind: logical.SlotAggregate, Arg: g, Vars: vars, Final: at.final}
		return m.slot(s, columnName(c), g.Typ, g.Null, c.Pos)
	}), nil
}
