package connector

import "github.com/streamflow/streamflow/column"

// Side outputs of a query: rows that are set aside instead of vanishing. Each becomes the topic <query>.<side>.
const (
	// Late rows came after the watermark of their own partition had passed what they belong to.
	Late = "late"
	// Dead rows could not be decoded or made an expression fail.
	Dead = "dead"
	// Timeout are matches of a row pattern that WITHIN ended before they were complete.
	Timeout = "timeout"
)

// SideSchema is the schema of every side output: where the row came from, why it was set aside, and what it held (the raw
// record for an undecodable one, else the row as JSON). Rows that came from no topic have a null topic.
var SideSchema = column.NewSchema(
	column.Field{Name: "topic", Type: column.Of(column.String), Nullable: true},
	column.Field{Name: "partition", Type: column.Of(column.Int32), Nullable: true},
	column.Field{Name: "offset", Type: column.Of(column.Int64), Nullable: true},
	column.Field{Name: "timestamp", Type: column.Of(column.Timestamp), Nullable: true},
	column.Field{Name: "reason", Type: column.Of(column.String)},
	column.Field{Name: "value", Type: column.Of(column.Binary), Nullable: true},
)

// Names of the hidden metadata columns that a table over a log carries after its own.
const (
	ColTopic     = "_topic"
	ColPartition = "_partition"
	ColOffset    = "_offset"
	ColTimestamp = "_timestamp"
	ColKey       = "_key"
)
