package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// WindowRows assigns rows to windows of rows by the column Number, which counts the rows of a key from 1: it appends the number,
// from 0, of the first row of the row's window. Windows begin every Slide rows and have Size rows; a row that lies in several is
// repeated, earliest window first.
//
//	size 4, slide 2:   row 5 (number from 0: 4)  ->  2 for rows 2..5 and 4 for rows 4..7
type WindowRows struct {
	Number      int
	Size, Slide int64
	Out         *column.Schema // the input's columns, then the window's first row

	start  column.Vector
	sel    []int32
	repeat *column.Batch
	out    column.Batch
}

func (w *WindowRows) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	next := func() (*column.Batch, error) {
		b, err := in[0].Next()
		if err != nil {
			return nil, err
		}
		return w.assign(b), nil
	}
	return output(tc, in, next, nil), nil
}

func (w *WindowRows) assign(b *column.Batch) *column.Batch {
	numbers := b.Cols[w.Number].I64[:b.N]
	if w.Slide == w.Size {
		w.start.I64 = resize(w.start.I64, b.N)
		for i, n := range numbers {
			w.start.I64[i] = (n - 1) / w.Size * w.Size
		}
	} else {
		b = w.slide(b, numbers)
	}
	w.start.Type, w.start.N = bigint, b.N
	w.out = column.Batch{Schema: w.Out, N: b.N, Cols: append(append(w.out.Cols[:0], b.Cols...), &w.start)}
	return &w.out
}

// slide repeats each row for each of its windows.
func (w *WindowRows) slide(b *column.Batch, numbers []int64) *column.Batch {
	w.sel, w.start.I64 = w.sel[:0], w.start.I64[:0]
	for i, n := range numbers {
		at := n - 1
		first := int64(0)
		if at >= w.Size { // the least start above at - Size
			first = ((at-w.Size)/w.Slide + 1) * w.Slide
		}
		for s := first; s <= at; s += w.Slide {
			w.sel = append(w.sel, int32(i))
			w.start.I64 = append(w.start.I64, s)
		}
	}
	w.repeat = column.TakeBatch(w.repeat, b, w.sel)
	return w.repeat
}
