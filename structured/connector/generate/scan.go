package generate

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Scan makes ranges of a source's rows. Columns are positions in its schema, the hidden column of the time behind it.
type Scan struct {
	Spec    Spec
	Columns []int

	made maker // kept by a resident task
}

func init() { rdd.Register("generate.Scan", (*Scan)(nil)) }

// Open starts over the splits that are bound to this partition.
func (s *Scan) Open(tc *rdd.TaskContext, _ []rdd.Reader) (rdd.Reader, error) {
	if s.made == nil {
		m, err := s.Spec.maker()
		if err != nil {
			return nil, err
		}
		s.made = m
	}
	r := &reader{scan: s, tc: tc, schema: &column.Schema{}}
	fields := withTime(s.made.schema()).Fields
	for _, c := range s.Columns {
		r.schema.Fields = append(r.schema.Fields, fields[c])
	}
	if all := tc.Binding.Splits[tc.Op]; tc.Partition < len(all) {
		r.splits = all[tc.Partition]
	}
	return r, nil
}

type reader struct {
	scan   *Scan
	tc     *rdd.TaskContext
	schema *column.Schema
	splits []rdd.Split
	at     span
	// of the batch in hand
	numbers, times []int64
}

// span is a range of a partition's rows, and when the query began (microseconds).
type span struct{ began, partition, from, to int64 }

// A split is a span: version 1, then its four numbers int64 big endian.
func (s span) encode() []byte {
	b := append(make([]byte, 0, 33), 1)
	for _, n := range [...]int64{s.began, s.partition, s.from, s.to} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

func decodeSpan(b []byte) (s span, err error) {
	if len(b) != 33 || b[0] != 1 {
		return s, fmt.Errorf("generate: a split of %d bytes is not a range of version 1", len(b))
	}
	for i, n := range [...]*int64{&s.began, &s.partition, &s.from, &s.to} {
		*n = int64(binary.BigEndian.Uint64(b[1+8*i:]))
	}
	return s, nil
}

func (r *reader) Next() (*column.Batch, error) {
	if err := r.tc.Context.Err(); err != nil {
		return nil, err
	}
	for r.at.from >= r.at.to {
		if len(r.splits) == 0 {
			return nil, io.EOF
		}
		var err error
		if r.at, err = decodeSpan(r.splits[0].Data); err != nil {
			return nil, err
		}
		r.splits = r.splits[1:]
	}
	return r.make(), nil
}

// make makes the next rows, of one block unless blocks are single rows.
func (r *reader) make() *column.Batch {
	s := &r.scan.Spec
	n := min(column.ExchangeRows, r.at.to-r.at.from)
	if s.Share.Block > 1 {
		n = min(n, s.Share.Block-r.at.from%s.Share.Block)
	}
	r.numbers, r.times = r.numbers[:0], r.times[:0]
	for i := range n {
		row := s.Share.row(r.at.partition, r.at.from+i)
		r.numbers, r.times = append(r.numbers, row), append(r.times, r.at.began+s.Pace.time(row))
	}
	r.at.from += n
	return column.NewBatch(r.schema, int(n), r.columns()...)
}

// columns are the maker's, and the rows' times where those are asked for: columns ascend, so they come last.
func (r *reader) columns() []*column.Vector {
	cols := r.scan.Columns
	if own := r.scan.made.schema().Len(); len(cols) == 0 || cols[len(cols)-1] < own {
		return r.scan.made.rows(r.numbers, r.times, cols)
	}
	at := column.NewVector(column.Of(column.Timestamp), len(r.times))
	copy(at.I64, r.times)
	return append(r.scan.made.rows(r.numbers, r.times, cols[:len(cols)-1]), at)
}

func (r *reader) Close() error { return nil }
