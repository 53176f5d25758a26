package tier

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/column/parquet"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/columnar"
	"github.com/streamflow/streamflow/logstore/record"
)

const (
	groupBytes = 8 << 20   // of batches, before a row group is cut
	groupRows  = 128 << 10 // rows, before a row group is cut

	tableKey     = "streamflow.tier" // the footer's key of the table, in base64
	parquetMagic = "PAR1"
	footerLength = 4 + len(parquetMagic)
)

// parquetFormat is a Parquet file: a row for each committed record that the schema can decode, and in the first row of each
// row group the batches as they were. A row group begins with a batch that has rows, so batches are never torn.
type parquetFormat struct {
	w       *parquet.Writer
	out     *countWriter
	topic   *Topic
	schema  *column.Schema
	aborted []logstore.AbortedSpan

	it   record.Iterator
	json *column.JSONScanner
	meta metaColumns

	batches []byte          // of the row group
	rows    []*column.Batch // of the row group, with a place for ColBatches
	n       int             // rows in rows and json
	block   Block
	blocks  []Block
}

func newParquetFormat(w io.Writer, src source) (*parquetFormat, error) {
	topic := src.topic
	f := &parquetFormat{
		out: &countWriter{w: w}, topic: topic, schema: topic.fileSchema(), aborted: src.sealed.Aborted,
		json: column.NewJSONScanner(topic.Schema), meta: newMetaColumns(src.partition),
	}
	var err error
	f.w, err = parquet.NewWriter(f.out, f.schema, parquet.Options{Compression: "zstd", RowGroupRows: 1 << 30, Opaque: []string{ColBatches}})
	if err != nil {
		return nil, errNoRows // a type that Parquet does not have
	}
	return f, nil
}

// add decodes the batch. The row group is cut before a batch that brings rows, when it has some already.
func (f *parquetFormat) add(b record.Batch) error {
	full := f.block.Bytes > 0 && f.n > 0 && (f.block.Bytes+int64(len(b)) > groupBytes || f.n+int(b.Count()) > groupRows)
	if full && f.bringsRows(b) {
		if err := f.cut(); err != nil {
			return err
		}
	}
	f.block.note(b)
	f.batches = append(f.batches, b...)
	switch a := b.Attributes(); {
	case a.IsControl():
		if typ, _, err := b.Control(); err != nil {
			return err
		} else if typ >= record.FirstOwnControl {
			f.block.Flags |= HasMarks
		}
		return nil
	case f.isAborted(b):
		return nil
	case a.IsArrow():
		return f.addArrow(b)
	}
	return f.addRecords(b)
}

// bringsRows tells whether the batch is a row group's first: it must have a row, in which the group's batches stand.
func (f *parquetFormat) bringsRows(b record.Batch) bool {
	if b.Attributes().IsControl() || b.Count() == 0 || f.isAborted(b) {
		return false
	}
	if b.Attributes().IsArrow() {
		return true
	}
	probe := column.NewJSONScanner(f.topic.Schema)
	for f.it.Reset(b); f.it.Next(); {
		if probe.Scan(f.it.Value) == nil {
			return true
		}
	}
	return false
}

func (f *parquetFormat) isAborted(b record.Batch) bool {
	if !b.Attributes().IsTransactional() {
		return false
	}
	for _, a := range f.aborted {
		if a.ProducerID == b.ProducerID() && a.First <= b.BaseOffset() && b.BaseOffset() < a.Last {
			return true
		}
	}
	return false
}

func (f *parquetFormat) addRecords(b record.Batch) error {
	for f.it.Reset(b); f.it.Next(); {
		r := &f.it.Record
		if err := f.json.Scan(r.Value); err != nil {
			f.block.Flags |= HasDead
			continue
		}
		f.meta.add(r.Offset, r.Timestamp, r.Key)
		f.time(r.Timestamp)
		f.n++
		if f.json.Len() >= column.ExchangeRows {
			f.flushJSON()
		}
	}
	return f.it.Err()
}

func (f *parquetFormat) time(ms int64) {
	if f.block.MinTimestamp < 0 || ms < f.block.MinTimestamp {
		f.block.MinTimestamp = ms
	}
}

