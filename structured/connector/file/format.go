package file

import (
	"context"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// format is one kind of file.
type format interface {
	// name is the provider's name, and the extension of files written.
	name() string
	// infer finds the schema of the files.
	infer(ctx context.Context, files []entry, opt Options) (*column.Schema, error)
	// splits cuts the files; filters are bound to columns, positions in schema.
	splits(ctx context.Context, files []entry, schema *column.Schema, columns []int, filters []expr.Expr, opt Options) (list []rdd.Split, note string, err error)
	// open reads a split.
	open(r *reader, split []byte) (splitReader, error)
	// writer writes batches of schema to w.
	writer(w io.Writer, schema *column.Schema, opt Options) (writer, error)
}

// writeChecker is a format that cannot write rows of any columns; what checkWrite returns is why.
type writeChecker interface{ checkWrite(s *column.Schema) error }

// writer encodes batches into a file. Close finishes the file but does not close what it writes to.
type writer interface {
	write(b *column.Batch) error
	close() error
}

// formats are the formats by name.
var formats = map[string]format{}

func register(f format) Provider {
	formats[f.name()] = f
	return Provider{format: f}
}

// entry is a file of a table.
type entry struct {
	path   string
	size   int64
	values []dirValue // of the directories name=value between the table's path and the file
}
