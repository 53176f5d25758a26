package physical

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// exchange moves n's rows between partitions. What depended on the order of a source's partition ends here.
func (p *planner) exchange(n *Node, by rdd.Partitioner) *Node {
	out := p.node("Exchange", exchangeDetail(n, by), n.Output, n)
	out.Exchange = &Exchange{Partitioner: by}
	out.Parts = by.N
	out.props.ordered, out.props.staged = false, true
	out.props.origins = nil
	out.props.hash = nil
	if by.Kind == rdd.Hash {
		for _, k := range by.Keys {
			out.props.hash = append(out.props.hash, n.Output[k].ID)
		}
	}
	return out
}

// broadcast gives all of n to every partition of its parent.
func (p *planner) broadcast(n *Node) *Node {
	out := p.node("Exchange", "broadcast", n.Output, n)
	out.Exchange = &Exchange{Broadcast: true}
	out.props.ordered, out.props.origins, out.props.hash = false, nil, nil
	return out
}

// clustered makes rows of equal keys lie in one partition; without keys, all rows.
func (p *planner) clustered(n *Node, keys []int) *Node {
	if n.Parts == 1 || n.clusteredBy(keys) {
		return n
	}
	if len(keys) == 0 {
		return p.gather(n)
	}
	return p.exchange(n, hashBy(n, keys, p.parts))
}

// closing is clustered for an operator that closes what the watermark has passed. In a stream it stands in a later stage
// than the watermark: only between two stages does a batch learn how far its own rows have moved it, and without that a
// window would stay open until the batch after.
func (p *planner) closing(n *Node, keys []int) *Node {
	out := p.keyed(n, keys)
	if out == n && n.props.stream && len(n.props.marks) > 0 && !n.props.staged {
		return p.exchange(n, hashBy(n, keys, n.Parts))
	}
	return out
}

// keyed makes rows lie in the partition to which the key group of keys, in this order, belongs: state is found by it.
func (p *planner) keyed(n *Node, keys []int) *Node {
	switch {
	case len(keys) == 0:
		return p.gather(n)
	case n.Parts == 1, n.partitionedAs(keys, n.Parts):
		return n
	}
	return p.exchange(n, hashBy(n, keys, p.parts))
}

// clusteredBy reports whether rows of equal keys already lie in one partition: the partitions were made by some of them.
func (n *Node) clusteredBy(keys []int) bool {
	if len(n.props.hash) == 0 {
		return false
	}
	for _, id := range n.props.hash {
		found := false
		for _, k := range keys {
			found = found || n.Output[k].ID == id
		}
		if !found {
			return false
		}
	}
	return true
}

// partitionedAs reports whether the partitions were made by exactly these keys in this order.
func (n *Node) partitionedAs(keys []int, parts int) bool {
	if n.Parts != parts || len(n.props.hash) != len(keys) {
		return false
	}
	for i, k := range keys {
		if n.props.hash[i] != n.Output[k].ID {
			return false
		}
	}
	return true
}

// hashBy is the partitioner by columns of n.
func hashBy(_ *Node, keys []int, parts int) rdd.Partitioner {
	if parts == 1 {
		return rdd.Partitioner{Kind: rdd.Single, N: 1}
	}
	return rdd.Partitioner{Kind: rdd.Hash, Keys: keys, N: parts}
}

func exchangeDetail(n *Node, by rdd.Partitioner) string {
	switch by.Kind {
	case rdd.Single:
		return "single"
	case rdd.RoundRobin:
		return fmt.Sprintf("round robin, %d partitions", by.N)
	}
	names := make([]string, len(by.Keys))
	for i, k := range by.Keys {
		names[i] = n.Output[k].Name
	}
	return fmt.Sprintf("hash(%s), %d partitions", strings.Join(names, ", "), by.N)
}

// engineAttr is a hidden bigint column of the engine's own.
func engineAttr(name string) *expr.Attr {
	return &expr.Attr{ID: expr.NewID(), Name: name, Typ: bigint, Hidden: true}
}
