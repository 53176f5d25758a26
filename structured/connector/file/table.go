package file

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// Table is files of one format under one or more paths.
type Table struct {
	name    string
	format  format
	paths   []string
	schema  *column.Schema
	options map[string]string
	opt     Options
	stored  *column.Schema // the columns under the names that they have in files; nil: those of schema
	now     []entry        // the files of a table that is being changed; nil: those that are there
	frozen  bool
	fs      vfs.FS // that it is written to
}

// Provider opens file tables of one format: "parquet", "csv" or "json". It is registered with the catalog by that name.
type Provider struct {
	format format
	fs     vfs.FS
}

// On is the provider with tables that are written to a file system. Tasks find the same one by FilesName.
func (p Provider) On(fs vfs.FS) Provider { return Provider{p.format, fs} }

// PathOption is the option that holds a table's path; several are separated by PathSeparator.
const (
	PathOption    = "path"
	PathSeparator = "\x00"
)

// Open opens a table from its declaration. Without a schema it is found in the files.
func (p Provider) Open(ctx context.Context, def catalog.TableDef) (logical.Table, error) {
	path := def.Options[PathOption]
	if path == "" {
		return nil, usererr.New("INVALID_OPTION", "42616", "Table %s has no path.", def.Name).WithFix("Give it LOCATION '…' or the option path.")
	}
	t, err := Open(ctx, p.format.name(), def.Name, strings.Split(path, PathSeparator), def.Schema, def.Options)
	if err != nil {
		return nil, err
	}
	if p.fs != nil {
		t.fs = p.fs
	}
	return t, nil
}

// Open opens a table of a format. schema may be nil; a table without files then has no columns until it is written.
func Open(ctx context.Context, formatName, name string, paths []string, schema *column.Schema, options map[string]string) (*Table, error) {
	f := formats[formatName]
	if f == nil {
		return nil, usererr.New("DATA_SOURCE_NOT_FOUND", "42K02", "There is no file format %q.", formatName).WithFix("Use parquet, csv, json, text or binaryFile.")
	}
	opt, err := parseOptions(formatName, options)
	if err != nil {
		return nil, err
	}
	t := &Table{fs: vfs.OS, name: name, format: f, paths: paths, schema: schema, options: options, opt: opt}
	if t.schema != nil {
		t.stored, err = storedNames(schema, options[ColumnsOption])
		return t, err
	}
	files, err := t.list()
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, usererr.New("UNABLE_TO_INFER_SCHEMA", "42KD9", "There are no %s files under %s to find the columns in.", formatName, strings.Join(paths, ", ")).
			WithFix("Check the path, or declare the columns.").With("format", formatName)
	}
	if t.schema, err = f.infer(ctx, files, opt); err != nil {
		return nil, err
	}
	names, err := partitionNames(files)
	if err != nil {
		return nil, err
	}
	t.schema = withPartitions(t.schema, partitionFields(files, names, opt.Location))
	return t, nil
}

func (t *Table) Name() string               { return t.name }
func (t *Table) Schema() *column.Schema     { return t.schema }
func (t *Table) Hidden() int                { return 0 }
func (t *Table) Provider() string           { return t.format.name() }
func (t *Table) Options() map[string]string { return t.options }

// Files are the paths of the table's files now, none when they cannot be listed.
func (t *Table) Files() []string {
	files, err := t.files()
	if err != nil {
		return nil
	}
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.path
	}
	return paths
}

// PlanScan lists the files and cuts them into splits, largest first into the emptiest partition.
func (t *Table) PlanScan(ctx context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	files, err := t.files()
	if err != nil {
		return nil, err
	}
	names, err := partitionNames(files)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		return t.planParts(ctx, req, files, names)
	}
	splits, note, err := t.format.splits(ctx, files, t.inFiles(), req.Columns, req.Filters, t.opt)
	if err != nil {
		return nil, err
	}
	if note == "" {
		note = fmt.Sprintf("%d files", len(files))
	}
	op := &Scan{Format: t.format.name(), Schema: t.inFiles(), Columns: req.Columns, Options: t.opt}
	return &connector.Scan{Op: op, Splits: spread(splits, max(req.Partitions, 1)), Residual: req.Filters, Note: note}, nil
}

// spread deals splits out so that partitions have about equal bytes. Within a partition they keep their order.
func spread(splits []rdd.Split, parts int) [][]rdd.Split {
	parts = max(1, min(parts, len(splits)))
	order := make([]int, len(splits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(min(1, max(-1, splits[b].Bytes-splits[a].Bytes))) })
	load := make([]int64, parts)
	chosen := make([][]int, parts)
	for _, i := range order {
		least := 0
		for p := range load {
			if load[p] < load[least] {
				least = p
			}
		}
		load[least] += splits[i].Bytes + 1
		chosen[least] = append(chosen[least], i)
	}
	out := make([][]rdd.Split, parts)
	for p, list := range chosen {
		slices.Sort(list)
		for _, i := range list {
			out[p] = append(out[p], splits[i])
		}
	}
	return out
}
