package tier

import (
	"context"
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/column/parquet"
)

// Group is a part of the archive that is read at once: a row group of a Parquet object, or a block of one that has no
// columns. Groups follow each other without gap.
type Group struct {
	Base, Next int64 // offsets [Base, Next)
	Rows       int64
	Flags      Flags

	o     *object
	index int
}

// Groups lists the parts that hold offsets of [from, to), as far as the tier has them.
func (p *Partition) Groups(ctx context.Context, from, to int64) ([]Group, error) {
	_, entries := p.view()
	var list []Group
	for _, e := range entries {
		if e.Next <= from || e.Base >= to {
			continue
		}
		o, err := p.t.waitObject(ctx, e)
		if err != nil {
			return nil, p.explain(err, e.Base)
		}
		for i, k := range o.table.Blocks {
			if k.Next > from && k.Base < to {
				list = append(list, Group{Base: k.Base, Next: k.Next, Rows: k.Records, Flags: k.Flags, o: o, index: i})
			}
		}
	}
	return list, nil
}

// Schema is the columns that the group has; nil when it has only batches.
func (g *Group) Schema() *column.Schema { return g.o.names }

// Columnar tells whether the group's columns say all that its batches say about these fields: it has them, in these types,
// and nothing but rows is in its batches.
func (g *Group) Columnar(fields []column.Field) bool {
	if g.o.names == nil || g.Flags != 0 {
		return false
	}
	for _, f := range fields {
		if i := g.o.names.Index(f.Name); i < 0 || !g.o.names.Fields[i].Type.Equal(f.Type) {
			return false
		}
	}
	return true
}

// Bounds are the least and the greatest value of a column in the group, boxed as column.Value does; nil when they are not
// known. They come from memory.
func (g *Group) Bounds(name string) (lo, hi any) {
	if g.o.footer == nil {
		return nil, nil
	}
	i := g.o.names.Index(name)
	if i < 0 {
		return nil, nil
	}
	s := g.o.footer.Stats(g.index, i)
	return s.Min, s.Max
}

// ReadGroup fetches columns of the group, by name, and returns their rows in offset order. Rows of a group that begins or ends
// within the offsets that are wanted are for the caller to leave out, by ColOffset.
func (p *Partition) ReadGroup(ctx context.Context, g Group, names []string) (*parquet.Rows, error) {
	if g.o.names == nil {
		return nil, fmt.Errorf("tier: %s has no columns", g.o.entry.Key)
	}
	select {
	case p.t.cache.slots <- struct{}{}:
		defer func() { <-p.t.cache.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	rows, err := g.o.read(ctx, g.index, names)
	if err != nil {
		return nil, p.explain(err, g.Base)
	}
	return rows, nil
}

// Near tells that the store is this node's own disk, where columns are read faster than the log's records.
func (p *Partition) Near() bool {
	_, dir := p.t.o.Store.(*dirStore)
	return dir
}