func (f *parquetFormat) addArrow(b record.Batch) error {
	rows, err := columnar.Decode(f.topic.Schema, b, nil)
	if err != nil {
		f.block.Flags |= HasDead // whoever reads it says what is wrong
		return nil
	}
	f.flushJSON()
	for i := range rows.N {
		f.meta.add(b.BaseOffset()+int64(i), b.MaxTimestamp(), nil)
	}
	f.time(b.MaxTimestamp())
	f.n += rows.N
	f.hold(rows.Clone())
	return nil
}

func (f *parquetFormat) flushJSON() {
	if f.json.Len() > 0 {
		f.hold(f.json.Finish(nil))
	}
}

// hold keeps decoded rows, with what meta gathered for them.
func (f *parquetFormat) hold(rows *column.Batch) {
	cols := append(append([]*column.Vector{}, rows.Cols...), f.meta.finish()...)
	f.rows = append(f.rows, column.NewBatch(f.schema, rows.N, append(cols, nil)...))
}

// cut writes the row group.
func (f *parquetFormat) cut() error {
	f.flushJSON()
	for i, b := range f.rows {
		own := column.NewBuilder(column.Of(column.Binary))
		for row := range b.N {
			if i == 0 && row == 0 {
				own.AppendBytes(f.batches)
			} else {
				own.AppendNull()
			}
		}
		b.Cols[len(b.Cols)-1] = own.Finish()
		if err := f.w.Write(b); err != nil {
			return err
		}
	}
	if err := f.w.Cut(); err != nil {
		return err
	}
	f.blocks = append(f.blocks, f.block)
	f.batches, f.rows, f.n, f.block = f.batches[:0], nil, 0, Block{}
	return nil
}

// finish writes the last row group, with the batches behind its last row.
func (f *parquetFormat) finish(t *Table) (int64, error) {
	if f.n == 0 { // the whole segment: a group is only cut when the next one has a row
		return 0, errNoRows
	}
	if err := f.cut(); err != nil {
		return 0, err
	}
	t.Blocks = f.blocks
	for i, sums := range f.w.Sums() {
		t.Blocks[i].Columns = sums
	}
	f.w.Note(tableKey, base64.StdEncoding.EncodeToString(t.encode()))
	if err := f.w.Close(); err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint32(f.out.last[:])) + int64(footerLength), nil
}

// countWriter remembers the last bytes: the footer's length and the magic.
type countWriter struct {
	w    io.Writer
	last [footerLength]byte
}

func (c *countWriter) Write(b []byte) (int, error) {
	if n := len(b); n >= len(c.last) {
		copy(c.last[:], b[n-len(c.last):])
	} else {
		copy(c.last[:], c.last[n:])
		copy(c.last[len(c.last)-n:], b)
	}
	return c.w.Write(b)
}

// parquetTable finds the table in a footer.
func parquetTable(f *parquet.File) (*Table, error) {
	text, ok := f.Note(tableKey)
	if !ok {
		return nil, fmt.Errorf("tier: a Parquet object has no table")
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("tier: a Parquet object's table: %w", err)
	}
	t, err := decodeTable(b)
	if err == nil && len(t.Blocks) != f.RowGroups() {
		err = fmt.Errorf("tier: a Parquet object's table has %d blocks for %d row groups", len(t.Blocks), f.RowGroups())
	}
	return t, err
}

// metaColumns gathers where records lie.
type metaColumns struct {
	partition      int32
	offsets, times []int64
	keys           *column.Builder
}

func newMetaColumns(partition int32) metaColumns {
	return metaColumns{partition: partition, keys: column.NewBuilder(column.Of(column.Binary))}
}

func (m *metaColumns) add(offset, ms int64, key []byte) {
	m.offsets, m.times = append(m.offsets, offset), append(m.times, ms*1000)
	if key == nil {
		m.keys.AppendNull()
	} else {
		m.keys.AppendBytes(key)
	}
}

// finish is ColOffset, ColTimestamp, ColPartition and ColKey of the rows added since the last time.
func (m *metaColumns) finish() []*column.Vector {
	n := len(m.offsets)
	partition := column.NewVector(column.Of(column.Int32), n)
	for i := range partition.I32 {
		partition.I32[i] = m.partition
	}
	out := []*column.Vector{
		{Type: column.Of(column.Int64), N: n, I64: m.offsets},
		{Type: column.Of(column.Timestamp), N: n, I64: m.times},
		partition,
		m.keys.Finish(),
	}
	m.offsets, m.times = nil, nil
	return out
}
