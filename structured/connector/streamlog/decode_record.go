package streamlog

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// recordDecoder decodes batches of Kafka records, JSON objects or raw ones. Small log batches are put together until they
// fill a column batch.
type recordDecoder struct {
	scan *TopicScan
	json *column.JSONScanner // nil for raw topics
	used *column.Batch       // what json returned last; its memory is free at the next flush
	meta *metaColumns
	raw  *column.BatchBuilder // key and value of raw topics
	dead *column.BatchBuilder // made with the first undecodable record

	it       record.Iterator
	part     int32
	from, to int64
	rows     int
	declared *column.Schema // the declared columns that are read, in Columns' order
	out      column.Batch
}

func newRecordDecoder(s *TopicScan) *recordDecoder {
	d := &recordDecoder{scan: s, declared: &column.Schema{}, meta: newMetaColumns(s)}
	d.out.Schema = outSchema(s)
	for _, c := range s.Columns {
		if c < s.Fields.Len() {
			d.declared.Fields = append(d.declared.Fields, s.Fields.Fields[c])
		}
	}
	if s.Format == Raw {
		d.raw = column.NewBatchBuilder(column.NewSchema(rawFields[:2]...))
	} else {
		d.json = column.NewJSONScanner(d.declared)
	}
	return d
}

func outSchema(s *TopicScan) *column.Schema {
	out := &column.Schema{}
	for _, c := range s.Columns {
		out.Fields = append(out.Fields, s.Schema.Fields[c])
	}
	return out
}

func (d *recordDecoder) begin(b record.Batch, partition int32, from, to int64) error {
	d.part, d.from, d.to = partition, from, to
	d.it.Reset(b)
	return nil
}

func (d *recordDecoder) next(tc *rdd.TaskContext) (*column.Batch, error) {
	for d.it.Next() {
		r := &d.it.Record
		if r.Offset < d.from || r.Offset >= d.to {
			continue
		}
		if d.json == nil {
			d.addRaw(r)
		} else if r.Value == nil && r.Key != nil {
			continue // a tombstone: the row of its key is gone
		} else if err := d.json.Scan(r.Value); err != nil {
			if err := d.setAside(tc, r, err.Error()); err != nil {
				return nil, err
			}
			continue
		}
		d.meta.add(r)
		if d.rows++; d.rows >= 2*column.BatchRows {
			return d.flush(), nil
		}
	}
	return nil, d.it.Err()
}

func (d *recordDecoder) addRaw(r *record.Record) {
	for i, v := range [2][]byte{r.Key, r.Value} {
		if v == nil {
			d.raw.Cols[i].AppendNull()
		} else {
			d.raw.Cols[i].AppendBytes(v)
		}
	}
}

// flush returns the rows gathered so far.
func (d *recordDecoder) flush() *column.Batch {
	if d.rows == 0 {
		return nil
	}
	d.out.N, d.out.Cols = d.rows, d.out.Cols[:0]
	var declared []*column.Vector
	if d.json != nil {
		d.used = d.json.Finish(d.used)
		declared = d.used.Cols
	} else {
		declared = d.raw.Finish().Cols
	}
	next := 0
	for _, c := range d.scan.Columns {
		switch {
		case d.json != nil && c < d.scan.Fields.Len():
			d.out.Cols = append(d.out.Cols, declared[next])
			next++
		case d.json == nil && c < 2:
			d.out.Cols = append(d.out.Cols, declared[c])
		default:
			d.out.Cols = append(d.out.Cols, d.meta.column(d.scan.Schema.Fields[c].Name, d.part, d.rows))
		}
	}
	d.rows = 0
	d.meta.reset()
	return &d.out
}

// setAside sends a record that cannot be decoded to the dead side output.
func (d *recordDecoder) setAside(tc *rdd.TaskContext, r *record.Record, reason string) error {
	if d.dead == nil {
		d.dead = column.NewBatchBuilder(connector.SideSchema)
	}
	var value any
	if r.Value != nil {
		value = r.Value
	} else {
		reason = "the record has no value"
	}
	if err := d.dead.AppendRow(d.scan.Topic, int64(d.part), r.Offset, r.Timestamp*1000, reason, value); err != nil {
		return err
	}
	tc.Count(tc.Op, "rows.dead", 1)
	return tc.Emit(connector.Dead, d.dead.Finish())
}

