package physical

import "github.com/streamflow/streamflow/expr"

// Columns that nobody reads are left out where rows are copied: by projections, filters and DropLate.

// read are the columns of output that the expressions read.
func read(list []expr.Expr, output []*expr.Attr) []*expr.Attr {
	used := map[int64]bool{}
	for _, e := range list {
		expr.Walk(e, func(x expr.Expr) bool {
			if a, ok := x.(*expr.Attr); ok {
				used[a.ID] = true
			}
			return true
		})
	}
	var out []*expr.Attr
	for _, a := range output {
		if used[a.ID] {
			out = append(out, a)
		}
	}
	return out
}

// narrow makes a filter or DropLate pass only the given columns, in their old order, and reports whether that took any
// away. It is called before anything is bound to n's output.
func (n *Node) narrow(need []*expr.Attr) bool {
	var keep *[]int
	switch op := n.Op.(type) {
	case *Filter:
		keep = &op.Keep
	case *DropLate:
		keep = &op.Keep
	default:
		return false
	}
	var attrs []*expr.Attr
	var cols []int
	for i, a := range n.Output {
		if indexOf(need, a.ID) < 0 {
			continue
		}
		attrs = append(attrs, a)
		if *keep == nil {
			cols = append(cols, i)
		} else {
			cols = append(cols, (*keep)[i])
		}
	}
	if len(attrs) == len(n.Output) {
		return false
	}
	*keep, n.Output = cols, attrs
	if cols == nil {
		*keep = []int{}
	}
	n.props.keepOnly(attrs)
	return true
}

// reselect makes a projection give exactly attrs, some of its own columns, and reports whether it could.
func (n *Node) reselect(attrs []*expr.Attr) bool {
	op, ok := n.Op.(*Project)
	if !ok {
		return false
	}
	list := make([]expr.Expr, len(attrs))
	for i, a := range attrs {
		at := indexOf(n.Output, a.ID)
		if at < 0 {
			return false
		}
		list[i] = op.List[at]
	}
	op.List, op.Out = list, schemaOf(attrs)
	n.Output = attrs
	n.props.keepOnly(attrs)
	n.Detail = attrList(attrs)
	return true
}
