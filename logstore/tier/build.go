package tier

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// built is an object that is ready to be put: a file on this node's disk, and what the manifest will say of it.
type built struct {
	entry Entry
	table *Table
	file  *os.File
}

func (b *built) body() Body { return Body{ReaderAt: b.file, Size: b.entry.Size, CRC: b.entry.CRC} }

// discard removes the file.
func (b *built) discard() { _ = errors.Join(b.file.Close(), os.Remove(b.file.Name())) }

// format writes the batches of a segment in a format.
type format interface {
	// add takes the next batch, which is valid during the call.
	add(b record.Batch) error
	// finish writes what is left; table gets its blocks, and its encoding becomes part of the object. It returns the length
	// of the end that says where everything is.
	finish(t *Table) (tail int64, err error)
}

// errNoRows is what a format returns that cannot hold the segment; the raw format takes everything.
var errNoRows = errors.New("tier: nothing of the segment fits the topic's schema")

// source is what an object is made of: the batches of a sealed segment from the offset from on.
type source struct {
	topic     *Topic
	partition int32
	sealed    *logstore.Sealed
	from      int64
	prev      []byte // the snapshot before them, if there is one
}

// build makes an object in a file of the directory dir.
func build(ctx context.Context, dir string, src source) (*built, error) {
	if src.topic.columnar() {
		out, err := buildAs(ctx, dir, Parquet, src)
		if !errors.Is(err, errNoRows) {
			return out, err
		}
	}
	return buildAs(ctx, dir, Raw, src)
}

func buildAs(ctx context.Context, dir string, kind Kind, src source) (_ *built, err error) {
	s := src.sealed
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("tier: %w", err)
	}
	file, err := os.CreateTemp(dir, "object-*")
	if err != nil {
		return nil, fmt.Errorf("tier: %w", err)
	}
	out := &built{file: file, table: &Table{}, entry: Entry{
		Kind: kind, Base: max(src.from, s.Summary.Base), Next: s.Summary.Next, MinTimestamp: -1, MaxTimestamp: -1, Appended: s.Summary.Appended, LastEpoch: -1,
	}}
	defer func() {
		if err != nil {
			out.discard()
		}
	}()
	w := &sumWriter{w: bufio.NewWriterSize(file, copyBlock)}
	f, err := newFormat(kind, w, src)
	if err != nil {
		return nil, err
	}
	if err := out.fill(ctx, f, s, src.prev); err != nil {
		return nil, err
	}
	if out.entry.Tail, err = f.finish(out.table); err != nil {
		return nil, err
	}
	if err := w.w.Flush(); err != nil {
		return nil, fmt.Errorf("tier: %w", err)
	}
	out.entry.Size, out.entry.CRC = w.n, w.crc
	if err := out.sum(); err != nil {
		return nil, err
	}
	out.entry.TailCRC, err = sumRange(file, w.n-out.entry.Tail, out.entry.Tail)
	return out, err
}

func newFormat(kind Kind, w io.Writer, src source) (format, error) {
	if kind == Parquet {
		return newParquetFormat(w, src)
	}
	return &rawFormat{w: w}, nil
}

// fill reads the segment. Each batch has passed its CRC.
func (b *built) fill(ctx context.Context, f format, s *logstore.Sealed, prev []byte) error {
	replay, err := logstore.NewReplay(prev)
	if err != nil {
		return err
	}
	next := b.entry.Base
	err = s.Segment().Scan(b.entry.Base, func(_ int64, batch record.Batch) (bool, error) {
		switch {
		case batch.BaseOffset() < b.entry.Base: // replicas cut segments in different places, but never batches
			return false, fmt.Errorf("tier: a batch begins at offset %d, the archive ends at %d", batch.BaseOffset(), b.entry.Base)
		case batch.BaseOffset() != next:
			return false, fmt.Errorf("tier: offset %d follows %d", batch.BaseOffset(), next-1)
		}
		next = batch.LastOffset() + 1
		b.entry.Bytes += int64(len(batch))
		b.entry.LastEpoch = max(b.entry.LastEpoch, batch.LeaderEpoch())
		if err := replay.Add(batch, s.Summary.Appended); err != nil {
			return false, err
		}
		if err := f.add(batch); err != nil {
			return false, err
		}
		return true, ctx.Err()
	})
	if err == nil && next != b.entry.Next {
		err = fmt.Errorf("tier: a segment ends at offset %d, its summary says %d", next, b.entry.Next)
	}
	if err != nil {
		return err
	}
	for _, a := range s.Aborted {
		if a.Last >= b.entry.Base {
			b.table.Aborted = append(b.table.Aborted, a)
		}
	}
	b.table.Snapshot = replay.Snapshot(next, b.entry.Base, s.Summary.Appended-producerMemoryMs)
	return nil
}

