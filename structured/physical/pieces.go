package physical

import "github.com/streamflow/streamflow/column"

// pieces hands out a large batch in pieces of column.BatchRows.
type pieces struct {
	b    *column.Batch
	from int
}

func (s *pieces) set(b *column.Batch) { s.b, s.from = b, 0 }

// next is the next piece, nil at the end.
func (s *pieces) next() *column.Batch {
	if s.b == nil || s.from >= s.b.N {
		s.b = nil
		return nil
	}
	if s.from == 0 && s.b.N <= column.BatchRows {
		s.from = s.b.N
		return s.b
	}
	to := min(s.from+column.BatchRows, s.b.N)
	out := s.b.Slice(s.from, to)
	s.from = to
	return out
}
