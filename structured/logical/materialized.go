package logical

import "github.com/streamflow/streamflow/expr"

// CreateMaterialized is CREATE MATERIALIZED VIEW: a query's result that a streaming query keeps fresh.
type CreateMaterialized struct {
	Name    string
	Options map[string]string // of the topic that has the rows
	Query   Plan
	Pos     expr.Pos
}

// DropMaterialized is DROP MATERIALIZED VIEW: the view goes, with its query and its rows.
type DropMaterialized struct {
	Name     string
	IfExists bool
	Pos      expr.Pos
}

func (p *CreateMaterialized) Children() []Plan { return child(p.Query) }
func (p *CreateMaterialized) WithChildren(k []Plan) Plan {
	c := *p
	c.Query = first(k)
	return &c
}
func (p *CreateMaterialized) Exprs() []expr.Expr         { return nil }
func (p *CreateMaterialized) WithExprs([]expr.Expr) Plan { return p }
func (p *CreateMaterialized) Output() []*expr.Attr       { return nil }
func (p *CreateMaterialized) Resolved() bool             { return true }
func (p *CreateMaterialized) String() string             { return "CreateMaterialized " + p.Name }

func (p *DropMaterialized) Children() []Plan           { return nil }
func (p *DropMaterialized) WithChildren([]Plan) Plan   { return p }
func (p *DropMaterialized) Exprs() []expr.Expr         { return nil }
func (p *DropMaterialized) WithExprs([]expr.Expr) Plan { return p }
func (p *DropMaterialized) Output() []*expr.Attr       { return nil }
func (p *DropMaterialized) Resolved() bool             { return true }
func (p *DropMaterialized) String() string {
	return "DropMaterialized " + p.Name + flag(p.IfExists, "if exists")
}