// producerMemoryMs is how long a silent producer stays in snapshots.
const producerMemoryMs = 24 * 3600 * 1000

// sum adds the blocks up.
func (b *built) sum() error {
	for _, k := range b.table.Blocks {
		b.entry.Records += k.Records
		if k.MinTimestamp >= 0 && (b.entry.MinTimestamp < 0 || k.MinTimestamp < b.entry.MinTimestamp) {
			b.entry.MinTimestamp = k.MinTimestamp
		}
		b.entry.MaxTimestamp = max(b.entry.MaxTimestamp, k.MaxTimestamp)
	}
	if n := len(b.table.Blocks); n == 0 || b.table.Blocks[0].Base != b.entry.Base || b.table.Blocks[n-1].Next != b.entry.Next {
		return fmt.Errorf("tier: an object of offsets %d to %d has %d blocks that do not cover them", b.entry.Base, b.entry.Next, n)
	}
	return b.table.check()
}

func sumRange(r io.ReaderAt, from, n int64) (uint32, error) {
	h := crc32.New(castagnoli)
	if _, err := io.Copy(h, io.NewSectionReader(r, from, n)); err != nil {
		return 0, fmt.Errorf("tier: %w", err)
	}
	return h.Sum32(), nil
}

// sumWriter counts and sums what passes.
type sumWriter struct {
	w   *bufio.Writer
	n   int64
	crc uint32
}

func (s *sumWriter) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	s.n += int64(n)
	s.crc = crc32.Update(s.crc, castagnoli, b[:n])
	return n, err
}

// note takes a batch into the block; its records' times are known only by the header.
func (k *Block) note(b record.Batch) {
	if k.Bytes == 0 {
		k.Base, k.MinTimestamp, k.MaxTimestamp = b.BaseOffset(), -1, -1
	}
	k.Next, k.Bytes = b.LastOffset()+1, k.Bytes+int64(len(b))
	k.CRC = crc32.Update(k.CRC, castagnoli, b)
	if !b.Attributes().IsControl() {
		k.Records += int64(b.Count())
		k.MaxTimestamp = max(k.MaxTimestamp, b.MaxTimestamp())
	}
}

// rawFormat is the batches one after the other, then the table, its length, and the magic.
type rawFormat struct {
	w      io.Writer
	pos    int64
	block  Block
	blocks []Block
}

const (
	rawMagic  = "SFTOB\x00\x00\x01" // the last byte is the version
	rawFooter = 4 + len(rawMagic)
	rawBlock  = 4 << 20
)

func (f *rawFormat) add(b record.Batch) error {
	if f.block.Bytes > 0 && f.block.Bytes+int64(len(b)) > rawBlock {
		f.cut()
	}
	if f.block.Bytes == 0 {
		f.block.Pos = f.pos
	}
	f.block.note(b)
	f.pos += int64(len(b))
	_, err := f.w.Write(b)
	return err
}

func (f *rawFormat) cut() {
	f.blocks = append(f.blocks, f.block)
	f.block = Block{}
}

func (f *rawFormat) finish(t *Table) (int64, error) {
	if f.block.Bytes > 0 {
		f.cut()
	}
	t.Blocks = f.blocks
	b := t.encode()
	n := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	b = append(b, rawMagic...)
	_, err := f.w.Write(b)
	return int64(len(b)), err
}

// rawTable finds the table in the end of a raw object.
func rawTable(tail []byte) (*Table, error) {
	if len(tail) < rawFooter || string(tail[len(tail)-len(rawMagic):]) != rawMagic {
		return nil, errors.New("tier: not an object of this version")
	}
	n := len(tail) - rawFooter
	if int(binary.LittleEndian.Uint32(tail[n:])) != n {
		return nil, errors.New("tier: an object's table does not have the length that the manifest says")
	}
	return decodeTable(tail[:n])
}
