package file

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/streamflow/streamflow/rdd"
)

// span is a split of a text file: the lines that begin in [From, To). To < 0 is the end of the file.
type span struct {
	Path     string
	From, To int64
}

// spanBytes is about how much of a text file one split reads.
const spanBytes = 32 << 20

// spans cuts text files at line borders; a compressed file, or one whose records may hold line breaks, stays whole.
func spans(files []entry, whole bool) ([]rdd.Split, error) {
	var out []rdd.Split
	for _, f := range files {
		n := int64(1)
		if !whole && !compressed(f.path) {
			n = max(1, f.size/spanBytes)
		}
		for i := range n {
			s := span{Path: f.path, From: f.size * i / n, To: f.size * (i + 1) / n}
			if i == n-1 {
				s.To = -1
			}
			data, err := json.Marshal(s)
			if err != nil {
				return nil, fmt.Errorf("file: split: %w", err)
			}
			out = append(out, rdd.Split{Data: data, Bytes: max(f.size/n, 1)})
		}
	}
	return out, nil
}

func compressed(path string) bool {
	for _, ext := range []string{".gz", ".zst", ".bz2", ".deflate"} {
		if strings.HasSuffix(path, ext) {
			return true
		}
	}
	return false
}

// opened is a text file read through its decompressor.
type opened struct {
	io.Reader
	closers []func() error
}

func openText(path string, from int64) (*opened, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	o := &opened{Reader: f, closers: []func() error{f.Close}}
	switch {
	case strings.HasSuffix(path, ".gz"):
		z, err := gzip.NewReader(bufio.NewReaderSize(f, 256<<10))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("file: %s: %w", path, err), f.Close())
		}
		o.Reader, o.closers = z, append(o.closers, z.Close)
	case strings.HasSuffix(path, ".zst"):
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("file: %s: %w", path, err), f.Close())
		}
		o.Reader, o.closers = z, append(o.closers, func() error { z.Close(); return nil })
	case strings.HasSuffix(path, ".bz2"):
		o.Reader = bzip2.NewReader(bufio.NewReaderSize(f, 256<<10))
	case strings.HasSuffix(path, ".deflate"):
		z, err := zlib.NewReader(bufio.NewReaderSize(f, 256<<10))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("file: %s: %w", path, err), f.Close())
		}
		o.Reader, o.closers = z, append(o.closers, z.Close)
	case from > 0:
		if _, err := f.Seek(from, io.SeekStart); err != nil {
			return nil, errors.Join(fmt.Errorf("file: %s: %w", path, err), f.Close())
		}
	}
	return o, nil
}

func (o *opened) close() error {
	var err error
	for i := len(o.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, o.closers[i]())
	}
	return err
}

// lineReader yields the lines of a span without their ends.
type lineReader struct {
	path string
	in   *opened
	r    *bufio.Reader
	at   int64 // offset of the next line
	to   int64
	n    int // lines read
	long []byte
}

func openLines(data []byte) (*lineReader, error) {
	var s span
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("file: split: %w", err)
	}
	// A span that does not begin the file begins in the middle of a line: reading starts one byte earlier, so that a line
	// that begins exactly there is found behind the line break before it.
	from := max(s.From-1, 0)
	in, err := openText(s.Path, from)
	if err != nil {
		return nil, err
	}
	l := &lineReader{path: s.Path, in: in, r: bufio.NewReaderSize(in, 256<<10), at: from, to: s.To}
	if s.From > 0 {
		if _, err := l.read(); err != nil && err != io.EOF {
			return nil, errors.Join(err, in.close())
		}
	}
	return l, nil
}

// next is the next line that begins in the span. It is valid until the following call.
func (l *lineReader) next() ([]byte, error) {
	if l.to >= 0 && l.at >= l.to {
		return nil, io.EOF
	}
	line, err := l.read()
	if err == nil {
		l.n++
	}
	return line, err
}

func (l *lineReader) read() ([]byte, error) {
	l.long = l.long[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		l.at += int64(len(part))
		if err == bufio.ErrBufferFull {
			l.long = append(l.long, part...)
			continue
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("file: %s: %w", l.path, err)
		}
		line := part
		if len(l.long) > 0 {
			l.long = append(l.long, part...)
			line = l.long
		}
		if err == io.EOF && len(line) == 0 {
			return nil, io.EOF
		}
		return trimEnd(line), nil
	}
}

func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// place is where the line read last stands, counted from the beginning of the span.
func (l *lineReader) place() (path string, line int) { return l.path, l.n }

func (l *lineReader) close() error { return l.in.close() }

// behindCompressor puts a text writer behind its compressor.
func behindCompressor(w io.Writer, opt Options) (io.Writer, func() error, error) {
	switch opt.Compression {
	case "gzip":
		z := gzip.NewWriter(w)
		return z, z.Close, nil
	case "zstd":
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, nil, fmt.Errorf("file: %w", err)
		}
		return z, z.Close, nil
	}
	return w, func() error { return nil }, nil
}
