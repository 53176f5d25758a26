package logical

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// SQLText is a statement as text, from spark.sql or a session's SQL method. Whoever has the catalog parses it and puts
// the statement's plan in its place. Args are the values of ? markers, Named those of :name markers.
type SQLText struct {
	Text  string
	Args  []expr.Expr
	Named map[string]expr.Expr
}

func (p *SQLText) Children() []Plan           { return nil }
func (p *SQLText) WithChildren([]Plan) Plan   { return p }
func (p *SQLText) Exprs() []expr.Expr         { return nil }
func (p *SQLText) WithExprs([]expr.Expr) Plan { return p }
func (p *SQLText) Output() []*expr.Attr       { return nil }
func (p *SQLText) Resolved() bool             { return false }
func (p *SQLText) String() string             { return "'SQL " + oneLine(p.Text) }

// SQLExpr is an expression as text, from expr("…") or selectExpr. Whoever parses SQLText parses it too.
type SQLExpr struct{ Text string }

func (e *SQLExpr) DataType() column.Type              { return column.Type{} }
func (e *SQLExpr) Nullable() bool                     { return true }
func (e *SQLExpr) Children() []expr.Expr              { return nil }
func (e *SQLExpr) WithChildren([]expr.Expr) expr.Expr { return e }
func (e *SQLExpr) Resolved() bool                     { return false }
func (e *SQLExpr) String() string                     { return "'" + oneLine(e.Text) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
