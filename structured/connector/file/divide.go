package file

import (
	"slices"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
)

// divider divides rows by the directories that their values name.
type divider struct {
	data  *column.Schema // what remains for the files
	cols  []int          // positions of data's columns
	by    []column.Field
	at    []int
	loc   *time.Location
	table *column.GroupTable
	dirs  []string // of each group of the table
	gids  []uint32
	rows  [][]int32 // of each group in the batch at hand
	seen  []uint32  // groups in the batch, in order
	out   *column.Batch
}

func newDivider(schema *column.Schema, by []int, loc *time.Location) *divider {
	d := &divider{data: &column.Schema{}, at: by, loc: loc}
	types := make([]column.Type, len(by))
	for i, c := range by {
		d.by = append(d.by, schema.Fields[c])
		types[i] = schema.Fields[c].Type
	}
	for c, f := range schema.Fields {
		if !slices.Contains(by, c) {
			d.cols = append(d.cols, c)
			d.data.Fields = append(d.data.Fields, f)
		}
	}
	d.table = column.NewGroupTable(types)
	return d
}

// each calls write with the rows of each directory, without the columns that the directory names.
func (d *divider) each(b *column.Batch, write func(dir string, b *column.Batch) error) error {
	keys := make([]*column.Vector, len(d.at))
	for i, c := range d.at {
		keys[i] = b.Cols[c]
	}
	d.gids = d.table.Insert(d.gids, keys, column.Hash(nil, keys, b.N), b.N)
	d.seen = d.seen[:0]
	for i, g := range d.gids[:b.N] {
		if int(g) == len(d.dirs) {
			d.dirs, d.rows = append(d.dirs, d.dir(keys, i)), append(d.rows, nil)
		}
		if len(d.rows[g]) == 0 {
			d.seen = append(d.seen, g)
		}
		d.rows[g] = append(d.rows[g], int32(i))
	}
	data := column.NewBatch(d.data, b.N)
	for _, c := range d.cols {
		data.Cols = append(data.Cols, b.Cols[c])
	}
	for _, g := range d.seen {
		d.out = column.TakeBatch(d.out, data, d.rows[g])
		d.rows[g] = d.rows[g][:0]
		if err := write(d.dirs[g], d.out); err != nil {
			return err
		}
	}
	return nil
}

// dir is the directory of row i.
func (d *divider) dir(keys []*column.Vector, i int) string {
	parts := make([]string, len(keys))
	for k, v := range keys {
		value := nullDir
		if v.IsValid(i) {
			var text string
			if v.Type.Kind.Storage() == column.StorageBytes {
				text = string(v.Bytes(i))
			} else {
				text = string(appendValue(nil, v, i, d.loc))
			}
			if text != "" {
				value = escapeDir(text)
			}
		}
		parts[k] = escapeDir(d.by[k].Name) + "=" + value
	}
	return strings.Join(parts, "/")
}
