package physical

import (
	"slices"

	"github.com/streamflow/streamflow/rdd"
)

// Lower makes the rdd graph: an exchange becomes the dependency of the operator above it.
func (p *Physical) Lower() *rdd.RDD {
	l := lowering{}
	root := p.Root
	if root.Exchange != nil {
		root = passOver(root)
	}
	return l.rdd(root)
}

type lowering map[*Node]*rdd.RDD

func (l lowering) rdd(n *Node) *rdd.RDD {
	if r := l[n]; r != nil {
		return r
	}
	r := &rdd.RDD{ID: n.ID, Name: n.Kind, Op: n.Op, Parts: n.Parts, Schema: n.Schema()}
	l[n] = r
	for i, k := range n.Kids {
		r.Deps = append(r.Deps, l.dep(n, i, k))
	}
	return r
}

func (l lowering) dep(n *Node, i int, k *Node) rdd.Dep {
	if k.Exchange == nil {
		d := rdd.Dep{Parent: l.rdd(k), Kind: rdd.Narrow}
		if n.Bases != nil {
			d.Base = n.Bases[i]
		}
		return d
	}
	below := passOver(k.Kids[0])
	if n.Bases != nil {
		// A union reads partitions side by side: the exchange ends in an operator of its own.
		return rdd.Dep{Parent: l.rdd(passOver(k)), Kind: rdd.Narrow, Base: n.Bases[i]}
	}
	if k.Exchange.Broadcast {
		return rdd.Dep{Parent: l.rdd(below), Kind: rdd.Broadcast}
	}
	e := k.Exchange
	d := rdd.Dep{Parent: l.rdd(below), Kind: rdd.Shuffle, Partitioner: e.Partitioner, Reads: e.reads, Later: e.later}
	if e.whole {
		d.Reads = slices.Repeat([]rdd.Read{{End: e.Partitioner.N}}, n.Parts)
	}
	return d
}

// passOver puts an operator above an exchange that has none.
func passOver(k *Node) *Node {
	if k.Exchange == nil {
		return k
	}
	return &Node{ID: k.ID, Kind: "Pass", Op: &Pass{}, Kids: []*Node{k}, Parts: k.Parts, Output: k.Output}
}