// metaColumns gathers where records lie, for the hidden columns and those of raw topics; nothing that the scan does not read.
type metaColumns struct {
	topic       string
	readOffsets bool
	readTimes   bool
	offsets     []int64
	times       []int64
	keys        *column.Builder // nil when not read
	made        map[string]*column.Vector
}

func newMetaColumns(s *TopicScan) *metaColumns {
	m := &metaColumns{topic: s.Topic}
	for _, c := range s.Columns {
		if s.Format != Raw && c < s.Fields.Len() {
			continue
		}
		switch s.Schema.Fields[c].Name {
		case connector.ColOffset, "offset":
			m.readOffsets = true
		case connector.ColTimestamp, "timestamp":
			m.readTimes = true
		case connector.ColKey:
			m.keys = column.NewBuilder(column.Of(column.Binary))
		}
	}
	return m
}

func (m *metaColumns) add(r *record.Record) {
	if m.readOffsets {
		m.offsets = append(m.offsets, r.Offset)
	}
	if m.readTimes {
		m.times = append(m.times, r.Timestamp*1000)
	}
	if m.keys == nil {
		return
	}
	if r.Key == nil {
		m.keys.AppendNull()
	} else {
		m.keys.AppendBytes(r.Key)
	}
}

// addRange adds n rows without keys that follow one another and have one time, in microseconds.
func (m *metaColumns) addRange(offset, micros int64, n int) {
	for i := range n {
		if m.readOffsets {
			m.offsets = append(m.offsets, offset+int64(i))
		}
		if m.readTimes {
			m.times = append(m.times, micros)
		}
		if m.keys != nil {
			m.keys.AppendNull()
		}
	}
}

// reset starts over. The vectors handed out share the arrays: they are valid until the next record is added.
func (m *metaColumns) reset() {
	m.offsets, m.times = m.offsets[:0], m.times[:0]
	if m.keys != nil {
		m.keys.Reset()
	}
}

// column is a metadata column of n rows, by its hidden or raw name.
func (m *metaColumns) column(name string, partition int32, n int) *column.Vector {
	switch name {
	case connector.ColOffset, "offset":
		return &column.Vector{Type: column.Of(column.Int64), N: n, I64: m.offsets[:n]}
	case connector.ColTimestamp, "timestamp":
		return &column.Vector{Type: column.Of(column.Timestamp), N: n, I64: m.times[:n]}
	case connector.ColKey:
		return m.keys.Finish()
	case connector.ColPartition, "partition":
		return m.constant(name, column.Int32, int64(partition), n)
	case "timestampType":
		return m.constant(name, column.Int32, 0, n)
	default:
		return m.topicColumn(n)
	}
}

// constant is n equal integers, kept between batches while value and length allow it.
func (m *metaColumns) constant(name string, kind column.Kind, value int64, n int) *column.Vector {
	v := m.made[name]
	if v == nil || len(v.I32) < n || v.I32[0] != int32(value) {
		v = &column.Vector{Type: column.Of(kind), I32: make([]int32, max(n, 2*column.BatchRows))}
		for i := range v.I32 {
			v.I32[i] = int32(value)
		}
		m.keep(name, v)
	}
	return &column.Vector{Type: v.Type, N: n, I32: v.I32[:n]}
}

// topicColumn is the topic's name in n rows, dictionary-coded.
func (m *metaColumns) topicColumn(n int) *column.Vector {
	v := m.made[connector.ColTopic]
	if v == nil || len(v.Codes) < n {
		b := column.NewBuilder(column.Of(column.String))
		b.AppendString(m.topic)
		v = &column.Vector{Type: column.Of(column.String), Codes: make([]int32, max(n, 2*column.BatchRows)), Dict: b.Finish()}
		m.keep(connector.ColTopic, v)
	}
	return &column.Vector{Type: v.Type, N: n, Codes: v.Codes[:n], Dict: v.Dict}
}

func (m *metaColumns) keep(name string, v *column.Vector) {
	if m.made == nil {
		m.made = map[string]*column.Vector{}
	}
	m.made[name] = v
}
