package driver

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/physical"
)

// What becomes of an operator's state when a query is replaced by another version, or begins with a savepoint.
const (
	keepState    = "keep"    // used as it is
	migrateState = "migrate" // brought over entry by entry
	rebuildState = "rebuild" // of no use: only the input can make it again
	newState     = "new"     // nothing was kept
	dropState    = "drop"    // nothing needs it any more
)

// opChange is what becomes of one operator's state.
type opChange struct {
	what  string
	op    *physical.StatefulOp // of the new version; nil for a dropped one
	old   *physical.StatefulOp // of the old version; nil for a new one
	notes []string
	// columns of a migrated value: where each comes from in the old value, -1 for an aggregate that has seen nothing.
	columns []int
}

// compare says what becomes of each operator's state: those of the new version in its order, then those that are dropped.
func compare(old, new []physical.StatefulOp) []opChange {
	taken := make([]bool, len(old))
	var out []opChange
	for i := range new {
		c := opChange{what: newState, op: &new[i]}
		if at := counterpart(old, taken, c.op); at >= 0 {
			taken[at] = true
			c.old = &old[at]
			c.decide()
		} else {
			c.notes = append(c.notes, "sees only what is read from now on")
		}
		out = append(out, c)
	}
	for i := range old {
		if !taken[i] {
			out = append(out, opChange{what: dropState, old: &old[i]})
		}
	}
	return out
}

// counterpart is the old version's operator whose state the new one's would take: the one of its name, else the one of its
// shape, else the one of its id.
func counterpart(old []physical.StatefulOp, taken []bool, op *physical.StatefulOp) int {
	for _, same := range []func(o *physical.StatefulOp) bool{
		func(o *physical.StatefulOp) bool { return op.Name != "" && o.Name == op.Name },
		func(o *physical.StatefulOp) bool { return o.Op == op.Op && o.Layout.Shape == op.Layout.Shape },
		func(o *physical.StatefulOp) bool { return o.Layout.Shape == op.Layout.Shape },
		func(o *physical.StatefulOp) bool { return o.Op == op.Op },
	} {
		for i := range old {
			if !taken[i] && same(&old[i]) {
				return i
			}
		}
	}
	return -1
}

// decide compares what the two versions keep.
func (c *opChange) decide() {
	note := func(format string, args ...any) { c.notes = append(c.notes, fmt.Sprintf(format, args...)) }
	a, b := &c.old.Layout, &c.op.Layout
	if a.Shape != b.Shape {
		c.what = rebuildState
		note("it was: %s", a.Shape)
		return
	}
	c.what = keepState
	if b.Value != nil && a.Value != nil && !c.columnsFrom(a.Value, b.Value, note) {
		c.what = rebuildState
		return
	}
	if c.old.Parts != c.op.Parts {
		c.what = migrateState
		note("its key groups move from %d to %d partitions", c.old.Parts, c.op.Parts)
	}
	if (c.old.TTL > 0) != (c.op.TTL > 0) {
		c.what = migrateState
		note("its entries get or lose their time to live")
	}
	if c.old.Input != c.op.Input {
		note("what reaches it is computed otherwise; what it has kept stays")
	}
}

// columnsFrom maps the columns of values by name; false when a column has another type than it had.
func (c *opChange) columnsFrom(a, b *column.Schema, note func(string, ...any)) bool {
	same := len(a.Fields) == len(b.Fields)
	used := map[int]bool{}
	for i, f := range b.Fields {
		at := -1
		for j, g := range a.Fields {
			if g.Name == f.Name && !used[j] {
				at = j
				break
			}
		}
		switch {
		case at < 0:
			note("%s begins now", f.Name)
		case a.Fields[at].Type.String() != f.Type.String():
			note("%s was %s and is %s", f.Name, a.Fields[at].Type, f.Type)
			return false
		}
		used[at] = true
		same = same && at == i
		c.columns = append(c.columns, at)
	}
	for j, g := range a.Fields {
		if !used[j] {
			note("%s ends", g.Name)
		}
	}
	if !same {
		c.what = migrateState
	}
	return true
}

// describe is a change in one line.
func (c *opChange) describe() string {
	text := strings.Join(c.notes, "; ")
	if c.old != nil && c.op != nil && c.old.Op != c.op.Op {
		text = strings.TrimPrefix(text+"; it was "+c.old.Op, "; ")
	}
	return text
}

// sourceMap says which source of the old version each source of the new one reads on for: the same table, the first of a
// version with the first, the second with the second.
func sourceMap(old, new *physical.Physical) map[string]string {
	out, used := map[string]string{}, map[string]bool{}
	for _, n := range new.Sources {
		for _, o := range old.Sources {
			if n.Stream != nil && o.Stream != nil && !used[o.Op] && o.Table.Name() == n.Table.Name() && o.Table.Provider() == n.Table.Provider() {
				out[n.Op], used[o.Op] = o.Op, true
				break
			}
		}
	}
	return out
}

// watermarkMap does the same for operators that follow event time: the same column of sources that read on for each other.
func watermarkMap(old, new *physical.Physical, sources map[string]string) map[string]string {
	out, used := map[string]string{}, map[string]bool{}
	for _, n := range new.Watermarks {
		for _, o := range old.Watermarks {
			if !used[o.Op] && o.Column == n.Column && o.Parts == n.Parts && sameSources(o.Sources, n.Sources, sources) {
				out[n.Op], used[o.Op] = o.Op, true
				break
			}
		}
	}
	return out
}

func sameSources(old, new []string, sources map[string]string) bool {
	if len(old) != len(new) {
		return false
	}
	for i := range new {
		if sources[new[i]] != old[i] {
			return false
		}
	}
	return true
}
