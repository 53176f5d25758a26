package logical

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// Assignment is column = value of UPDATE SET and MERGE. Value nil is DEFAULT, which is null.
type Assignment struct {
	Column []string
	Value  expr.Expr
	Pos    expr.Pos
}

// Delete removes the rows of a table for which Where is true; nil is all rows.
type Delete struct {
	bare
	Table []string
	Alias string
	Where expr.Expr
	Pos   expr.Pos
}

// Update changes columns of the rows for which Where is true; nil is all rows.
type Update struct {
	bare
	Table []string
	Alias string
	Set   []Assignment
	Where expr.Expr
	Pos   expr.Pos
}

// Merge changes a table by the rows of Source that match its own.
type Merge struct {
	bare
	Table  []string
	Alias  string
	Source Plan
	On     expr.Expr
	Cases  []MergeCase
	Pos    expr.Pos
}

// MergeWhen says which rows a case is about.
type MergeWhen uint8

const (
	Matched            MergeWhen = iota // a row of each side
	NotMatched                          // of the source alone
	NotMatchedBySource                  // of the table alone
)

func (w MergeWhen) String() string {
	return [...]string{"matched", "not matched", "not matched by source"}[w]
}

// MergeCase is WHEN … [AND Cond] THEN DELETE, UPDATE SET Set or INSERT Set. All is SET * and INSERT *: the columns of the
// source that have the names of the table's.
type MergeCase struct {
	When   MergeWhen
	Cond   expr.Expr
	Delete bool
	All    bool
	Set    []Assignment
	Pos    expr.Pos
}

// Rewrite is a resolved DELETE, UPDATE or MERGE: Query is what the table holds afterwards. Touched, where it is known before, gives the
// parts of the table (see connector.Divided) that have rows which change; nil: all of them may. Adds: rows may come that were not there.
type Rewrite struct {
	Target  Table
	Query   Plan
	Touched Plan
	Adds    bool
}

func (p *Delete) WithChildren([]Plan) Plan   { return p }
func (p *Delete) WithExprs([]expr.Expr) Plan { return p }
func (p *Delete) String() string {
	return "DeleteFrom " + strings.Join(p.Table, ".") + where(p.Where)
}

func (p *Update) WithChildren([]Plan) Plan   { return p }
func (p *Update) WithExprs([]expr.Expr) Plan { return p }
func (p *Update) String() string {
	return "Update " + strings.Join(p.Table, ".") + " set " + assignments(p.Set) + where(p.Where)
}

func (p *Merge) Children() []Plan { return []Plan{p.Source} }
func (p *Merge) WithChildren(k []Plan) Plan {
	c := *p
	c.Source = k[0]
	return &c
}
func (p *Merge) WithExprs([]expr.Expr) Plan { return p }
func (p *Merge) String() string {
	s := "MergeInto " + strings.Join(p.Table, ".") + " on " + p.On.String()
	for _, c := range p.Cases {
		s += ", when " + c.When.String()
		if c.Cond != nil {
			s += " and " + c.Cond.String()
		}
		switch {
		case c.Delete:
			s += " delete"
		case c.All:
			s += " set *"
		default:
			s += " set " + assignments(c.Set)
		}
	}
	return s
}

func (p *Rewrite) Children() []Plan           { return []Plan{p.Query} }
func (p *Rewrite) WithChildren(k []Plan) Plan { return &Rewrite{p.Target, k[0], p.Touched, p.Adds} }
func (p *Rewrite) Exprs() []expr.Expr         { return nil }
func (p *Rewrite) WithExprs([]expr.Expr) Plan { return p }
func (p *Rewrite) Output() []*expr.Attr       { return nil }
func (p *Rewrite) Resolved() bool             { return true }
func (p *Rewrite) String() string             { return "Rewrite " + p.Target.Name() }

func where(e expr.Expr) string {
	if e == nil {
		return ""
	}
	return fmt.Sprintf(" where %s", e)
}

func assignments(list []Assignment) string {
	out := make([]string, len(list))
	for i, a := range list {
		v := "default"
		if a.Value != nil {
			v = a.Value.String()
		}
		out[i] = strings.Join(a.Column, ".") + " = " + v
	}
	return strings.Join(out, ", ")
}
