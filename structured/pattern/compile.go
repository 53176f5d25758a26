package pattern

import (
	"fmt"
	"strings"
)

// MaxPositions bounds a program: quantifiers with numbers and PERMUTE are written out.
const MaxPositions = 10_000

// Program is a pattern as an automaton. It is data: it travels in operators.
//
// A position is one occurrence of a variable. Follow[p] says what may come after position p was matched, most preferred
// first; Follow[len(Positions)] what may begin a match.
type Program struct {
	Vars      []string
	Positions []Position
	Follow    [][]Target
}

// Position is an occurrence of a variable, which is told by its place in Program.Vars.
type Position struct {
	Var      int
	Excluded bool // within {- -}
}

// Target is what may come next.
type Target struct {
	Pos     int  // position to be matched by the next row; Accept when the match is complete
	AtStart bool // only when the next row is the partition's first
	AtEnd   bool // only at the end of the partition, or of the time that WITHIN gives
}

// Accept is the Pos of a target that completes the match.
const Accept = -1

// Compile turns a pattern into a program. It fails with *Error when the pattern is too large.
func Compile(n *Node) (*Program, error) {
	if size := n.size(); size > MaxPositions {
		return nil, &Error{Message: fmt.Sprintf("the pattern has more than %d positions once quantifiers and PERMUTE are written out", MaxPositions),
			Fix: "Use * and + instead of large numbers, and alternatives instead of PERMUTE of many variables."}
	}
	c := &compiler{prog: &Program{Vars: n.Vars()}}
	start := c.node(n, c.inst(inst{op: opAccept}), false)
	for _, at := range append(c.after, start) {
		next := c.closure(at)
		if c.edges += len(next); c.edges > 100*MaxPositions {
			return nil, &Error{Message: "too much may follow the pattern's positions", Fix: "Bring the numbers of quantifiers down: A{0,1000} can be followed in 1,000 ways everywhere."}
		}
		c.prog.Follow = append(c.prog.Follow, next)
	}
	return c.prog, nil
}

// size is the number of positions that n is written out as, held at a little more than the limit.
func (n *Node) size() int {
	sum := 0
	for _, k := range n.Kids {
		sum = min(sum+k.size(), MaxPositions+1)
	}
	sum = max(sum, 1)
	switch n.Kind {
	case Repeat:
		return min(sum*max(n.Min, n.Max, 1), MaxPositions+1)
	case Permute:
		for i := 2; i <= len(n.Kids) && sum <= MaxPositions; i++ {
			sum *= i
		}
		return min(sum, MaxPositions+1)
	}
	return sum
}

type opcode uint8

const (
	opAccept opcode = iota
	opVar           // to next when a row matches pos
	opSplit         // to next or, less preferred, to alt
	opStart
	opEnd
)

// inst is an instruction of the machine from which the positions' successors are found. Instructions are made from the end
// of the pattern, so next is known when one is made.
type inst struct {
	op        opcode
	pos       int
	next, alt int
}

type compiler struct {
	prog  *Program
	insts []inst
	after []int // instruction after each position
	edges int
}

func (c *compiler) inst(i inst) int {
	c.insts = append(c.insts, i)
	return len(c.insts) - 1
}

// node makes instructions for n that go on at next.
func (c *compiler) node(n *Node, next int, excluded bool) int {
	switch n.Kind {
	case Var:
		return c.variable(n, next, excluded)
	case Start:
		return c.inst(inst{op: opStart, next: next})
	case End:
		return c.inst(inst{op: opEnd, next: next})
	case Alt:
		return c.choice(n.Kids, next, excluded)
	case Exclude:
		return c.node(n.Kids[0], next, true)
	case Repeat:
		return c.repeat(n, next, excluded)
	case Permute:
		return c.choice(permutations(n.Kids), next, excluded)
	}
	for i := len(n.Kids) - 1; i >= 0; i-- {
		next = c.node(n.Kids[i], next, excluded)
	}
	return next
}

