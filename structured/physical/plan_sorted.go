package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// sortedBy is a column by which rows are sorted.
type sortedBy struct {
	id               int64
	desc, nullsFirst bool
}

// keepsOrder are the operators whose rows come in the order of those of their input.
var keepsOrder = map[string]bool{"Filter": true, "Project": true, "Window": true, "Limit": true}

// sortedOn is n sorted by the keys within each partition: n itself where its rows come so already.
func (p *planner) sortedOn(n *Node, keys []column.SortKey, detail string) *Node {
	want := make([]sortedBy, len(keys))
	for i, k := range keys {
		want[i] = sortedBy{n.Output[k.Col].ID, k.Desc, k.NullsFirst}
	}
	if len(keys) == 0 || n.isSorted(want) {
		return n
	}
	out := p.node("Sort", detail, n.Output, n)
	out.Op = &Sort{Keys: keys, Out: schemaOf(n.Output)}
	out.props.sorted = want
	return out
}

func (n *Node) isSorted(want []sortedBy) bool {
	if n.Exchange != nil || len(n.props.sorted) < len(want) {
		return false
	}
	for i, w := range want {
		if n.props.sorted[i] != w {
			return false
		}
	}
	return true
}

// stillSorted is what is left of an order when only attrs are.
func stillSorted(by []sortedBy, attrs []*expr.Attr) []sortedBy {
	for i, s := range by {
		if indexOf(attrs, s.id) < 0 {
			return by[:i:i]
		}
	}
	return by
}
