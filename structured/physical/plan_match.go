package physical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/pattern"
)

// matchRecognize plans a search for row patterns:
//
//	batch    exchange by partition ─ sort ─ match
//	stream   drop late ─ exchange by partition ─ release in order, match with state
func (p *planner) matchRecognize(l *logical.MatchRecognize) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	if err := p.appendOnly(n, "MATCH_RECOGNIZE"); err != nil {
		return nil, err
	}
	if err := p.checkMatch(l, n); err != nil {
		return nil, err
	}
	stream := n.props.stream
	delay := n.props.delay
	if e := n.props.event; e != nil && n.props.mark != nil && len(l.Order) > 0 && isAttr(l.Order[0].Child, e.ID) {
		n = p.dropLate(n, e, 0)
	}
	keys, err := placesOf(n, l.Partition)
	if err != nil {
		return nil, err
	}
	if stream {
		n = p.closing(n, keys)
	} else {
		n = p.clustered(n, keys)
	}
	m := &Match{Keys: keys, Time: -1, AllRows: l.AllRows, Timeouts: l.Timeouts, Env: p.env, From: n.provenance()}
	sort, err := p.matchOrder(l, n, m)
	if err != nil {
		return nil, err
	}
	if err := m.compile(l, n); err != nil {
		return nil, err
	}
	attrs := l.Output()
	m.output(l, n, attrs)
	if !stream {
		sorted := p.node("Sort", strings.TrimSpace(listOf(append(slices.Clone(l.Partition), orderExprs(l.Order)...))), n.Output, n)
		sorted.Op = &Sort{Keys: sort, Out: schemaOf(n.Output)}
		out := p.node("Match", matchDetail(l), attrs, sorted)
		out.Op = m
		return unordered(out), nil
	}
	out := p.node("StatefulMatch", matchDetail(l), attrs, n)
	op := &StatefulMatch{Match: *m, Keep: m.Lookback > 0 || l.Pattern.Has(pattern.Start) || usesNumber(m.Slots)}
	op.Release = Release{Keys: keys, Time: sort[len(keys)].Col, Sort: sort, Grain: releaseGrain(max(delay, l.Within)), Rows: schemaOf(n.Output)}
	out.Op = op
	if out.stateful, err = p.matchBound(l, op); err != nil {
		return nil, err
	}
	out.props.stateful = true
	return unordered(out), nil
}

// unordered forgets what rows that are matches do not have: they come when they are complete.
func unordered(n *Node) *Node {
	n.props.event, n.props.mark, n.props.offset, n.props.window = nil, nil, nil, nil
	n.props.ordered, n.props.upsert, n.props.times = false, nil, nil
	n.Rows, n.Bytes = -1, -1
	return n
}

func orderExprs(orders []*expr.SortOrder) []expr.Expr {
	out := make([]expr.Expr, len(orders))
	for i, o := range orders {
		out[i] = o
	}
	return out
}

func placesOf(n *Node, list []expr.Expr) ([]int, error) {
	out := make([]int, len(list))
	for i, e := range list {
		a, ok := e.(*expr.Attr)
		if !ok {
			return nil, fmt.Errorf("physical: %s is no column", e)
		}
		if out[i] = indexOf(n.Output, a.ID); out[i] < 0 {
			return nil, fmt.Errorf("physical: column %s is missing below", a)
		}
	}
	return out, nil
}

