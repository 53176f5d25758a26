package physical

import (
	"fmt"
	"sort"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// distinctAggregate plans aggregates of which some are distinct, in two groupings: first by keys and distinct arguments,
// which leaves each value once, then by keys. With several different distinct arguments each row is first repeated for
// every one of them, tagged by which one it is for.
//
//	rows ─[expand]─▶ by (keys, tag, args) ─exchange─▶ again ─▶ by (keys), partial ─exchange─▶ final
func (p *planner) distinctAggregate(a *aggregation) (*Node, error) {
	d := splitDistinct(a)
	n, err := p.expandSets(a, d)
	if err != nil {
		return nil, err
	}
	// First grouping: keys, tag and all distinct arguments; the other aggregates run along.
	inner := append(append([]expr.Expr{}, a.keys...), d.group...)
	innerAttrs := append(append([]*expr.Attr{}, a.keyAttrs...), d.groupAttrs...)
	n, keys, specs, err := p.inputs(n, inner, innerAttrs, d.others)
	if err != nil {
		return nil, err
	}
	n = p.hashAgg(n, keys, innerAttrs, specs, nil, false)
	keys = leading(len(inner))
	merge := mergeSpecs(specs, len(inner))
	if n.Parts > 1 {
		n = p.clustered(n, keys)
		n = p.hashAgg(n, keys, innerAttrs, merge, nil, false)
	}
	n.Op.(*HashAggregate).Whole = true // each value is counted once
	// Second grouping: by keys alone, over values that are now distinct.
	n, outer, err := d.outer(p, a, n, merge)
	if err != nil {
		return nil, err
	}
	keys = leading(len(a.keys))
	if n.Parts == 1 || n.clusteredBy(keys) {
		return p.hashAgg(n, keys, a.keyAttrs, outer, a.aggAttrs, true), nil
	}
	n = p.hashAgg(n, keys, a.keyAttrs, outer, nil, false)
	n = p.clustered(n, keys)
	return p.hashAgg(n, keys, a.keyAttrs, mergeSpecs(outer, len(a.keys)), a.aggAttrs, true), nil
}

// distinctPlan is how the aggregates of a grouping are divided.
type distinctPlan struct {
	others     []*expr.Agg // not distinct
	args       []expr.Expr // distinct arguments, each once
	argAttrs   []*expr.Attr
	sets       [][]int // which of args each kind of distinct aggregate reads
	setOf      map[*expr.Agg]int
	tag        *expr.Attr // with several sets
	group      []expr.Expr
	groupAttrs []*expr.Attr
}

func splitDistinct(a *aggregation) *distinctPlan {
	d := &distinctPlan{setOf: map[*expr.Agg]int{}}
	place, setAt := map[string]int{}, map[string]int{}
	for _, g := range a.aggs {
		if !g.Distinct {
			d.others = append(d.others, g)
			continue
		}
		var set []int
		for _, arg := range distinctArgs(g) {
			i, ok := place[arg.String()]
			if !ok {
				i = len(d.args)
				place[arg.String()] = i
				d.args = append(d.args, arg)
				d.argAttrs = append(d.argAttrs, &expr.Attr{ID: expr.NewID(), Name: fmt.Sprintf("_distinct%d", i), Typ: arg.DataType(), Null: true, Hidden: true})
			}
			set = append(set, i)
		}
		name := setName(set)
		if _, ok := setAt[name]; !ok {
			setAt[name] = len(d.sets)
			d.sets = append(d.sets, set)
		}
		d.setOf[g] = setAt[name]
	}
	return d
}

func setName(set []int) string {
	s := append([]int{}, set...)
	sort.Ints(s)
	return strings.Trim(fmt.Sprint(s), "[]")
}

// distinctArgs are the arguments of a distinct aggregate; rows that its filter leaves out count as null, which every
// distinct aggregate ignores.
func distinctArgs(g *expr.Agg) []expr.Expr {
	if g.Filter == nil {
		return g.Args
	}
	out := make([]expr.Expr, len(g.Args))
	for i, a := range g.Args {
		out[i] = &expr.Case{Whens: []expr.Expr{g.Filter}, Thens: []expr.Expr{a}}
	}
	return out
}

// expandSets computes the distinct arguments and repeats the rows for each set of them.
func (p *planner) expandSets(a *aggregation, d *distinctPlan) (*Node, error) {
	list := make([]expr.Expr, 0, len(a.n.Output)+len(d.args))
	attrs := append([]*expr.Attr{}, a.n.Output...)
	for _, x := range a.n.Output {
		list = append(list, x)
	}
	list, attrs = append(list, d.args...), append(attrs, d.argAttrs...)
	n, err := p.compute(a.n, list, attrs)
	if err != nil {
		return nil, err
	}
	for i := range d.args {
		d.group, d.groupAttrs = append(d.group, d.argAttrs[i]), append(d.groupAttrs, d.argAttrs[i])
	}
	if len(d.sets) == 1 {
		return n, nil
	}
	// Set 0 of the expansion feeds the aggregates that are not distinct; set i+1 the i-th kind of distinct ones.
	base := len(a.n.Output)
	op := &Expand{}
	for i := range d.args {
		op.Varying = append(op.Varying, base+i)
	}
	op.Sets = append(op.Sets, nil)
	for _, s := range d.sets {
		cols := make([]int, len(s))
		for i, x := range s {
			cols[i] = base + x
		}
		op.Sets = append(op.Sets, cols)
	}
	d.tag = &expr.Attr{ID: expr.NewID(), Name: "_set", Typ: integer, Hidden: true}
	out := p.node("Expand", fmt.Sprintf("%d sets", len(op.Sets)), append(append([]*expr.Attr{}, n.Output...), d.tag), n)
	op.Out = schemaOf(out.Output)
	out.Op = op
	d.group = append([]expr.Expr{d.tag}, d.group...)
	d.groupAttrs = append([]*expr.Attr{d.tag}, d.groupAttrs...)
	d.restrict()
	return out, nil
}

// restrict makes the other aggregates see only the first of a row's repetitions.
func (d *distinctPlan) restrict() {
	for i, g := range d.others {
		c := *g
		only := isSet(d.tag, 0)
		if c.Filter != nil {
			only = expr.AndAll([]expr.Expr{c.Filter, only})
		}
		c.Filter = only
		d.others[i] = &c
	}
}

func isSet(tag expr.Expr, set int) expr.Expr {
	return &expr.Call{Fn: "=", Args: []expr.Expr{tag, &expr.Literal{Value: int64(set), Typ: integer}}, Typ: column.Of(column.Bool)}
}

// outer are the aggregates of the second grouping over n: keys, tag, arguments, states of the others. With several sets
// n gets a column for each, which is true for the set's rows.
func (d *distinctPlan) outer(p *planner, a *aggregation, n *Node, others []AggSpec) (*Node, []AggSpec, error) {
	first := len(a.keys)
	var in []int
	if d.tag != nil {
		first++
		conds := make([]expr.Expr, len(d.sets))
		for i := range d.sets {
			conds[i] = isSet(d.tag, i+1)
		}
		hash := n.props.hash
		var err error
		if n, in, err = p.columns(n, conds); err != nil {
			return nil, nil, err
		}
		n.props.hash = hash
	}
	var out []AggSpec
	next := 0
	for _, g := range a.aggs {
		if !g.Distinct {
			out = append(out, others[next])
			next++
			continue
		}
		set := d.setOf[g]
		spec := AggSpec{Agg: &expr.Agg{Fn: g.Fn, Typ: g.Typ, Null: g.Null}}
		for i, x := range d.sets[set] {
			c := first + x
			spec.Agg.Args = append(spec.Agg.Args, &expr.Column{Index: c, Name: n.Output[c].Name, Typ: g.Args[i].DataType(), Null: true})
			spec.Cols = append(spec.Cols, c)
		}
		if in != nil {
			spec.Agg.Filter = &expr.Column{Index: in[set], Name: "_in", Typ: column.Of(column.Bool)}
			spec.Cols = append(spec.Cols, in[set])
		}
		out = append(out, spec)
	}
	return n, out, nil
}
