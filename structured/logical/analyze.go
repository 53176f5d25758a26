package logical

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// AnalyzeTable counts what the optimizer wants to know of a table: its rows, and of the columns named how many values differ, how
// many are null and between which they lie.
type AnalyzeTable struct {
	Name    []string
	Columns []string
	All     bool // of all columns
	NoScan  bool // only what can be had without reading the rows
	Pos     expr.Pos
}

func (p *AnalyzeTable) Children() []Plan           { return nil }
func (p *AnalyzeTable) WithChildren([]Plan) Plan   { return p }
func (p *AnalyzeTable) Exprs() []expr.Expr         { return nil }
func (p *AnalyzeTable) WithExprs([]expr.Expr) Plan { return p }
func (p *AnalyzeTable) Output() []*expr.Attr       { return nil }
func (p *AnalyzeTable) Resolved() bool             { return true }

func (p *AnalyzeTable) String() string {
	s := "AnalyzeTable " + strings.Join(p.Name, ".") + flag(p.NoScan, "noscan") + flag(p.All, "all columns")
	if len(p.Columns) > 0 {
		s += " [" + strings.Join(p.Columns, ", ") + "]"
	}
	return s
}
