package driver

import (
	"context"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/stream"
)

// MetadataSource is the data source that lists the operators of a query that keep state, and the versions that can be read:
// Spark's state-metadata, and state_metadata('query') in SQL.
const MetadataSource = "state-metadata"

type metadataProvider struct{ e *Engine }

var metadataSchema = column.NewSchema(
	column.Field{Name: "operatorId", Type: column.Of(column.Int64)},
	column.Field{Name: "operatorName", Type: column.Of(column.String)},
	column.Field{Name: "stateStoreName", Type: column.Of(column.String)},
	column.Field{Name: "numPartitions", Type: column.Of(column.Int32)},
	column.Field{Name: "minBatchId", Type: column.Of(column.Int64), Nullable: true},
	column.Field{Name: "maxBatchId", Type: column.Of(column.Int64), Nullable: true},
)

// Open reads what there is at this moment.
func (p metadataProvider) Open(ctx context.Context, def catalog.TableDef) (logical.Table, error) {
	r := optionReader{given: def.Options}
	name := r.text("query", "path")
	if name == "" {
		return nil, usererr.New("STDS_REQUIRED_OPTION_UNSPECIFIED", "42601", "The operators of a query are listed with the option query.").WithFix("state_metadata('query').")
	}
	b, n := newBuilders(metadataSchema), 0
	err := p.e.settled(ctx, name, func(q *query, r stream.Record) error {
		for i := range q.planned.phys.Stateful {
			op := &q.planned.phys.Stateful[i]
			n++
			b[0].AppendI64(int64(i))
			b[1].AppendString(op.Op)
			b[2].AppendString("default")
			b[3].AppendI64(int64(op.Parts))
			oldest, newest, there := p.e.versions(&r, op)
			if !there {
				b[4].AppendNull()
				b[5].AppendNull()
				continue
			}
			b[4].AppendI64(oldest)
			b[5].AppendI64(newest)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := memory.New("state_metadata("+name+")", metadataSchema, 1)
	if n == 0 {
		return t, nil
	}
	return t, t.Append(0, &column.Batch{Schema: metadataSchema, N: n, Cols: finished(b)})
}

func newBuilders(s *column.Schema) []*column.Builder {
	out := make([]*column.Builder, len(s.Fields))
	for i, f := range s.Fields {
		out[i] = column.NewBuilder(f.Type)
	}
	return out
}
