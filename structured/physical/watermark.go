package physical

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// ClockKey is the report key under which each Watermark task returns its partition's clock; see DecodeClock.
const ClockKey = "clock"

// Watermark follows event time. It appends the column _watermark: for each row the watermark of the row's own partition
// just before the row, in log order, that is the largest event time before it less Delay. Whether a row is late follows
// from it alone, so it does not depend on how the log was cut into batches. Marks that the log holds for idle partitions
// (TaskContext.Clocks) advance the clock like rows.
type Watermark struct {
	Time  int // event time column
	Delay int64
	Out   *column.Schema // the input's columns, then _watermark

	mark column.Vector
	out  column.Batch
}

// WatermarkColumn names the hidden column that Watermark appends.
const WatermarkColumn = "_watermark"

func (w *Watermark) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	clock := clockOf(tc)
	name := w.Out.Fields[w.Time].Name
	op := tc.Op
	next := func() (*column.Batch, error) {
		b, err := in[0].Next()
		if err != nil {
			return nil, err
		}
		clock = max(clock, tc.Clock(name))
		w.mark.Type, w.mark.N = column.Of(column.Int64), b.N
		w.mark.I64 = resize(w.mark.I64, b.N)
		clock = runningMarks(w.mark.I64, b.Cols[w.Time], clock, w.Delay)
		w.out = column.Batch{Schema: w.Out, N: b.N, Cols: append(append(w.out.Cols[:0], b.Cols...), &w.mark)}
		return &w.out, nil
	}
	end := func() {
		clock = max(clock, tc.Clock(name))
		if tc.Report != nil {
			tc.Report(op, ClockKey, encodeClock(tc.Partition, clock))
		}
	}
	return output(tc, in, next, end), nil
}

// clockOf is where the clock of the task's partition stood before this run.
func clockOf(tc *rdd.TaskContext) int64 {
	if tc.Binding != nil {
		if c := tc.Binding.PartitionClocks[tc.Op]; tc.Partition < len(c) {
			return c[tc.Partition]
		}
	}
	return math.MinInt64
}

// runningMarks fills dst with the watermark before each row and returns the clock after the last. Rows without event time
// do not move the clock.
func runningMarks(dst []int64, ts *column.Vector, clock, delay int64) int64 {
	times := ts.I64[:len(dst)]
	if ts.Valid != nil {
		for i, t := range times {
			dst[i] = behind(clock, delay)
			if t > clock && ts.IsValid(i) {
				clock = t
			}
		}
		return clock
	}
	mark := behind(clock, delay)
	for i, t := range times {
		dst[i] = mark
		if t > clock {
			clock, mark = t, behind(t, delay)
		}
	}
	return clock
}

// behind is clock less delay; a clock that has not started stays at the beginning of time.
func behind(clock, delay int64) int64 {
	if clock < math.MinInt64+delay {
		return math.MinInt64
	}
	return clock - delay
}

func encodeClock(partition int, clock int64) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(partition))
	return binary.BigEndian.AppendUint64(b, uint64(clock))
}

// DecodeClock reads a report under ClockKey: the partition of the watermark operator and its largest event time so far.
func DecodeClock(value []byte) (partition int, clock int64, err error) {
	if len(value) != 12 {
		return 0, 0, fmt.Errorf("physical: clock report of %d bytes, want 12", len(value))
	}
	return int(binary.BigEndian.Uint32(value)), int64(binary.BigEndian.Uint64(value[4:])), nil
}
