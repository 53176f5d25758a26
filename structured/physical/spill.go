package physical

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// SpillDir is the name of the task service (a string) that says where operators may put what memory refuses to hold.
const SpillDir = "spill.dir"

// spillParts is into how many files an operator cuts what it spills: one of them must fit into memory later.
const spillParts = 16

// maxSpillDepth bounds how often one part is cut again; more means that one key alone does not fit.
const maxSpillDepth = 3

// spillRows is how many rows are cut into spill files at a time, so that a file's frames have some hundreds each.
const spillRows = 16 << 10

// spillBuffer is the memory of one open spill file.
const spillBuffer = 64 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// spillFile is batches of one schema on disk, written once and read once. It is unlinked as soon as it is open, so a
// killed process leaves nothing behind.
//
//	frame: length uint32 │ crc32c uint32 │ column.EncodeBatch
type spillFile struct {
	schema *column.Schema
	f      *os.File
	w      *bufio.Writer
	buf    []byte
	rows   int64
	bytes  int64
	at     int64 // bytes of all frames
}

func newSpillFile(tc *rdd.TaskContext, schema *column.Schema) (*spillFile, error) {
	dir, _ := tc.Services[SpillDir].(string)
	f, err := os.CreateTemp(dir, "spill-*")
	if err != nil {
		return nil, fmt.Errorf("physical: spill: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("physical: spill: %w", err), f.Close())
	}
	return &spillFile{schema: schema, f: f, w: bufio.NewWriterSize(f, spillBuffer)}, nil
}

func (s *spillFile) write(b *column.Batch) error {
	if b.N == 0 {
		return nil
	}
	s.buf = column.EncodeBatch(append(s.buf[:0], make([]byte, 8)...), b)
	body := s.buf[8:]
	binary.LittleEndian.PutUint32(s.buf[0:], uint32(len(body)))
	binary.LittleEndian.PutUint32(s.buf[4:], crc32.Checksum(body, castagnoli))
	s.rows += int64(b.N)
	s.bytes += int64(len(body))
	s.at += int64(len(s.buf))
	if _, err := s.w.Write(s.buf); err != nil {
		return fmt.Errorf("physical: spill: %w", err)
	}
	return nil
}

// read starts reading from the beginning; nothing may be written afterwards. The file goes when the reader is closed.
func (s *spillFile) read() (rdd.Reader, error) {
	r, err := s.again()
	if err == nil {
		r.last = true
	}
	return r, err
}

// again is read for a file that will be read once more: closing the reader leaves it.
func (s *spillFile) again() (*spillReader, error) {
	if s.w != nil {
		if err := s.w.Flush(); err != nil {
			return nil, fmt.Errorf("physical: spill: %w", err)
		}
		s.w, s.buf = nil, nil
	}
	return &spillReader{s: s, r: bufio.NewReaderSize(io.NewSectionReader(s.f, 0, math.MaxInt64), spillBuffer)}, nil
}

func (s *spillFile) close() error { return s.f.Close() }

type spillReader struct {
	s    *spillFile
	r    *bufio.Reader
	buf  []byte
	out  *column.Batch
	last bool // closing it closes the file
}

func (r *spillReader) Next() (*column.Batch, error) {
	var head [8]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		if err == io.EOF {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("physical: spill: %w", err)
	}
	r.buf = resize(r.buf, int(binary.LittleEndian.Uint32(head[:])))
	if _, err := io.ReadFull(r.r, r.buf); err != nil {
		return nil, fmt.Errorf("physical: spill: %w", err)
	}
	if crc32.Checksum(r.buf, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errors.New("physical: spill file is damaged: checksum differs")
	}
	var err error
	r.out, err = column.DecodeBatch(r.s.schema, r.buf, r.out)
	return r.out, err
}

func (r *spillReader) Close() error {
	if !r.last {
		return nil
	}
	return r.s.close()
}

// spillSet is spill files by hash.
type spillSet struct {
	tc     *rdd.TaskContext
	schema *column.Schema
	shift  uint
	files  []*spillFile
	sel    [spillParts][]int32
	out    *column.Batch
}

// newSpillSet cuts rows by four bits of their hash that neither the exchange (the top bits) nor a shallower cut used.
func newSpillSet(tc *rdd.TaskContext, schema *column.Schema, depth int) *spillSet {
	return &spillSet{tc: tc, schema: schema, shift: uint(32 + 4*depth), files: make([]*spillFile, spillParts)}
}

// write cuts b by its rows' hashes.
func (s *spillSet) write(b *column.Batch, hashes []uint64) error {
	b = s.plain(b)
	for p := range s.sel {
		s.sel[p] = s.sel[p][:0]
	}
	for i, h := range hashes[:b.N] {
		p := h >> s.shift & (spillParts - 1)
		s.sel[p] = append(s.sel[p], int32(i))
	}
	for p, sel := range s.sel {
		if len(sel) == 0 {
			continue
		}
		if s.files[p] == nil {
			f, err := newSpillFile(s.tc, s.schema)
			if err != nil {
				return err
			}
			s.files[p] = f
		}
		s.out = column.TakeBatch(s.out, b, sel)
		if err := s.files[p].write(s.out); err != nil {
			return err
		}
	}
	return nil
}

// plain is b without dictionaries that are larger than the few rows that will go to one file.
func (s *spillSet) plain(b *column.Batch) *column.Batch {
	out := b
	for i, c := range b.Cols {
		if c.Codes == nil || c.Dict.N < b.N/spillParts {
			continue
		}
		if out == b {
			out = column.NewBatch(b.Schema, b.N, append([]*column.Vector{}, b.Cols...)...)
		}
		out.Cols[i] = column.Plain(c)
	}
	return out
}

// rows is how many rows were written.
func (s *spillSet) rows() (n int64) {
	for _, f := range s.files {
		if f != nil {
			n += f.rows
		}
	}
	return n
}

// closed is close where an error is being put together.
func (s *spillSet) closed() error {
	s.close()
	return nil
}

func (s *spillSet) close() {
	for i, f := range s.files {
		if f != nil {
			_ = f.close() // already unlinked: nothing is lost
			s.files[i] = nil
		}
	}
}
