package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Scan runs a connector's source operator and counts what it reads.
type Scan struct {
	Source rdd.Operator
}

func (s *Scan) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	src, err := s.Source.Open(tc, in)
	if err != nil {
		return nil, err
	}
	op, rows := tc.Op, int64(0)
	next := func() (*column.Batch, error) {
		b, err := src.Next()
		if err == nil {
			rows += int64(b.N)
		}
		return b, err
	}
	end := func() { count(tc, op, RowsIn, rows) }
	return output(tc, []rdd.Reader{src}, next, end), nil
}
