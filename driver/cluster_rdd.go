package driver

import (
	"context"
	"errors"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// RunRDD runs a graph once and hands over its rows; with it a Cluster is what typed RDDs run on (rdd.NewContext).
func (c *Cluster) RunRDD(ctx context.Context, root *rdd.RDD, each func(part int, b *column.Batch) error) error {
	j, err := c.Prepare(root)
	if err != nil {
		return err
	}
	defer j.Close()
	_, err = j.Run(ctx, RunOptions{OnBatch: func(part int, b *column.Batch) error {
		err := each(part, b)
		if errors.Is(err, rdd.ErrStop) {
			return ErrEnough
		}
		return err
	}})
	return err
}
