package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Pass hands on what it reads: the operator above an exchange that nothing else stands on, such as a repartition's.
type Pass struct{}

func (*Pass) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	next := func() (*column.Batch, error) { return in[0].Next() }
	return output(tc, in, next, nil), nil
}
