package expr

import "github.com/streamflow/streamflow/column"

// NamedArg is an argument given by name: name => value. It stands among a call's arguments until the call is resolved.
type NamedArg struct {
	Name  string
	Value Expr
	Pos   Pos
}

func (e *NamedArg) DataType() column.Type { return column.Type{} }
func (e *NamedArg) Nullable() bool        { return true }
func (e *NamedArg) Children() []Expr      { return []Expr{e.Value} }
func (e *NamedArg) WithChildren(k []Expr) Expr {
	return &NamedArg{Name: e.Name, Value: k[0], Pos: e.Pos}
}
func (e *NamedArg) Resolved() bool { return false }
func (e *NamedArg) String() string { return e.Name + " => " + e.Value.String() }
