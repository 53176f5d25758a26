package file

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Part is a produced column whose values the directories of the files carry.
type Part struct {
	Field column.Field
	Out   int // its place among the produced columns; those of the files have the other places, in order
}

// partSplit is a split of a file in a directory with values, null for a null, one for each Part.
type partSplit struct {
	Values []*string
	Split  []byte
}

// layout says which columns of a scan come from files and which from directories.
type layout struct {
	data    *column.Schema // the files' columns
	columns []int          // those produced, positions in data
	parts   []partColumn   // columns of directories that are produced
	toData  map[int]int    // place among the produced columns to that among the files'
}

// lay divides the produced columns of the table. names are the columns that directories name.
func (t *Table) lay(req connector.ScanRequest, names []string) layout {
	l := layout{data: &column.Schema{}, toData: map[int]int{}}
	at := make([]int, len(t.schema.Fields)) // position in data, or -1-directory
	for i, f := range t.schema.Fields {
		dir := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, f.Name) })
		if dir >= 0 {
			at[i] = -1 - dir
			continue
		}
		at[i] = len(l.data.Fields)
		l.data.Fields = append(l.data.Fields, t.inFiles().Fields[i])
	}
	for out, c := range req.Columns {
		if at[c] < 0 {
			l.parts = append(l.parts, partColumn{Field: t.schema.Fields[c], Out: out, dir: -1 - at[c]})
			continue
		}
		l.toData[out] = len(l.columns)
		l.columns = append(l.columns, at[c])
	}
	return l
}

// planParts plans the scan of a table whose directories carry values.
func (t *Table) planParts(ctx context.Context, req connector.ScanRequest, files []entry, names []string) (*connector.Scan, error) {
	l := t.lay(req, names)
	kept := prune(files, l.parts, req.Filters, len(req.Columns), t.opt.Location)
	note := fmt.Sprintf("%d of %d file%s by directories", len(kept), len(files), plural(len(files)))
	op := &Scan{Format: t.format.name(), Schema: l.data, Columns: l.columns, Options: t.opt}
	for _, p := range l.parts {
		op.Parts = append(op.Parts, Part{p.Field, p.Out})
	}
	filters := l.dataFilters(req.Filters)
	var all []rdd.Split
	for len(kept) > 0 {
		n := 1
		for n < len(kept) && slices.Equal(kept[n].values, kept[0].values) {
			n++
		}
		splits, _, err := t.format.splits(ctx, kept[:n], l.data, l.columns, filters, t.opt)
		if err != nil {
			return nil, err
		}
		for i := range splits {
			if splits[i].Data, err = l.wrap(kept[0].values, splits[i].Data); err != nil {
				return nil, err
			}
		}
		all = append(all, splits...)
		kept = kept[n:]
	}
	return &connector.Scan{Op: op, Splits: spread(all, max(req.Partitions, 1)), Residual: req.Filters, Note: note}, nil
}

// dataFilters are the filters over columns of files alone, bound to those.
func (l layout) dataFilters(filters []expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, f := range filters {
		for _, c := range expr.Conjuncts(f) {
			files := true
			bound := expr.Transform(c, func(x expr.Expr) expr.Expr {
				col, ok := x.(*expr.Column)
				if !ok {
					return x
				}
				at, ok := l.toData[col.Index]
				files = files && ok
				moved := *col
				moved.Index = at
				return &moved
			})
			if files {
				out = append(out, bound)
			}
		}
	}
	return out
}

// wrap puts the values of directories that the scan produces around a split.
func (l layout) wrap(values []dirValue, split []byte) ([]byte, error) {
	if len(l.parts) == 0 {
		return split, nil
	}
	s := partSplit{Split: split}
	for _, p := range l.parts {
		v := values[p.dir]
		if v.null {
			s.Values = append(s.Values, nil)
		} else {
			s.Values = append(s.Values, &v.value)
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("file: split: %w", err)
	}
	return data, nil
}

// unwrap takes the values of directories off a split and keeps them for its rows.
func (r *reader) unwrap(data []byte) ([]byte, error) {
	if len(r.s.Parts) == 0 {
		return data, nil
	}
	var s partSplit
	if err := json.Unmarshal(data, &s); err != nil || len(s.Values) != len(r.s.Parts) {
		return nil, fmt.Errorf("file: split: %d values of directories, want %d (%v)", len(s.Values), len(r.s.Parts), err)
	}
	r.values = r.values[:0]
	for i, p := range r.s.Parts {
		b := column.NewBuilder(p.Field.Type)
		v := dirValue{null: s.Values[i] == nil}
		if !v.null {
			v.value = *s.Values[i]
		}
		partColumn{Field: p.Field}.value(b, v, r.s.Options.Location)
		r.values = append(r.values, b.Finish())
	}
	return s.Split, nil
}

// whole is a batch of the files' columns with those of directories in their places.
func (r *reader) whole(out *column.Batch, b *column.Batch) *column.Batch {
	if len(r.s.Parts) == 0 {
		return b
	}
	if out.Schema == nil {
		out.Schema = &column.Schema{}
		fields := r.out().Fields
		for _, p := range r.s.Parts {
			fields = slices.Insert(fields, p.Out, p.Field)
		}
		out.Schema.Fields = fields
	}
	out.N, out.Cols = b.N, append(out.Cols[:0], b.Cols...)
	for len(r.zeros) < b.N {
		r.zeros = append(r.zeros, 0)
	}
	for i, p := range r.s.Parts {
		out.Cols = slices.Insert(out.Cols, p.Out, column.Take(nil, r.values[i], r.zeros[:b.N]))
	}
	return out
}

// dataPlaces are places among the produced columns as places among those of the files.
func (r *reader) dataPlaces(places []int) []int {
	if len(r.s.Parts) == 0 {
		return places
	}
	var out []int
	for _, c := range places {
		below, part := 0, false
		for _, p := range r.s.Parts {
			part = part || p.Out == c
			if p.Out < c {
				below++
			}
		}
		if !part {
			out = append(out, c-below)
		}
	}
	return out
}
