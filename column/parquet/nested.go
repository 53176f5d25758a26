package parquet

import (
	"fmt"

	"github.com/apache/arrow/go/v17/parquet/file"

	"github.com/streamflow/streamflow/column"
)

// nested assembles lists, maps and structs of a row group from their leaves. A leaf is a stream of entries, each with a
// definition level (how much of the path to the value exists) and a repetition level (which list goes on, 0 for a new
// row). A missing list or struct is one entry in each leaf below it.
type nested struct {
	node  *node
	leafs map[int]*stream
	b     *column.Builder
}

// stream is the entries of a leaf that are read but not yet used.
type stream struct {
	l      *leaf
	values column.Vector // of the entries that have one
	n      int           // entries
	at     int           // next entry
	value  int           // next value
	end    bool
}

// entries is how many entries a stream reads at once.
const entries = 16 << 10

func newNested(rg *file.RowGroupReader, n *node) (*nested, error) {
	r := &nested{node: n, leafs: map[int]*stream{}, b: column.NewBuilder(n.typ)}
	for _, lf := range n.leaves(nil) {
		l, err := newLeaf(rg, lf)
		if err != nil {
			return nil, err
		}
		r.leafs[lf.leaf] = &stream{l: l}
	}
	if len(r.leafs) == 0 {
		return nil, fmt.Errorf("parquet: a struct without members")
	}
	return r, nil
}

func (r *nested) read(n int) (*column.Vector, error) {
	r.b.Reset()
	for range n {
		if err := r.emit(r.node, r.b); err != nil {
			return nil, err
		}
	}
	return r.b.Finish(), nil
}

// peek makes the next entry available; ok is false at the end of the row group.
func (s *stream) peek() (ok bool, err error) {
	if s.at < s.n || s.end {
		return s.at < s.n, nil
	}
	s.values.Reset(s.l.node.typ, entries)
	s.n, _, err = s.l.fill(&s.values, entries)
	s.at, s.value = 0, 0
	s.end = s.n == 0
	return s.n > 0, err
}

func (s *stream) def() int16 {
	if s.l.node.def == 0 {
		return 0
	}
	return s.l.defs[s.at]
}

// emit appends the value of the node that the next entries describe.
func (r *nested) emit(n *node, b *column.Builder) error {
	s := r.leafs[n.firstLeaf()]
	ok, err := s.peek()
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("parquet: a nested column ends before its row group: %w", errPage)
	}
	switch {
	case !n.group():
		r.primitive(s, n, b)
		return nil
	case s.def() < n.def:
		b.AppendNull()
		return r.skip(n)
	case n.typ.Kind == column.Variant:
		return r.variant(n, b)
	case n.typ.Kind == column.Struct:
		for i := range n.kids {
			if err := r.emit(&n.kids[i], b.Kid(i)); err != nil {
				return err
			}
		}
		b.CloseRow()
		return nil
	case s.def() < n.elemDef:
		b.Kid(0)
		b.CloseRow()
		return r.skip(n)
	}
	return r.elements(s, n, b)
}

func (r *nested) primitive(s *stream, n *node, b *column.Builder) {
	if s.def() < n.def {
		b.AppendNull()
	} else {
		b.AppendFrom(&s.values, s.value)
		s.value++
	}
	s.at++
}

// skip passes over the one entry that each leaf below the node has for a missing or empty value.
func (r *nested) skip(n *node) error {
	for _, lf := range n.leaves(nil) {
		s := r.leafs[lf.leaf]
		if ok, err := s.peek(); err != nil || !ok {
			return fmt.Errorf("parquet: leaves of a nested column disagree: %w", errPage)
		}
		s.at++
	}
	return nil
}

func (r *nested) elements(s *stream, n *node, b *column.Builder) error {
	for {
		for i := range n.kids {
			if err := r.emit(&n.kids[i], b.Kid(i)); err != nil {
				return err
			}
		}
		more, err := s.peek()
		if err != nil {
			return err
		}
		if !more || s.l.reps[s.at] < n.rep {
			b.CloseRow()
			return nil
		}
	}
}
