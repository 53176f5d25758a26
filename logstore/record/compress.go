package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// compress appends src, compressed, to dst.
func compress(c Codec, dst, src []byte) ([]byte, error) {
	switch c {
	case None:
		return append(dst, src...), nil
	case Snappy:
		return append(dst, s2.EncodeSnappy(nil, src)...), nil
	case Zstd:
		e := zstdEncoders.Get().(*zstd.Encoder)
		defer zstdEncoders.Put(e)
		return e.EncodeAll(src, dst), nil
	case Gzip:
		w := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(w)
		return compressStream(w, dst, src)
	case LZ4:
		w := lz4Writers.Get().(*lz4.Writer)
		defer lz4Writers.Put(w)
		return compressStream(w, dst, src)
	}
	return nil, fmt.Errorf("record: cannot write %v", c)
}

type resettableWriter interface {
	io.WriteCloser
	Reset(io.Writer)
}

func compressStream(w resettableWriter, dst, src []byte) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	w.Reset(buf)
	if _, err := w.Write(src); err != nil {
		return nil, fmt.Errorf("record: compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("record: compress: %w", err)
	}
	return buf.Bytes(), nil
}

// decompress appends src, decompressed, to dst. More than limit bytes are an error.
func decompress(c Codec, dst, src []byte, limit int) ([]byte, error) {
	out, err := decompressAny(c, dst, src, limit)
	if err != nil {
		return nil, fmt.Errorf("%w: %v payload: %w", ErrCorrupt, c, err)
	}
	return out, nil
}

var errTooLong = errors.New("it decompresses to more than is allowed")

func decompressAny(c Codec, dst, src []byte, limit int) ([]byte, error) {
	switch c {
	case None:
		return append(dst, src...), nil
	case Snappy:
		return decompressSnappy(dst, src, limit)
	case Zstd:
		d := zstdDecoders.Get().(*zstd.Decoder)
		defer zstdDecoders.Put(d)
		out, err := d.DecodeAll(src, dst)
		if err == nil && len(out)-len(dst) > limit {
			err = errTooLong
		}
		return out, err
	case Gzip:
		r := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(r)
		if err := r.Reset(bytes.NewReader(src)); err != nil {
			return nil, err
		}
		return readAll(dst, r, limit)
	case LZ4:
		r := lz4Readers.Get().(*lz4.Reader)
		defer lz4Readers.Put(r)
		r.Reset(bytes.NewReader(src))
		return readAll(dst, r, limit)
	}
	return nil, errors.New("unknown codec")
}

// readAll appends what r holds to dst.
func readAll(dst []byte, r io.Reader, limit int) ([]byte, error) {
	start := len(dst)
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > limit:
			return nil, errTooLong
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return nil, err
		}
	}
}

// xerialMagic starts the framing that Java's snappy library puts around snappy blocks: magic, two versions, and then
// blocks with a length before each.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

const xerialHeader = 16

func decompressSnappy(dst, src []byte, limit int) ([]byte, error) {
	if len(src) < xerialHeader || !bytes.HasPrefix(src, xerialMagic) {
		return decodeBlock(dst, src, limit)
	}
	start := len(dst)
	for src = src[xerialHeader:]; len(src) > 0; {
		if len(src) < 4 {
			return nil, io.ErrUnexpectedEOF
		}
		n := int64(binary.BigEndian.Uint32(src))
		if n > int64(len(src)-4) {
			return nil, io.ErrUnexpectedEOF
		}
		var err error
		if dst, err = decodeBlock(dst, src[4:4+n], limit-(len(dst)-start)); err != nil {
			return nil, err
		}
		src = src[4+n:]
	}
	return dst, nil
}

func decodeBlock(dst, block []byte, limit int) ([]byte, error) {
	n, err := s2.DecodedLen(block)
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, errTooLong
	}
	at := len(dst)
	dst = append(dst, make([]byte, n)...)
	if _, err := s2.Decode(dst[at:], block); err != nil {
		return nil, err
	}
	return dst, nil
}

var (
	zstdEncoders = sync.Pool{New: func() any { return must(zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))) }}
	zstdDecoders = sync.Pool{New: func() any {
		return must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxDecoded)))
	}}
	gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
	gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}
	lz4Writers  = sync.Pool{New: func() any { return lz4.NewWriter(nil) }}
	lz4Readers  = sync.Pool{New: func() any { return lz4.NewReader(nil) }}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic("BUG: codec options: " + err.Error())
	}
	return v
}
