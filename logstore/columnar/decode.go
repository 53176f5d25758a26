package columnar

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/record"
)

// Decode reads the rows of b, whose columns are the schema's. Columns that the schema has gained since b was written are
// null. The result shares b's memory; reuse, when not nil, is an earlier result whose structs are used again.
func Decode(schema *column.Schema, b record.Batch, reuse *column.Batch) (*column.Batch, error) {
	if err := check(b); err != nil {
		return nil, err
	}
	n, err := column.MessageRows(b.Payload())
	if err != nil {
		return nil, fmt.Errorf("columnar: batch at offset %d: %w", b.BaseOffset(), err)
	}
	if n != int(b.Count()) {
		return nil, fmt.Errorf("columnar: batch at offset %d has %d rows, its header says %d", b.BaseOffset(), n, b.Count())
	}
	rows, err := column.DecodeBatchPrefix(schema, b.Payload(), reuse)
	if err != nil {
		return nil, fmt.Errorf("columnar: batch at offset %d: %w", b.BaseOffset(), err)
	}
	return rows, nil
}

// Check verifies that b is a columnar batch of the schema, whole and undamaged. A broker runs it on what producers send.
func Check(schema *column.Schema, b record.Batch) error {
	_, err := Decode(schema, b, nil)
	return err
}

func check(b record.Batch) error {
	switch a := b.Attributes(); {
	case !a.IsArrow():
		return fmt.Errorf("columnar: batch at offset %d holds records, not columns", b.BaseOffset())
	case a.Codec() != record.None:
		return fmt.Errorf("columnar: batch at offset %d is compressed as a whole, which columnar batches are not", b.BaseOffset())
	}
	return nil
}