// checkMatch refuses what has no meaning, or none over a stream.
func (p *planner) checkMatch(l *logical.MatchRecognize, n *Node) error {
	byTime := false
	if len(l.Order) > 0 {
		k := l.Order[0].Child.DataType().Kind
		byTime = !l.Order[0].Desc && (k == column.Timestamp || k == column.TimestampNTZ)
	}
	if l.Within > 0 && !byTime {
		return badMatch(l, "WITHIN counts by time, but the rows are not in the order of one.").WithFix("Let ORDER BY begin with a timestamp, ascending: ORDER BY ts.")
	}
	if !n.props.stream {
		return nil
	}
	event := n.props.event
	if n.props.mark == nil || event == nil || len(l.Order) == 0 || l.Order[0].Desc || !isAttr(l.Order[0].Child, event.ID) {
		return badMatch(l, "Over a stream rows are looked at in the order of event time.").
			WithFix("Let ORDER BY begin with a column that has a watermark, ascending: FROM STREAM t WATERMARK ts DELAY INTERVAL 10 SECONDS MATCH_RECOGNIZE (… ORDER BY ts …).")
	}
	for _, s := range l.Slots {
		if s.Shift > 0 {
			return badMatch(l, "NEXT reads a row that a stream does not have yet.").
				WithFix("Give that row a variable of its own: PATTERN (A B) with a condition on B.")
		}
	}
	if p.opt.OutputMode == connector.Complete {
		return modeUnsupported(p.opt.OutputMode, "MATCH_RECOGNIZE", "Use output mode append.")
	}
	return nil
}

func badMatch(l *logical.MatchRecognize, format string, args ...any) *usererr.Error {
	return usererr.New("INVALID_MATCH_RECOGNIZE", "42601", format, args...).At(l.Pos.Line, l.Pos.Col)
}

