package physical

import (
	"fmt"
	"math"
	"strconv"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// DropLate sets aside the rows that came too late: those for which Time + Add, the moment up to which what they belong to
// stays open (a window's end, or the event time itself), is not after the row's own watermark. Rows without event time are
// dead: nothing would ever close what they belong to. Column Mark is _watermark; the output has the columns Keep.
type DropLate struct {
	Time int
	Add  int64
	Mark int
	Keep []int
	Env  Env
	From Provenance

	sel   []int32
	marks []int64
	kept  *column.Batch
	out   *column.Batch
}

func (d *DropLate) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	late := newAside(tc, connector.Late, RowsLate, d.From, d.Env.Loc)
	dead := newAside(tc, connector.Dead, RowsDead, d.From, d.Env.Loc)
	floor := queryWatermark(tc)
	next := func() (*column.Batch, error) {
		for {
			b, err := in[0].Next()
			if err != nil {
				return b, err
			}
			out, err := d.pass(b, floor, late, dead)
			if err != nil || out.N > 0 {
				return out, err
			}
		}
	}
	return output(tc, in, next, nil), nil
}

// WatermarkParam is the binding parameter by which a query whose watermark is the greatest of its inputs' says where it was
// before the batch: rows of slower inputs are late by it. Without it only a row's own watermark counts, which no watermark of
// the query is ahead of.
const WatermarkParam = "watermark"

func queryWatermark(tc *rdd.TaskContext) int64 {
	if tc.Binding != nil {
		if w, err := strconv.ParseInt(tc.Binding.Params[WatermarkParam], 10, 64); err == nil {
			return w
		}
	}
	return math.MinInt64
}

func (d *DropLate) pass(b *column.Batch, floor int64, late, dead *aside) (*column.Batch, error) {
	d.kept = pick(d.kept, b, d.Keep)
	ends, marks := b.Cols[d.Time], d.atLeast(floor, b.Cols[d.Mark].I64[:b.N])
	if allInTime(ends, marks, d.Add) {
		return d.kept, nil
	}
	d.sel = d.sel[:0]
	for i, m := range marks {
		switch {
		case !ends.IsValid(i):
			dead.add(b, i, nullTime)
		case satAdd(ends.I64[i], d.Add) <= m:
			late.add(b, i, d.reason(ends.I64[i], m))
		default:
			d.sel = append(d.sel, int32(i))
		}
	}
	if err := dead.flush(); err != nil {
		return nil, err
	}
	d.out = column.TakeBatch(d.out, d.kept, d.sel)
	return d.out, late.flush()
}

// atLeast are marks that are not below floor.
func (d *DropLate) atLeast(floor int64, marks []int64) []int64 {
	if floor == math.MinInt64 {
		return marks
	}
	d.marks = resize(d.marks, len(marks))
	for i, m := range marks {
		d.marks[i] = max(m, floor)
	}
	return d.marks
}

// nullTime is why a row without event time is set aside: what it belongs to would never be closed.
const nullTime = "event time is null"

// allInTime is the common case, found in one pass without branches.
func allInTime(ends *column.Vector, marks []int64, add int64) bool {
	if ends.Valid != nil {
		return false
	}
	times := ends.I64[:len(marks)]
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	for i, m := range marks {
		least, most = min(least, times[i]), max(most, m)
	}
	return satAdd(least, add) > most
}

func (d *DropLate) reason(at, mark int64) string {
	loc := (&aside{loc: d.Env.Loc}).location()
	what := "event time"
	if d.Add > 0 {
		what = "window end"
	}
	return fmt.Sprintf("late: %s %s, watermark %s", what, column.FormatTimestamp(satAdd(at, d.Add), loc), column.FormatTimestamp(mark, loc))
}

// satAdd is a+b, b >= 0, held at the end of time.
func satAdd(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