func (c *compiler) variable(n *Node, next int, excluded bool) int {
	v := 0
	for i, name := range c.prog.Vars {
		if strings.EqualFold(name, n.Name) {
			v = i
		}
	}
	c.prog.Positions = append(c.prog.Positions, Position{Var: v, Excluded: excluded})
	c.after = append(c.after, next)
	return c.inst(inst{op: opVar, pos: len(c.prog.Positions) - 1, next: next})
}

func (c *compiler) choice(kids []*Node, next int, excluded bool) int {
	at := c.node(kids[len(kids)-1], next, excluded)
	for i := len(kids) - 2; i >= 0; i-- {
		at = c.inst(inst{op: opSplit, next: c.node(kids[i], next, excluded), alt: at})
	}
	return at
}

// split prefers going into body, or leaving when reluctant.
func (c *compiler) split(body, leave int, reluctant bool) int {
	if reluctant {
		body, leave = leave, body
	}
	return c.inst(inst{op: opSplit, next: body, alt: leave})
}

func (c *compiler) repeat(n *Node, next int, excluded bool) int {
	at := next
	if n.Max == Unbounded {
		loop := c.inst(inst{op: opSplit})
		body := c.node(n.Kids[0], loop, excluded)
		c.insts[loop].next, c.insts[loop].alt = body, next
		if n.Reluctant {
			c.insts[loop].next, c.insts[loop].alt = next, body
		}
		at = loop
	} else {
		for range n.Max - n.Min {
			at = c.split(c.node(n.Kids[0], at, excluded), next, n.Reluctant)
		}
	}
	for range n.Min {
		at = c.node(n.Kids[0], at, excluded)
	}
	return at
}

// permutations are sequences of the kids in lexicographic order of their places, which is the order of preference.
func permutations(kids []*Node) []*Node {
	if len(kids) == 0 {
		return []*Node{{Kind: Seq}}
	}
	var out []*Node
	for i, first := range kids {
		rest := append(append([]*Node{}, kids[:i]...), kids[i+1:]...)
		for _, r := range permutations(rest) {
			out = append(out, &Node{Kind: Seq, Kids: append([]*Node{first}, r.Kids...)})
		}
	}
	return out
}

// closure is what can be reached from an instruction without a row, in the order of preference. What comes after an
// unconditional Accept is kept: a caller who wants one match stops there.
func (c *compiler) closure(from int) []Target {
	type state struct {
		at             int
		atStart, atEnd bool
	}
	var out []Target
	seen := map[state]bool{}
	stack := []state{{at: from}}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		switch in := c.insts[s.at]; in.op {
		case opSplit:
			stack = append(stack, state{in.alt, s.atStart, s.atEnd}, state{in.next, s.atStart, s.atEnd})
		case opStart:
			stack = append(stack, state{in.next, true, s.atEnd})
		case opEnd:
			stack = append(stack, state{in.next, s.atStart, true})
		case opVar:
			if !s.atEnd { // a row behind the end never comes
				out = append(out, Target{Pos: in.pos, AtStart: s.atStart})
			}
		case opAccept:
			out = append(out, Target{Pos: Accept, AtStart: s.atStart, AtEnd: s.atEnd})
		}
	}
	return out
}

// Begin is the index in Follow of what may begin a match.
func (p *Program) Begin() int { return len(p.Positions) }

// Var is the index of a variable, or -1.
func (p *Program) Var(name string) int {
	for i, v := range p.Vars {
		if strings.EqualFold(v, name) {
			return i
		}
	}
	return -1
}

// String lists the automaton, one position a line.
func (p *Program) String() string {
	var b strings.Builder
	for i, f := range p.Follow {
		if i < len(p.Positions) {
			fmt.Fprintf(&b, "%d %s", i, p.Vars[p.Positions[i].Var])
			if p.Positions[i].Excluded {
				b.WriteString(" excluded")
			}
		} else {
			b.WriteString("begin")
		}
		b.WriteString(" ->")
		for _, t := range f {
			b.WriteString(" " + t.String())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (t Target) String() string {
	s := "accept"
	if t.Pos != Accept {
		s = fmt.Sprint(t.Pos)
	}
	if t.AtStart {
		s = "^" + s
	}
	if t.AtEnd {
		s += "$"
	}
	return s
}
