package shuffle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pierrec/lz4/v4"

	"github.com/streamflow/streamflow/column"
)

// The layout of data and index files; docs/format/shuffle.md draws it.
const (
	dataMagic  = "SFshufD\x01" // the last byte is the version
	indexMagic = "SFshufI\x01"
	blockHead  = 24 // a multiple of 8: the batch behind it is read in place
	plain      = 0
	lz4Block   = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// file is an output's data file. While it is written the index is in memory; finish writes it too, and reading goes by
// the index file, so that what is read is what is on disk.
type file struct {
	path     string
	data     *os.File
	schema   *column.Schema
	index    [][]block
	end      int64
	compress bool

	raw, packed []byte // scratch
	lz          lz4.Compressor
}

// block is one encoded batch in the data file.
type block struct{ off, size int64 }

func createFile(path string, schema *column.Schema, parts int, compress bool) (*file, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	data, err := os.Create(path + ".data")
	if err != nil {
		return nil, err
	}
	f := &file{path: path, data: data, schema: schema, index: make([][]block, parts), compress: compress}
	return f, f.write([]byte(dataMagic))
}

func (f *file) write(b []byte) error {
	n, err := f.data.Write(b)
	f.end += int64(n)
	return err
}

// append writes a batch as the next block of a partition.
func (f *file) append(part int, b *column.Batch) error {
	f.raw = column.EncodeBatch(f.raw[:0], b)
	payload, kind := f.raw, byte(plain)
	if f.compress {
		bound := lz4.CompressBlockBound(len(f.raw))
		if cap(f.packed) < bound {
			f.packed = make([]byte, bound)
		}
		n, err := f.lz.CompressBlock(f.raw, f.packed[:bound])
		if err == nil && n > 0 && n < len(f.raw) {
			payload, kind = f.packed[:n], lz4Block
		}
	}
	var head [blockHead]byte
	head[0] = kind
	binary.LittleEndian.PutUint32(head[4:], uint32(b.N))
	binary.LittleEndian.PutUint32(head[8:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(head[12:], uint32(len(f.raw)))
	crc := crc32.Update(crc32.Checksum(head[:20], castagnoli), castagnoli, payload)
	binary.LittleEndian.PutUint32(head[20:], crc)
	f.index[part] = append(f.index[part], block{f.end, int64(blockHead + len(payload))})
	if err := f.write(head[:]); err != nil {
		return err
	}
	return f.write(payload)
}

// finish writes the index beside the data. The index is there in whole or not at all.
func (f *file) finish() error {
	f.raw, f.packed = nil, nil
	if err := f.data.Close(); err != nil {
		return err
	}
	f.data = nil
	tmp := f.path + ".index.tmp"
	if err := os.WriteFile(tmp, encodeIndex(f.index, f.end), 0o644); err != nil {
		return err
	}
	f.index = nil
	return os.Rename(tmp, f.path+".index")
}

func (f *file) remove() {
	if f.data != nil {
		f.data.Close()
	}
	os.Remove(f.path + ".data")
	os.Remove(f.path + ".index")
	os.Remove(filepath.Dir(f.path)) // the last one out
	os.Remove(filepath.Dir(filepath.Dir(f.path)))
}

// open starts to read one partition.
func (f *file) open(part int, schema *column.Schema) (*blockReader, error) {
	b, err := os.ReadFile(f.path + ".index")
	if err != nil {
		return nil, lost(err)
	}
	blocks, err := decodeIndex(b, part)
	if err != nil {
		return nil, lost(fmt.Errorf("%s.index: %w", f.path, err))
	}
	r := &blockReader{path: f.path + ".data", blocks: blocks, schema: schema}
	if len(blocks) == 0 {
		return r, nil
	}
	if r.data, err = os.Open(r.path); err != nil {
		return nil, lost(err)
	}
	magic := make([]byte, len(dataMagic))
	if _, err := r.data.ReadAt(magic, 0); err != nil || string(magic) != dataMagic {
		r.close()
		return nil, lost(fmt.Errorf("%s: no data file of this version", r.path))
	}
	return r, nil
}

func lost(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: file removed", ErrLost)
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// blockReader reads the blocks of one partition one after the other, with one buffer.
type blockReader struct {
	path   string
	data   *os.File
	schema *column.Schema
	blocks []block
	buf    []byte
	raw    []byte
	batch  *column.Batch
}

func (r *blockReader) next() (*column.Batch, error) {
	if len(r.blocks) == 0 {
		return nil, io.EOF
	}
	at := r.blocks[0]
	r.blocks = r.blocks[1:]
	b, err := r.read(at)
	if err != nil {
		return nil, lost(fmt.Errorf("%s at byte %d: %w", r.path, at.off, err))
	}
	return b, nil
}

func (r *blockReader) read(at block) (*column.Batch, error) {
	if int64(cap(r.buf)) < at.size {
		r.buf = make([]byte, at.size+at.size/4)
	}
	buf := r.buf[:at.size]
	if _, err := r.data.ReadAt(buf, at.off); err != nil {
		return nil, err
	}
	payload, rows, err := r.unpack(buf)
	if err != nil {
		return nil, err
	}
	b, err := column.DecodeBatch(r.schema, payload, r.batch)
	if err != nil {
		return nil, err
	}
	if b.N != rows {
		return nil, fmt.Errorf("%d rows instead of %d", b.N, rows)
	}
	r.batch = b
	return b, nil
}

// unpack checks a block and returns its batch's bytes and row count.
func (r *blockReader) unpack(b []byte) ([]byte, int, error) {
	if len(b) < blockHead {
		return nil, 0, errors.New("short block")
	}
	head, payload := b[:blockHead], b[blockHead:]
	crc := crc32.Update(crc32.Checksum(head[:20], castagnoli), castagnoli, payload)
	if crc != binary.LittleEndian.Uint32(head[20:]) {
		return nil, 0, errors.New("checksum mismatch")
	}
	rows, size, rawSize := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:]), binary.LittleEndian.Uint32(head[12:])
	if int(size) != len(payload) {
		return nil, 0, errors.New("wrong length")
	}
	switch head[0] {
	case plain:
		return payload, int(rows), nil
	case lz4Block:
		if rawSize > 255*size+64 { // lz4 cannot shrink further
			return nil, 0, errors.New("wrong raw length")
		}
		if cap(r.raw) < int(rawSize) {
			r.raw = make([]byte, rawSize)
		}
		n, err := lz4.UncompressBlock(payload, r.raw[:rawSize])
		if err != nil {
			return nil, 0, err
		}
		if n != int(rawSize) {
			return nil, 0, errors.New("wrong raw length")
		}
		return r.raw[:n], int(rows), nil
	}
	return nil, 0, fmt.Errorf("unknown compression %d", head[0])
}

func (r *blockReader) close() {
	if r != nil && r.data != nil {
		r.data.Close()
		r.data = nil
	}
}
