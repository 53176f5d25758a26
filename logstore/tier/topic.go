package tier

import (
	"strings"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/column"
)

// Topic is what the tier must know of a topic to archive its partitions.
type Topic struct {
	ID     uuid.UUID
	Name   string
	Schema *column.Schema // the declared columns; nil: the segments are kept as they are
}

// Columns of a Parquet object behind the declared ones.
const (
	ColOffset    = "_offset"
	ColTimestamp = "_timestamp"
	ColPartition = "_partition"
	ColKey       = "_key"
	// ColBatches has, in the first row of each row group, the group's record batches as they were in the log.
	ColBatches = "_batches"
)

var ownColumns = []column.Field{
	{Name: ColOffset, Type: column.Of(column.Int64)},
	{Name: ColTimestamp, Type: column.Of(column.Timestamp)},
	{Name: ColPartition, Type: column.Of(column.Int32)},
	{Name: ColKey, Type: column.Of(column.Binary), Nullable: true},
	{Name: ColBatches, Type: column.Of(column.Binary), Nullable: true},
}

// columnar tells whether the topic's segments become Parquet. A schema that uses a name of ours stays as it is.
func (t *Topic) columnar() bool {
	if t.Schema == nil || t.Schema.Len() == 0 {
		return false
	}
	for _, f := range t.Schema.Fields {
		for _, own := range ownColumns {
			if strings.EqualFold(f.Name, own.Name) {
				return false
			}
		}
	}
	return true
}

// fileSchema is the columns of the topic's Parquet objects.
func (t *Topic) fileSchema() *column.Schema {
	return column.NewSchema(append(append([]column.Field{}, t.Schema.Fields...), ownColumns...)...)
}
