package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/structured/logical"
)

// setTTL reads the setting of how long unbounded state lives.
func (p *planner) setTTL() (err error) {
	if v := p.opt.Conf[StateTTL]; v != "" && v != "0" {
		p.ttl, err = logical.ParseTTL(v)
	}
	return err
}

// labelled plans a node and gives what its user said of it to the stateful operator that it became.
func (p *planner) labelled(l logical.Labelled) (*Node, error) {
	label, inside := p.label, p.inside
	p.label, p.inside = l.OperatorLabel(), l
	n, err := p.compact(l)
	own := p.label
	p.label, p.inside = label, inside
	if err != nil || own == (logical.Label{}) || !n.props.stream {
		return n, err
	}
	for k := n; ; k = k.Kids[0] {
		if k.stateful != nil {
			k.stateful.Name, k.stateful.TTL = own.Name, own.TTL
			return n, nil
		}
		if len(k.Kids) == 0 {
			return n, nil
		}
	}
}

// boundByTTL gives state that nothing else bounds the query's TTL, and says so.
func (p *planner) boundByTTL(s *StatefulOp) {
	if s.Unbounded && s.TTL == 0 {
		s.TTL = p.ttl
	}
	if s.TTL == 0 {
		return
	}
	ttl := fmt.Sprintf("entries that changed in the last %s", micros(s.TTL))
	if s.Unbounded {
		s.Bound, s.Unbounded = ttl, false
	} else {
		s.Bound += ", of those " + ttl
	}
}
