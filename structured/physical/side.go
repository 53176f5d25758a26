package physical

import (
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Provenance tells an operator where its rows came from, so that a row set aside can be found again.
type Provenance struct {
	Origins []Origin // sources by partition, ascending From
	Offset  int      // column that holds the row's offset, -1 when there is none
	Visible int      // leading columns that are the row's own; the others are the engine's
}

// Origin is a source whose partition 0 is the operator's partition From.
type Origin struct {
	Topic string
	From  int
}

// at finds the topic and partition that a partition of the operator reads; ok is false when no topic is known.
func (p Provenance) at(partition int) (topic string, part int, ok bool) {
	for i := len(p.Origins) - 1; i >= 0; i-- {
		if o := p.Origins[i]; partition >= o.From {
			return o.Topic, partition - o.From, o.Topic != ""
		}
	}
	return "", 0, false
}

// aside sets rows aside to a side output and counts them.
type aside struct {
	tc      *rdd.TaskContext
	op      string
	side    string
	counter string
	from    Provenance
	loc     *time.Location
	topic   string
	part    int
	known   bool
	rows    *column.BatchBuilder
	json    []byte
	n       int64
}

func newAside(tc *rdd.TaskContext, side, counter string, from Provenance, loc *time.Location) *aside {
	a := &aside{tc: tc, op: tc.Op, side: side, counter: counter, from: from, loc: loc}
	a.topic, a.part, a.known = from.at(tc.Partition)
	return a
}

// add sets one row of b aside.
func (a *aside) add(b *column.Batch, row int, reason string) {
	if a.rows == nil {
		a.rows = column.NewBatchBuilder(connector.SideSchema)
	}
	c := a.rows.Cols
	if a.known {
		c[0].AppendString(a.topic)
		c[1].AppendI64(int64(a.part))
	} else {
		c[0].AppendNull()
		c[1].AppendNull()
	}
	if a.from.Offset >= 0 && b.Cols[a.from.Offset].IsValid(row) {
		c[2].AppendI64(b.Cols[a.from.Offset].I64[row])
	} else {
		c[2].AppendNull()
	}
	c[3].AppendNull()
	c[4].AppendString(reason)
	a.json = column.AppendJSONRow(a.json[:0], b, row, a.from.Visible, a.location())
	c[5].AppendBytes(a.json)
	a.n++
}

func (a *aside) location() *time.Location {
	if a.loc == nil {
		return time.UTC
	}
	return a.loc
}

// flush hands over what was set aside since the last flush.
func (a *aside) flush() error {
	if a.n == 0 {
		return nil
	}
	count(a.tc, a.op, a.counter, a.n)
	a.n = 0
	if a.tc.Emit == nil {
		a.rows = nil
		return nil
	}
	return a.tc.Emit(a.side, a.rows.Finish())
}
