package physical

import (
	"math"

	"github.com/streamflow/streamflow/structured/logical"
)

// sized notes what is estimated of the rows that l makes, where more is known of its tables than how large their files are. How
// much a micro-batch brings is not known when it is planned.
func (p *planner) sized(n *Node, l logical.Plan) {
	if p.opt.Streaming && !p.static || n.Exchange != nil {
		return
	}
	r := p.est.Of(l)
	if !r.Known {
		return
	}
	n.Rows = whole(r.Rows)
	n.Bytes = whole(r.Bytes(n.Output))
	n.counted = true
}

// sizedAggregate notes what is estimated of an aggregation's groups; each of its partial tasks may find all of them.
func (p *planner) sizedAggregate(n *Node, l *logical.Aggregate) {
	p.sized(n, l)
	if !n.counted || len(n.Kids) != 1 || n.Kids[0].Exchange == nil {
		return
	}
	move := n.Kids[0]
	if partial := move.Kids[0]; partial.Kind == "PartialAggregate" {
		partial.atMost(n.Rows * int64(partial.Parts))
		move.Rows, move.Bytes = partial.Rows, partial.Bytes
	}
}

// whole is an estimate as a number that does not overflow.
func whole(x float64) int64 { return int64(math.Min(math.Ceil(x), 1<<53)) }
