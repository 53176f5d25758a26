package streamlog

import (
	"context"
	"encoding/binary"

	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/structured/connector"
)

var _ connector.Marker = (*Table)(nil)

// Mark moves a partition's event time forward where it brings nothing: a control record that Kafka's clients skip. It need
// not be waited for; readers see it once it is durable.
func (t *Table) Mark(_ context.Context, partition int, column string, clock int64) error {
	p, err := t.env.Broker.Partition(t.name, int32(partition))
	if err != nil {
		return err
	}
	p.AppendControl(int16(record.ControlIdle), encodeMark(column, clock))
	return nil
}

// A mark's value is: version 1, the event time in microseconds as int64 big endian, the name of the event time column.
func encodeMark(column string, clock int64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{1}, uint64(clock)), column...)
}

func decodeMark(b []byte) (column string, clock int64, ok bool) {
	if len(b) < 9 || b[0] != 1 {
		return "", 0, false
	}
	return string(b[9:]), int64(binary.BigEndian.Uint64(b[1:])), true
}
