package connect

import "github.com/streamflow/streamflow/column"

// readStream reads a complete Arrow IPC stream, as clients send rows. The schema is nil when the stream has no batch.
func readStream(data []byte) (*column.Schema, []*column.Batch, error) {
	batches, err := column.ReadIPCStream(data)
	if err != nil || len(batches) == 0 {
		return nil, nil, err
	}
	return batches[0].Schema, batches, nil
}

// writeStream is the batches as one Arrow IPC stream.
func writeStream(schema *column.Schema, batches []*column.Batch) ([]byte, error) {
	return column.AppendIPCStream(nil, column.Concat(schema, batches), "UTC"), nil
}
