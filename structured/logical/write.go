package logical

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// WriteTo writes the query to a path in a format, as DataFrameWriter.save does.
type WriteTo struct {
	Format      string
	Path        string
	Mode        string // "append", "overwrite", "error" (the default when empty) or "ignore"
	Options     map[string]string
	PartitionBy []string
	Query       Plan
}

func (p *WriteTo) Children() []Plan           { return []Plan{p.Query} }
func (p *WriteTo) WithChildren(k []Plan) Plan { c := *p; c.Query = k[0]; return &c }
func (p *WriteTo) Exprs() []expr.Expr         { return nil }
func (p *WriteTo) WithExprs([]expr.Expr) Plan { return p }
func (p *WriteTo) Output() []*expr.Attr       { return nil }
func (p *WriteTo) Resolved() bool             { return true }
func (p *WriteTo) String() string {
	return strings.TrimSpace("WriteTo " + p.Format + " " + p.Path + " " + p.Mode)
}
