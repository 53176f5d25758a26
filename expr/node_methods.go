package expr

import "github.com/streamflow/streamflow/column"

func (e *Literal) DataType() column.Type    { return e.Typ }
func (e *Literal) Nullable() bool           { return e.Value == nil }
func (e *Literal) Children() []Expr         { return nil }
func (e *Literal) WithChildren([]Expr) Expr { return e }
func (e *Literal) Resolved() bool           { return true }

func (e *Attr) DataType() column.Type    { return e.Typ }
func (e *Attr) Nullable() bool           { return e.Null }
func (e *Attr) Children() []Expr         { return nil }
func (e *Attr) WithChildren([]Expr) Expr { return e }
func (e *Attr) Resolved() bool           { return true }

func (e *Column) DataType() column.Type    { return e.Typ }
func (e *Column) Nullable() bool           { return e.Null }
func (e *Column) Children() []Expr         { return nil }
func (e *Column) WithChildren([]Expr) Expr { return e }
func (e *Column) Resolved() bool           { return true }

func (e *Alias) DataType() column.Type { return e.Child.DataType() }
func (e *Alias) Nullable() bool        { return e.Child.Nullable() }
func (e *Alias) Children() []Expr      { return []Expr{e.Child} }
func (e *Alias) WithChildren(k []Expr) Expr {
	return &Alias{Child: k[0], Name: e.Name, ID: e.ID, Names: e.Names}
}
func (e *Alias) Resolved() bool { return e.Child.Resolved() }

func (e *Call) DataType() column.Type { return e.Typ }
func (e *Call) Nullable() bool        { return e.Null }
func (e *Call) Children() []Expr      { return e.Args }
func (e *Call) WithChildren(k []Expr) Expr {
	return &Call{Fn: e.Fn, Args: k, Typ: e.Typ, Null: e.Null}
}
func (e *Call) Resolved() bool { return allResolved(e.Args) }

func (e *Cast) DataType() column.Type      { return e.To }
func (e *Cast) Nullable() bool             { return e.Try || e.Child.Nullable() }
func (e *Cast) Children() []Expr           { return []Expr{e.Child} }
func (e *Cast) WithChildren(k []Expr) Expr { return &Cast{Child: k[0], To: e.To, Try: e.Try} }
func (e *Cast) Resolved() bool             { return e.Child.Resolved() }

func (e *Case) DataType() column.Type { return e.Thens[0].DataType() }
func (e *Case) Nullable() bool {
	if e.Else == nil || e.Else.Nullable() {
		return true
	}
	for _, t := range e.Thens {
		if t.Nullable() {
			return true
		}
	}
	return false
}

// Children are the conditions, the results, and the default if there is one, in that order.
func (e *Case) Children() []Expr {
	kids := append(append([]Expr{}, e.Whens...), e.Thens...)
	if e.Else != nil {
		kids = append(kids, e.Else)
	}
	return kids
}

func (e *Case) WithChildren(k []Expr) Expr {
	n := len(e.Whens)
	c := &Case{Whens: k[:n:n], Thens: k[n : 2*n : 2*n]}
	if e.Else != nil {
		c.Else = k[2*n]
	}
	return c
}
func (e *Case) Resolved() bool { return allResolved(e.Children()) }

func (e *Agg) DataType() column.Type { return e.Typ }
func (e *Agg) Nullable() bool        { return e.Null }

// Children are the arguments, and the filter last if there is one.
func (e *Agg) Children() []Expr {
	if e.Filter == nil {
		return e.Args
	}
	return append(append([]Expr{}, e.Args...), e.Filter)
}

func (e *Agg) WithChildren(k []Expr) Expr {
	c := *e
	c.Args = k[:len(e.Args):len(e.Args)]
	if e.Filter != nil {
		c.Filter = k[len(e.Args)]
	}
	return &c
}
func (e *Agg) Resolved() bool { return allResolved(e.Children()) }

func (e *Generate) DataType() column.Type { return column.StructOf(e.Output...) }
func (e *Generate) Nullable() bool        { return true }
func (e *Generate) Children() []Expr      { return e.Args }
func (e *Generate) WithChildren(k []Expr) Expr {
	return &Generate{Fn: e.Fn, Args: k, Outer: e.Outer, Output: e.Output}
}
func (e *Generate) Resolved() bool { return e.Output != nil && allResolved(e.Args) }

func (e *SortOrder) DataType() column.Type { return e.Child.DataType() }
func (e *SortOrder) Nullable() bool        { return e.Child.Nullable() }
func (e *SortOrder) Children() []Expr      { return []Expr{e.Child} }
func (e *SortOrder) WithChildren(k []Expr) Expr {
	return &SortOrder{Child: k[0], Desc: e.Desc, NullsFirst: e.NullsFirst}
}
func (e *SortOrder) Resolved() bool { return e.Child.Resolved() }

func (e *UnresolvedAttr) DataType() column.Type    { return column.Type{} }
func (e *UnresolvedAttr) Nullable() bool           { return true }
func (e *UnresolvedAttr) Children() []Expr         { return nil }
func (e *UnresolvedAttr) WithChildren([]Expr) Expr { return e }
func (e *UnresolvedAttr) Resolved() bool           { return false }

func (e *UnresolvedCall) DataType() column.Type { return column.Type{} }
func (e *UnresolvedCall) Nullable() bool        { return true }

// Children are the arguments, and the filter last if there is one.
func (e *UnresolvedCall) Children() []Expr {
	if e.Filter == nil {
		return e.Args
	}
	return append(append([]Expr{}, e.Args...), e.Filter)
}

func (e *UnresolvedCall) WithChildren(k []Expr) Expr {
	c := *e
	c.Args = k[:len(e.Args):len(e.Args)]
	if e.Filter != nil {
		c.Filter = k[len(e.Args)]
	}
	return &c
}
func (e *UnresolvedCall) Resolved() bool { return false }

func (e *Star) DataType() column.Type    { return column.Type{} }
func (e *Star) Nullable() bool           { return true }
func (e *Star) Children() []Expr         { return nil }
func (e *Star) WithChildren([]Expr) Expr { return e }
func (e *Star) Resolved() bool           { return false }

func (e *UnresolvedExtract) DataType() column.Type { return column.Type{} }
func (e *UnresolvedExtract) Nullable() bool        { return true }
func (e *UnresolvedExtract) Children() []Expr      { return []Expr{e.Child, e.Key} }
func (e *UnresolvedExtract) WithChildren(k []Expr) Expr {
	return &UnresolvedExtract{Child: k[0], Key: k[1], Pos: e.Pos}
}
func (e *UnresolvedExtract) Resolved() bool { return false }

func allResolved(kids []Expr) bool {
	for _, k := range kids {
		if !k.Resolved() {
			return false
		}
	}
	return true
}
