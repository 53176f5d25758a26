package memory

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// A split, and a stored chunk, is: partition uint64 │ first offset uint64 │ column.EncodeBatch.
const splitHeader = 16

func encode(partition int, first int64, b *column.Batch) []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(partition))
	out = binary.BigEndian.AppendUint64(out, uint64(first))
	return append(out, column.EncodeBatch(nil, b)...)
}

func decode(schema *column.Schema, data []byte) (partition int, first int64, b *column.Batch, err error) {
	if len(data) < splitHeader {
		return 0, 0, nil, fmt.Errorf("memory: a split of %d bytes is cut short", len(data))
	}
	b, err = column.DecodeBatch(schema, data[splitHeader:], nil)
	return int(binary.BigEndian.Uint64(data)), int64(binary.BigEndian.Uint64(data[8:])), b, err
}

// PlanScan reads all rows there are now.
func (t *Table) PlanScan(_ context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	s := t.scan(req)
	t.mu.Lock()
	var all []rdd.Split
	for _, chunks := range t.parts {
		for _, c := range chunks {
			all = append(all, rdd.Split{Data: c.data, Rows: c.rows, Bytes: int64(len(c.data))})
		}
	}
	t.mu.Unlock()
	n := max(1, min(req.Partitions, len(all)))
	s.Splits = make([][]rdd.Split, n)
	for i := range s.Splits {
		s.Splits[i] = all[i*len(all)/n : (i+1)*len(all)/n]
	}
	return s, nil
}

// PlanStream reads what each micro-batch binds.
func (t *Table) PlanStream(_ context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	return t.scan(req), nil
}

func (t *Table) scan(req connector.ScanRequest) *connector.Scan {
	return &connector.Scan{Op: &Scan{Schema: t.fields, Columns: req.Columns}, Residual: req.Filters}
}

// Bind cuts ranges of rows into splits.
func (t *Table) Bind(from, to connector.Offsets) [][]rdd.Split {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([][]rdd.Split, len(t.parts))
	for p, chunks := range t.parts {
		for _, c := range chunks {
			lo, hi := max(c.first, from[p]), min(c.first+c.rows, to[p])
			if lo >= hi {
				continue
			}
			data := c.data
			if hi-lo < c.rows {
				data = t.cut(p, c, lo, hi)
			}
			out[p] = append(out[p], rdd.Split{Data: data, Rows: hi - lo, Bytes: int64(len(data))})
		}
	}
	return out
}

// cut encodes the rows [lo, hi) of a chunk.
func (t *Table) cut(partition int, c chunk, lo, hi int64) []byte {
	_, _, b, err := decode(t.fields, c.data)
	if err != nil {
		panic("BUG: memory: a chunk of our own does not decode: " + err.Error())
	}
	return encode(partition, lo, b.Slice(int(lo-c.first), int(hi-c.first)))
}

// Scan reads splits that hold their rows. Columns are positions among the table's own columns and the hidden ones.
type Scan struct {
	Schema  *column.Schema
	Columns []int
}

func init() { rdd.Register("memory.Scan", (*Scan)(nil)) }

func (s *Scan) Open(tc *rdd.TaskContext, _ []rdd.Reader) (rdd.Reader, error) {
	var splits []rdd.Split
	if all := tc.Binding.Splits[tc.Op]; tc.Partition < len(all) {
		splits = all[tc.Partition]
	}
	out := &column.Schema{}
	for _, c := range s.Columns {
		if c < len(s.Schema.Fields) {
			out.Fields = append(out.Fields, s.Schema.Fields[c])
		} else {
			out.Fields = append(out.Fields, hidden[c-len(s.Schema.Fields)])
		}
	}
	return &reader{s: s, splits: splits, out: out}, nil
}

type reader struct {
	s      *Scan
	splits []rdd.Split
	out    *column.Schema
}

func (r *reader) Next() (*column.Batch, error) {
	if len(r.splits) == 0 {
		return nil, io.EOF
	}
	partition, first, b, err := decode(r.s.Schema, r.splits[0].Data)
	if err != nil {
		return nil, err
	}
	r.splits = r.splits[1:]
	out := &column.Batch{Schema: r.out, N: b.N}
	for _, c := range r.s.Columns {
		switch own := len(r.s.Schema.Fields); c {
		case own:
			out.Cols = append(out.Cols, constant(int32(partition), b.N))
		case own + 1:
			out.Cols = append(out.Cols, offsets(first, b.N))
		default:
			out.Cols = append(out.Cols, b.Cols[c])
		}
	}
	return out, nil
}

func (r *reader) Close() error { return nil }

func constant(x int32, n int) *column.Vector {
	v := column.NewVector(column.Of(column.Int32), n)
	for i := range v.I32 {
		v.I32[i] = x
	}
	return v
}

func offsets(first int64, n int) *column.Vector {
	v := column.NewVector(column.Of(column.Int64), n)
	for i := range v.I64 {
		v.I64[i] = first + int64(i)
	}
	return v
}
