package logical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// SubqueryKind is how a subquery stands in an expression.
type SubqueryKind uint8

const (
	ScalarSubquery SubqueryKind = iota // (SELECT …): one value
	InSubquery                         // Value IN (SELECT …)
	ExistsSubquery                     // EXISTS (SELECT …)
)

// Subquery is a query inside an expression. The analyser turns it into a join; it never reaches the planner.
type Subquery struct {
	Kind  SubqueryKind
	Value expr.Expr // the left side of IN
	Query Plan
	Pos   expr.Pos
}

func (e *Subquery) DataType() column.Type { return column.Type{} }
func (e *Subquery) Nullable() bool        { return true }
func (e *Subquery) Children() []expr.Expr { return optional(e.Value) }
func (e *Subquery) WithChildren(k []expr.Expr) expr.Expr {
	c := *e
	if e.Value != nil {
		c.Value = k[0]
	}
	return &c
}
func (e *Subquery) Resolved() bool { return false }

// String names the query by its top node only.
func (e *Subquery) String() string {
	switch e.Kind {
	case InSubquery:
		return "'" + e.Value.String() + " IN (" + e.Query.String() + ")"
	case ExistsSubquery:
		return "'EXISTS (" + e.Query.String() + ")"
	}
	return "'(" + e.Query.String() + ")"
}
