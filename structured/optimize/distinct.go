package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// replaceDistinct makes a deduplication by all columns a grouping by them, which is done in parts before the exchange.
// Over a stream it stays: it puts out each row at once, where a grouping waits for its end.
var replaceDistinct = up(func(d *logical.Dedup) logical.Plan {
	if d.WithinWatermark || logical.IsStreaming(d) {
		return d
	}
	cols := idSet{}
	for _, c := range d.Cols {
		if _, ok := c.(*expr.Attr); !ok {
			return d
		}
	}
	cols.add(d.Cols...)
	seen := idSet{}
	var keys []expr.Expr
	for _, a := range d.Child.Output() {
		if !cols[a.ID] {
			return d
		}
		if !seen[a.ID] {
			seen[a.ID] = true
			keys = append(keys, a)
		}
	}
	agg := &logical.Aggregate{Keys: keys, List: keys, Label: d.Label, Child: d.Child}
	if len(keys) == len(d.Child.Output()) {
		return agg
	}
	return &logical.Project{List: attrExprs(d.Child.Output()), Child: agg}
})
