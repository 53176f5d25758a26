package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// WindowTime assigns rows to event-time windows by the column Time (microseconds): it appends the start of the row's
// window. A row that lies in several sliding windows is repeated, earliest window first. Windows begin at Start plus
// multiples of Slide. A row without event time belongs to no window and is set aside.
//
//	size 10, slide 5:   ts 12  ->  [5,15) and [10,20)
//
// Windows that cumulate begin together, and the column is their end less Size, which tells them apart:
//
//	size 5, cumulate 20:   ts 12  ->  10 for [0,15) and 15 for [0,20)
type WindowTime struct {
	Time               int
	Size, Slide, Start int64
	Cumulate           int64          // 0, or the length after which windows begin anew
	Out                *column.Schema // the input's columns, then the window's start
	Env                Env
	From               Provenance

	start  column.Vector
	out    column.Batch
	sel    []int32
	repeat *column.Batch
	good   *column.Batch
}

func (w *WindowTime) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	dead := newAside(tc, connector.Dead, RowsDead, w.From, w.Env.Loc)
	next := func() (*column.Batch, error) {
		for {
			b, err := in[0].Next()
			if err != nil {
				return b, err
			}
			if b, err = w.timed(b, dead); err != nil {
				return nil, err
			}
			if out := w.assign(b); out.N > 0 {
				return out, nil
			}
		}
	}
	return output(tc, in, next, nil), nil
}

// timed is b without the rows that have no event time.
func (w *WindowTime) timed(b *column.Batch, dead *aside) (*column.Batch, error) {
	ts := b.Cols[w.Time]
	if ts.Valid == nil {
		return b, nil
	}
	w.sel = w.sel[:0]
	for i := 0; i < b.N; i++ {
		if ts.IsValid(i) {
			w.sel = append(w.sel, int32(i))
		} else {
			dead.add(b, i, nullTime)
		}
	}
	if len(w.sel) == b.N {
		return b, nil
	}
	w.good = column.TakeBatch(w.good, b, w.sel)
	return w.good, dead.flush()
}

func (w *WindowTime) assign(b *column.Batch) *column.Batch {
	if w.Cumulate != 0 {
		b = w.cumulate(b)
	} else if w.Slide != w.Size {
		b = w.slide(b)
	} else {
		w.start.I64 = resize(w.start.I64, b.N)
		windowStarts(w.start.I64, b.Cols[w.Time].I64[:b.N], w.Size, w.Start)
	}
	w.start.Type, w.start.N = column.Of(column.Timestamp), b.N
	w.out = column.Batch{Schema: w.Out, N: b.N, Cols: append(append(w.out.Cols[:0], b.Cols...), &w.start)}
	return &w.out
}

// slide repeats each row for each of its windows and fills in their starts.
func (w *WindowTime) slide(b *column.Batch) *column.Batch {
	w.sel, w.start.I64 = w.sel[:0], w.start.I64[:0]
	for i, ts := range b.Cols[w.Time].I64[:b.N] {
		last := windowStart(ts, w.Slide, w.Start)
		// The first start is the least one for which ts < start + Size.
		first := last - (w.Size-1-(ts-last))/w.Slide*w.Slide
		if ts-last >= w.Size { // windows with holes between them: the row lies in none
			continue
		}
		for s := first; s <= last; s += w.Slide {
			w.sel = append(w.sel, int32(i))
			w.start.I64 = append(w.start.I64, s)
		}
	}
	w.repeat = column.TakeBatch(w.repeat, b, w.sel)
	return w.repeat
}

// cumulate repeats each row for each window from its own slice to the end of the cumulation.
func (w *WindowTime) cumulate(b *column.Batch) *column.Batch {
	w.sel, w.start.I64 = w.sel[:0], w.start.I64[:0]
	for i, ts := range b.Cols[w.Time].I64[:b.N] {
		end := windowStart(ts, w.Cumulate, w.Start) + w.Cumulate
		for s := windowStart(ts, w.Size, w.Start); s < end; s += w.Size {
			w.sel = append(w.sel, int32(i))
			w.start.I64 = append(w.start.I64, s)
		}
	}
	w.repeat = column.TakeBatch(w.repeat, b, w.sel)
	return w.repeat
}

// windowStart is the start of the latest window that begins at or before ts.
func windowStart(ts, slide, start int64) int64 {
	r := (ts - start) % slide
	if r < 0 {
		r += slide
	}
	return ts - r
}

// windowStarts fills dst with the window starts of ts. Event times come mostly in runs within one window, so the division
// is done only when a time leaves the window of the one before.
func windowStarts(dst, ts []int64, size, start int64) {
	if len(ts) == 0 {
		return
	}
	dst = dst[:len(ts)]
	cur := windowStart(ts[0], size, start)
	for i, t := range ts {
		if d := t - cur; d < 0 || d >= size {
			cur = windowStart(t, size, start)
		}
		dst[i] = cur
	}
}

// resize is s with length n, its old contents unspecified.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, max(n, column.BatchRows))
	}
	return s[:n]
}
