package file

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// jsonFormat reads and writes JSON lines: one object a line.
type jsonFormat struct{}

// JSON is the provider of json files.
var JSON = register(jsonFormat{})

func (jsonFormat) name() string { return "json" }

func (jsonFormat) splits(_ context.Context, files []entry, _ *column.Schema, _ []int, _ []expr.Expr, _ Options) ([]rdd.Split, string, error) {
	s, err := spans(files, false)
	return s, "", err
}

// open reads the objects of a span into the columns asked for.
func (jsonFormat) open(r *reader, data []byte) (splitReader, error) {
	lines, err := openLines(data)
	if err != nil {
		return nil, err
	}
	j := &jsonReader{r: r, lines: lines}
	// An object without any column asked for must still be read, to know whether it is one.
	j.scan = column.NewJSONScanner(r.out())
	return j, nil
}

type jsonReader struct {
	r     *reader
	lines *lineReader
	scan  *column.JSONScanner
	out   *column.Batch
}

func (j *jsonReader) next() (*column.Batch, error) {
	for j.scan.Len() < column.BatchRows {
		line, err := j.lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := j.scan.Scan(line); err != nil {
			if err := j.malformed(line, err); err != nil {
				return nil, err
			}
		}
	}
	if j.scan.Len() == 0 {
		return nil, io.EOF
	}
	j.out = j.scan.Finish(j.out)
	return j.out, nil
}

// malformed handles a line that is no object of the schema according to the mode.
func (j *jsonReader) malformed(line []byte, cause error) error {
	switch j.r.s.Options.Mode {
	case failFast:
		return malformed(j.lines.path, j.lines.n, "%v", cause)
	case dropMalformed:
		return j.r.setAside(line, fmt.Errorf("%s:%d: %w", j.lines.path, j.lines.n, cause))
	}
	return j.scan.Scan([]byte("{}"))
}

func (j *jsonReader) close() error { return j.lines.close() }

type jsonWriter struct {
	w      io.Writer
	finish func() error
	opt    Options
	buf    []byte
}

func (jsonFormat) writer(w io.Writer, _ *column.Schema, opt Options) (writer, error) {
	out, finish, err := behindCompressor(w, opt)
	if err != nil {
		return nil, err
	}
	return &jsonWriter{w: out, finish: finish, opt: opt}, nil
}

func (j *jsonWriter) write(b *column.Batch) error {
	for i := 0; i < b.N; i++ {
		j.buf = column.AppendJSONRow(j.buf, b, i, len(b.Cols), j.opt.Location)
		j.buf = append(j.buf, '\n')
		if len(j.buf) > 64<<10 {
			if err := j.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *jsonWriter) flush() error {
	_, err := j.w.Write(j.buf)
	j.buf = j.buf[:0]
	return err
}

func (j *jsonWriter) close() error {
	if err := j.flush(); err != nil {
		return err
	}
	return j.finish()
}
