package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Scan reads ranges of a topic's partitions. Columns are positions in Schema, ascending.
type Scan struct {
	Cluster Cluster
	Topic   string
	Format  string
	Fields  *column.Schema // declared columns
	Schema  *column.Schema // those, then the hidden ones
	Columns []int

	rows *rows // kept by a resident task
}

func init() { rdd.Register("kafka.Scan", (*Scan)(nil)) }

// silence is how long nothing may come of a range that is said to be there.
const silence = 30 * time.Second

// Open starts over the splits that are bound to this partition.
func (s *Scan) Open(tc *rdd.TaskContext, _ []rdd.Reader) (rdd.Reader, error) {
	if s.rows == nil {
		s.rows = newRows(s)
	}
	r := &reader{scan: s, tc: tc}
	if all := tc.Binding.Splits[tc.Op]; tc.Partition < len(all) {
		r.splits = all[tc.Partition]
	}
	return r, nil
}

// span is a range of offsets of a partition. A split is one: version 1, partition int32, from int64, to int64, big endian.
type span struct {
	partition int32
	from, to  int64
}

func (s span) encode() []byte {
	b := append(make([]byte, 0, 21), 1)
	b = binary.BigEndian.AppendUint32(b, uint32(s.partition))
	b = binary.BigEndian.AppendUint64(b, uint64(s.from))
	return binary.BigEndian.AppendUint64(b, uint64(s.to))
}

func decodeSpan(b []byte) (span, error) {
	if len(b) != 21 || b[0] != 1 {
		return span{}, fmt.Errorf("kafka: a split of %d bytes is not an offset range of version 1", len(b))
	}
	be := binary.BigEndian
	return span{int32(be.Uint32(b[1:])), int64(be.Uint64(b[5:])), int64(be.Uint64(b[13:]))}, nil
}

type reader struct {
	scan   *Scan
	tc     *rdd.TaskContext
	splits []rdd.Split
	at     span
	client *kgo.Client
}

func (r *reader) Next() (*column.Batch, error) {
	for {
		if r.at.from >= r.at.to {
			if len(r.splits) == 0 {
				return nil, io.EOF
			}
			if err := r.open(); err != nil {
				return nil, err
			}
		}
		if err := r.poll(); err != nil {
			return nil, fmt.Errorf("kafka: %s-%d@%d: %w", r.scan.Topic, r.at.partition, r.at.from, err)
		}
		if b := r.scan.rows.flush(); b != nil {
			return b, nil
		}
	}
}

// open begins with the next split.
func (r *reader) open() (err error) {
	if r.at, err = decodeSpan(r.splits[0].Data); err != nil {
		return err
	}
	r.splits = r.splits[1:]
	r.scan.rows.part = r.at.partition
	r.close()
	// Control records are kept, so that the end of a range is seen that ends with the end of a transaction.
	r.client, err = r.scan.Cluster.client(kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(time.Second),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.scan.Topic: {r.at.partition: kgo.NewOffset().At(r.at.from)}}))
	return err
}

// poll takes what has come of the range.
func (r *reader) poll() error {
	ctx, cancel := context.WithTimeout(r.tc.Context, silence)
	defer cancel()
	fetches := r.client.PollRecords(ctx, column.BatchRows)
	if err := fetches.Err(); err != nil {
		if ctx.Err() != nil && r.tc.Context.Err() == nil {
			return fmt.Errorf("nothing came in %s of what is committed up to offset %d", silence, r.at.to)
		}
		return err
	}
	var failed error
	fetches.EachRecord(func(rec *kgo.Record) {
		if rec.Offset >= r.at.to || failed != nil {
			r.at.from = max(r.at.from, r.at.to)
			return
		}
		if !rec.Attrs.IsControl() {
			failed = r.scan.rows.add(r.tc, rec)
		}
		r.at.from = rec.Offset + 1
	})
	return failed
}

func (r *reader) close() {
	if r.client != nil {
		r.client.Close()
		r.client = nil
	}
}

func (r *reader) Close() error {
	r.close()
	return nil
}

// rows turns records into column batches.
type rows struct {
	scan *Scan
	out  *column.Schema
	json *column.JSONScanner // nil for raw topics
	meta []*column.Builder   // by position in Columns; nil where json has the column
	part int32
	n    int
	dead *column.BatchBuilder // made with the first record that cannot be decoded
}

func newRows(s *Scan) *rows {
	r := &rows{scan: s, out: &column.Schema{}}
	declared := &column.Schema{}
	for _, c := range s.Columns {
		f := s.Schema.Fields[c]
		r.out.Fields = append(r.out.Fields, f)
		if s.Format == jsonFormat && c < s.Fields.Len() {
			declared.Fields = append(declared.Fields, f)
			r.meta = append(r.meta, nil)
			continue
		}
		r.meta = append(r.meta, column.NewBuilder(f.Type))
	}
	if s.Format == jsonFormat {
		r.json = column.NewJSONScanner(declared)
	}
	return r
}

func (r *rows) add(tc *rdd.TaskContext, rec *kgo.Record) error {
	if r.json != nil {
		if err := r.json.Scan(rec.Value); err != nil {
			return r.setAside(tc, rec, err.Error())
		}
	}
	for i, b := range r.meta {
		if b != nil {
			r.fill(b, r.out.Fields[i].Name, rec)
		}
	}
	r.n++
	return nil
}

func (r *rows) fill(b *column.Builder, name string, rec *kgo.Record) {
	text := func(s []byte) {
		if s == nil {
			b.AppendNull()
		} else {
			b.AppendBytes(s)
		}
	}
	switch name {
	case connector.ColKey, "key":
		text(rec.Key)
	case "value":
		text(rec.Value)
	case connector.ColTopic, "topic":
		b.AppendString(rec.Topic)
	case connector.ColPartition, "partition":
		b.AppendI64(int64(rec.Partition))
	case connector.ColOffset, "offset":
		b.AppendI64(rec.Offset)
	case connector.ColTimestamp, "timestamp":
		b.AppendI64(rec.Timestamp.UnixMicro())
	default: // timestampType
		b.AppendI64(int64(rec.Attrs.TimestampType()))
	}
}

// setAside sends a record that cannot be decoded to the dead side output.
func (r *rows) setAside(tc *rdd.TaskContext, rec *kgo.Record, reason string) error {
	if r.dead == nil {
		r.dead = column.NewBatchBuilder(connector.SideSchema)
	}
	var value any
	if rec.Value != nil {
		value = rec.Value
	} else {
		reason = "the record has no value"
	}
	if err := r.dead.AppendRow(rec.Topic, int64(rec.Partition), rec.Offset, rec.Timestamp.UnixMicro(), reason, value); err != nil {
		return err
	}
	tc.Count(tc.Op, "rows.dead", 1)
	return tc.Emit(connector.Dead, r.dead.Finish())
}

// flush returns the rows gathered so far, nil for none.
func (r *rows) flush() *column.Batch {
	if r.n == 0 {
		return nil
	}
	var declared []*column.Vector
	if r.json != nil {
		declared = r.json.Finish(nil).Cols
	}
	cols := make([]*column.Vector, len(r.meta))
	for i, b := range r.meta {
		if b != nil {
			cols[i] = b.Finish()
			continue
		}
		cols[i], declared = declared[0], declared[1:]
	}
	n := r.n
	r.n = 0
	return column.NewBatch(r.out, n, cols...)
}
