package file

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// A table's directories may carry values of columns that its files do not have, as Hive and Spark lay tables out:
//
//	sales/year=2024/country=DE/part-00000.parquet     year is 2024 and country DE in each row of the file
//
// Such a column is the table's last, unless the table declares another place; its type is found in the values of all
// directories. A query that asks for some values reads only their directories.

// nullDir is the value of a directory that holds rows whose column is null, or empty.
const nullDir = "__HIVE_DEFAULT_PARTITION__"

// dirValue is a directory name=value.
type dirValue struct {
	name, value string
	null        bool
}

// dirValues reads the directories of a file's path below its table's.
func dirValues(rel string) []dirValue {
	var out []dirValue
	for _, dir := range strings.Split(filepath.ToSlash(filepath.Dir(rel)), "/") {
		name, value, ok := strings.Cut(dir, "=")
		if !ok || name == "" {
			continue
		}
		out = append(out, dirValue{unescapeDir(name), unescapeDir(value), value == nullDir})
	}
	return out
}

func unescapeDir(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// escapedInDirs are the characters that Spark writes as %XX in names of directories, besides control characters.
const escapedInDirs = "\"#%'*/:=?\\\x7f{}[]^"

// escapeDir writes a name or a value so that it can be part of a directory's name.
func escapeDir(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || strings.IndexByte(escapedInDirs, c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// partitionNames are the columns that the directories of the files name, the same for all files.
func partitionNames(files []entry) ([]string, error) {
	var names []string
	for i, f := range files {
		var have []string
		for _, v := range f.values {
			have = append(have, v.name)
		}
		if i > 0 && !slices.EqualFunc(names, have, strings.EqualFold) {
			return nil, usererr.New("CONFLICTING_PARTITION_COLUMN_NAMES", "KD009", "The directories of %s and %s name different columns: [%s] and [%s].",
				files[0].path, f.path, strings.Join(names, ", "), strings.Join(have, ", ")).WithFix("Read the directories of each kind as a table of its own.")
		}
		names = have
	}
	return names, nil
}

// partitionFields are those columns with the types of their values.
func partitionFields(files []entry, names []string, loc *time.Location) []column.Field {
	out := make([]column.Field, len(names))
	for i, name := range names {
		t := column.Type{}
		for _, f := range files {
			if v := f.values[i]; !v.null {
				t = widen(t, v.value, loc)
			}
		}
		if t.Kind == column.Null || t.Kind == column.Bool {
			t = column.Of(column.String)
		}
		out[i] = column.Field{Name: name, Type: t, Nullable: true}
	}
	return out
}

// withPartitions is a file's schema with the columns of directories behind it; a column of both has the directory's values.
func withPartitions(s *column.Schema, parts []column.Field) *column.Schema {
	out := &column.Schema{}
	for _, f := range s.Fields {
		if !slices.ContainsFunc(parts, func(p column.Field) bool { return strings.EqualFold(p.Name, f.Name) }) {
			out.Fields = append(out.Fields, f)
		}
	}
	out.Fields = append(out.Fields, parts...)
	return out
}

// partColumn is a produced column whose values directories carry.
type partColumn struct {
	Field column.Field
	Out   int // its place among the produced columns
	dir   int // which directory of a file has its value
}

// value appends the value that a file's directory has for the column, null for text that is no such value.
func (p partColumn) value(to *column.Builder, v dirValue, loc *time.Location) {
	if v.null || !appendText(to, p.Field.Type, []byte(v.value), loc) {
		to.AppendNull()
	}
}

// prune leaves out the files whose directories no row can be in that satisfies the filters. width is the number of produced
// columns, to which filters are bound.
func prune(files []entry, parts []partColumn, filters []expr.Expr, width int, loc *time.Location) []entry {
	var known []expr.Expr
	for _, f := range filters {
		for _, c := range expr.Conjuncts(f) {
			if onlyOf(c, parts) {
				known = append(known, c)
			}
		}
	}
	if len(known) == 0 || len(files) == 0 {
		return files
	}
	b := &column.Batch{Schema: &column.Schema{Fields: make([]column.Field, width)}, N: len(files), Cols: make([]*column.Vector, width)}
	for _, p := range parts {
		values := column.NewBuilder(p.Field.Type)
		for _, f := range files {
			p.value(values, f.values[p.dir], loc)
		}
		b.Schema.Fields[p.Out], b.Cols[p.Out] = p.Field, values.Finish()
	}
	filter, err := expr.CompileFilter(expr.AndAll(known))
	if err != nil {
		return files
	}
	// What fails for some value fails for its rows too, where the error has its place.
	sel, err := filter.Select(&expr.Context{Location: loc, ANSI: true}, b, nil)
	if err != nil {
		return files
	}
	out := make([]entry, len(sel))
	for i, s := range sel {
		out[i] = files[s]
	}
	return out
}

// onlyOf reports whether an expression reads columns of directories alone, at least one.
func onlyOf(e expr.Expr, parts []partColumn) bool {
	some, only := false, true
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok {
			some = true
			only = only && slices.ContainsFunc(parts, func(p partColumn) bool { return p.Out == c.Index })
		}
		return true
	})
	return some && only && expr.Deterministic(e)
}
