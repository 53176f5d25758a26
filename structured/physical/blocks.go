package physical

import (
	"errors"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// blocks cuts sorted input into blocks of whole partitions. A block has overBlock rows at least, so that small partitions
// share the cost of a step.
type blocks struct {
	in    rdd.Reader
	by    []column.SortKey // that tell partitions apart
	mem   *reservation
	held  []*column.Batch // rows of partitions that may go on
	rows  int
	bytes int64
	ended bool
	// spills makes block return errRefused, with the rows read so far still held, where a partition does not fit; without it that
	// is an error of the user's.
	spills bool
}

var errRefused = errors.New("physical: memory was refused")

// overBlock is how many rows a block has at least.
const overBlock = 16 << 10

// block reads whole partitions: until there are enough rows and one more partition has begun. It returns io.EOF at the end.
func (r *blocks) block() (*column.Batch, error) {
	for !r.ended {
		b, err := r.in.Next()
		if err == io.EOF {
			r.ended = true
			break
		}
		if err != nil {
			return nil, err
		}
		if b.N == 0 {
			continue
		}
		cut := -1
		if r.rows+b.N >= overBlock {
			cut = r.lastBorder(b)
		}
		if cut < 0 {
			if err := r.hold(b.Clone()); err != nil {
				return nil, err
			}
			continue
		}
		if err := r.hold(b.Slice(0, cut).Clone()); err == errRefused {
			return nil, r.holdAll(b.Slice(cut, b.N).Clone())
		} else if err != nil {
			return nil, err
		}
		out := r.take()
		if err := r.hold(b.Slice(cut, b.N).Clone()); err != nil && err != errRefused {
			return nil, err // one refused is refused again when the next rows come
		}
		return out, nil
	}
	if r.rows == 0 {
		return nil, io.EOF
	}
	return r.take(), nil
}

// lastBorder is the row of b at which its last partition begins; -1 when that one began before b.
func (r *blocks) lastBorder(b *column.Batch) int {
	for i := b.N - 1; i > 0; i-- {
		if column.CompareRows(b, i-1, b, i, r.by) != 0 {
			return i
		}
	}
	if n := len(r.held); n > 0 {
		if last := r.held[n-1]; column.CompareRows(last, last.N-1, b, 0, r.by) != 0 {
			return 0
		}
	}
	return -1
}

func (r *blocks) hold(b *column.Batch) error {
	if b.N == 0 {
		return nil
	}
	r.held = append(r.held, b)
	r.rows += b.N
	r.bytes += b.Bytes()
	// The block is put together once more, and each function has states of about the size of its operands.
	if !r.mem.to(3 * r.bytes) {
		if r.spills {
			return errRefused
		}
		return partitionTooLarge(r.rows)
	}
	return nil
}

func (r *blocks) take() *column.Batch {
	out := r.held[0]
	if len(r.held) > 1 {
		out = column.Concat(out.Schema, r.held)
	}
	r.held, r.rows, r.bytes = nil, 0, 0
	return out
}

// holdAll holds b too, though more than memory allows is held already.
func (r *blocks) holdAll(b *column.Batch) error {
	if err := r.hold(b); err != nil && err != errRefused {
		return err
	}
	return errRefused
}

// whole takes the partitions that are held whole, all but the last, nil when there is only one.
func (r *blocks) whole() *column.Batch {
	for k := len(r.held) - 1; k >= 0; k-- {
		b := r.held[k]
		cut := -1
		for i := b.N - 1; i > 0 && cut < 0; i-- {
			if column.CompareRows(b, i-1, b, i, r.by) != 0 {
				cut = i
			}
		}
		if cut < 0 && k > 0 {
			if before := r.held[k-1]; column.CompareRows(before, before.N-1, b, 0, r.by) != 0 {
				cut = 0
			}
		}
		if cut < 0 {
			continue
		}
		rest := append([]*column.Batch{}, r.held[k+1:]...)
		if cut < b.N {
			rest = append([]*column.Batch{b.Slice(cut, b.N).Clone()}, rest...)
		}
		r.held = r.held[:k]
		if cut > 0 {
			r.held = append(r.held, b.Slice(0, cut))
		}
		out := r.take()
		for _, x := range rest {
			_ = r.hold(x) // was held before
		}
		return out
	}
	return nil
}
