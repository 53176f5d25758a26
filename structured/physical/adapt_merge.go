package physical

import "github.com/streamflow/streamflow/rdd"

// merged leaves out exchanges below the stage that ends in n whose rows are made by one task: there is nothing to bring together. The
// two stages become one:
//
//	Sort                                Sort
//	└─ Exchange single          ─▶      └─ HashAggregate
//	   └─ HashAggregate, 1 task            └─ Exchange hash(k), read by 1 task
//	      └─ Exchange hash(k)
//
// Where the exchange would spread rows over several tasks, that is only done if they are few and nothing else is read beside them.
func (a *adapting) merged(n *Node) *Node {
	l := lane{}
	l.collect(n, false)
	alone := len(l.leaves) == 1 && !l.kept
	return n.mapLeaves(func(x *Node) *Node {
		below := x.Kids[0]
		switch e := x.Exchange; {
		case e.everywhere() || e.Fixed || e.read || a.began[below] || below.Parts != 1 || a.readers[below] > 1:
			return x
		case e.Partitioner.Kind == rdd.Single && e.Partitioner.N == 1, alone && below.few():
			out := *below
			out.Notes = append(append([]string{}, below.Notes...), "adapted: one task has all rows, so that "+x.ID+" "+x.Detail+" is left out")
			return &out
		}
		return x
	})
}

// mapLeaves replaces the exchanges that the stage which ends in n reads.
func (n *Node) mapLeaves(with func(x *Node) *Node) *Node {
	if n.Exchange != nil {
		return with(n)
	}
	out := n
	for i, k := range n.Kids {
		if now := k.mapLeaves(with); now != k {
			if out == n {
				out = n.withKid(i, now)
			} else {
				out.Kids[i] = now
			}
		}
	}
	return out
}

// few reports whether a stage gives no more rows than it reads, and has been found to read little enough for one task.
func (n *Node) few() bool {
	if e := n.Exchange; e != nil {
		return e.read
	}
	switch n.Op.(type) {
	case *Filter, *Project, *Pass, *HashAggregate, *Dedup, *Sort, *TopK, *Limit, *Over:
		return n.Kids[0].few()
	}
	return false
}

// countReaders counts, for each node below an exchange, how many operators read its rows.
func countReaders(root *Node) map[*Node]int {
	out := map[*Node]int{}
	root.Walk(func(n *Node) {
		for _, k := range n.Kids {
			if k.Exchange != nil {
				out[k.Kids[0]]++
			}
		}
	})
	return out
}
