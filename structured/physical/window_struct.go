package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// WindowStruct replaces the column Col, a window's start, by the struct<start, end> that programs see. Between the
// window's assignment and the aggregation only the start travels. The end is Size later, or for sessions the column End,
// which is left out of the output.
type WindowStruct struct {
	Col  int
	End  int // -1: use Size
	Size int64
	// Cumulate, when not 0, is how long windows cumulate, from multiples of it after Start: Col is then Size before the end.
	Cumulate, Start int64
	Out             *column.Schema

	start, end column.Vector
	win        column.Vector
	kids       [2]*column.Vector
	out        column.Batch
}

func (w *WindowStruct) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	next := func() (*column.Batch, error) {
		b, err := in[0].Next()
		if err != nil {
			return nil, err
		}
		start := b.Cols[w.Col]
		w.kids = [2]*column.Vector{w.starts(b), w.ends(b)}
		w.out = column.Batch{Schema: w.Out, N: b.N, Cols: w.out.Cols[:0]}
		at := 0
		for i, c := range b.Cols {
			switch i {
			case w.Col:
				at = len(w.out.Cols)
				w.out.Cols = append(w.out.Cols, &w.win)
			case w.End:
			default:
				w.out.Cols = append(w.out.Cols, c)
			}
		}
		w.win = column.Vector{Type: w.Out.Fields[at].Type, N: b.N, Valid: start.Valid, Kids: w.kids[:]}
		return &w.out, nil
	}
	return output(tc, in, next, nil), nil
}

func (w *WindowStruct) starts(b *column.Batch) *column.Vector {
	col := b.Cols[w.Col]
	if w.Cumulate == 0 {
		return col
	}
	w.start.Type, w.start.N, w.start.Valid = col.Type, b.N, col.Valid
	w.start.I64 = resize(w.start.I64, b.N)
	windowStarts(w.start.I64, col.I64[:b.N], w.Cumulate, w.Start)
	return &w.start
}

func (w *WindowStruct) ends(b *column.Batch) *column.Vector {
	if w.End >= 0 {
		return b.Cols[w.End]
	}
	start := b.Cols[w.Col]
	w.end.Type, w.end.N, w.end.Valid = start.Type, b.N, start.Valid
	w.end.I64 = resize(w.end.I64, b.N)
	for i, s := range start.I64[:b.N] {
		w.end.I64[i] = s + w.Size
	}
	return &w.end
}
