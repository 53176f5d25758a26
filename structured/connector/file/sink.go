package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// PlanWrite writes into the table's directory, which is made when it is not there.
func (t *Table) PlanWrite(_ context.Context, req connector.WriteRequest) (connector.Sink, error) {
	if len(t.paths) != 1 || strings.ContainsAny(t.paths[0], "*?[") {
		return nil, usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Table %s has no single directory to write to.", t.name)
	}
	if req.Mode == connector.Update {
		return nil, usererr.New("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "42KDE", "Files cannot take output mode update: rows in them do not change.").
			WithFix("Use output mode append, or complete to replace all rows with each batch.")
	}
	if t.schema != nil && len(t.schema.Fields) > 0 {
		if err := fits(t, req); err != nil {
			return nil, err
		}
	}
	dir := strings.TrimPrefix(t.paths[0], "file://")
	by, err := t.partitionColumns(req.Schema)
	if err != nil {
		return nil, err
	}
	if c, ok := t.format.(writeChecker); ok {
		if err := c.checkWrite(newDivider(req.Schema, by, t.opt.Location).data); err != nil {
			return nil, err
		}
	}
	schema := req.Schema
	if t.stored != nil {
		schema = t.stored
	}
	op := &Stage{Dir: dir, Format: t.format.name(), Schema: schema, Options: t.opt, PartitionBy: by}
	return &sink{fs: t.fs, dir: dir, alone: uuid.NewString(), replace: req.Overwrite || req.Mode == connector.Complete, only: t.replaces(req), op: op}, nil
}

// partitionColumns are the columns that become directories: those asked for, or those of the directories that are there.
func (t *Table) partitionColumns(schema *column.Schema) ([]int, error) {
	var names []string
	if by := t.options[connector.PartitionByOption]; by != "" {
		names = strings.Split(by, PathSeparator)
	} else if files, err := t.list(); err == nil {
		if names, err = partitionNames(files); err != nil {
			return nil, err
		}
	}
	var out []int
	for _, n := range names {
		at := slices.IndexFunc(schema.Fields, func(f column.Field) bool { return strings.EqualFold(f.Name, n) })
		switch {
		case at < 0:
			return nil, usererr.New("PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA", "42000", "The partition column %s is not among the columns written: %s.", n, schema).
				WithFix("Add the column, or leave it out of partitionBy.")
		case schema.Fields[at].Type.IsNested() || schema.Fields[at].Type.Kind == column.Binary:
			return nil, usererr.New("INVALID_PARTITION_COLUMN_DATA_TYPE", "0A000", "Column %s of type %s cannot name directories.", n, schema.Fields[at].Type).
				WithFix("Partition by text, numbers or dates.")
		}
		out = append(out, at)
	}
	if len(out) > 0 && len(out) == len(schema.Fields) {
		return nil, usererr.New("ALL_PARTITION_COLUMNS_NOT_ALLOWED", "KD005", "All columns written are partition columns: nothing is left for the files.").
			WithFix("Leave one column out of partitionBy.")
	}
	return out, nil
}

func fits(t *Table, req connector.WriteRequest) error {
	if len(req.Schema.Fields) != len(t.schema.Fields) {
		return usererr.New("INSERT_COLUMN_ARITY_MISMATCH", "21S01", "Table %s has %d columns, the rows have %d.", t.name, len(t.schema.Fields), len(req.Schema.Fields))
	}
	for i, f := range t.schema.Fields {
		if got := req.Schema.Fields[i].Type; !got.Equal(f.Type) {
			return usererr.New("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000", "Column %s of table %s is %s, the rows have %s.", f.Name, t.name, f.Type, got).
				WithFix("Cast it: CAST(%s AS %s).", f.Name, f.Type)
		}
	}
	return nil
}

// cleanName makes a query's name fit for file names; two names never become one.
func cleanName(s string) string {
	var b strings.Builder
	for _, r := range []byte(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteByte(r)
		default:
			fmt.Fprintf(&b, "_%02x", r)
		}
	}
	return b.String()
}

type sink struct {
	fs      vfs.FS
	dir     string
	alone   string // names the write when its transaction has no name
	replace bool
	only    []string // it replaces these files; nil: those that there are when it is published
	op      *Stage
}

// writeParam tells the tasks the name of their write.
const writeParam = "file.write"

// write is the part of file names that belongs to a transaction: a process that starts again finds the same.
func (s *sink) write(tx connector.Tx) string {
	if tx.Query == "" {
		return s.alone
	}
	return cleanName(tx.Life())
}

func (s *sink) Op() rdd.Operator  { return s.op }
func (s *sink) Guarantee() string { return "exactly-once: files appear by the manifest of their batch" }

// Begin makes the directory.
func (s *sink) Begin(_ context.Context, tx connector.Tx) (map[string]string, error) {
	if err := vfs.MakeDir(s.fs, filepath.Join(s.dir, manifestDir)); err != nil {
		return nil, fmt.Errorf("file: make table directory: %w", err)
	}
	return map[string]string{writeParam: s.write(tx)}, nil
}

