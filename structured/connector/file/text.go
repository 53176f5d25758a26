package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
)

// textFormat reads lines, or with wholetext whole files, as rows of one column, and writes rows of one column of strings as lines.
type textFormat struct{}

// Text is the provider of text files.
var Text = register(textFormat{})

func (textFormat) name() string { return "text" }

func (textFormat) infer(context.Context, []entry, Options) (*column.Schema, error) {
	return &column.Schema{Fields: []column.Field{{Name: "value", Type: column.Of(column.String), Nullable: true}}}, nil
}

func (textFormat) splits(_ context.Context, files []entry, schema *column.Schema, _ []int, _ []expr.Expr, opt Options) ([]rdd.Split, string, error) {
	if err := oneText(schema); err != nil {
		return nil, "", err
	}
	s, err := spans(files, opt.WholeText)
	return s, "", err
}

// oneText refuses columns that lines of text cannot have.
func oneText(s *column.Schema) error {
	if len(s.Fields) != 1 || s.Fields[0].Type.Kind != column.String {
		return usererr.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", "The Text datasource has one column of type string, not %s.", s).
			WithFix("Select one column, cast to STRING, besides those of directories.")
	}
	return nil
}

func (textFormat) checkWrite(s *column.Schema) error { return oneText(s) }

func (textFormat) open(r *reader, data []byte) (splitReader, error) {
	if r.s.Options.WholeText {
		var s span
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, fmt.Errorf("file: split: %w", err)
		}
		return &wholeReader{r: r, path: s.Path}, nil
	}
	in, err := openLines(data)
	if err != nil {
		return nil, err
	}
	return &textReader{r: r, in: in}, nil
}

// textReader reads lines.
type textReader struct {
	r  *reader
	in *lineReader
}

func (t *textReader) next() (*column.Batch, error) {
	b, n := column.NewBatchBuilder(t.r.out()), 0
	for ; n < column.BatchRows; n++ {
		line, err := t.in.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(b.Cols) > 0 {
			b.Cols[0].AppendBytes(line)
		}
	}
	if n == 0 {
		return nil, io.EOF
	}
	out := b.Finish()
	out.N = n
	return out, nil
}

func (t *textReader) close() error { return t.in.close() }

// wholeReader reads a file as one row.
type wholeReader struct {
	r    *reader
	path string
	done bool
}

func (w *wholeReader) next() (*column.Batch, error) {
	if w.done {
		return nil, io.EOF
	}
	w.done = true
	in, err := openText(w.path, 0)
	if err != nil {
		return nil, err
	}
	all, err := io.ReadAll(in)
	if err = errors.Join(err, in.close()); err != nil {
		return nil, fmt.Errorf("file: %s: %w", w.path, err)
	}
	b := column.NewBatchBuilder(w.r.out())
	if len(b.Cols) > 0 {
		b.Cols[0].AppendBytes(all)
	}
	out := b.Finish()
	out.N = 1
	return out, nil
}

func (w *wholeReader) close() error { return nil }

// textWriter writes a line for each row; a null is an empty one.
type textWriter struct {
	w      io.Writer
	finish func() error
	buf    []byte
}

func (textFormat) writer(w io.Writer, _ *column.Schema, opt Options) (writer, error) {
	out, finish, err := behindCompressor(w, opt)
	if err != nil {
		return nil, err
	}
	return &textWriter{w: out, finish: finish}, nil
}

func (t *textWriter) write(b *column.Batch) error {
	v := b.Cols[0]
	t.buf = t.buf[:0]
	for i := range b.N {
		if v.IsValid(i) {
			t.buf = append(t.buf, v.Bytes(i)...)
		}
		t.buf = append(t.buf, '\n')
	}
	_, err := t.w.Write(t.buf)
	return err
}

func (t *textWriter) close() error { return t.finish() }
