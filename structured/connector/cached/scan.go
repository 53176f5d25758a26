package cached

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Scan reads chunks. Columns are positions in Schema.
type Scan struct {
	Schema  *column.Schema
	Columns []int
}

func init() { rdd.Register("cached.Scan", (*Scan)(nil)) }

func (s *Scan) Open(tc *rdd.TaskContext, _ []rdd.Reader) (rdd.Reader, error) {
	r := &reader{s: s, out: column.Batch{Schema: &column.Schema{}}}
	if all := tc.Binding.Splits[tc.Op]; tc.Partition < len(all) {
		r.splits = all[tc.Partition]
	}
	for _, c := range s.Columns {
		r.out.Schema.Fields = append(r.out.Schema.Fields, s.Schema.Fields[c])
	}
	return r, nil
}

type reader struct {
	s      *Scan
	splits []rdd.Split
	out    column.Batch
	f      *os.File
	buf    []byte
}

func (r *reader) Next() (*column.Batch, error) {
	if len(r.splits) == 0 {
		return nil, io.EOF
	}
	data, err := r.chunk(r.splits[0].Data)
	if err != nil {
		return nil, fmt.Errorf("cached: %w", err)
	}
	r.splits = r.splits[1:]
	b, err := column.DecodeBatch(r.s.Schema, data, nil)
	if err != nil {
		return nil, fmt.Errorf("cached: %w", err)
	}
	r.out.N, r.out.Cols = b.N, r.out.Cols[:0]
	for _, c := range r.s.Columns {
		r.out.Cols = append(r.out.Cols, b.Cols[c])
	}
	return &r.out, nil
}

// diskSplit is the length of a split on disk without its path.
const diskSplit = 1 + 8 + 8

// chunk is the encoded batch of a split.
func (r *reader) chunk(split []byte) ([]byte, error) {
	switch {
	case len(split) >= header && split[0] == inMemory:
		return split[header:], nil
	case len(split) < diskSplit || split[0] != onDisk:
		return nil, fmt.Errorf("a split of %d bytes is cut short", len(split))
	}
	if r.f == nil {
		f, err := os.Open(string(split[diskSplit:]))
		if err != nil {
			return nil, err
		}
		r.f = f
	}
	size := int(binary.BigEndian.Uint64(split[9:]))
	if cap(r.buf) < size {
		r.buf = make([]byte, size)
	}
	buf := r.buf[:size-header]
	if _, err := r.f.ReadAt(buf, int64(binary.BigEndian.Uint64(split[1:]))+header); err != nil {
		return nil, err
	}
	return buf, nil
}

func (r *reader) Close() error {
	if r.f == nil {
		return nil
	}
	err := r.f.Close()
	r.f = nil
	return err
}
