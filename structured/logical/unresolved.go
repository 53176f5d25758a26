package logical

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// TableFunc is a table-valued function in FROM, such as range(10) or explode(array(1, 2)).
type TableFunc struct {
	Name string
	Args []expr.Expr
	// Names has the names of arguments that were given by name, "" for others; nil when none was.
	Names []string
	Pos   expr.Pos
}

// LateralView is LATERAL VIEW [OUTER] f(…) Alias AS Names over Child: a Generate before its function is resolved.
type LateralView struct {
	Call  expr.Expr
	Outer bool
	Alias string
	Names []string
	Child Plan
	Pos   expr.Pos
}

// SetOp is INTERSECT or EXCEPT of two queries, of different rows or of All; the analyser turns it into a union and an aggregate.
type SetOp struct {
	All         bool
	Except      bool
	Left, Right Plan
	Pos         expr.Pos
}

func (p *UnresolvedTable) String() string {
	name := strings.Join(p.Parts, ".")
	if p.Format != "" {
		name = p.Format + " " + strings.Join(p.Paths, ", ")
	}
	if p.Streaming {
		name = "STREAM " + name
	}
	return "'Table " + name
}

func (p *UnresolvedValues) String() string {
	rows := make([]string, len(p.Rows))
	for i, r := range p.Rows {
		rows[i] = "(" + list(r) + ")"
	}
	return "'Values " + strings.Join(rows, ", ")
}

func (p *TableFunc) String() string { return "'TableFunc " + p.Name + "(" + list(p.Args) + ")" }

func (p *LateralView) String() string {
	s := "'LateralView "
	if p.Outer {
		s += "OUTER "
	}
	s += p.Call.String() + " " + p.Alias
	if len(p.Names) > 0 {
		s += " AS " + strings.Join(p.Names, ", ")
	}
	return s
}

func (p *SetOp) String() string {
	name := "'Intersect"
	if p.Except {
		name = "'Except"
	}
	if p.All {
		name += " All"
	}
	return name
}
