package driver

import (
	"context"
	"math"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
	"github.com/streamflow/streamflow/structured/stats"
)

// analyzeTable carries ANALYZE TABLE out: one query counts, and the catalog keeps the answer with what was counted before.
func (s *Session) analyzeTable(ctx context.Context, p *logical.AnalyzeTable, src string) error {
	name := strings.Join(p.Name, ".")
	t, ok, err := s.engine.opts.Catalog.Table(ctx, name)
	if err == nil && !ok && len(p.Name) > 1 {
		name = p.Name[len(p.Name)-1]
		t, ok, err = s.engine.opts.Catalog.Table(ctx, name)
	}
	if err != nil {
		return err
	}
	if !ok {
		return placed(catalog.NotFound(ctx, s.engine.opts.Catalog, s.views, name), p.Pos, src)
	}
	kept := s.engine.opts.Catalog
	older := kept.Statistics(name)
	if p.NoScan {
		if known, ok := t.(stats.Source); ok {
			return kept.KeepStatistics(ctx, name, stats.Merge(known.Statistics(), older))
		}
		return nil
	}
	fields, err := columnsOf(t, p)
	if err != nil {
		return placed(err, p.Pos, src)
	}
	fresh, err := s.count(ctx, p.Name, fields)
	if err != nil {
		return err
	}
	return kept.KeepStatistics(ctx, name, stats.Merge(fresh, older))
}

// columnsOf are the fields that are to be counted: those named, or all of which values can be compared.
func columnsOf(t logical.Table, p *logical.AnalyzeTable) (out []column.Field, err error) {
	all := t.Schema().Fields[:t.Schema().Len()-t.Hidden()]
	var names []string
	for _, f := range all {
		names = append(names, f.Name)
		if p.All && countable(f.Type) {
			out = append(out, f)
		}
	}
	for _, name := range p.Columns {
		at := column.NewSchema(all...).Index(name)
		switch {
		case at < 0:
			e := usererr.New("COLUMN_NOT_FOUND", "42703", "The table has no column `%s`.", name)
			if near := usererr.Nearest(name, names, 1); len(near) > 0 {
				e = e.WithFix("Did you mean %s?", near[0])
			}
			return nil, e
		case !countable(all[at].Type):
			return nil, usererr.New("UNSUPPORTED_FEATURE.ANALYZE_UNSUPPORTED_COLUMN_TYPE", "0A000", "Statistics of column `%s` cannot be computed: its type is %s.", name, all[at].Type).
				WithFix("Leave it out.")
		}
		out = append(out, all[at])
	}
	return out, nil
}

func countable(t column.Type) bool { return !t.IsNested() && t.Kind != column.Null }

// count runs the query: of each column how many values differ, how many there are, and the least and greatest.
func (s *Session) count(ctx context.Context, name []string, fields []column.Field) (*stats.Table, error) {
	list := []string{"count(*)"}
	for _, f := range fields {
		q := quoted(f.Name)
		width := "0"
		if f.Type.Kind.Storage() == column.StorageBytes {
			width = "avg(octet_length(" + q + "))"
		}
		list = append(list, "approx_count_distinct("+q+")", "count("+q+")", "min("+q+")", "max("+q+")", width)
	}
	parts := make([]string, len(name))
	for i, n := range name {
		parts[i] = quoted(n)
	}
	plan, err := sql.Parse("SELECT " + strings.Join(list, ", ") + " FROM " + strings.Join(parts, "."))
	if err != nil {
		return nil, err
	}
	rows, err := s.execute(ctx, plan, structured.ExecOptions{})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	b, err := rows.Next(ctx)
	if err != nil {
		return nil, err
	}
	return counts(b, fields), nil
}

func quoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// counts reads the query's only row.
func counts(b *column.Batch, fields []column.Field) *stats.Table {
	at := func(i int) any { return column.Value(b.Cols[i], 0) }
	out := &stats.Table{Rows: at(0).(int64), Columns: map[string]stats.Column{}}
	for i, f := range fields {
		k := 1 + 5*i
		c := stats.Column{Distinct: at(k).(int64), Counted: true, Nulls: out.Rows - at(k+1).(int64)}
		low, ok1 := stats.Place(at(k+2), f.Type)
		high, ok2 := stats.Place(at(k+3), f.Type)
		if c.Ranged = ok1 && ok2 && !math.IsInf(high-low, 0); c.Ranged {
			c.Low, c.High = low, high
		}
		if w, ok := at(k + 4).(float64); ok {
			c.Width = w
		}
		out.Columns[strings.ToLower(f.Name)] = c
	}
	return out
}
