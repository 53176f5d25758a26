package logical

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/pattern"
)

// MatchRecognize finds row patterns (SQL:2016 MATCH_RECOGNIZE) in the child's rows: within each combination of Partition, in
// the order of Order.
//
// Before analysis Measures and Defines are as written. An analysed node has Slots: every FIRST, LAST, PREV, NEXT, aggregate,
// CLASSIFIER and MATCH_NUMBER, and every column, became an attribute, and Measures and conditions are expressions over those.
type MatchRecognize struct {
	Partition []expr.Expr
	Order     []*expr.SortOrder
	Measures  []expr.Expr // aliases
	AllRows   bool        // ALL ROWS PER MATCH
	Skip      pattern.SkipMode
	SkipTo    string // variable of SKIP TO FIRST and LAST
	Pattern   *pattern.Node
	Within    int64 // microseconds; 0 for no bound
	Timeouts  bool  // what WITHIN ends before it is complete goes to a side output
	Subsets   []Subset
	Defines   []Define
	Slots     []*Slot
	Analyzed  bool
	Child     Plan
	Pos       expr.Pos
}

// Subset is a variable that stands for several.
type Subset struct {
	Name string
	Of   []string
	Pos  expr.Pos
}

// Define says when a row can be a variable. Variables that have none can be any row.
type Define struct {
	Name string
	Cond expr.Expr
	Pos  expr.Pos
}

// SlotKind is what a Slot holds.
type SlotKind uint8

const (
	SlotColumn     SlotKind = iota // a column of one row of the match, or of a row some rows from it
	SlotAggregate                  // an aggregate over the rows of the match
	SlotClassifier                 // the variable that the row is
	SlotNumber                     // the match's number in its partition
)

// Slot is a value that depends on what has been matched.
type Slot struct {
	Kind   SlotKind
	Attr   *expr.Attr // that measures and conditions know it by
	Arg    expr.Expr  // of the child: a column, or an *expr.Agg
	Vars   []string   // which rows count; nil for all
	First  bool       // the first of them, else the last
	Offset int        // how many of them on from the first, or back from the last
	Shift  int        // then so many rows on in the partition, back when negative
	Final  bool       // of the whole match also where rows within it are put out
}

func (p *MatchRecognize) Children() []Plan { return []Plan{p.Child} }
func (p *MatchRecognize) WithChildren(k []Plan) Plan {
	c := *p
	c.Child = k[0]
	return &c
}

// Exprs are those over the child: the partition, the order, and once analysed what slots read; before, measures and
// conditions.
func (p *MatchRecognize) Exprs() []expr.Expr {
	list := append(append([]expr.Expr{}, p.Partition...), exprsOf(p.Order)...)
	if p.Analyzed {
		for _, s := range p.Slots {
			list = append(list, optional(s.Arg)...)
		}
		return list
	}
	list = append(list, p.Measures...)
	for _, d := range p.Defines {
		list = append(list, d.Cond)
	}
	return list
}

func (p *MatchRecognize) WithExprs(list []expr.Expr) Plan {
	c := *p
	n, o := len(p.Partition), len(p.Partition)+len(p.Order)
	c.Partition, c.Order, list = list[:n:n], toExprs[*expr.SortOrder](list[n:o]), list[o:]
	if p.Analyzed {
		c.Slots = make([]*Slot, len(p.Slots))
		for i, s := range p.Slots {
			k := *s
			if s.Arg != nil {
				k.Arg, list = list[0], list[1:]
			}
			c.Slots[i] = &k
		}
		return &c
	}
	m := len(p.Measures)
	c.Measures = list[:m:m]
	c.Defines = append([]Define{}, p.Defines...)
	for i := range c.Defines {
		c.Defines[i].Cond = list[m+i]
	}
	return &c
}

func (p *MatchRecognize) Resolved() bool { return p.Analyzed && resolved(p.Exprs()...) }

// Output is, for one row per match, the partition's columns and the measures; for all rows, the columns of partition and
// order, the measures, and the other columns of the child.
func (p *MatchRecognize) Output() []*expr.Attr {
	if !p.Analyzed {
		return nil
	}
	var out []*expr.Attr
	add := func(e expr.Expr) {
		a, ok := e.(*expr.Attr)
		if !ok {
			return
		}
		for _, b := range out {
			if b.ID == a.ID {
				return
			}
		}
		c := *a
		c.Qualifier = nil
		out = append(out, &c)
	}
	for _, e := range p.Partition {
		add(e)
	}
	if p.AllRows {
		for _, o := range p.Order {
			add(o.Child)
		}
	}
	out = append(out, attrsOf(p.Measures)...)
	if p.AllRows {
		for _, a := range Visible(p.Child.Output()) {
			add(a)
		}
	}
	return out
}

func (p *MatchRecognize) String() string {
	var b strings.Builder
	b.WriteString(mark(p) + "MatchRecognize")
	if len(p.Partition) > 0 {
		b.WriteString(" partition by [" + list(p.Partition) + "]")
	}
	if len(p.Order) > 0 {
		b.WriteString(" order by [" + list(exprsOf(p.Order)) + "]")
	}
	fmt.Fprintf(&b, " pattern (%s)", p.Pattern)
	if p.Within > 0 {
		b.WriteString(" within " + expr.Expr(&expr.Literal{Value: p.Within, Typ: intervalType}).String())
	}
	if p.Timeouts {
		b.WriteString(" emit timeouts")
	}
	for _, d := range p.Defines {
		b.WriteString(" " + d.Name + " as " + d.Cond.String())
	}
	return b.String()
}

var intervalType = column.Of(column.IntervalDT)

// VarsOf are the pattern's variables that a name stands for; ok is false when it is no variable.
func (p *MatchRecognize) VarsOf(name string) (vars []string, ok bool) {
	for _, s := range p.Subsets {
		if strings.EqualFold(s.Name, name) {
			return s.Of, true
		}
	}
	for _, v := range p.Pattern.Vars() {
		if strings.EqualFold(v, name) {
			return []string{v}, true
		}
	}
	return nil, false
}
