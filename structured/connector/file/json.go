package file

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// jsonFormat reads and writes JSON lines: one object a line.
type jsonFormat struct{}

// JSON is the provider of json files.
var JSON = register(jsonFormat{})

func (jsonFormat) name() string { return "json" }

func (jsonFormat) splits(_ context.Context, files []entry, _ *column.Schema, _ []int, _ []expr.Expr, opt Options) ([]rdd.Split, string, error) {
	s, err := spans(files, opt.MultiLine)
	return s, "", err
}

// records are the texts of a file's objects; next is valid until the following call.
type records interface {
	next() ([]byte, error)
	place() (path string, line int)
	close() error
}

// openObjects opens the objects of a span: its lines, or with multiLine the values of the file.
func openObjects(data []byte, opt *Options) (records, error) {
	if !opt.MultiLine {
		return openLines(data)
	}
	var s span
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("file: split: %w", err)
	}
	return openValues(s.Path)
}

// open reads the objects of a span into the columns asked for.
func (jsonFormat) open(r *reader, data []byte) (splitReader, error) {
	in, err := openObjects(data, &r.s.Options)
	if err != nil {
		return nil, err
	}
	j := &jsonReader{r: r, in: in}
	// An object without any column asked for must still be read, to know whether it is one. Whether one is whole, only all
	// its columns tell.
	schema := r.out()
	if at := corruptAt(r.s.Schema, &r.s.Options); at >= 0 && slices.Contains(r.s.Columns, at) {
		schema, j.corrupt, j.pick = r.s.Schema, r.s.Schema.Fields[at].Name, r.s.Columns
	}
	j.scan = column.NewJSONScanner(schema)
	return j, nil
}

type jsonReader struct {
	r       *reader
	in      records
	scan    *column.JSONScanner
	corrupt string // the column that gets what cannot be read, empty for none
	pick    []int  // the columns produced of those scanned, nil for all
	out     *column.Batch
	picked  column.Batch
}

func (j *jsonReader) next() (*column.Batch, error) {
	for j.scan.Len() < column.BatchRows {
		line, err := j.in.next()
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
	if j.pick == nil {
		return j.out, nil
	}
	j.picked.Schema, j.picked.N, j.picked.Cols = j.r.out(), j.out.N, j.picked.Cols[:0]
	for _, c := range j.pick {
		j.picked.Cols = append(j.picked.Cols, j.out.Cols[c])
	}
	return &j.picked, nil
}

// malformed handles a text that is no object of the schema according to the mode.
func (j *jsonReader) malformed(text []byte, cause error) error {
	path, line := j.in.place()
	switch j.r.s.Options.Mode {
	case failFast:
		return malformed(path, line, "%v", cause)
	case dropMalformed:
		return j.r.setAside(text, fmt.Errorf("%s:%d: %w", path, line, cause))
	}
	if j.corrupt == "" {
		return j.scan.Scan([]byte("{}"))
	}
	kept, err := json.Marshal(map[string]string{j.corrupt: string(text)})
	if err != nil {
		return fmt.Errorf("file: %s: %w", path, err)
	}
	return j.scan.Scan(kept)
}

func (j *jsonReader) close() error { return j.in.close() }

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
