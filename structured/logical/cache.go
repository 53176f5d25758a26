package logical

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// Cached is a part of a plan whose rows are kept once they have been computed. Equal keys are equal plans.
type Cached struct {
	Key   string
	Child Plan
}

func (p *Cached) Children() []Plan           { return []Plan{p.Child} }
func (p *Cached) WithChildren(k []Plan) Plan { return &Cached{Key: p.Key, Child: k[0]} }
func (p *Cached) Exprs() []expr.Expr         { return nil }
func (p *Cached) WithExprs([]expr.Expr) Plan { return p }
func (p *Cached) Output() []*expr.Attr       { return p.Child.Output() }
func (p *Cached) Resolved() bool             { return false }
func (p *Cached) String() string             { return "'Cached" }

// CacheTable keeps the rows of a table or view: at once, or when it is first read. Query, when not nil, makes Name a temporary
// view of it first; SQL is its text. With a Key the Query is to be kept where it stands under that key in a plan.
type CacheTable struct {
	Name  []string
	Key   string
	Lazy  bool
	Query Plan
	SQL   string
	Pos   expr.Pos
}

func (p *CacheTable) Children() []Plan { return child(p.Query) }
func (p *CacheTable) WithChildren(k []Plan) Plan {
	c := *p
	c.Query = first(k)
	return &c
}
func (p *CacheTable) Exprs() []expr.Expr         { return nil }
func (p *CacheTable) WithExprs([]expr.Expr) Plan { return p }
func (p *CacheTable) Output() []*expr.Attr       { return nil }
func (p *CacheTable) Resolved() bool             { return true }
func (p *CacheTable) String() string {
	return "CacheTable " + strings.Join(p.Name, ".") + flag(p.Lazy, "lazy")
}

// Uncache forgets what is kept of a table, of a Cached plan, or, with neither, of everything.
type Uncache struct {
	bare
	Name     []string
	Key      string
	IfExists bool
	Pos      expr.Pos
}

func (p *Uncache) WithChildren([]Plan) Plan   { return p }
func (p *Uncache) WithExprs([]expr.Expr) Plan { return p }
func (p *Uncache) String() string {
	if len(p.Name) == 0 && p.Key == "" {
		return "ClearCache"
	}
	return "Uncache " + strings.Join(p.Name, ".") + flag(p.IfExists, "if exists")
}
