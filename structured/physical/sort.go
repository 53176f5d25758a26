package physical

import (
	"errors"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Sort orders the rows of its partition. When memory refuses, the rows read so far become a sorted run on disk, and the
// runs are merged at the end. Equal rows keep their order.
type Sort struct {
	Keys []column.SortKey
	Out  *column.Schema
}

func (s *Sort) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	r := &sortRun{s: s, tc: tc, in: in[0], mem: reserve(tc)}
	return output(tc, in, r.next, r.close), nil
}

type sortRun struct {
	s       *Sort
	tc      *rdd.TaskContext
	in      rdd.Reader
	mem     *reservation
	started bool
	held    []*column.Batch
	bytes   int64
	rows    int64
	runs    []*spillFile

	all   *column.Batch // sorted in memory: rows of all in order
	order []int32
	out   *column.Batch
	merge *merger
}

func (r *sortRun) next() (*column.Batch, error) {
	if !r.started {
		r.started = true
		if err := r.consume(); err != nil {
			return nil, err
		}
	}
	if r.merge != nil {
		return r.merge.next()
	}
	if len(r.order) == 0 {
		return nil, io.EOF
	}
	n := min(len(r.order), column.BatchRows)
	r.out = column.TakeBatch(r.out, r.all, r.order[:n])
	r.order = r.order[n:]
	return r.out, nil
}

func (r *sortRun) consume() error {
	var c *column.Batch
	err := each(r.in, func(b *column.Batch) error {
		c = b.CloneAfter(c)
		r.held = append(r.held, c)
		r.bytes += c.Bytes()
		r.rows += int64(c.N)
		// Sorting needs the rows once more, side by side, and words and places of each row.
		if r.mem.to(2*r.bytes + sortRow*r.rows) {
			return nil
		}
		return r.spill()
	})
	if err != nil {
		return err
	}
	if len(r.runs) == 0 {
		r.sortHeld()
		return nil
	}
	if err := r.spill(); err != nil {
		return err
	}
	if err := r.fewer(); err != nil {
		return err
	}
	r.merge, err = newMerger(r.runs, r.s.Keys, r.s.Out)
	return err
}

func (r *sortRun) sortHeld() {
	r.all = column.Concat(r.s.Out, r.held)
	r.held = nil
	r.order = column.SortIndices(r.all, r.s.Keys)
}

// spill writes the held rows as a sorted run.
func (r *sortRun) spill() error {
	if len(r.held) == 0 {
		return nil
	}
	f, err := newSpillFile(r.tc, r.s.Out)
	if err != nil {
		return err
	}
	r.runs = append(r.runs, f)
	r.sortHeld()
	for len(r.order) > 0 {
		n := min(len(r.order), column.BatchRows)
		r.out = column.TakeBatch(r.out, r.all, r.order[:n])
		r.order = r.order[n:]
		if err := f.write(r.out); err != nil {
			return err
		}
	}
	r.all, r.bytes, r.rows = nil, 0, 0
	r.mem.release()
	return nil
}

// sortRow is the memory that column.SortIndices takes for a row: two pairs of a word and a place, and the place.
const sortRow = 2*16 + 4

// maxRuns is how many runs are merged at a time: each has a buffer and a batch in memory.
const maxRuns = 64

// fewer merges neighbouring runs until there are few enough to be merged at once; equal rows keep their order.
func (r *sortRun) fewer() error {
	for len(r.runs) > maxRuns {
		var next []*spillFile
		for len(r.runs) > 0 {
			n := min(maxRuns, len(r.runs))
			one, err := r.mergeRuns(r.runs[:n])
			if err != nil {
				r.runs = append(next, r.runs...)
				return err
			}
			for _, f := range r.runs[:n] {
				_ = f.close() // already unlinked, and read to its end
			}
			next, r.runs = append(next, one), r.runs[n:]
		}
		r.runs = next
	}
	return nil
}

func (r *sortRun) mergeRuns(runs []*spillFile) (*spillFile, error) {
	f, err := newSpillFile(r.tc, r.s.Out)
	if err != nil {
		return nil, err
	}
	m, err := newMerger(runs, r.s.Keys, r.s.Out)
	for err == nil {
		var b *column.Batch
		if b, err = m.next(); err == nil {
			err = f.write(b)
		}
	}
	if err != io.EOF {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (r *sortRun) close() {
	r.mem.release()
	for _, f := range r.runs {
		_ = f.close() // already unlinked: nothing is lost
	}
	r.held, r.all = nil, nil
}
