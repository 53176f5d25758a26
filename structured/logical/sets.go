package logical

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// Expand passes each row once for every one of Sets, with those of Varying null that the set does not list, and the set's number
// in Tag. GROUPING SETS are an Aggregate over it.
type Expand struct {
	Varying []*expr.Attr // columns of the child
	Sets    [][]int      // positions in Varying
	Tag     *expr.Attr
	Child   Plan
}

func (p *Expand) Children() []Plan { return []Plan{p.Child} }
func (p *Expand) WithChildren(k []Plan) Plan {
	return &Expand{Varying: p.Varying, Sets: p.Sets, Tag: p.Tag, Child: k[0]}
}
func (p *Expand) Exprs() []expr.Expr { return exprsOf(p.Varying) }
func (p *Expand) WithExprs(list []expr.Expr) Plan {
	c := *p
	c.Varying = make([]*expr.Attr, len(list))
	for i, e := range list {
		c.Varying[i] = e.(*expr.Attr)
	}
	return &c
}
func (p *Expand) Resolved() bool { return true }

// Output is the child's columns, of which those that vary may be null, and the tag.
func (p *Expand) Output() []*expr.Attr {
	var out []*expr.Attr
	for _, a := range p.Child.Output() {
		for _, v := range p.Varying {
			if v.ID == a.ID {
				a = v
			}
		}
		out = append(out, a)
	}
	return append(out, p.Tag)
}

func (p *Expand) String() string {
	sets := make([]string, len(p.Sets))
	for i, s := range p.Sets {
		names := make([]string, len(s))
		for j, k := range s {
			names[j] = p.Varying[k].Name
		}
		sets[i] = "(" + strings.Join(names, ", ") + ")"
	}
	return fmt.Sprintf("%sExpand [%s]", mark(p), strings.Join(sets, ", "))
}

// NewTag is the attribute of an Expand's set numbers.
func NewTag() *expr.Attr {
	return &expr.Attr{ID: expr.NewID(), Name: "_set", Typ: column.Of(column.Int32), Hidden: true}
}

// CubeSets are all selections of n keys, the whole first; RollupSets all beginnings.
func CubeSets(n int) [][]int {
	var sets [][]int
	for mask := 0; mask < 1<<n; mask++ {
		set := []int{}
		for i := range n {
			if mask>>(n-1-i)&1 == 0 {
				set = append(set, i)
			}
		}
		sets = append(sets, set)
	}
	return sets
}

func RollupSets(n int) [][]int {
	var sets [][]int
	for k := n; k >= 0; k-- {
		set := []int{}
		for i := range k {
			set = append(set, i)
		}
		sets = append(sets, set)
	}
	return sets
}
