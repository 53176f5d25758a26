package physical

import "fmt"

// number gives the operators of a tree their ids: kind and position among its kind, children first.
func number(root *Node, prefix string) {
	seen := map[string]int{}
	root.Walk(func(n *Node) {
		seen[n.Kind]++
		n.ID = fmt.Sprintf("%s%s-%d", prefix, n.Kind, seen[n.Kind])
	})
}

// finish numbers the operators and lists those that runs bind.
func (p *planner) finish(phys *Physical) {
	number(phys.Root, "")
	phys.Root.Walk(func(n *Node) {
		if n.source != nil {
			n.source.Op = n.ID
			phys.Sources = append(phys.Sources, *n.source)
		}
		if n.watermark != nil {
			w := *n.watermark
			w.Op, w.Sources = n.ID, sourcesBelow(n)
			phys.Watermarks = append(phys.Watermarks, w)
		}
		if n.stateful != nil {
			s := *n.stateful
			s.Op, s.Parts, s.Layout, s.Input = n.ID, n.Parts, layoutOf(n), inputText(n)
			p.boundByTTL(&s)
			for _, m := range n.props.marks {
				s.Watermarks = append(s.Watermarks, m.ID)
			}
			phys.Stateful = append(phys.Stateful, s)
		}
		if n.Kind == "Sink" {
			phys.SinkOp = n.ID
		}
	})
}

func sourcesBelow(n *Node) []string {
	var ids []string
	n.Walk(func(k *Node) {
		if k.source != nil {
			ids = append(ids, k.ID)
		}
	})
	return ids
}
