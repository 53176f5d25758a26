package physical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// streamDistinct plans a grouping with distinct aggregates over a stream. Each operand is remembered by itself, wherever its
// hash puts it, so that a group with a hundred million of them is spread, and one more costs one entry:
//
//	rows ─▶ partial, by keys and operand ─exchange by both─▶ new and gone operands, with state ─▶ states by keys ─exchange─▶ merge with state
func (p *planner) streamDistinct(a *aggregation) (*Node, error) {
	d := splitSets(a)
	n, keys, specs, err := p.inputs(a.n, a.keys, a.keyAttrs, d.reads())
	if err != nil {
		return nil, err
	}
	op := &PartialDistinct{Keys: keys, Weight: -1, Fixed: specs[:len(d.fixed)]}
	if a.from.changes != nil {
		op.Weight = indexOf(n.Output, a.from.changes.ID)
	}
	d.place(op, specs[len(d.fixed):])
	k := len(keys)
	tag := &expr.Attr{ID: expr.NewID(), Name: "_set", Typ: integer, Hidden: true}
	attrs := append(slices.Clone(a.keyAttrs), tag)
	args := len(attrs)
	for s, set := range op.Sets {
		for i, c := range set.Args {
			attrs = append(attrs, &expr.Attr{ID: expr.NewID(), Name: fmt.Sprintf("_set%d_%d", s, i), Typ: n.Output[c].Typ, Null: true, Hidden: true})
		}
	}
	first := len(attrs)
	counts := make([]int, d.conditions())
	for i := range counts {
		counts[i] = len(attrs)
		attrs = append(attrs, &expr.Attr{ID: expr.NewID(), Name: fmt.Sprintf("_count%d", i), Typ: bigint, Null: true, Hidden: true})
	}
	merge := mergeSpecs(op.Fixed, len(attrs))
	attrs = append(attrs, stateAttrs(op.Fixed)...)
	op.Out = schemaOf(attrs)
	part := p.node("PartialDistinct", fmt.Sprintf("by %s, %d kinds of operands", attrList(a.keyAttrs), len(op.Sets)), attrs, n)
	part.Op, part.weighs = op, true
	part.props.window, part.props.ordered, part.props.hash = nil, false, nil

	spread := p.closing(part, leading(first))
	state := &StatefulDistinct{Keys: k, Sets: op.Sets, Counts: counts, Rows: op.Weight < 0, Fixed: merge, Window: a.at, Size: a.closeAdd + a.late}
	if !a.closes {
		state.Window = -1
	}
	d.specs(state, attrs, args, first)
	all := append(slices.Clone(merge), state.Distinct...)
	out := append(slices.Clone(a.keyAttrs), stateAttrs(all)...)
	state.Out = schemaOf(out)
	known := p.node("StatefulDistinct", fmt.Sprintf("by %s remember %s", attrList(a.keyAttrs), d.text()), out, spread)
	known.Op = state
	known.props.hash = nil
	known.stateful = p.boundOperands(a, state.Window >= 0)
	known.stateful.Lag = a.lag
	d.reorder(a)
	return p.statefulAggregate(a, p.closing(known, leading(k)), leading(k), mergeSpecs(all, k), nil), nil
}

// boundOperands says what bounds the operands that are remembered.
func (p *planner) boundOperands(a *aggregation, closing bool) *StatefulOp {
	s := p.bound(a, closing)
	if len(a.keys) == 0 {
		s = &StatefulOp{Bound: "none: all operands are kept", Unbounded: true}
	}
	s.Bound = "distinct operands of: " + s.Bound
	return s
}

// distinctSets is how the aggregates of a streaming grouping are divided.
type distinctSets struct {
	fixed      []*expr.Agg // those that are not distinct, or keep their values themselves
	fixedAttrs []*expr.Attr
	counted    []*expr.Agg // distinct ones
	attrs      []*expr.Attr
	sets       []string // the operands of each set, as text
	setOf      []int
	filters    [][]string // of each set, as text; "" for none
	filterOf   []int
}

