package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/process"
)

// process resolves a function of a table: its keys, its order, and the columns that it reads, cast to their Go types.
func (a *analyzer) process(p *logical.Process) (logical.Plan, error) {
	f, ok := process.Lookup(p.Name)
	if !ok {
		return nil, unknownProcess(p)
	}
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	c := *p
	s := over(child)
	var list []expr.Expr
	asColumn := func(e expr.Expr) expr.Expr {
		l := &expr.Alias{Child: e, Name: columnName(e), ID: expr.NewID()}
		list = append(list, l)
		return logical.AttrOf(l)
	}
	keys, err := a.exprs(p.Keys, s)
	if err != nil {
		return nil, err
	}
	if len(keys) != len(f.Key) {
		return nil, badProcess(p, "%s has a key of %d columns, PARTITION BY names %d.", f.Name, len(f.Key), len(keys)).
			WithFix("Write PARTITION BY with a column for each: %s.", keyNames(f))
	}
	c.Keys = make([]expr.Expr, len(keys))
	for i, k := range keys {
		if l, ok := k.(*expr.Alias); ok {
			k = l.Child
		}
		c.Keys[i] = asColumn(expr.Coerce(k, f.Key[i].Type))
	}
	c.Order = make([]*expr.SortOrder, len(p.Order))
	for i, o := range p.Order {
		e, err := a.expr(o.Child, s)
		if err != nil {
			return nil, err
		}
		c.Order[i] = &expr.SortOrder{Child: keepColumn(e, asColumn), Desc: o.Desc, NullsFirst: o.NullsFirst}
	}
	if c.Args, err = a.processArgs(p, f.In, s, asColumn); err != nil {
		return nil, err
	}
	if c.Initial, err = a.processInput(p, p.Initial, "INITIAL", f.Key, f.Initial); err != nil {
		return nil, err
	}
	if c.Broadcast, err = a.processInput(p, p.Broadcast, "BROADCAST", nil, f.Broadcast); err != nil {
		return nil, err
	}
	c.Child = &logical.Project{List: append(attrExprs(child.Output()), list...), Child: child}
	c.Attrs = make([]*expr.Attr, len(f.Out))
	for i, out := range f.Out {
		c.Attrs[i] = &expr.Attr{ID: expr.NewID(), Name: out.Name, Typ: out.Type, Null: out.Nullable}
	}
	c.Analyzed = true
	return &c, nil
}

// processArgs are the columns of a type's fields.
func (a *analyzer) processArgs(p *logical.Process, fields []column.Field, s *scope, asColumn func(expr.Expr) expr.Expr) ([]expr.Expr, error) {
	args := make([]expr.Expr, len(fields))
	for i, in := range fields {
		e, err := a.expr(&expr.UnresolvedAttr{Parts: []string{in.Name}, Pos: p.Pos}, s)
		if err != nil {
			return nil, err
		}
		args[i] = asColumn(expr.Coerce(e, in.Type))
	}
	return args, nil
}

// processInput resolves another input of a function, which has it exactly when it reads columns of it.
func (a *analyzer) processInput(p *logical.Process, in *logical.ProcessInput, what string, key, reads []column.Field) (*logical.ProcessInput, error) {
	switch {
	case in == nil && reads == nil:
		return nil, nil
	case in == nil:
		return nil, badProcess(p, "%s has a second input, which is missing.", p.Name).WithFix("Add %s TABLE t …, with the columns %s.", what, columnList(reads))
	case reads == nil:
		return nil, badProcess(p, "%s takes no %s TABLE.", p.Name, what).WithFix("Leave it out, or register the function with process.With%s.", what[:1]+strings.ToLower(what[1:]))
	}
	child, err := a.plan(in.Child)
	if err != nil {
		return nil, err
	}
	s := over(child)
	var list []expr.Expr
	asColumn := func(e expr.Expr) expr.Expr {
		l := &expr.Alias{Child: e, Name: columnName(e), ID: expr.NewID()}
		list = append(list, l)
		return logical.AttrOf(l)
	}
	out := &logical.ProcessInput{}
	keys, err := a.exprs(in.Keys, s)
	if err != nil {
		return nil, err
	}
	if len(keys) != len(key) {
		return nil, badProcess(p, "%s has a key of %d columns, PARTITION BY of its %s TABLE names %d.", p.Name, len(key), what, len(keys)).
			WithFix("Name as many columns as for its first table.")
	}
	for i, k := range keys {
		out.Keys = append(out.Keys, asColumn(expr.Coerce(unalias(k), key[i].Type)))
	}
	for _, o := range in.Order {
		e, err := a.expr(o.Child, s)
		if err != nil {
			return nil, err
		}
		out.Order = append(out.Order, &expr.SortOrder{Child: keepColumn(e, asColumn), Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	if out.Args, err = a.processArgs(p, reads, s, asColumn); err != nil {
		return nil, err
	}
	out.Child = &logical.Project{List: append(attrExprs(child.Output()), list...), Child: child}
	return out, nil
}

func columnList(fields []column.Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name+" "+f.Type.String())
	}
	return strings.Join(out, ", ")
}

// keepColumn is e when it is a column of the child, under which a watermark knows it.
func keepColumn(e expr.Expr, asColumn func(expr.Expr) expr.Expr) expr.Expr {
	if _, ok := e.(*expr.Attr); ok {
		return e
	}
	return asColumn(e)
}

func keyNames(f *process.Definition) string {
	return columnList(f.Key)
}

func badProcess(p *logical.Process, format string, args ...any) *usererr.Error {
	return usererr.New("INVALID_PROCESS_FUNCTION", "42K0E", format, args...).At(p.Pos.Line, p.Pos.Col)
}

func unknownProcess(p *logical.Process) error {
	known := "This node has none."
	if names := process.Names(); len(names) > 0 {
		known = "It has " + strings.Join(names, ", ") + "."
	}
	return usererr.New("UNRESOLVED_PROCESS_FUNCTION", "42883", "This node has no function %s of a table.", p.Name).At(p.Pos.Line, p.Pos.Col).
		WithFix("Register it with process.Register in the program that the node runs in (streamflow.Local). %s", known)
}
