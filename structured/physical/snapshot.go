package physical

import (
	"encoding/binary"
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Snapshot keeps the table that the changes of a streaming query add up to and puts all of it out with each batch: output mode
// complete of any result.
//
//	bucket 0   key column.AppendKey(row)   value version, how often it is there (varint)
type Snapshot struct {
	Rows   []int // the columns of the row
	Weight int
	Out    *column.Schema
}

const snapshotVersion = 1

func (s *Snapshot) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	return output(tc, in, drain(func(emit func(*column.Batch)) error {
		if err := s.absorb(in[0], state); err != nil {
			return err
		}
		return s.emit(state, emit)
	}), nil), nil
}

func (s *Snapshot) absorb(in rdd.Reader, state rdd.State) error {
	rows, err := consolidateRows(&picking{in: in, cols: append(append([]int{}, s.Rows...), s.Weight)}, len(s.Rows))
	if err != nil || rows == nil {
		return err
	}
	cols, hashes := rows.table.Keys(), rows.table.Hashes()
	var key, value []byte
	for i, w := range rows.sums {
		if w == 0 {
			continue
		}
		key = column.AppendKey(key[:0], cols, i)
		group := rdd.KeyGroup(hashes[i])
		v, ok, err := state.Get(0, group, key)
		if err != nil {
			return err
		}
		if ok {
			had, err := snapshotCount(v)
			if err != nil {
				return err
			}
			w += had
		}
		if w <= 0 {
			err = state.Delete(0, group, key)
		} else {
			value = binary.AppendVarint(append(value[:0], snapshotVersion), w)
			err = state.Put(0, group, key, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func snapshotCount(v []byte) (int64, error) {
	if len(v) < 2 || v[0] != snapshotVersion {
		return 0, fmt.Errorf("physical: a stored row has a format that this release does not know")
	}
	n, w := binary.Varint(v[1:])
	if w != len(v)-1 {
		return 0, fmt.Errorf("physical: a stored row is damaged")
	}
	return n, nil
}

func (s *Snapshot) emit(state rdd.State, emit func(*column.Batch)) error {
	out := column.NewBatchBuilder(s.Out)
	var failed error
	err := state.Scan(0, func(_ int, key, value []byte) bool {
		var n int64
		if n, failed = snapshotCount(value); failed != nil {
			return false
		}
		for ; n > 0 && failed == nil; n-- {
			failed = column.DecodeKey(key, out.Cols)
		}
		if out.Len() >= column.BatchRows {
			emit(out.Finish().Clone())
			out.Reset()
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err == nil && out.Len() > 0 {
		emit(out.Finish())
	}
	return err
}

// picking reads some columns of its input.
type picking struct {
	in   rdd.Reader
	cols []int
	out  *column.Batch
}

func (p *picking) Next() (*column.Batch, error) {
	b, err := p.in.Next()
	if err != nil {
		return nil, err
	}
	p.out = pick(p.out, b, p.cols)
	return p.out, nil
}

func (p *picking) Close() error { return p.in.Close() }
