package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
)

// ColumnsOption holds the names that a table's columns have in its files, as a JSON list beside the declared columns: a column
// that was renamed keeps its old name there, and one that was dropped leaves its name unused.
const ColumnsOption = "streamflow.file.columns"

// storedNames is schema under the names in files; nil when they are the same.
func storedNames(schema *column.Schema, names string) (*column.Schema, error) {
	if names == "" {
		return nil, nil
	}
	var list []string
	if err := json.Unmarshal([]byte(names), &list); err != nil || len(list) != len(schema.Fields) {
		return nil, fmt.Errorf("file: the option %s does not fit the columns: %s", ColumnsOption, names)
	}
	out := &column.Schema{Fields: append([]column.Field{}, schema.Fields...)}
	for i, n := range list {
		out.Fields[i].Name = n
	}
	return out, nil
}

// inFiles are the columns under the names that files have them by.
func (t *Table) inFiles() *column.Schema {
	if t.stored != nil {
		return t.stored
	}
	return t.schema
}

func (t *Table) files() ([]entry, error) {
	if t.frozen {
		return t.now, nil
	}
	return t.list()
}

// Rewrite is the table with the files that it has now.
func (t *Table) Rewrite(context.Context) (connector.Writer, error) {
	if len(t.paths) != 1 || strings.ContainsAny(t.paths[0], "*?[") {
		return nil, usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Table %s has no single directory to write to.", t.name)
	}
	if info, err := os.Stat(strings.TrimPrefix(t.paths[0], "file://")); err == nil && !info.IsDir() {
		return nil, usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Table %s is a single file, which is not changed in place.", t.name).WithFix("Make it a directory: CREATE TABLE … LOCATION 'dir' AS SELECT * FROM %s.", t.name)
	}
	now := *t
	now.frozen = true
	var err error
	now.now, err = t.list()
	return &now, err
}

// Replaces are the files that overwriting the table takes out of it; nil for all.
func (t *Table) Replaces() []string {
	if !t.frozen {
		return nil
	}
	paths := make([]string, len(t.now))
	for i, e := range t.now {
		paths[i] = e.path
	}
	return paths
}

func (t *Table) replaces(req connector.WriteRequest) []string {
	if req.Replaces != nil {
		return req.Replaces
	}
	return t.Replaces()
}

// Partitions are the directories of the table that carry values, such as "year=2024/country=DE"; known is false when there are none
// and none are to be.
func (t *Table) Partitions() (dirs []string, known bool, err error) {
	files, err := t.files()
	if err != nil {
		return nil, false, err
	}
	for _, f := range files {
		var parts []string
		for _, v := range f.values {
			value := v.value
			if v.null {
				value = nullDir
			}
			parts = append(parts, v.name+"="+value)
		}
		if dir := strings.Join(parts, "/"); dir != "" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return dirs, len(dirs) > 0 || t.options[connector.PartitionByOption] != "", nil
}

// Prepare makes the directory of a table that has been declared.
func (p Provider) Prepare(def catalog.TableDef) error {
	dir := strings.TrimPrefix(def.Options[PathOption], "file://")
	if def.Schema == nil || strings.ContainsAny(dir, "*?[\x00") {
		return nil
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("file: make table directory: %w", err)
	}
	return nil
}

// Remove removes the directory of a table that has been dropped.
func (p Provider) Remove(def catalog.TableDef) error {
	if err := os.RemoveAll(strings.TrimPrefix(def.Options[PathOption], "file://")); err != nil {
		return fmt.Errorf("file: remove table: %w", err)
	}
	return nil
}

// ColumnNames are the names that a definition's columns have in its files.
func ColumnNames(def catalog.TableDef) ([]string, error) {
	s, err := storedNames(def.Schema, def.Options[ColumnsOption])
	if err != nil {
		return nil, err
	}
	if s == nil {
		s = def.Schema
	}
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names, nil
}
