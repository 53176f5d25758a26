package file

import (
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/stats"
)

// statistician is a format whose files tell of their rows.
type statistician interface {
	statistics(files []entry, schema *column.Schema) *stats.Table
}

// Statistics implements stats.Source for formats whose files tell of their rows.
func (t *Table) Statistics() *stats.Table {
	s, ok := t.format.(statistician)
	if !ok {
		return nil
	}
	files, err := t.files()
	if err != nil {
		return nil // the scan will say why
	}
	out := s.statistics(files, t.inFiles())
	if out == nil || t.stored == nil {
		return out
	}
	columns := map[string]stats.Column{}
	for i, f := range t.schema.Fields {
		columns[strings.ToLower(f.Name)] = out.Columns[strings.ToLower(t.stored.Fields[i].Name)]
	}
	out.Columns = columns
	return out
}

// statistics adds up what the footers say, and the dictionaries of each file's first row group.
func (parquetFormat) statistics(files []entry, schema *column.Schema) *stats.Table {
	out := &stats.Table{Columns: map[string]stats.Column{}}
	sums := make([]*stats.Collector, schema.Len())
	for i, f := range schema.Fields {
		sums[i] = stats.NewCollector(f.Type)
	}
	for _, e := range files {
		chunks, err := fileChunks(e.path)
		if err != nil {
			return nil
		}
		out.Rows += chunks.rows
		for i, f := range schema.Fields {
			if chunks.ofDirectory(sums[i], e, f) {
				continue
			}
			chunks.addTo(sums[i], f)
		}
	}
	for i, f := range schema.Fields {
		out.Columns[strings.ToLower(f.Name)] = sums[i].Column()
	}
	return out
}

// chunkStats is what a file says of its columns, by name: one entry for each row group.
type chunkStats struct {
	rows    int64
	columns map[string][]stats.Chunk
	types   map[string]column.Type
}

// ofDirectory adds a column whose value the file's directory names, and reports whether it is one.
func (c *chunkStats) ofDirectory(sum *stats.Collector, e entry, f column.Field) bool {
	for _, v := range e.values {
		if !strings.EqualFold(v.name, f.Name) {
			continue
		}
		one := stats.Chunk{Rows: c.rows, Distinct: 1}
		b := column.NewBuilder(f.Type)
		partColumn{Field: f}.value(b, v, time.UTC)
		if value := b.Finish(); value.IsValid(0) {
			one.Min = column.Value(value, 0)
			one.Max = one.Min
		} else {
			one.Nulls = c.rows
		}
		sum.Add(one)
		return true
	}
	return false
}

// addTo adds a column's chunks; a column that the file does not have is null.
func (c *chunkStats) addTo(sum *stats.Collector, f column.Field) {
	list, ok := c.columns[f.Name]
	if !ok {
		sum.Add(stats.Chunk{Rows: c.rows, Nulls: c.rows, Distinct: 1})
		return
	}
	for _, k := range list {
		if !c.types[f.Name].Equal(f.Type) {
			k = stats.Chunk{Rows: k.Rows, Nulls: k.Nulls}
		}
		sum.Add(k)
	}
}

// fileChunks reads what a file says, or remembers it from when it was read.
func fileChunks(path string) (*chunkStats, error) {
	p, err := openParquet(path)
	if err != nil {
		return nil, err
	}
	info, err := p.f.Stat()
	if err != nil {
		p.f.Close()
		return nil, err
	}
	if have := footers.statistics(path, info); have != nil {
		return have, p.f.Close()
	}
	out := p.chunkStats()
	footers.keepStatistics(path, info, out)
	return out, p.f.Close()
}

func (p *parquetFile) chunkStats() *chunkStats {
	out := &chunkStats{rows: p.NumRows(), columns: map[string][]stats.Chunk{}, types: map[string]column.Type{}}
	for c, f := range p.Schema().Fields {
		list := make([]stats.Chunk, p.RowGroups())
		distinct := int64(0)
		if len(list) > 0 {
			distinct = p.Distinct(0, c)
		}
		for g := range list {
			s := p.Stats(g, c)
			list[g] = stats.Chunk{Rows: s.Rows, Nulls: s.Nulls, Min: s.Min, Max: s.Max, Distinct: min(distinct, s.Rows), Bytes: p.ColumnBytes(g, c)}
		}
		out.columns[f.Name], out.types[f.Name] = list, f.Type
	}
	return out
}