func splitSets(a *aggregation) *distinctSets {
	d := &distinctSets{}
	for i, g := range a.aggs {
		if !g.Distinct || !expr.Invertible(g) {
			d.fixed, d.fixedAttrs = append(d.fixed, g), append(d.fixedAttrs, a.aggAttrs[i])
			continue
		}
		d.counted, d.attrs = append(d.counted, g), append(d.attrs, a.aggAttrs[i])
		set := find(&d.sets, listOf(g.Args))
		if set == len(d.filters) {
			d.filters = append(d.filters, nil)
		}
		filter := ""
		if g.Filter != nil {
			filter = g.Filter.String()
		}
		d.setOf, d.filterOf = append(d.setOf, set), append(d.filterOf, find(&d.filters[set], filter))
	}
	return d
}

// find is the place of a text in a list, to which it is added when it is not there.
func find(list *[]string, text string) int {
	i := slices.Index(*list, text)
	if i < 0 {
		i = len(*list)
		*list = append(*list, text)
	}
	return i
}

// reads are aggregates that read what the plan needs: the fixed ones, then the distinct ones.
func (d *distinctSets) reads() []*expr.Agg { return append(slices.Clone(d.fixed), d.counted...) }

func (d *distinctSets) conditions() int {
	n := 0
	for _, f := range d.filters {
		n = max(n, len(f))
	}
	return n
}

// place finds operands and conditions among the input's columns, as the specs of the distinct aggregates have them.
func (d *distinctSets) place(op *PartialDistinct, specs []AggSpec) {
	op.Sets = make([]DistinctSet, len(d.sets))
	for i := range op.Sets {
		op.Sets[i].Filters = make([]int, len(d.filters[i]))
	}
	for i, s := range specs {
		set := &op.Sets[d.setOf[i]]
		set.Args = s.Cols[:len(s.Agg.Args)]
		at := -1
		if s.Agg.Filter != nil {
			at = s.Cols[len(s.Agg.Args)]
		}
		set.Filters[d.filterOf[i]] = at
	}
}

// specs makes the distinct aggregates read operands, whose columns begin at args, and as weights the counts from first on.
func (d *distinctSets) specs(op *StatefulDistinct, attrs []*expr.Attr, args, first int) {
	begins := make([]int, len(op.Sets))
	at := args
	for i, s := range op.Sets {
		begins[i] = at
		at += len(s.Args)
	}
	col := func(c int) *expr.Column {
		return &expr.Column{Index: c, Name: attrs[c].Name, Typ: attrs[c].Typ, Null: true}
	}
	for i, g := range d.counted {
		plain := &expr.Agg{Fn: g.Fn, Typ: g.Typ, Null: g.Null}
		spec := AggSpec{}
		for j := range g.Args {
			c := begins[d.setOf[i]] + j
			plain.Args = append(plain.Args, col(c))
			spec.Cols = append(spec.Cols, c)
		}
		weight := first + d.filterOf[i]
		spec.Agg = expr.OverChanges(plain, col(weight))
		spec.Cols = append(spec.Cols, weight)
		op.Distinct, op.SetOf = append(op.Distinct, spec), append(op.SetOf, d.setOf[i])
	}
}

// text is what is remembered, and under which conditions.
func (d *distinctSets) text() string {
	list := make([]string, len(d.sets))
	for i, s := range d.sets {
		list[i] = strings.Trim(s, "[]")
		for _, f := range d.filters[i] {
			if f != "" {
				list[i] += " where " + ids.ReplaceAllString(f, "")
			}
		}
	}
	return strings.Join(list, "; ")
}

// reorder lists the aggregates as the states come: the fixed ones first.
func (d *distinctSets) reorder(a *aggregation) {
	a.aggs, a.aggAttrs = append(d.fixed, d.counted...), append(slices.Clone(d.fixedAttrs), d.attrs...)
}
