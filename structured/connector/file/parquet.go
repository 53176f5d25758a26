package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
)

// parquetFormat reads and writes Parquet files of flat columns: a split is a row group, and row groups whose statistics
// exclude a filter are not read.
type parquetFormat struct{}

// Parquet is the provider of Parquet files.
var Parquet = register(parquetFormat{})

func (parquetFormat) name() string { return "parquet" }

// infer takes the first file's schema.
func (parquetFormat) infer(_ context.Context, files []entry, _ Options) (*column.Schema, error) {
	f, err := openParquet(files[0].path)
	if err != nil {
		return nil, err
	}
	s, _, err := parquetSchema(f.MetaData().Schema)
	return s, errors.Join(inFile(err, files[0].path), f.Close())
}

func openParquet(path string) (*file.Reader, error) {
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		return nil, usererr.New("CANNOT_READ_FILE_FOOTER", "KD001", "The file is no Parquet file: %v.", err).In(path)
	}
	return f, nil
}

func inFile(err error, path string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("file: %s: %w", path, err)
}

// rowGroup is a split.
type rowGroup struct {
	Path  string
	Group int
}

func (parquetFormat) splits(_ context.Context, files []entry, schema *column.Schema, columns []int, filters []expr.Expr, _ Options) ([]rdd.Split, string, error) {
	var out []rdd.Split
	all := 0
	for _, e := range files {
		f, err := openParquet(e.path)
		if err != nil {
			return nil, "", err
		}
		all += f.NumRowGroups()
		out, err = groupSplits(out, f, e.path, schema, columns, filters)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, "", inFile(err, e.path)
		}
	}
	return out, fmt.Sprintf("%d files, row groups %d of %d", len(files), len(out), all), nil
}

func groupSplits(out []rdd.Split, f *file.Reader, path string, schema *column.Schema, columns []int, filters []expr.Expr) ([]rdd.Split, error) {
	have, leaves, err := parquetSchema(f.MetaData().Schema)
	if err != nil {
		return nil, err
	}
	for g := range f.NumRowGroups() {
		meta := f.MetaData().RowGroup(g)
		bound := func(c int) (lo, hi *expr.Literal) {
			at := have.Index(schema.Fields[columns[c]].Name)
			if at < 0 {
				return nil, nil
			}
			return groupBounds(meta, at, leaves[at])
		}
		if excluded(filters, bound) {
			continue
		}
		data, err := json.Marshal(rowGroup{path, g})
		if err != nil {
			return nil, err
		}
		out = append(out, rdd.Split{Data: data, Rows: meta.NumRows(), Bytes: max(meta.TotalByteSize(), 1)})
	}
	return out, nil
}

// groupBounds are the least and greatest value of a column in a row group, nil when the file does not tell.
func groupBounds(meta *metadata.RowGroupMetaData, at int, leaf parquetLeaf) (lo, hi *expr.Literal) {
	chunk, err := meta.ColumnChunk(at)
	if err != nil {
		return nil, nil
	}
	stats, err := chunk.Statistics()
	if err != nil || stats == nil || !stats.HasMinMax() {
		return nil, nil
	}
	switch s := stats.(type) {
	case *metadata.Int32Statistics:
		lo, hi = leaf.literal(int64(s.Min())), leaf.literal(int64(s.Max()))
	case *metadata.Int64Statistics:
		lo, hi = leaf.literal(s.Min()), leaf.literal(s.Max())
	case *metadata.ByteArrayStatistics:
		if leaf.typ.Kind == column.String {
			lo, hi = &expr.Literal{Value: string(s.Min()), Typ: leaf.typ}, &expr.Literal{Value: string(s.Max()), Typ: leaf.typ}
		}
	}
	return lo, hi
}

// open reads a row group.
func (parquetFormat) open(r *reader, data []byte) (splitReader, error) {
	var g rowGroup
	if err := json.Unmarshal(data, &g); err != nil {
		return nil, fmt.Errorf("file: split: %w", err)
	}
	f, err := openParquet(g.Path)
	if err != nil {
		return nil, err
	}
	p, err := newGroupReader(r, f, g)
	if err != nil {
		return nil, errors.Join(inFile(err, g.Path), f.Close())
	}
	return p, nil
}
