package physical

import (
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/codec"
)

// reuse finds exchanges that carry the same rows in the same way, and lets one stage make them for all who read them. Operators
// are bound to positions and are data, so that two subplans do the same exactly when they are written alike.
func reuse(root *Node) {
	r := reuser{seed: maphash.MakeSeed(), texts: map[*Node]string{}, first: map[string]*Node{}}
	root.Walk(func(n *Node) {
		if n.Exchange == nil {
			return
		}
		text := r.text(n)
		if text == "" {
			return
		}
		one := r.first[text]
		if one == nil {
			r.first[text] = n
			return
		}
		if below := one.Kids[0]; below != n.Kids[0] {
			below.shared = true
			n.Kids = []*Node{below}
		}
	})
}

type reuser struct {
	seed  maphash.Seed
	texts map[*Node]string
	first map[string]*Node
}

// text identifies what a subplan does; "" when it may do something else each time.
func (r *reuser) text(n *Node) string {
	if t, ok := r.texts[n]; ok {
		return t
	}
	t := r.write(n)
	r.texts[n] = t
	return t
}

func (r *reuser) write(n *Node) string {
	var b strings.Builder
	switch {
	case n.Exchange != nil:
		fmt.Fprintf(&b, "exchange %t %x", n.Exchange.Broadcast, codec.EncodeAs(n.Exchange.Partitioner))
	case repeatable(n):
		fmt.Fprintf(&b, "%s %d %v %x", n.Kind, n.Parts, n.Bases, codec.Encode(n.Op))
	default:
		return ""
	}
	fmt.Fprintf(&b, " %s", n.Schema())
	if n.source != nil {
		for _, part := range n.source.Scan.Splits {
			fmt.Fprintf(&b, "|%x", codec.EncodeAs(part))
		}
	}
	for _, k := range n.Kids {
		t := r.text(k)
		if t == "" {
			return ""
		}
		fmt.Fprintf(&b, "(%s)", t)
	}
	return fmt.Sprintf("%016x:%d", maphash.String(r.seed, b.String()), b.Len())
}

// repeatable reports whether an operator gives the same rows whenever it is run over the same input.
func repeatable(n *Node) bool {
	switch op := n.Op.(type) {
	case *Scan, *Local, *Range, *HashAggregate, *Sort, *TopK, *Union, *Dedup, *Expand:
		return true
	case *Filter:
		return op.Cond == nil || expr.Deterministic(op.Cond)
	case *Project:
		for _, e := range op.List {
			if !expr.Deterministic(e) {
				return false
			}
		}
		return true
	case *HashJoin:
		return op.Static == nil && (op.Cond == nil || expr.Deterministic(op.Cond))
	}
	return false
}
