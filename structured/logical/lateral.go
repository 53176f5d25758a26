package logical

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// LateralJoin joins each row of Left with what Right makes of it: Right may read Left's columns. The analyser turns it into
// joins and projections.
type LateralJoin struct {
	Kind        JoinKind // Inner, LeftOuter or Cross
	Left, Right Plan
	Cond        expr.Expr
	Pos         expr.Pos
}

func (p *LateralJoin) Children() []Plan { return []Plan{p.Left, p.Right} }
func (p *LateralJoin) WithChildren(k []Plan) Plan {
	c := *p
	c.Left, c.Right = k[0], k[1]
	return &c
}
func (p *LateralJoin) Exprs() []expr.Expr { return optional(p.Cond) }
func (p *LateralJoin) WithExprs(list []expr.Expr) Plan {
	c := *p
	if p.Cond != nil {
		c.Cond = list[0]
	}
	return &c
}
func (p *LateralJoin) Output() []*expr.Attr { return nil }
func (p *LateralJoin) Resolved() bool       { return false }
func (p *LateralJoin) String() string       { return "'LateralJoin " + p.Kind.String() }

// AsofDirection says on which side of a left row's time its partner is looked for.
type AsofDirection uint8

const (
	Backward AsofDirection = iota // the nearest row at or before
	Forward                       // the nearest at or after
	Nearest                       // whichever of both is nearer; of equally near ones the one before
)

func (d AsofDirection) String() string { return [...]string{"backward", "forward", "nearest"}[d] }

// AsofJoin gives each left row at most one partner: of the right rows with equal keys the one whose time is nearest in the
// Direction. Before analysis keys stand in Cond or Using, times in Match (SQL) or in LeftTime and RightTime (DataFrames); after
// it they are expressions of each side, of equal types.
type AsofJoin struct {
	Kind                JoinKind // Inner or LeftOuter
	Left, Right         Plan
	Match               expr.Expr // left time >= right time, or >, <=, <
	Cond                expr.Expr
	Using               []string
	LeftKeys, RightKeys []expr.Expr
	LeftTime, RightTime expr.Expr
	Direction           AsofDirection
	Strict              bool      // a row of the very same time is no partner
	Versioned           bool      // FOR SYSTEM_TIME AS OF LeftTime: the right side's rows are versions of a table, by its event time
	Tolerance           expr.Expr // how far it may be away; a constant, nil for any distance
	Done                bool      // analysed
	Pos                 expr.Pos
}

func (p *AsofJoin) Children() []Plan { return []Plan{p.Left, p.Right} }
func (p *AsofJoin) WithChildren(k []Plan) Plan {
	c := *p
	c.Left, c.Right = k[0], k[1]
	return &c
}

func (p *AsofJoin) parts(c *AsofJoin) []*expr.Expr {
	all := []*expr.Expr{&c.Match, &c.Cond, &c.LeftTime, &c.RightTime, &c.Tolerance}
	c.LeftKeys = append([]expr.Expr{}, p.LeftKeys...)
	c.RightKeys = append([]expr.Expr{}, p.RightKeys...)
	for i := range c.LeftKeys {
		all = append(all, &c.LeftKeys[i], &c.RightKeys[i])
	}
	return all
}

func (p *AsofJoin) Exprs() []expr.Expr {
	c := *p
	var out []expr.Expr
	for _, e := range p.parts(&c) {
		if *e != nil {
			out = append(out, *e)
		}
	}
	return out
}

func (p *AsofJoin) WithExprs(list []expr.Expr) Plan {
	c := *p
	for _, e := range p.parts(&c) {
		if *e != nil {
			*e, list = list[0], list[1:]
		}
	}
	return &c
}

func (p *AsofJoin) Resolved() bool { return p.Done }
func (p *AsofJoin) Output() []*expr.Attr {
	if !p.Done {
		return nil
	}
	left, right := p.Left.Output(), p.Right.Output()
	if p.Kind == LeftOuter {
		right = withNull(right)
	}
	return append(left[:len(left):len(left)], right...)
}

func (p *AsofJoin) String() string {
	s := fmt.Sprintf("%sAsofJoin %s, %s", mark(p), p.Kind, p.Direction)
	if p.Strict {
		s += " strict"
	}
	if p.Match != nil {
		s += ", match " + p.Match.String()
	}
	switch {
	case p.RightTime == nil && p.Versioned:
		s += ", as of " + p.LeftTime.String()
	case p.LeftTime != nil:
		s += fmt.Sprintf(", %s to %s", p.LeftTime, p.RightTime)
	}
	for i := range p.LeftKeys {
		s += fmt.Sprintf(", %s = %s", p.LeftKeys[i], p.RightKeys[i])
	}
	if p.Cond != nil {
		s += ", " + p.Cond.String()
	}
	if p.Tolerance != nil {
		s += ", within " + p.Tolerance.String()
	}
	return s
}

// Recursion is a recursive common table expression: the rows of Anchor, then what Step makes of the rows found last, until there
// are none. Whoever runs the query computes it level by level. Step reads them as WorkTables of the same ID.
type Recursion struct {
	ID           int64
	Name         string
	Anchor, Step Plan
	Distinct     bool  // UNION: a row that was found before is not found again
	MaxLevel     int64 // 0: the session's
	Limit        int64 // rows after which it may end; 0 for none
	Attrs        []*expr.Attr
}

func (p *Recursion) Children() []Plan { return []Plan{p.Anchor, p.Step} }
func (p *Recursion) WithChildren(k []Plan) Plan {
	c := *p
	c.Anchor, c.Step = k[0], k[1]
	return &c
}
func (p *Recursion) Exprs() []expr.Expr         { return nil }
func (p *Recursion) WithExprs([]expr.Expr) Plan { return p }
func (p *Recursion) Output() []*expr.Attr       { return p.Attrs }
func (p *Recursion) Resolved() bool             { return true }
func (p *Recursion) String() string {
	s := "Recursion " + p.Name + " [" + list(p.Attrs) + "]"
	if p.Distinct {
		s += ", distinct"
	}
	if p.Limit > 0 {
		s += fmt.Sprintf(", limit %d", p.Limit)
	}
	return s
}

// WorkTable is the rows that a Recursion found last, inside its Step.
type WorkTable struct {
	ID    int64
	Name  string
	Attrs []*expr.Attr
}

func (p *WorkTable) Children() []Plan           { return nil }
func (p *WorkTable) WithChildren([]Plan) Plan   { return p }
func (p *WorkTable) Exprs() []expr.Expr         { return nil }
func (p *WorkTable) WithExprs([]expr.Expr) Plan { return p }
func (p *WorkTable) Output() []*expr.Attr       { return p.Attrs }
func (p *WorkTable) Resolved() bool             { return true }
func (p *WorkTable) String() string             { return "WorkTable " + p.Name + " [" + list(p.Attrs) + "]" }

// Schema is the columns of a recursion.
func (p *Recursion) Schema() *column.Schema {
	s := &column.Schema{}
	for _, a := range p.Attrs {
		s.Fields = append(s.Fields, column.Field{Name: a.Name, Type: a.Typ, Nullable: a.Null})
	}
	return s
}
