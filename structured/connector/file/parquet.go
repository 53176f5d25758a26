package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/column/parquet"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// parquetFormat reads and writes Parquet: a split is a row group, and row groups whose statistics exclude a filter are
// not read.
type parquetFormat struct{}

// Parquet is the provider of Parquet files.
var Parquet = register(parquetFormat{})

func (parquetFormat) name() string { return "parquet" }

// parquetFile is an open file.
type parquetFile struct {
	*parquet.File
	f *os.File
}

func openParquet(path string) (*parquetFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("file: %w", err), f.Close())
	}
	p, err := footers.open(f, info)
	if err != nil {
		bad := usererr.New(unreadableFooter, "KD001", "The file is no Parquet file that can be read: %v.", err).In(path)
		return nil, errors.Join(bad, f.Close())
	}
	return &parquetFile{p, f}, nil
}

// unreadableFooter is the condition of a file that is no Parquet file.
const unreadableFooter = "CANNOT_READ_FILE_FOOTER"

// infer takes the first file's schema, or the columns of all files.
func (parquetFormat) infer(_ context.Context, files []entry, opt Options) (*column.Schema, error) {
	var out *column.Schema
	for i, f := range files {
		p, err := openParquet(f.path)
		if err != nil && opt.ignores(err) && i < len(files)-1 {
			continue
		}
		if err != nil {
			return nil, err
		}
		s, err := p.Schema(), p.f.Close()
		if err == nil && out != nil {
			s, err = merged(out, s, f.path)
		}
		if out = s; err != nil || !opt.MergeSchema {
			return out, err
		}
	}
	return out, nil
}

// merged are the columns of both, those of have first.
func merged(have, more *column.Schema, path string) (*column.Schema, error) {
	out := &column.Schema{Fields: slices.Clone(have.Fields)}
	for _, f := range more.Fields {
		at := slices.IndexFunc(out.Fields, func(h column.Field) bool { return strings.EqualFold(h.Name, f.Name) })
		switch {
		case at < 0:
			f.Nullable = true
			out.Fields = append(out.Fields, f)
		case !out.Fields[at].Type.Equal(f.Type):
			return nil, usererr.New("CANNOT_MERGE_SCHEMAS", "42KD9", "Column %s is %s in some files and %s in this one.", f.Name, out.Fields[at].Type, f.Type).In(path).
				WithFix("Declare the columns, or read the files as two tables.")
		}
	}
	for i, f := range out.Fields {
		out.Fields[i].Nullable = f.Nullable || more.Index(f.Name) < 0
	}
	return out, nil
}

// rowGroup is a split.
type rowGroup struct {
	Path  string
	Group int
}

