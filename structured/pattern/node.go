package pattern

import (
	"fmt"
	"strings"
)

// Kind is what a Node of a pattern means.
type Kind uint8

const (
	Var     Kind = iota // one row that is the variable Name
	Seq                 // Kids one after the other; none is the empty pattern
	Alt                 // the first of Kids that leads to a match
	Repeat              // Kids[0] Min to Max times
	Permute             // Kids in any order, those that keep the order written preferred
	Exclude             // Kids[0], whose rows ALL ROWS PER MATCH leaves out
	Start               // ^: the partition's first row follows
	End                 // $: nothing follows in the partition, or within the time that WITHIN gives
)

// Unbounded is the Max of a repetition without an upper bound.
const Unbounded = -1

// Node is a pattern as a tree. It is data: it travels in plans.
type Node struct {
	Kind      Kind
	Name      string // Var
	Kids      []*Node
	Min, Max  int  // Repeat
	Reluctant bool // Repeat: as few times as possible
}

// Vars are the names of the variables in the order in which they first occur.
func (n *Node) Vars() []string {
	var out []string
	n.walk(func(k *Node) {
		if k.Kind != Var {
			return
		}
		for _, v := range out {
			if strings.EqualFold(v, k.Name) {
				return
			}
		}
		out = append(out, k.Name)
	})
	return out
}

// Has reports whether the pattern has a node of the kind.
func (n *Node) Has(kind Kind) bool {
	found := false
	n.walk(func(k *Node) { found = found || k.Kind == kind })
	return found
}

func (n *Node) walk(visit func(*Node)) {
	visit(n)
	for _, k := range n.Kids {
		k.walk(visit)
	}
}

// String is the pattern as it would be written.
func (n *Node) String() string {
	switch n.Kind {
	case Var:
		return quoted(n.Name)
	case Start:
		return "^"
	case End:
		return "$"
	case Alt:
		return "(" + n.join(" | ") + ")"
	case Permute:
		return "PERMUTE(" + n.join(", ") + ")"
	case Exclude:
		return "{- " + n.Kids[0].String() + " -}"
	case Repeat:
		return n.Kids[0].atom() + n.quantifier()
	}
	return n.join(" ")
}

// atom is the node as what a quantifier may follow.
func (n *Node) atom() string {
	switch n.Kind {
	case Seq, Repeat:
		return "(" + n.String() + ")"
	}
	return n.String()
}

func (n *Node) join(sep string) string {
	list := make([]string, len(n.Kids))
	for i, k := range n.Kids {
		list[i] = k.String()
		if k.Kind == Seq && (n.Kind == Seq || len(k.Kids) == 0) {
			list[i] = "(" + list[i] + ")"
		}
	}
	return strings.Join(list, sep)
}

func (n *Node) quantifier() string {
	q := ""
	switch {
	case n.Min == 0 && n.Max == Unbounded:
		q = "*"
	case n.Min == 1 && n.Max == Unbounded:
		q = "+"
	case n.Min == 0 && n.Max == 1:
		q = "?"
	case n.Max == Unbounded:
		q = fmt.Sprintf("{%d,}", n.Min)
	case n.Min == n.Max:
		q = fmt.Sprintf("{%d}", n.Min)
	default:
		q = fmt.Sprintf("{%d,%d}", n.Min, n.Max)
	}
	if n.Reluctant {
		q += "?"
	}
	return q
}

// quoted is a name, in backquotes unless it is a plain word that means nothing else.
func quoted(name string) string {
	if wordLen(name) == len(name) && name != "" && !strings.EqualFold(name, "PERMUTE") {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}
