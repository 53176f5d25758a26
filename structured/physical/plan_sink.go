package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/structured/connector"
)

// sink ends the plan in the operator that stages rows for the table they go to.
func (p *planner) sink(n *Node, pol sinkPolicy, phys *Physical) (*Node, error) {
	req := connector.WriteRequest{Schema: n.Schema(), Mode: pol.mode, Deletes: pol.deletes, Overwrite: p.opt.Overwrite, Query: p.opt.Query}
	if pol.mode == connector.Update {
		for _, k := range n.props.upsert {
			req.Keys = append(req.Keys, indexOf(n.Output, k.ID))
		}
	}
	sink, err := p.opt.Sink.PlanWrite(p.ctx, req)
	if err != nil {
		return nil, err
	}
	phys.Sink = sink
	out := p.node("Sink", fmt.Sprintf("%s %s, %s", p.opt.Sink.Provider(), p.opt.Sink.Name(), p.opt.OutputMode), nil, n)
	out.Op = &Sink{Target: sink.Op()}
	out.Notes = []string{sink.Guarantee()}
	return out, nil
}
