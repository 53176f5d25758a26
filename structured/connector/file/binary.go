package file

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
)

// binaryFormat reads whole files, a row each: path, time of the last change, length, and content where it is asked for.
type binaryFormat struct{}

// Binary is the provider of files as they are.
var Binary = register(binaryFormat{})

// binarySchema is that of Spark's binaryFile.
var binarySchema = &column.Schema{Fields: []column.Field{
	{Name: "path", Type: column.Of(column.String)}, {Name: "modificationTime", Type: column.Of(column.Timestamp)},
	{Name: "length", Type: column.Of(column.Int64)}, {Name: "content", Type: column.Of(column.Binary), Nullable: true},
}}

func (binaryFormat) name() string { return "binaryfile" }

func (binaryFormat) infer(context.Context, []entry, Options) (*column.Schema, error) {
	return binarySchema, nil
}

func (binaryFormat) splits(_ context.Context, files []entry, schema *column.Schema, _ []int, _ []expr.Expr, _ Options) ([]rdd.Split, string, error) {
	for i, f := range schema.Fields {
		if i >= len(binarySchema.Fields) || f.Name != binarySchema.Fields[i].Name || !f.Type.Equal(binarySchema.Fields[i].Type) {
			return nil, "", usererr.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", "The binaryFile datasource has the columns %s, not %s.", binarySchema, schema).WithFix("Leave the columns out.")
		}
	}
	s, err := spans(files, true)
	return s, "", err
}

func (binaryFormat) open(r *reader, data []byte) (splitReader, error) {
	var s span
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("file: split: %w", err)
	}
	return &binaryReader{r: r, path: s.Path}, nil
}

func (b binaryFormat) writer(io.Writer, *column.Schema, Options) (writer, error) {
	return nil, b.checkWrite(nil)
}

func (binaryFormat) checkWrite(*column.Schema) error {
	return usererr.New("UNSUPPORTED_INSERT.NOT_WRITABLE", "42809", "Data source binaryFile cannot be written.").WithFix("Write text or parquet.")
}

type binaryReader struct {
	r    *reader
	path string
	done bool
}

func (b *binaryReader) next() (*column.Batch, error) {
	if b.done {
		return nil, io.EOF
	}
	b.done = true
	info, err := os.Stat(b.path)
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	row := column.NewBatchBuilder(b.r.out())
	for i, f := range b.r.out().Fields {
		switch f.Name {
		case "path":
			row.Cols[i].AppendString(b.path)
		case "modificationTime":
			row.Cols[i].AppendI64(info.ModTime().UnixMicro())
		case "length":
			row.Cols[i].AppendI64(info.Size())
		case "content":
			content, err := os.ReadFile(b.path)
			if err != nil {
				return nil, fmt.Errorf("file: %w", err)
			}
			row.Cols[i].AppendBytes(content)
		}
	}
	out := row.Finish()
	out.N = 1
	return out, nil
}

func (b *binaryReader) close() error { return nil }
