package file

import (
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector"
)

// WithParts implements connector.Divided: the parts are files, and a file's path is a column like those of directories.
func (t *Table) WithParts(name string) connector.Writer {
	c := *t
	path := column.Field{Name: name, Type: column.Of(column.String)}
	c.schema = &column.Schema{Fields: append(slices.Clone(t.schema.Fields), path)}
	if t.stored != nil {
		c.stored = &column.Schema{Fields: append(slices.Clone(t.stored.Fields), path)}
	}
	c.now = make([]entry, len(t.now))
	for i, e := range t.now {
		e.values = append(slices.Clone(e.values), dirValue{name: name, value: e.path})
		c.now[i] = e
	}
	return &c
}

// Only implements connector.Divided.
func (t *Table) Only(paths []string) connector.Writer {
	c := *t
	c.now = []entry{}
	for _, e := range t.now {
		if slices.Contains(paths, e.path) {
			c.now = append(c.now, e)
		}
	}
	return &c
}
