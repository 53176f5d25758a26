package codec

import (
	"errors"

	"github.com/streamflow/streamflow/column"
)

func (e *encoder) batch(b *column.Batch) { panic("BUG: codec: batches") }

func (d *decoder) batch() (*column.Batch, error) { return nil, errors.New("batch") }
