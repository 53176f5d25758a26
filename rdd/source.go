package rdd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/codec"
)

// Parallelize cuts rows into partitions; parts 0 takes the context's number.
func Parallelize[T any](c *Context, rows []T, parts int) Dataset[T] {
	if parts <= 0 {
		parts = c.parts
	}
	return Dataset[T]{c, func(context.Context) (*RDD, error) {
		data := make([][]byte, parts)
		for p := range parts {
			data[p] = codec.EncodeAs(rows[p*len(rows)/parts : (p+1)*len(rows)/parts])
		}
		r := c.node("parallelize", general(rowKind[T](), parallel[T]()), parts, nil)
		r.Op.(*Apply).Data = data
		return r, nil
	}}
}

func parallel[T any]() build {
	return func(a *Apply, tc *TaskContext, _ []Reader) (Reader, error) {
		rows, err := codec.DecodeAs[[]T](a.Data[tc.Partition])
		if err != nil {
			return nil, err
		}
		return whole(func(*TaskContext, []Reader) ([]T, error) { return rows, nil })(a, tc, nil)
	}
}

// textSplit is a byte range of a text file. A line belongs to the range that its first byte is in.
type textSplit struct {
	Path     string
	From, To int64
}

// TextFile reads the lines of the files that match a pattern, such as logs/*.txt. Files are cut into about parts pieces;
// 0 takes the context's number.
func TextFile(c *Context, pattern string, parts int) Dataset[string] {
	if parts <= 0 {
		parts = c.parts
	}
	return Dataset[string]{c, func(context.Context) (*RDD, error) {
		splits, err := textSplits(pattern, parts)
		if err != nil {
			return nil, err
		}
		r := c.node("textFile", "textFile", len(splits), nil)
		for _, s := range splits {
			r.Op.(*Apply).Data = append(r.Op.(*Apply).Data, codec.EncodeAs(s))
		}
		return r, nil
	}}
}

func init() { functions.Store("textFile", build(openText)) }

func textSplits(pattern string, parts int) ([]textSplit, error) {
	paths, err := filepath.Glob(pattern)
	if err == nil && len(paths) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("rdd: text file %s: %w", pattern, err)
	}
	total := int64(0)
	sizes := make([]int64, len(paths))
	for i, path := range paths {
		st, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("rdd: text file: %w", err)
		}
		sizes[i] = st.Size()
		total += sizes[i]
	}
	size := max(total/int64(parts), 1)
	var splits []textSplit
	for i, path := range paths {
		for at := int64(0); at < sizes[i]; at += size {
			splits = append(splits, textSplit{path, at, min(at+size, sizes[i])})
		}
	}
	return splits, nil
}

func openText(a *Apply, tc *TaskContext, _ []Reader) (Reader, error) {
	s, err := codec.DecodeAs[textSplit](a.Data[tc.Partition])
	if err != nil {
		return nil, err
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, fmt.Errorf("rdd: text file: %w", err)
	}
	r := &textReader{f: f, at: s.From, to: s.To}
	if err := r.seek(); err != nil {
		f.Close()
		return nil, fmt.Errorf("rdd: text file %s: %w", s.Path, err)
	}
	return r, nil
}

type textReader struct {
	f      *os.File
	b      *bufio.Reader
	at, to int64 // at is the start of the next line
}

// seek goes to the first line that starts in the range. Reading from the byte before it to the end of that line finds it,
// also when a line starts right at the range's first byte.
func (r *textReader) seek() error {
	if r.at == 0 {
		r.b = bufio.NewReaderSize(r.f, 64<<10)
		return nil
	}
	if _, err := r.f.Seek(r.at-1, io.SeekStart); err != nil {
		return err
	}
	r.b = bufio.NewReaderSize(r.f, 64<<10)
	rest, err := r.b.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	r.at += int64(len(rest)) - 1
	return nil
}

func (r *textReader) Next() (*column.Batch, error) {
	var lines []string
	for r.at < r.to && len(lines) < column.BatchRows {
		line, err := r.b.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if len(line) == 0 {
			break
		}
		r.at += int64(len(line))
		lines = append(lines, string(bytes.TrimRight(line, "\r\n")))
	}
	if len(lines) == 0 {
		return nil, io.EOF
	}
	return rowBatch(lines), nil
}

func (r *textReader) Close() error { return r.f.Close() }
