package pattern

// Paths holds what threads have matched so far: for each matched row a node that points to the one before. Threads that
// have the same beginning share it.
type Paths struct {
	nodes []pathNode
	track []Track
	rows  []int32 // for each node the row of each Track
}

// None is the path that has matched nothing yet.
const None int32 = -1

type pathNode struct {
	prev, row, pos, ask int32
}

// Track is a row of the path that is wanted often: the first or last that is one of the variables.
type Track struct {
	First bool
	Vars  []bool // by variable; nil for any
}

// has reports whether the set, nil for all, has a variable.
func has(vars []bool, v int) bool { return vars == nil || vars[v] }

// Reset forgets all paths; track is what the next ones are to remember.
func (p *Paths) Reset(track []Track) {
	p.nodes, p.rows, p.track = p.nodes[:0], p.rows[:0], track
}

// Len is the number of nodes.
func (p *Paths) Len() int { return len(p.nodes) }

// add is path extended by a row that was matched at a position of prog, on the answer to request ask.
func (p *Paths) add(prog *Program, path, row, pos, ask int32) int32 {
	n := int32(len(p.nodes))
	p.nodes = append(p.nodes, pathNode{prev: path, row: row, pos: pos, ask: ask})
	v := prog.Positions[pos].Var
	for i, t := range p.track {
		at := p.Tracked(path, i)
		if has(t.Vars, v) && (!t.First || at < 0) {
			at = row
		}
		p.rows = append(p.rows, at)
	}
	return n
}

// Tracked is the row of Track i on a path, -1 when there is none.
func (p *Paths) Tracked(path int32, i int) int32 {
	if path < 0 {
		return -1
	}
	return p.rows[int(path)*len(p.track)+i]
}

// Row is the last row of a path.
func (p *Paths) Row(path int32) int32 { return p.nodes[path].row }

// Ask is the number that the request had by which the path got its last row.
func (p *Paths) Ask(path int32) int32 { return p.nodes[path].ask }

// SetAsk numbers a path anew; a path that was restored has no number.
func (p *Paths) SetAsk(path, ask int32) { p.nodes[path].ask = ask }

// Prev is the path without its last row.
func (p *Paths) Prev(path int32) int32 { return p.nodes[path].prev }

// Position is the position at which a path's last row was matched.
func (p *Paths) Position(path int32) int32 { return p.nodes[path].pos }

// Nth is the row that is the n-th from the end (the last is 0) or, with first, from the beginning among those that are one
// of vars; -1 when there is none. extra, when not negative, is a row of variable v that is taken to follow the path.
func (p *Paths) Nth(prog *Program, path int32, vars []bool, first bool, n int, extra int32, v int) int32 {
	if first {
		if n = p.count(prog, path, vars, extra, v) - 1 - n; n < 0 {
			return -1
		}
	}
	if extra >= 0 && has(vars, v) {
		if n == 0 {
			return extra
		}
		n--
	}
	for ; path >= 0; path = p.nodes[path].prev {
		if !has(vars, prog.Positions[p.nodes[path].pos].Var) {
			continue
		}
		if n == 0 {
			return p.nodes[path].row
		}
		n--
	}
	return -1
}

func (p *Paths) count(prog *Program, path int32, vars []bool, extra int32, v int) int {
	n := 0
	if extra >= 0 && has(vars, v) {
		n++
	}
	for ; path >= 0; path = p.nodes[path].prev {
		if has(vars, prog.Positions[p.nodes[path].pos].Var) {
			n++
		}
	}
	return n
}

// Nodes appends the nodes of a path, first row first.
func (p *Paths) Nodes(dst []int32, path int32) []int32 {
	from := len(dst)
	for ; path >= 0; path = p.nodes[path].prev {
		dst = append(dst, path)
	}
	for i, j := from, len(dst)-1; i < j; i, j = i+1, j-1 {
		dst[i], dst[j] = dst[j], dst[i]
	}
	return dst
}