// Publish commits the batch by its manifest, then names its files and removes what it replaces and what other attempts
// left behind.
func (s *sink) Publish(ctx context.Context, tx connector.Tx, tokens [][]byte) error {
	path := filepath.Join(s.dir, manifestDir, manifestName(s.write(tx), tx.Batch))
	m, err := s.committed(path)
	if err != nil {
		return err
	}
	if m == nil {
		if m, err = s.commit(path, tx, tokens); err != nil {
			return err
		}
	}
	dirs := map[string]bool{}
	for _, f := range m.Files {
		if sub := filepath.Dir(f.Name); sub != "." && !dirs[sub] {
			dirs[sub] = true
			if err := vfs.MakeDir(s.fs, filepath.Join(s.dir, sub)); err != nil {
				return fmt.Errorf("file: publish: %w", err)
			}
		}
		err := s.fs.Rename(filepath.Join(s.dir, f.Staged), filepath.Join(s.dir, f.Name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("file: publish: %w", err)
		}
	}
	for _, name := range m.Gone {
		if err := s.fs.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("file: publish: %w", err)
		}
	}
	for sub := range dirs {
		if err := s.fs.SyncDir(filepath.Join(s.dir, sub)); err != nil {
			return err
		}
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return err
	}
	if err := s.forget(tx); err != nil {
		return err
	}
	return s.Abort(ctx, tx)
}

// forget removes the manifests of the write's earlier batches: their files have their names, and they will not be
// published again.
func (s *sink) forget(tx connector.Tx) error {
	dir := filepath.Join(s.dir, manifestDir)
	names, err := s.fs.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("file: publish: %w", err)
	}
	now := manifestName(s.write(tx), tx.Batch)
	for _, n := range names {
		if len(n) != len(now) || !strings.HasPrefix(n, s.write(tx)+"-") || n >= now {
			continue
		}
		if err := s.fs.Remove(filepath.Join(dir, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("file: publish: %w", err)
		}
	}
	return nil
}

// committed is the batch's manifest if it is there.
func (s *sink) committed(path string) (*manifest, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("file: read manifest: %w", err)
	}
	m, err := decodeManifest(data)
	if err != nil {
		return nil, usererr.New("DAMAGED_MANIFEST", "58030", "A manifest of the table cannot be read: %v.", err).In(path)
	}
	return m, nil
}

// commit writes the manifest under another name, syncs it and renames it.
func (s *sink) commit(path string, tx connector.Tx, tokens [][]byte) (*manifest, error) {
	before, err := readManifests(s.dir)
	if err != nil {
		return nil, err
	}
	m := &manifest{Seq: before.last() + 1, Write: s.write(tx), Batch: tx.Batch, Replace: s.replace}
	for _, tok := range tokens {
		var f staged
		if err := json.Unmarshal(tok, &f); err != nil {
			return nil, fmt.Errorf("file: sink token: %w", err)
		}
		m.Files = append(m.Files, f)
	}
	if len(m.Files) == 0 && !s.replace {
		return m, nil
	}
	if s.replace {
		if m.Gone, err = s.gone(); err != nil {
			return nil, err
		}
	}
	data, err := m.encode()
	if err != nil {
		return nil, fmt.Errorf("file: manifest: %w", err)
	}
	if err := writeSynced(s.fs, path, data); err != nil {
		return nil, fmt.Errorf("file: manifest: %w", err)
	}
	return m, nil
}

// gone are the files that the write replaces, as names in the directory.
func (s *sink) gone() ([]string, error) {
	paths := s.only
	if paths == nil {
		now, err := under(s.dir)
		if err != nil {
			return nil, err
		}
		for _, e := range now {
			paths = append(paths, e.path)
		}
	}
	var out []string
	for _, p := range paths {
		rel, err := filepath.Rel(s.dir, p)
		if err != nil {
			return nil, fmt.Errorf("file: publish: %w", err)
		}
		out = append(out, rel)
	}
	return out, nil
}

// Abort removes the staged files of a batch that is not committed, and of attempts that lost.
func (s *sink) Abort(_ context.Context, tx connector.Tx) error {
	names, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("file: abort: %w", err)
	}
	for _, n := range names {
		if !strings.HasPrefix(n, stagedPrefix(s.write(tx), tx.Batch)) {
			continue
		}
		if err := s.fs.Remove(filepath.Join(s.dir, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("file: abort: %w", err)
		}
	}
	return nil
}

func stagedPrefix(write string, batch int64) string {
	return fmt.Sprintf(".staged-%s-%d-", write, batch)
}

// writeSynced writes a file so that after a crash it is there whole or not at all.
func writeSynced(fs vfs.FS, path string, data []byte) error {
	if err := vfs.WriteFile(fs, path, data); err != nil {
		return err
	}
	return fs.SyncDir(filepath.Dir(path))
}
