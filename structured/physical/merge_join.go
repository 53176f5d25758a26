package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// MergeJoin joins two inputs that are sorted by their keys, ascending and nulls first. It goes range of keys by range: as many
// whole keys of the build side as memory has room for become a table, the probe side's rows up to the last of these keys pass
// by, and so on. No row of a range has partners in another, so each range is a join of its own, of any kind.
//
//	build side  │ 1 1 2 3 │ 5 5 5 8 9 │ …    each range: a table
//	probe side  │ 1 2 2   │ 4 5 9 9   │ …    the rows up to 3, up to 9, …
//
// A single key whose rows do not fit is joined as HashJoin does it: its rows go to a file, and then block by block.
type MergeJoin struct{ Join *HashJoin }

// mergeRows and mergeBytes are how large a range of the build side is at the most, unless it is one key.
const (
	mergeRows  = 64 << 10
	mergeBytes = 4 << 20
)

func (m *MergeJoin) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	h := m.Join
	if err := h.compile(); err != nil {
		return nil, err
	}
	r := &mergeJoinRun{h: h, run: newJoinRun(h, tc)}
	build, probe := in[1], in[0]
	if h.BuildLeft {
		build, probe = probe, build
	}
	bk, _, _ := h.buildSide()
	pk, _, _ := h.probeSide()
	r.build, r.probe = &keyRange{in: build, cols: bk, mem: r.run.mem}, &keyRange{in: probe, cols: pk}
	for i := range bk {
		r.order = append(r.order, column.SortKey{Col: i, NullsFirst: true})
	}
	return output(tc, in, r.next, r.run.close), nil
}

type mergeJoinRun struct {
	h            *HashJoin
	run          *joinRun
	build, probe *keyRange
	order        []column.SortKey // of the keys, side by side
	within       bool             // a range is being joined
}

func (r *mergeJoinRun) next() (*column.Batch, error) {
	for {
		if !r.within {
			if r.done() {
				return nil, io.EOF
			}
			r.build.begin()
			r.run.begun, r.run.build, r.run.probeIn = false, buildRange{r}, probeRange{r}
			r.within = true
		}
		b, err := r.run.next()
		if err != io.EOF {
			return b, err
		}
		r.within = false
	}
}

// done reports whether no further range can give rows.
func (r *mergeJoinRun) done() bool {
	if r.build.ended && r.probe.ended {
		return true
	}
	owesBuild := r.h.keepsBuild() || r.h.half() && r.h.BuildLeft
	return r.probe.ended && !owesBuild
}

// keyRange is one side, read range by range.
type keyRange struct {
	in    rdd.Reader
	cols  []int
	mem   *reservation
	rest  *column.Batch // rows that were read and belong to the next range
	ended bool          // no rows are left, rest included

	rows, bytes int64
	full        bool          // the range ends where its last key does
	closed      bool          // it has ended
	last        *column.Batch // the keys of its last row
}

func (k *keyRange) begin() { k.rows, k.bytes, k.full, k.closed = 0, 0, false, false }

// batch is the rows that come next, whatever range they belong to; io.EOF at the end.
func (k *keyRange) batch() (*column.Batch, error) {
	if b := k.rest; b != nil {
		k.rest = nil
		return b, nil
	}
	for !k.ended {
		b, err := k.in.Next()
		if err == io.EOF {
			k.ended = true
			break
		}
		if err != nil || b.N > 0 {
			return b, err
		}
	}
	return nil, io.EOF
}

// keys are the key columns of b, side by side.
func (k *keyRange) keys(b *column.Batch) *column.Batch {
	out := &column.Batch{Schema: &column.Schema{}, N: b.N}
	for _, c := range k.cols {
		out.Schema.Fields = append(out.Schema.Fields, b.Schema.Fields[c])
		out.Cols = append(out.Cols, b.Cols[c])
	}
	return out
}

// buildRange reads a range of the build side.
type buildRange struct{ *mergeJoinRun }

func (r buildRange) Close() error { return nil }

func (r buildRange) Next() (*column.Batch, error) {
	k := r.mergeJoinRun.build
	if k.closed {
		return nil, io.EOF
	}
	b, err := k.batch()
	if err != nil {
		k.closed = true
		return nil, err
	}
	keys := k.keys(b)
	if k.full {
		border := 0
		for border < b.N && column.CompareRows(k.last, 0, keys, border, r.order) == 0 {
			border++
		}
		if border < b.N {
			k.closed, k.rest = true, b.Slice(border, b.N)
			if border == 0 {
				return nil, io.EOF
			}
			return b.Slice(0, border), nil
		}
	}
	k.rows += int64(b.N)
	k.bytes += b.Bytes()
	k.last = keys.Slice(b.N-1, b.N).Clone()
	k.full = k.rows >= mergeRows || k.bytes >= mergeBytes || !k.mem.to(2*k.bytes+tableRow*k.rows)
	return b, nil
}

// probeRange reads the rows of the probe side up to the last key of the build side's range; all rows that are left when that was
// the last range.
type probeRange struct{ *mergeJoinRun }

func (r probeRange) Close() error { return nil }

func (r probeRange) Next() (*column.Batch, error) {
	k := r.mergeJoinRun.probe
	b, err := k.batch()
	if err != nil || r.mergeJoinRun.build.ended {
		return b, err
	}
	keys := k.keys(b)
	after := func(i int) bool { return column.CompareRows(keys, i, r.mergeJoinRun.build.last, 0, r.order) > 0 }
	if !after(b.N - 1) {
		return b, nil
	}
	lo, hi := 0, b.N-1
	for lo < hi {
		if mid := (lo + hi) / 2; after(mid) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	k.rest = b.Slice(lo, b.N)
	if lo == 0 {
		return nil, io.EOF
	}
	// The next call finds that the rest is of a later range.
	return b.Slice(0, lo), nil
}
