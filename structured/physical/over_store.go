package physical

import (
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// rowStore keeps rows on disk in pieces of a fixed number of rows, of which any can be read again.
type rowStore struct {
	file   *spillFile
	schema *column.Schema
	shift  uint // a piece has 1<<shift rows, the last one fewer
	places []int64
	rows   int64

	pending []*column.Batch // rows of the piece being filled
	n       int
	written func(piece int, b *column.Batch) error
}

// overPieceBytes is about how much memory a piece takes, and pieceShift the most rows that it has, as a power of two.
const (
	overPieceBytes = 128 << 10
	minPieceShift  = 4
	maxPieceShift  = 12
)

// newRowStore makes a store of rows like those of sample; written is called with each piece as it is complete.
func newRowStore(tc *rdd.TaskContext, schema *column.Schema, sample *column.Batch, written func(int, *column.Batch) error) (*rowStore, error) {
	f, err := newSpillFile(tc, schema)
	if err != nil {
		return nil, err
	}
	s := &rowStore{file: f, schema: schema, written: written, shift: maxPieceShift}
	for s.shift > minPieceShift && sample.Bytes()/int64(sample.N)<<s.shift > overPieceBytes {
		s.shift--
	}
	return s, nil
}

// append takes rows, which stay the caller's.
func (s *rowStore) append(b *column.Batch) error {
	for from := 0; from < b.N; {
		to := min(b.N, from+1<<s.shift-s.n)
		s.pending = append(s.pending, b.Slice(from, to).Clone())
		s.n += to - from
		from = to
		if s.n == 1<<s.shift {
			if err := s.seal(); err != nil {
				return err
			}
		}
	}
	return nil
}

// seal writes the piece being filled, if it has rows.
func (s *rowStore) seal() error {
	if s.n == 0 {
		return nil
	}
	b := column.Concat(s.schema, s.pending)
	s.pending, s.n = s.pending[:0], 0
	s.places = append(s.places, s.file.place())
	s.rows += int64(b.N)
	if err := s.file.write(b); err != nil {
		return err
	}
	return s.written(len(s.places)-1, b)
}

// finish ends writing.
func (s *rowStore) finish() error {
	if err := s.seal(); err != nil {
		return err
	}
	return s.file.flush()
}

// read is a piece, in memory of its own.
func (s *rowStore) read(piece int) (*column.Batch, error) {
	b, _, err := s.file.readAt(s.places[piece], nil, nil)
	return b, err
}

// of is the piece and the place in it of a row.
func (s *rowStore) of(row int64) (int, int) { return int(row >> s.shift), int(row & (1<<s.shift - 1)) }

// start is the first row of a piece; that of the piece behind the last one is the number of rows.
func (s *rowStore) start(piece int) int64 { return min(int64(piece)<<s.shift, s.rows) }

func (s *rowStore) close() { _ = s.file.close() } // already unlinked: nothing is lost

// recent keeps the pieces that were used last.
type recent[T any] struct {
	limit int
	keys  []int
	vals  []T
}

// get is the value of a piece, which is made when it is not there.
func (c *recent[T]) get(key int, load func(int) (T, error)) (T, error) {
	if i := slices.Index(c.keys, key); i >= 0 {
		v := c.vals[i]
		c.keys, c.vals = append(slices.Delete(c.keys, i, i+1), key), append(slices.Delete(c.vals, i, i+1), v)
		return v, nil
	}
	v, err := load(key)
	if err != nil {
		return v, err
	}
	if len(c.keys) == c.limit {
		c.keys, c.vals = slices.Delete(c.keys, 0, 1), slices.Delete(c.vals, 0, 1)
	}
	c.keys, c.vals = append(c.keys, key), append(c.vals, v)
	return v, nil
}