func (parquetFormat) splits(_ context.Context, files []entry, schema *column.Schema, columns []int, filters []expr.Expr, opt Options) ([]rdd.Split, string, error) {
	var out []rdd.Split
	all := 0
	for _, e := range files {
		p, err := openParquet(e.path)
		if err != nil && opt.ignores(err) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		all += p.RowGroups()
		for g := range p.RowGroups() {
			if connector.Excluded(filters, func(c int) (lo, hi any) { return p.bounds(g, schema.Fields[columns[c]]) }) {
				continue
			}
			data, err := json.Marshal(rowGroup{e.path, g})
			if err != nil {
				return nil, "", errors.Join(fmt.Errorf("file: split: %w", err), p.f.Close())
			}
			out = append(out, rdd.Split{Data: data, Rows: p.RowGroupRows(g), Bytes: max(p.RowGroupBytes(g), 1)})
		}
		if err := p.f.Close(); err != nil {
			return nil, "", fmt.Errorf("file: %w", err)
		}
	}
	return out, fmt.Sprintf("%d file%s, row groups %d of %d", len(files), plural(len(files)), len(out), all), nil
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// bounds are the least and greatest value of a column in a row group, nil when the file does not tell.
func (p *parquetFile) bounds(group int, f column.Field) (lo, hi any) {
	at := p.Schema().Index(f.Name)
	if at < 0 || !p.Schema().Fields[at].Type.Equal(f.Type) {
		return nil, nil
	}
	s := p.Stats(group, at)
	return s.Min, s.Max
}

// open reads a row group, none when the keys of a join exclude it. A column that the file does not have is null.
func (parquetFormat) open(r *reader, data []byte) (splitReader, error) {
	var g rowGroup
	if err := json.Unmarshal(data, &g); err != nil {
		return nil, fmt.Errorf("file: split: %w", err)
	}
	p, err := openParquet(g.Path)
	if err != nil {
		return nil, err
	}
	if r.excluded(func(f column.Field) (lo, hi any) { return p.bounds(g.Group, f) }) {
		return nil, p.f.Close()
	}
	out := &groupReader{p: p, path: g.Path, out: column.Batch{Schema: r.out()}}
	var cols []int
	for _, f := range out.out.Schema.Fields {
		at := p.Schema().Index(f.Name)
		out.at = append(out.at, -1)
		if at < 0 {
			continue
		}
		if have := p.Schema().Fields[at].Type; !have.Equal(f.Type) {
			bad := usererr.New("PARQUET_COLUMN_DATA_TYPE_MISMATCH", "KD001", "Column %s is %s in the file and %s in the table.", f.Name, have, f.Type).In(g.Path)
			return nil, errors.Join(bad, p.f.Close())
		}
		out.at[len(out.at)-1] = len(cols)
		cols = append(cols, at)
	}
	if out.rows, err = p.Read(g.Group, cols); err != nil {
		return nil, errors.Join(fmt.Errorf("file: %s: %w", g.Path, err), p.f.Close())
	}
	return out, nil
}

// groupReader reads the columns of one row group side by side.
type groupReader struct {
	p    *parquetFile
	path string
	rows *parquet.Rows
	at   []int // place of each column among those read, -1 for one that the file does not have
	out  column.Batch

	first  []int
	chosen column.Batch
}

func (g *groupReader) next() (*column.Batch, error) {
	b, err := g.rows.Next()
	if err == io.EOF {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("file: %s: %w", g.path, err)
	}
	return g.placed(&g.out, b), nil
}

// placed puts the columns read into their places in out.
func (g *groupReader) placed(out, b *column.Batch) *column.Batch {
	out.N, out.Cols = b.N, out.Cols[:0]
	for i, at := range g.at {
		if at < 0 {
			out.Cols = append(out.Cols, column.Nulls(out.Schema.Fields[i].Type, b.N))
		} else {
			out.Cols = append(out.Cols, b.Cols[at])
		}
	}
	return out
}

func (g *groupReader) nextFirst(first []int) (*column.Batch, error) {
	g.first = g.first[:0]
	for _, c := range first {
		if at := g.at[c]; at >= 0 {
			g.first = append(g.first, at)
		}
	}
	b, err := g.rows.NextFirst(g.first)
	if err == io.EOF {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("file: %s: %w", g.path, err)
	}
	return g.placed(&g.out, b), nil
}

func (g *groupReader) rest(sel []int32) (*column.Batch, error) {
	b, err := g.rows.Rest(sel)
	if err != nil {
		return nil, fmt.Errorf("file: %s: %w", g.path, err)
	}
	g.chosen.Schema = g.out.Schema
	return g.placed(&g.chosen, b), nil
}

func (g *groupReader) close() error { return g.p.f.Close() }

// groupRows is the number of rows of the row groups that we write: enough to compress well, few enough to be shared out.
const groupRows = 128 << 10

type parquetWriter struct{ w *parquet.Writer }

func (parquetFormat) writer(w io.Writer, s *column.Schema, opt Options) (writer, error) {
	p, err := parquet.NewWriter(w, s, parquet.Options{Compression: opt.Compression, RowGroupRows: groupRows})
	if err != nil {
		return nil, err
	}
	return &parquetWriter{p}, nil
}

func (p *parquetWriter) write(b *column.Batch) error { return p.w.Write(b) }
func (p *parquetWriter) close() error                { return p.w.Close() }
