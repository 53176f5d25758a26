package streamlog

import (
	"context"
	"fmt"
	"io"
	"sort"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/column/parquet"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/tier"
	"github.com/streamflow/streamflow/structured/connector"
)

// Counters of a scan that reads the cold tier.
const (
	countTierRows    = "rows.tier"   // read as columns
	countTierGroups  = "tier.groups" // row groups read
	countTierSkipped = "tier.pruned" // row groups that bounds excluded
)

// tierView is what a scan sees of the cold tier in a range of a partition.
type tierView struct {
	part   *tier.Partition
	groups []tier.Group
	end    int64 // from here on the log's own batches are read
}

// viewTier lists the parts of [from, to) that are read as columns. A query over history takes columns that lie on this
// node's disk even where the log still has the records; a live one, and one whose objects are elsewhere, only where the log
// has them no more.
func (s *TopicScan) viewTier(ctx context.Context, p *logstore.Partition, from, to int64, live bool) (*tierView, error) {
	part, ok := p.Cold().(*tier.Partition)
	if !ok || s.Format == Raw {
		return nil, nil
	}
	end := p.LocalStart()
	if _, next := part.Bounds(); part.Near() && !live {
		end = max(end, next)
	}
	if end = min(end, to); from >= end {
		return nil, nil
	}
	groups, err := part.Groups(ctx, from, end)
	return &tierView{part: part, groups: groups, end: end}, err
}

// at is the group that holds the offset; nil if none does or its batches must be read.
func (v *tierView) at(offset int64, fields []column.Field) *tier.Group {
	i := sort.Search(len(v.groups), func(i int) bool { return v.groups[i].Next > offset })
	if i == len(v.groups) || v.groups[i].Base > offset || !v.groups[i].Columnar(fields) {
		return nil
	}
	return &v.groups[i]
}

// declared is the fields that the scan reads of the records themselves.
func (s *TopicScan) declared() (list []column.Field) {
	for _, c := range s.Columns {
		if c < s.Fields.Len() {
			list = append(list, s.Fields.Fields[c])
		}
	}
	return list
}

// excludes tells whether the filters exclude every row of a group.
func (s *TopicScan) excludes(g *tier.Group) bool {
	return len(s.Filters) > 0 && connector.Excluded(s.Filters, func(i int) (lo, hi any) { return g.Bounds(s.Schema.Fields[s.Columns[i]].Name) })
}

// tierNote is what explain says about the cold tier.
func (t *Table) tierNote(ctx context.Context, s *TopicScan, from, to connector.Offsets) (string, error) {
	groups, pruned, rows := 0, 0, int64(0)
	fields := s.declared()
	for i := range from {
		p, err := t.env.Broker.Partition(t.name, int32(i))
		if err != nil {
			return "", err
		}
		v, err := s.viewTier(ctx, p, from[i], to[i], false)
		if err != nil {
			return "", fmt.Errorf("streamlog: %s-%d: %w", t.name, i, err)
		}
		if v == nil {
			continue
		}
		for j := range v.groups {
			g := &v.groups[j]
			if !g.Columnar(fields) {
				continue
			}
			groups++
			if s.excludes(g) {
				pruned++
			} else {
				rows += g.Rows
			}
		}
	}
	if groups == 0 {
		return "", nil
	}
	return fmt.Sprintf(", cold tier: row groups %d of %d, about %d rows", groups-pruned, groups, rows), nil
}

// tierGroup is the group of columns at r.from, or nil if batches are to be read there. next beyond r.from says that nothing
// before it can pass the filters.
func (r *scanReader) tierGroup() (g *tier.Group, next int64, err error) {
	if r.tiered == nil {
		r.tiered, err = r.scan.viewTier(r.tc.Context, r.part, r.from, r.to, r.tc.Binding.Query != "")
		if r.tiered == nil || err != nil {
			r.tiered = &tierView{}
			return nil, 0, err
		}
	}
	if r.from >= r.tiered.end {
		return nil, 0, nil
	}
	if g = r.tiered.at(r.from, r.scan.declared()); g == nil {
		return nil, 0, nil
	}
	if r.scan.excludes(g) {
		r.count(countTierSkipped, 1)
		return nil, min(g.Next, r.to), nil
	}
	return g, 0, nil
}

func (r *scanReader) count(counter string, n int64) {
	if r.tc.Count != nil {
		r.tc.Count(r.op, counter, n)
	}
}

// tierReader reads one group's columns.
type tierReader struct {
	rows *parquet.Rows
	next int64 // the offset behind the group
	at   []int // place of each of the scan's columns among those read; -1 for what the scan knows by itself
	meta *metaColumns
	out  column.Batch
}

// openTier begins to read a group.
func (r *scanReader) openTier(g *tier.Group) error {
	s := r.scan
	t := &tierReader{next: g.Next, meta: &metaColumns{topic: s.Topic}, out: column.Batch{Schema: outSchema(s)}}
	names := []string{tier.ColOffset}
	for _, c := range s.Columns {
		switch name := s.Schema.Fields[c].Name; {
		case c >= s.Fields.Len() && (name == connector.ColTopic || name == connector.ColPartition):
			t.at = append(t.at, -1)
		case c >= s.Fields.Len() && name == connector.ColOffset:
			t.at = append(t.at, 0)
		default:
			t.at = append(t.at, len(names))
			names = append(names, name)
		}
	}
	var err error
	if t.rows, err = r.tiered.part.ReadGroup(r.tc.Context, *g, names); err != nil {
		return r.place(err)
	}
	t.rows.SetWindow(2 * column.BatchRows)
	r.cold = t
	r.count(countTierGroups, 1)
	return nil
}

// nextTierRows returns rows of the group that lie in the split's range.
func (r *scanReader) nextTierRows() (*column.Batch, error) {
	t := r.cold
	b, err := t.rows.Next()
	if err == io.EOF {
		r.cold, r.from = nil, t.next
		return nil, nil
	}
	if err != nil {
		return nil, r.place(err)
	}
	r.count(countTierRows, int64(b.N))
	offsets := b.Cols[0].I64[:b.N]
	lo := sort.Search(b.N, func(i int) bool { return offsets[i] >= r.from })
	hi := sort.Search(b.N, func(i int) bool { return offsets[i] >= r.to })
	if lo >= hi {
		return nil, nil
	}
	if lo > 0 || hi < b.N {
		b = b.Slice(lo, hi)
	}
	t.out.N, t.out.Cols = b.N, t.out.Cols[:0]
	for i, at := range t.at {
		if at >= 0 {
			t.out.Cols = append(t.out.Cols, b.Cols[at])
		} else {
			t.out.Cols = append(t.out.Cols, t.meta.column(r.scan.Schema.Fields[r.scan.Columns[i]].Name, r.index, b.N))
		}
	}
	return &t.out, nil
}
