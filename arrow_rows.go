package streamflow

import (
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/columnar"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/structured/connector/streamlog"
)

// ArrowRows shows the batches of columnar topics to Kafka clients as JSON records. It is safe for concurrent use.
type ArrowRows struct{ schemas sync.Map } // DDL -> *column.Schema

// ConvertArrow appends the rows of an Arrow batch as record batches with the same offsets.
func (a *ArrowRows) ConvertArrow(dst []byte, topic *broker.Topic, batch []byte) ([]byte, error) {
	ddl := topic.Config(streamlog.ConfigSchema)
	s, ok := a.schemas.Load(ddl)
	if !ok {
		parsed, err := column.ParseDDL(ddl)
		if err != nil {
			return dst, fmt.Errorf("streamflow: schema of topic %s: %w", topic.Name, err)
		}
		s, _ = a.schemas.LoadOrStore(ddl, parsed)
	}
	return columnar.AppendRows(dst, s.(*column.Schema), record.Batch(batch))
}
