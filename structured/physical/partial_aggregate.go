package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
)

// partialRun is a run of a HashAggregate that puts out states, several of a group where that is cheaper: a later operator
// merges them anyway. What it holds is bounded even where memory is plenty, since a table much larger than the processor's
// cache costs more than it saves; and where hardly two rows share a group it looks for none.
//
//	filling ── table large, or input ended ─▶ putting out ─▶ filling …
//	                                              └─ groups hardly fewer than rows ─▶ passing: each row its own group
type partialRun struct {
	*aggRun
	since   int64 // rows since the groups were last empty
	passing bool
}

const (
	partialBytes = 64 << 20 // the largest table of a partial aggregation
	partialProbe = 4 << 20  // from this size on it is asked whether the table saves anything
	partialGain  = 1.25     // rows for each group that it must save at the least
)

func (r *partialRun) next() (*column.Batch, error) {
	for {
		if r.out != nil {
			if b, _ := r.out.next(column.BatchRows); b != nil {
				return b, nil
			}
			if err := r.emptied(); err != nil {
				return nil, err
			}
		}
		if r.ended {
			return nil, io.EOF
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// emptied starts afresh after all groups were put out.
func (r *partialRun) emptied() error {
	r.out, r.since = nil, 0
	if r.passing {
		return nil
	}
	r.mem.release()
	if r.g.bytes() > residentGroups {
		return r.g.renew()
	}
	r.g.reset()
	return nil
}

// fill reads input until there are groups to be put out.
func (r *partialRun) fill() error {
	for r.out == nil && !r.ended {
		b, err := r.in.Next()
		if err == io.EOF {
			r.ended = true
			count(r.tc, r.op, RowsIn, r.rows)
			if !r.passing { // all that it passed was put out batch by batch
				r.out = r.g.states(r.h.Out)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if b.N == 0 {
			continue
		}
		if err := r.add(b); err != nil {
			return err
		}
	}
	return nil
}

func (r *partialRun) add(b *column.Batch) error {
	r.rows += int64(b.N)
	r.since += int64(b.N)
	if r.passing {
		err := r.g.single(b)
		r.out = r.g.states(r.h.Out)
		r.out.keys = b
		return err
	}
	if err := r.g.add(b); err != nil {
		return err
	}
	size := r.g.bytes()
	if len(r.g.keys) == 0 || size < partialProbe && r.mem.to(size) {
		return nil
	}
	useless := float64(r.since) < partialGain*float64(r.g.n)
	if !useless && size < partialBytes && r.mem.to(size) {
		return nil
	}
	r.passing = useless && !streaming(r.tc)
	r.out = r.g.states(r.h.Out)
	return nil
}
