package streamlog

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/columnar"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/rdd"
)

// arrowDecoder maps Arrow batches of a columnar topic; records that a Kafka client wrote into it are decoded as JSON.
type arrowDecoder struct {
	scan *TopicScan
	json *recordDecoder
	meta *metaColumns

	isJSON bool
	rows   *column.Batch // decoded, cut to the range
	reuse  *column.Batch
	base   int64 // offset of the first of rows
	time   int64 // microseconds, of all rows of the batch
	part   int32
	at     int
	out    column.Batch
}

func newArrowDecoder(s *TopicScan) *arrowDecoder {
	d := &arrowDecoder{scan: s, json: newRecordDecoder(s), meta: newMetaColumns(s)}
	d.out.Schema = outSchema(s)
	return d
}

func (d *arrowDecoder) begin(b record.Batch, partition int32, from, to int64) error {
	if d.isJSON = !b.Attributes().IsArrow(); d.isJSON {
		return d.json.begin(b, partition, from, to)
	}
	rows, err := columnar.Decode(d.scan.Fields, b, d.reuse)
	if err != nil {
		return err
	}
	d.reuse = rows
	first, end := max(from, b.BaseOffset()), min(to, b.LastOffset()+1)
	d.rows = rows.Slice(int(first-b.BaseOffset()), int(end-b.BaseOffset()))
	d.base, d.time, d.part, d.at = first, b.MaxTimestamp()*1000, partition, 0
	return nil
}

func (d *arrowDecoder) next(tc *rdd.TaskContext) (*column.Batch, error) {
	if d.isJSON {
		return d.json.next(tc)
	}
	if d.at >= d.rows.N {
		return nil, nil
	}
	end := min(d.at+2*column.BatchRows, d.rows.N)
	rows := d.rows
	if d.at > 0 || end < rows.N {
		rows = rows.Slice(d.at, end)
	}
	d.meta.reset()
	d.meta.addRange(d.base+int64(d.at), d.time, end-d.at)
	d.out.N, d.out.Cols = rows.N, d.out.Cols[:0]
	for _, c := range d.scan.Columns {
		if c < d.scan.Fields.Len() {
			d.out.Cols = append(d.out.Cols, rows.Cols[c])
		} else {
			d.out.Cols = append(d.out.Cols, d.meta.column(d.scan.Schema.Fields[c].Name, d.part, rows.N))
		}
	}
	d.at = end
	return &d.out, nil
}

func (d *arrowDecoder) flush() *column.Batch { return d.json.flush() }
