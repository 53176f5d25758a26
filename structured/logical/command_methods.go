package logical

import "github.com/streamflow/streamflow/expr"

// Commands yield no attributes: whoever runs them makes their result rows. The query inside, if any, is their child.

// child is the list of a query that may be missing; first goes back.
func child(p Plan) []Plan {
	if p == nil {
		return nil
	}
	return []Plan{p}
}

func first(kids []Plan) Plan {
	if len(kids) == 0 {
		return nil
	}
	return kids[0]
}

func (p *InsertInto) Children() []Plan { return child(p.Query) }
func (p *InsertInto) WithChildren(k []Plan) Plan {
	c := *p
	c.Query = first(k)
	return &c
}
func (p *InsertInto) Exprs() []expr.Expr         { return nil }
func (p *InsertInto) WithExprs([]expr.Expr) Plan { return p }
func (p *InsertInto) Output() []*expr.Attr       { return nil }
func (p *InsertInto) Resolved() bool             { return true }

func (p *CreateTable) Children() []Plan { return child(p.As) }
func (p *CreateTable) WithChildren(k []Plan) Plan {
	c := *p
	c.As = first(k)
	return &c
}
func (p *CreateTable) Exprs() []expr.Expr         { return nil }
func (p *CreateTable) WithExprs([]expr.Expr) Plan { return p }
func (p *CreateTable) Output() []*expr.Attr       { return nil }
func (p *CreateTable) Resolved() bool             { return true }

func (p *CreateView) Children() []Plan { return child(p.Query) }
func (p *CreateView) WithChildren(k []Plan) Plan {
	c := *p
	c.Query = first(k)
	return &c
}
func (p *CreateView) Exprs() []expr.Expr         { return nil }
func (p *CreateView) WithExprs([]expr.Expr) Plan { return p }
func (p *CreateView) Output() []*expr.Attr       { return nil }
func (p *CreateView) Resolved() bool             { return true }

func (p *Drop) Children() []Plan           { return nil }
func (p *Drop) WithChildren([]Plan) Plan   { return p }
func (p *Drop) Exprs() []expr.Expr         { return nil }
func (p *Drop) WithExprs([]expr.Expr) Plan { return p }
func (p *Drop) Output() []*expr.Attr       { return nil }
func (p *Drop) Resolved() bool             { return true }

func (p *Show) Children() []Plan           { return nil }
func (p *Show) WithChildren([]Plan) Plan   { return p }
func (p *Show) Exprs() []expr.Expr         { return nil }
func (p *Show) WithExprs([]expr.Expr) Plan { return p }
func (p *Show) Output() []*expr.Attr       { return nil }
func (p *Show) Resolved() bool             { return true }

func (p *Describe) Children() []Plan { return child(p.Query) }
func (p *Describe) WithChildren(k []Plan) Plan {
	c := *p
	c.Query = first(k)
	return &c
}
func (p *Describe) Exprs() []expr.Expr         { return nil }
func (p *Describe) WithExprs([]expr.Expr) Plan { return p }
func (p *Describe) Output() []*expr.Attr       { return nil }
func (p *Describe) Resolved() bool             { return true }

func (p *Explain) Children() []Plan           { return child(p.Query) }
func (p *Explain) WithChildren(k []Plan) Plan { return &Explain{Mode: p.Mode, Query: first(k)} }
func (p *Explain) Exprs() []expr.Expr         { return nil }
func (p *Explain) WithExprs([]expr.Expr) Plan { return p }
func (p *Explain) Output() []*expr.Attr       { return nil }
func (p *Explain) Resolved() bool             { return true }

func (p *SetConf) Children() []Plan           { return nil }
func (p *SetConf) WithChildren([]Plan) Plan   { return p }
func (p *SetConf) Exprs() []expr.Expr         { return nil }
func (p *SetConf) WithExprs([]expr.Expr) Plan { return p }
func (p *SetConf) Output() []*expr.Attr       { return nil }
func (p *SetConf) Resolved() bool             { return true }

func (p *Use) Children() []Plan           { return nil }
func (p *Use) WithChildren([]Plan) Plan   { return p }
func (p *Use) Exprs() []expr.Expr         { return nil }
func (p *Use) WithExprs([]expr.Expr) Plan { return p }
func (p *Use) Output() []*expr.Attr       { return nil }
func (p *Use) Resolved() bool             { return true }

func (p *CreateStream) Children() []Plan { return child(p.Query) }
func (p *CreateStream) WithChildren(k []Plan) Plan {
	c := *p
	c.Query = first(k)
	return &c
}
func (p *CreateStream) Exprs() []expr.Expr         { return nil }
func (p *CreateStream) WithExprs([]expr.Expr) Plan { return p }
func (p *CreateStream) Output() []*expr.Attr       { return nil }
func (p *CreateStream) Resolved() bool             { return true }

func (p *StopStream) Children() []Plan           { return nil }
func (p *StopStream) WithChildren([]Plan) Plan   { return p }
func (p *StopStream) Exprs() []expr.Expr         { return nil }
func (p *StopStream) WithExprs([]expr.Expr) Plan { return p }
func (p *StopStream) Output() []*expr.Attr       { return nil }
func (p *StopStream) Resolved() bool             { return true }

// IsCommand reports whether p does something besides producing rows.
func IsCommand(p Plan) bool {
	switch p.(type) {
	case *InsertInto, *CreateTable, *CreateView, *Drop, *Show, *Describe, *Explain, *SetConf, *Use, *CreateStream, *StopStream, *ManageStream, *CreateMaterialized, *DropMaterialized, *WriteTo, *AnalyzeTable,
		*AlterTable, *CreateDatabase, *DropDatabase, *CreateFunction, *DropFunction, *Refresh, *Delete, *Update, *Merge, *Rewrite, *CacheTable, *Uncache:
		return true
	}
	return false
}
