package physical

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// BroadcastRows are the second input of a function, all of whose rows come to each task. What they left is a state of its own.
// Rows of event time wait until the watermark has passed them. State and rows that wait are one entry; there is one for each
// stride of key groups, so that each partition has one, however many there are:
//
//	bucket sharedBucket   key group 0, 8, 16 …   key empty   value version │ length, process.Shared │ {time uint64 │ length, AppendRow}…
type BroadcastRows struct {
	Time int // event time, -1 when rows are taken as they come
	Args []int
	Rows *column.Schema
}

const (
	broadcastVersion = 1
	broadcastStride  = 8
	sharedBucket     = foreverBucket + 2
)

// shared is the broadcast side of a run.
type shared struct {
	*processRun
	rows *BroadcastRows
	due  []sharedRow
	wait []sharedRow
	args []*column.Vector // of due
	next int              // of due, for the key in hand
}

// sharedRow is a broadcast row: its place in the order of all.
type sharedRow struct {
	time int64
	row  []byte
}

// newShared reads the rows of a batch beside those that wait. Rows up to mark are due, all rows when they have no time.
func newShared(r *processRun, in rdd.Reader, wait []sharedRow, mark int64) (*shared, error) {
	s := &shared{processRun: r, rows: r.f.Broadcast}
	all := wait
	err := each(in, func(b *column.Batch) error {
		for i := range b.N {
			row := sharedRow{row: column.AppendRow(nil, b.Cols, i)}
			if s.rows.Time >= 0 {
				row.time = column.Expand(b.Cols[s.rows.Time], b.N).I64[i]
			}
			all = append(all, row)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if s.rows.Time >= 0 {
		slices.SortFunc(all, func(a, b sharedRow) int {
			if a.time != b.time {
				if a.time < b.time {
					return -1
				}
				return 1
			}
			return bytes.Compare(a.row, b.row)
		})
	}
	build := column.NewBatchBuilder(s.rows.Rows)
	for _, row := range all {
		if s.rows.Time >= 0 && row.time > mark {
			s.wait = append(s.wait, row)
			continue
		}
		if err := column.DecodeRow(row.row, build.Cols); err != nil {
			return nil, err
		}
		s.due = append(s.due, row)
	}
	due := build.Finish().Clone()
	for _, c := range s.rows.Args {
		s.args = append(s.args, due.Cols[c])
	}
	r.f.run.Shared().Keep(false)
	r.f.run.Before(s.reach)
	if s.rows.Time < 0 {
		return s, s.end()
	}
	return s, nil
}

// begin takes the broadcast state back to where the batch began, for another key.
func (s *shared) begin() {
	if s == nil || s.rows.Time < 0 {
		return
	}
	s.next = 0
	s.f.run.Shared().Rollback()
}

// reach applies the rows up to a time.
func (s *shared) reach(at int64) error {
	for s.next < len(s.due) && (s.rows.Time < 0 || s.due[s.next].time <= at) {
		if err := s.failed(s.f.run.Broadcast(s.args, s.next)); err != nil {
			return err
		}
		s.next++
	}
	return nil
}

// end applies all rows that are due, for good.
func (s *shared) end() error {
	s.f.run.Shared().Rollback()
	s.f.run.Shared().Keep(true)
	s.next = 0
	for ; s.next < len(s.due); s.next++ {
		if err := s.failed(s.f.run.Broadcast(s.args, s.next)); err != nil {
			return err
		}
	}
	return nil
}

// openShared takes up the broadcast state of a query's task, and what came in this batch.
func (r *statefulProcessRun) openShared(in []rdd.Reader) (err error) {
	if r.f.Broadcast == nil {
		return nil
	}
	if r.tc.Parts > rdd.KeyGroups/broadcastStride {
		return fmt.Errorf("physical: %s: broadcast state is for %d partitions at the most, not %d", r.tc.Op, rdd.KeyGroups/broadcastStride, r.tc.Parts)
	}
	v, ok, err := r.state.Get(sharedBucket, r.sharedGroups()[0], nil)
	if err != nil {
		return err
	}
	var stored []byte
	var wait []sharedRow
	if ok {
		d := setReader{b: v}
		if len(v) == 0 || v[0] != broadcastVersion {
			return fmt.Errorf("physical: %s: stored broadcast state is of a version that is not known to this release", r.tc.Op)
		}
		d.b = d.b[1:]
		stored = d.bytes()
		for len(d.b) >= 8 && !d.bad {
			t := int64(binary.BigEndian.Uint64(d.b))
			d.b = d.b[8:]
			wait = append(wait, sharedRow{t, slices.Clone(d.bytes())})
		}
		if d.bad || len(d.b) > 0 {
			return fmt.Errorf("physical: %s: stored broadcast state is damaged", r.tc.Op)
		}
	}
	if err := r.f.run.Shared().Read(stored); err != nil {
		return err
	}
	before := len(wait)
	if r.shared, err = newShared(r.processRun, in[1], wait, r.mark); err != nil {
		return err
	}
	r.sharedMoved = len(r.shared.due) > 0 || len(r.shared.wait) != before
	return nil
}

// closeShared keeps what the batch made of the broadcast state.
func (r *statefulProcessRun) closeShared() error {
	if r.shared == nil || !r.sharedMoved && !r.ended {
		return nil
	}
	if r.shared.rows.Time >= 0 {
		if err := r.shared.end(); err != nil {
			return err
		}
	}
	v := []byte{broadcastVersion}
	state, err := r.f.run.Shared().Append(nil)
	if err != nil {
		return r.failed(err)
	}
	v = append(binary.AppendUvarint(v, uint64(len(state))), state...)
	for _, w := range r.shared.wait {
		v = binary.BigEndian.AppendUint64(v, uint64(w.time))
		v = append(binary.AppendUvarint(v, uint64(len(w.row))), w.row...)
	}
	for _, g := range r.sharedGroups() {
		if r.ended {
			err = r.state.Delete(sharedBucket, g, nil)
		} else {
			err = r.state.Put(sharedBucket, g, nil, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sharedGroups are the key groups of the task's that hold broadcast state.
func (r *statefulProcessRun) sharedGroups() (list []int) {
	for g := 0; g < rdd.KeyGroups; g += broadcastStride {
		if rdd.PartitionOf(g, r.tc.Parts) == r.tc.Partition {
			list = append(list, g)
		}
	}
	return list
}
