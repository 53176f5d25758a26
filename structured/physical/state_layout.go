package physical

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// StateLayout says how the entries of an operator's state are to be read, and when another version of the query can use
// them.
type StateLayout struct {
	// Key has the columns of an entry's key, which column.DecodeKey reads; nil when keys are no columns.
	Key *column.Schema
	// Value has the columns of an entry's value, which column.DecodeRow reads; nil when values are bytes of the operator's own.
	// The names are what the columns mean: columns of one name and type in two versions of a query are the same.
	Value *column.Schema
	// Shape is what must be the same for entries to be of use to another version of the operator: all but Value.
	Shape string
	// Fresh is the value of an entry that has seen nothing, one row of Value. Nil without Value.
	Fresh func() (*column.Batch, error)
	// Shown are the columns that people are shown for a value, and Show computes them from values. Both nil without Value.
	Shown *column.Schema
	Show  func(values *column.Batch) (*column.Batch, error)
}

// keeper is an operator that knows the layout of its state.
type keeper interface{ layout() StateLayout }

// layoutOf is the layout of a stateful operator's entries. Of an operator that does not tell, entries are of use only to an
// operator that does exactly the same.
func layoutOf(n *Node) StateLayout {
	l := StateLayout{Shape: n.Detail}
	if k, ok := n.Op.(keeper); ok {
		l = k.layout()
	}
	l.Shape = n.Kind + " " + l.Shape
	return l
}

func (s *StatefulAggregate) layout() StateLayout {
	k := len(s.Keys)
	key, results := &column.Schema{Fields: s.State.Fields[:k]}, s.Out.Fields[k:]
	if s.Changes {
		results = results[:len(results)-1]
	}
	if len(s.Lists) > 0 { // beside groups there are values that they keep
		return StateLayout{Shape: fmt.Sprintf("by %s, window %d of %d, keeping values, compute %s", key, s.Window, s.Size, s.State)}
	}
	named := results
	if s.Counted {
		named = append([]column.Field{{Name: "_rows"}}, results...)
	}
	l := StateLayout{Key: key, Value: stateColumns(s.Aggs, named), Shown: &column.Schema{Fields: results}}
	l.Shape = fmt.Sprintf("by %s, window %d of %d", l.Key, s.Window, s.Size)
	l.Fresh = func() (*column.Batch, error) {
		accs, err := accumulators(s.Aggs)
		if err != nil {
			return nil, err
		}
		resetAll(accs, 1)
		return &column.Batch{Schema: l.Value, N: 1, Cols: statesOf(accs)}, nil
	}
	l.Show = func(values *column.Batch) (*column.Batch, error) {
		accs, err := accumulators(s.Aggs)
		if err != nil {
			return nil, err
		}
		resetAll(accs, values.N)
		if err := mergeAll(accs, sequence(nil, values.N), values.Cols); err != nil {
			return nil, err
		}
		out := &column.Batch{Schema: l.Shown, N: values.N}
		if s.Counted {
			accs = accs[1:]
		}
		err = appendResults(out, accs, func(b *column.Batch) { out = b })
		return out, err
	}
	return l
}

// stateColumns names the states of aggregates by their results: "sum(n)", "avg(n)#0", "avg(n)#1".
func stateColumns(specs []AggSpec, results []column.Field) *column.Schema {
	out := &column.Schema{}
	for k, s := range specs {
		types := expr.StateTypes(s.Agg)
		for i, t := range types {
			name := results[k].Name
			if len(types) > 1 {
				name = fmt.Sprintf("%s#%d", name, i)
			}
			out.Fields = append(out.Fields, column.Field{Name: name, Type: t, Nullable: true})
		}
	}
	return out
}

func (d *StatefulDedup) layout() StateLayout {
	l := StateLayout{Key: &column.Schema{}}
	by := make([]string, len(d.Keys))
	for i, c := range d.Keys {
		f := d.fieldAt(c)
		l.Key.Fields = append(l.Key.Fields, f)
		by[i] = f.Name + " " + f.Type.String()
	}
	l.Shape = fmt.Sprintf("by %s, event time %t, within %d", strings.Join(by, ", "), d.Time >= 0, d.Within)
	return l
}

// fieldAt is the output column that the input's column c becomes.
func (d *StatefulDedup) fieldAt(c int) column.Field {
	for i, k := range d.Keep {
		if k == c {
			return d.Out.Fields[i]
		}
	}
	panic("BUG: physical: a key of a deduplication is not among its columns")
}

func (s *StatefulSession) layout() StateLayout {
	key := &column.Schema{Fields: s.State.Fields[:s.Keys]}
	return StateLayout{Key: key, Shape: fmt.Sprintf("by %s, compute %s", key, s.Out)}
}

// inputText draws what computes the rows that reach an operator, but for what only follows from the operator itself.
func inputText(n *Node) string {
	var b strings.Builder
	for _, k := range n.Kids {
		k.Walk(func(x *Node) {
			if x.Exchange == nil && x.Kind != "PartialAggregate" {
				fmt.Fprintf(&b, "%s %s\n", x.Kind, x.Detail)
			}
		})
	}
	return b.String()
}
