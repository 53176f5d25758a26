package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Sink runs a connector's terminal operator over the rows and counts them.
type Sink struct {
	Target rdd.Operator
}

// Once is what the connector's operator says.
func (s *Sink) Once() bool {
	op, ok := s.Target.(rdd.Once)
	return ok && op.Once()
}

func (s *Sink) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	op, rows := tc.Op, int64(0)
	counting := &reader{tc: tc, op: op, in: in, next: func() (*column.Batch, error) {
		b, err := in[0].Next()
		if err == nil {
			rows += int64(b.N)
		}
		return b, err
	}, end: func() { count(tc, op, RowsIn, rows) }}
	return s.Target.Open(tc, []rdd.Reader{counting})
}
