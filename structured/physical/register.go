package physical

import "github.com/streamflow/streamflow/rdd"

// Every operator, by the name under which it travels in fragments.
func init() {
	rdd.Register("physical.Asof", (*Asof)(nil))
	rdd.Register("physical.Dedup", (*Dedup)(nil))
	rdd.Register("physical.DropLate", (*DropLate)(nil))
	rdd.Register("physical.Expand", (*Expand)(nil))
	rdd.Register("physical.Filter", (*Filter)(nil))
	rdd.Register("physical.Generate", (*Generate)(nil))
	rdd.Register("physical.HashAggregate", (*HashAggregate)(nil))
	rdd.Register("physical.HashJoin", (*HashJoin)(nil))
	rdd.Register("physical.Limit", (*Limit)(nil))
	rdd.Register("physical.Local", (*Local)(nil))
	rdd.Register("physical.Over", (*Over)(nil))
	rdd.Register("physical.Pass", (*Pass)(nil))
	rdd.Register("physical.Project", (*Project)(nil))
	rdd.Register("physical.Range", (*Range)(nil))
	rdd.Register("physical.Sample", (*Sample)(nil))
	rdd.Register("physical.Scan", (*Scan)(nil))
	rdd.Register("physical.SessionAggregate", (*SessionAggregate)(nil))
	rdd.Register("physical.SessionTime", (*SessionTime)(nil))
	rdd.Register("physical.Sink", (*Sink)(nil))
	rdd.Register("physical.Sort", (*Sort)(nil))
	rdd.Register("physical.StatefulAggregate", (*StatefulAggregate)(nil))
	rdd.Register("physical.StatefulDedup", (*StatefulDedup)(nil))
	rdd.Register("physical.StatefulSession", (*StatefulSession)(nil))
	rdd.Register("physical.StreamJoin", (*StreamJoin)(nil))
	rdd.Register("physical.ChangeJoin", (*ChangeJoin)(nil))
	rdd.Register("physical.StreamLimit", (*StreamLimit)(nil))
	rdd.Register("physical.Tail", (*Tail)(nil))
	rdd.Register("physical.TopK", (*TopK)(nil))
	rdd.Register("physical.Union", (*Union)(nil))
	rdd.Register("physical.Watermark", (*Watermark)(nil))
	rdd.Register("physical.WindowStruct", (*WindowStruct)(nil))
	rdd.Register("physical.WindowTime", (*WindowTime)(nil))
}