// matchOrder is the order in which rows are looked at: of the partition, as asked for, and of equal rows in the order of
// their log and then of all their columns, so that it is the same whatever the partitions and batches were.
func (p *planner) matchOrder(l *logical.MatchRecognize, n *Node, m *Match) ([]column.SortKey, error) {
	sort := ascending(m.Keys)
	for _, o := range l.Order {
		c, err := placesOf(n, []expr.Expr{o.Child})
		if err != nil {
			return nil, err
		}
		sort = append(sort, column.SortKey{Col: c[0], Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	if l.Within > 0 {
		m.Time = sort[len(m.Keys)].Col
	}
	used := map[int]bool{}
	for _, k := range sort {
		used[k.Col] = true
	}
	if o := n.props.offset; o != nil {
		if c := indexOf(n.Output, o.ID); c >= 0 && !used[c] {
			sort = append(sort, column.SortKey{Col: c})
			used[c] = true
		}
	}
	for c, a := range n.Output {
		if !used[c] && !a.Typ.IsNested() {
			sort = append(sort, column.SortKey{Col: c})
		}
	}
	return sort, nil
}

// compile binds slots, conditions and measures.
func (m *Match) compile(l *logical.MatchRecognize, n *Node) error {
	prog, err := pattern.Compile(l.Pattern)
	if err != nil {
		return badMatch(l, "The row pattern is not valid: %v.", err)
	}
	m.Pattern = pattern.Config{Prog: prog, Skip: l.Skip, Within: l.Within, All: l.Skip == pattern.NoSkip}
	if l.SkipTo != "" {
		vars, _ := l.VarsOf(l.SkipTo)
		m.Pattern.To = varSet(prog, vars)
	}
	attrs := make([]*expr.Attr, len(l.Slots))
	for i, s := range l.Slots {
		attrs[i] = s.Attr
		slot, err := m.slot(s, n, prog)
		if err != nil {
			return err
		}
		m.Slots = append(m.Slots, slot)
	}
	for _, v := range prog.Vars {
		var c MatchExpr
		for _, d := range l.Defines {
			if !strings.EqualFold(d.Name, v) {
				continue
			}
			bound, slots, err := overSlots([]expr.Expr{d.Cond}, attrs)
			if err != nil {
				return err
			}
			c = MatchExpr{Cond: bound[0], Slots: slots}
		}
		m.Conds = append(m.Conds, c)
	}
	bound, slots, err := overSlots(unaliased(l.Measures), attrs)
	m.Measures = MatchExprs{List: bound, Slots: slots}
	return err
}

func (m *Match) slot(s *logical.Slot, n *Node, prog *pattern.Program) (MatchSlot, error) {
	out := MatchSlot{Kind: SlotKind(s.Kind), Typ: s.Attr.Typ, Vars: varSet(prog, s.Vars), First: s.First, Offset: s.Offset, Shift: s.Shift, Final: s.Final}
	m.Lookback = max(m.Lookback, -s.Shift)
	switch s.Kind {
	case logical.SlotColumn:
		c, err := placesOf(n, []expr.Expr{s.Arg})
		if err != nil {
			return out, err
		}
		out.Col = c[0]
	case logical.SlotAggregate:
		b, err := expr.Bind(s.Arg, n.Output)
		if err != nil {
			return out, err
		}
		out.Agg = b.(*expr.Agg)
	}
	return out, nil
}

// varSet tells which variables a list names; nil is all.
func varSet(prog *pattern.Program, vars []string) []bool {
	if vars == nil {
		return nil
	}
	set := make([]bool, len(prog.Vars))
	for _, v := range vars {
		if i := prog.Var(v); i >= 0 {
			set[i] = true
		}
	}
	return set
}

// overSlots binds expressions to the slots that they read.
func overSlots(list []expr.Expr, attrs []*expr.Attr) (bound []expr.Expr, slots []int, err error) {
	var used []*expr.Attr
	for _, e := range list {
		expr.Walk(e, func(x expr.Expr) bool {
			a, ok := x.(*expr.Attr)
			if !ok || indexOf(used, a.ID) >= 0 {
				return true
			}
			if at := indexOf(attrs, a.ID); at >= 0 {
				used, slots = append(used, attrs[at]), append(slots, at)
			}
			return true
		})
	}
	for _, e := range list {
		b, err := expr.Bind(e, used)
		if err != nil {
			return nil, nil, err
		}
		bound = append(bound, b)
	}
	return bound, slots, nil
}

// output says which columns stand before and after the measures.
func (m *Match) output(l *logical.MatchRecognize, n *Node, attrs []*expr.Attr) {
	m.Out = schemaOf(attrs)
	measured := map[int64]bool{}
	for _, e := range l.Measures {
		measured[logical.AttrOf(e).ID] = true
	}
	before := true
	for _, a := range attrs {
		switch {
		case measured[a.ID]:
			before = false
		case before:
			m.Lead = append(m.Lead, indexOf(n.Output, a.ID))
		default:
			m.Tail = append(m.Tail, indexOf(n.Output, a.ID))
		}
	}
}

func usesNumber(slots []MatchSlot) bool {
	for _, s := range slots {
		if s.Kind == NumberSlot {
			return true
		}
	}
	return false
}

func matchDetail(l *logical.MatchRecognize) string {
	d := "(" + l.Pattern.String() + ")"
	if len(l.Partition) > 0 {
		d += " by " + listOf(l.Partition)
	}
	if l.Within > 0 {
		d += " within " + micros(l.Within)
	}
	return d
}

// matchBound says what bounds the state, or refuses it.
func (p *planner) matchBound(l *logical.MatchRecognize, op *StatefulMatch) (*StatefulOp, error) {
	bound := ""
	if l.Within > 0 {
		bound = "rows after the watermark, and of matches that began less than " + micros(l.Within) + " before it"
	}
	endless := l.Within == 0
	if endless {
		bound = "none: rows of matches that may still be completed"
	}
	if op.Keep && len(l.Partition) > 0 {
		kept := "something of each " + listOf(l.Partition)
		if op.Lookback > 0 {
			kept = fmt.Sprintf("the last %d rows of each %s", op.Lookback, listOf(l.Partition))
		}
		if endless {
			bound += ", and " + kept
		} else {
			bound = "none: " + kept + ", besides " + bound
		}
		endless = true
	}
	if endless && !p.unboundedAllowed() {
		what := "rows of matches that may still be completed, for there is no WITHIN"
		if l.Within > 0 {
			what = strings.TrimPrefix(strings.SplitN(bound, ",", 2)[0], "none: ")
		}
		return nil, unbounded(what)
	}
	return &StatefulOp{Bound: bound, Unbounded: endless}, nil
}
