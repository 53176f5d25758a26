package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// changed is a table that a statement is about to change.
type changed struct {
	table  logical.Table // as it is now
	fields []column.Field
	scan   logical.Plan // its rows, under its alias
	marked logical.Plan // the same with the part that each row lies in, as column partColumn; nil for a table that has no parts
}

// changing opens the table of DELETE, UPDATE or MERGE.
func (a *analyzer) changing(verb string, parts []string, alias string, pos expr.Pos) (*changed, error) {
	t, err := a.target(parts)
	if err != nil {
		return nil, at(err, pos)
	}
	r, ok := t.(connector.Rewriter)
	if !ok {
		return nil, usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Table `%s` does not support %s: a %s table only grows.", t.Name(), verb, t.Provider()).
			With("tableName", "`"+t.Name()+"`").With("operation", verb).At(pos.Line, pos.Col).WithFix("Change tables of files (USING parquet); to a topic, append rows that say what changed.")
	}
	now, err := r.Rewrite(a.ctx)
	if err != nil {
		return nil, at(err, pos)
	}
	scan, err := a.scan(&logical.UnresolvedTable{Parts: parts, Pos: pos}, now, parts)
	if err != nil {
		return nil, err
	}
	c := &changed{table: now, fields: now.Schema().Fields[:now.Schema().Len()-now.Hidden()], scan: scan}
	if d, ok := now.(connector.Divided); ok {
		if c.marked, err = a.scan(&logical.UnresolvedTable{Parts: parts, Pos: pos}, d.WithParts(partColumn), parts); err != nil {
			return nil, err
		}
	}
	if alias != "" {
		c.scan = &logical.SubqueryAlias{Alias: alias, Child: scan}
		if c.marked != nil {
			c.marked = &logical.SubqueryAlias{Alias: alias, Child: c.marked}
		}
	}
	return c, nil
}

// deleteFrom keeps the rows for which the condition is not true.
func (a *analyzer) deleteFrom(p *logical.Delete) (logical.Plan, error) {
	t, err := a.changing("DELETE", p.Table, p.Alias, p.Pos)
	if err != nil {
		return nil, err
	}
	var stays expr.Expr = expr.Lit(false)
	if p.Where != nil {
		stays = &expr.UnresolvedCall{Name: "not", Args: []expr.Expr{&expr.UnresolvedCall{Name: "<=>", Args: []expr.Expr{p.Where, expr.Lit(true)}, Pos: p.Pos}}, Pos: p.Pos}
	}
	q, err := a.query(&logical.Filter{Cond: stays, Child: done{t.scan}})
	if err != nil {
		return nil, err
	}
	touched, err := a.touchedBy(t, p.Where)
	return &logical.Rewrite{Target: t.table, Query: q, Touched: touched}, err
}

// update puts the new values into the rows for which the condition is true. Conditions and values are columns of a projection
// below, so that subqueries may stand in them.
func (a *analyzer) update(p *logical.Update) (logical.Plan, error) {
	t, err := a.changing("UPDATE", p.Table, p.Alias, p.Pos)
	if err != nil {
		return nil, err
	}
	at, err := a.assignedTo(t, p.Set)
	if err != nil {
		return nil, err
	}
	list := []expr.Expr{&expr.Star{}}
	add := func(e expr.Expr) { list = append(list, &expr.Alias{Child: e, Name: "_new"}) }
	if p.Where != nil {
		add(p.Where)
	} else {
		add(expr.Lit(true))
	}
	for _, s := range p.Set {
		add(valueOf(s))
	}
	q, err := a.plan(&logical.Project{List: list, Child: done{t.scan}})
	if err != nil {
		return nil, err
	}
	out := q.Output()
	old, news := out[:len(t.fields)], out[len(t.fields):]
	hit := boolean(news[0])
	items := make([]expr.Expr, len(t.fields))
	for i := range t.fields {
		items[i] = old[i]
		if k, ok := at[i]; ok {
			v, err := a.stored(t, i, news[1+k], p.Set[k].Pos)
			if err != nil {
				return nil, err
			}
			items[i] = named(t.fields[i], expr.Coerce(when([]branch{{hit, v}}, old[i]), t.fields[i].Type))
		}
	}
	touched, err := a.touchedBy(t, p.Where)
	return &logical.Rewrite{Target: t.table, Query: &logical.Project{List: items, Child: q}, Touched: touched}, err
}

// valueOf is what is assigned; DEFAULT is null, for columns have no other default.
func valueOf(s logical.Assignment) expr.Expr {
	if s.Value == nil {
		return expr.Lit(nil)
	}
	return s.Value
}

// assignedTo finds the assignment of each column that has one, by position in the table.
func (a *analyzer) assignedTo(t *changed, set []logical.Assignment) (map[int]int, error) {
	out := map[int]int{}
	for k, s := range set {
		c := indexOf(fieldNames(t.fields), s.Column[len(s.Column)-1])
		if c < 0 || len(s.Column) > 2 {
			names := fieldNames(t.fields)
			near := usererr.Nearest(s.Column[len(s.Column)-1], names, 3)
			if len(near) == 0 {
				near = names
			}
			return nil, usererr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "A column, variable, or function parameter with name %s cannot be resolved.", quoted(s.Column)).
				At(s.Pos.Line, s.Pos.Col).WithFix("Did you mean one of the following? [`%s`].", strings.Join(near, "`, `"))
		}
		if _, twice := out[c]; twice {
			return nil, usererr.New("COLUMN_ALREADY_EXISTS", "42711", "The column `%s` is assigned twice.", t.fields[c].Name).At(s.Pos.Line, s.Pos.Col).WithFix("Assign each column once.")
		}
		out[c] = k
	}
	return out, nil
}

// stored is a value as column i of the table keeps it.
func (a *analyzer) stored(t *changed, i int, v expr.Expr, pos expr.Pos) (expr.Expr, error) {
	f := t.fields[i]
	if !storable(v.DataType(), f.Type) {
		return nil, usererr.New("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000", "Cannot write incompatible data for the table `%s`: cannot safely cast `%s` %q to %q.", t.table.Name(), f.Name,
			strings.ToUpper(v.DataType().String()), strings.ToUpper(f.Type.String())).At(pos.Line, pos.Col).WithFix("Cast the value: CAST(… AS %s).", strings.ToUpper(f.Type.String()))
	}
	if l, ok := v.(*expr.Literal); ok && l.Value == nil && !f.Nullable {
		return nil, usererr.New("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA", "KD000", "The column `%s` of `%s` is NOT NULL, but gets no value.", f.Name, t.table.Name()).At(pos.Line, pos.Col).WithFix("Give it a value.")
	}
	return expr.Coerce(v, f.Type), nil
}

func named(f column.Field, e expr.Expr) expr.Expr {
	return &expr.Alias{Child: e, Name: f.Name, ID: expr.NewID()}
}

// branch is WHEN cond THEN value.
type branch struct{ cond, value expr.Expr }

// when is a CASE of resolved parts that all have the type of otherwise.
func when(list []branch, otherwise expr.Expr) expr.Expr {
	if len(list) == 0 {
		return otherwise
	}
	c := &expr.Case{Else: otherwise}
	for _, b := range list {
		c.Whens, c.Thens = append(c.Whens, b.cond), append(c.Thens, b.value)
	}
	out, err := expr.ResolveCase(c)
	if err != nil {
		panic("BUG: optimize: branches of one type are no CASE: " + err.Error())
	}
	return out
}
