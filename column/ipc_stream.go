package column

import (
	"bytes"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow/ipc"
)

// AppendIPCStream appends a complete Arrow IPC stream: schema, the batch, end mark. It is what Arrow clients read.
func AppendIPCStream(dst []byte, b *Batch, tz string) []byte {
	buf := bytes.NewBuffer(dst)
	w := ipc.NewWriter(buf, ipc.WithSchema(ArrowSchema(b.Schema, tz)))
	err := w.Write(ToArrow(b, tz))
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("BUG: a batch cannot be written as Arrow: " + err.Error())
	}
	return buf.Bytes()
}

// ReadIPCStream reads all batches of an Arrow IPC stream. A stream without batches gives one batch of no rows, so that
// the schema is not lost.
func ReadIPCStream(data []byte) (batches []*Batch, err error) {
	// The library panics on some malformed input.
	defer func() {
		if r := recover(); r != nil {
			batches, err = nil, fmt.Errorf("column: malformed Arrow stream: %v", r)
		}
	}()
	if err := checkFrames(data); err != nil {
		return nil, err
	}
	r, err := ipc.NewReader(bytes.NewReader(data), ipc.WithAllocator(newBoundedAllocator(len(data))))
	if err != nil {
		return nil, fmt.Errorf("column: Arrow stream: %w", err)
	}
	defer r.Release()
	for r.Next() {
		b, err := FromArrow(r.Record())
		if err == nil {
			err = b.check()
		}
		if err != nil {
			return nil, err
		}
		batches = append(batches, b)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("column: Arrow stream: %w", err)
	}
	if len(batches) == 0 {
		schema, err := SchemaFromArrow(r.Schema())
		if err != nil {
			return nil, err
		}
		return []*Batch{NewBatchBuilder(schema).Finish()}, nil
	}
	return batches, nil
}
