package file

import (
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Scan reads splits of files, one after the other. Columns are positions in Schema; Parts are produced besides them.
type Scan struct {
	Format  string
	Schema  *column.Schema
	Columns []int
	Parts   []Part
	Options Options
	Keys    []Key
}

// Key names a filter of the values that a produced column may have, in the task's KeyFilters.
type Key struct {
	ID  string
	Col int
}

// WithKeyFilter implements connector.KeyFiltered: formats that know the bounds of a split's columns skip what cannot match.
func (s *Scan) WithKeyFilter(id string, col int) rdd.Operator {
	c := *s
	c.Keys = append(c.Keys[:len(c.Keys):len(c.Keys)], Key{id, col})
	return &c
}

// excluded reports whether a filter has none of the values between a split's bounds.
func (r *reader) excluded(bound func(f column.Field) (lo, hi any)) bool {
	for _, k := range r.s.Keys {
		f := r.tc.KeyFilters[k.ID]
		if f == nil {
			continue
		}
		at := r.dataPlaces([]int{k.Col})
		if len(at) == 0 {
			continue
		}
		if lo, hi := bound(r.s.Schema.Fields[r.s.Columns[at[0]]]); f.Excludes(lo, hi) {
			return true
		}
	}
	return false
}

// SplitsSkipped counts the splits of a scan that were not read because a join's keys exclude all that is in them.
const SplitsSkipped = "splits.skipped"

// splitReader reads one split; next returns io.EOF at its end.
type splitReader interface {
	next() (*column.Batch, error)
	close() error
}

func (s *Scan) Open(tc *rdd.TaskContext, _ []rdd.Reader) (rdd.Reader, error) {
	r := &reader{s: s, tc: tc, op: tc.Op}
	if all := tc.Binding.Splits[tc.Op]; tc.Partition < len(all) {
		r.splits = all[tc.Partition]
	}
	return r, nil
}

type reader struct {
	s      *Scan
	tc     *rdd.TaskContext
	op     string
	splits []rdd.Split
	cur    splitReader

	values []*column.Vector // of the current split's directories
	zeros  []int32
	all    column.Batch
	some   column.Batch
}

func (r *reader) Next() (*column.Batch, error) {
	b, err := r.read(splitReader.next)
	if err != nil {
		return nil, err
	}
	return r.whole(&r.all, b), nil
}

// read takes the next batch of the current split, or of the one after it.
func (r *reader) read(next func(splitReader) (*column.Batch, error)) (*column.Batch, error) {
	for {
		if r.cur == nil {
			if len(r.splits) == 0 {
				return nil, io.EOF
			}
			cur, err := r.open(r.splits[0].Data)
			if err != nil && !r.passesOver(err) {
				return nil, err
			}
			r.splits = r.splits[1:]
			if err != nil {
				continue
			}
			if cur == nil {
				r.tc.Count(r.op, SplitsSkipped, 1)
				continue
			}
			r.cur = cur
		}
		b, err := next(r.cur)
		if err != io.EOF && (err == nil || !r.passesOver(err)) {
			return b, err
		}
		if err := r.cur.close(); err != nil {
			return nil, err
		}
		r.cur = nil
	}
}

// FilesIgnored counts the files of which a scan has left out what it could not read.
const FilesIgnored = "files.ignored"

// passesOver reports whether the options say that a file which cannot be read is to be left out.
func (r *reader) passesOver(err error) bool {
	ignored := r.s.Options.ignores(err)
	if ignored {
		r.tc.Count(r.op, FilesIgnored, 1)
	}
	return ignored
}

// open is the split's reader, nil when nothing in it is wanted.
func (r *reader) open(data []byte) (splitReader, error) {
	f := formats[r.s.Format]
	if f == nil {
		return nil, fmt.Errorf("file: there is no format %q", r.s.Format)
	}
	data, err := r.unwrap(data)
	if err != nil {
		return nil, err
	}
	return f.open(r, data)
}

// out is the schema of the files' columns produced.
func (r *reader) out() *column.Schema {
	out := &column.Schema{}
	for _, c := range r.s.Columns {
		out.Fields = append(out.Fields, r.s.Schema.Fields[c])
	}
	return out
}

// setAside sends a record that cannot be read to the dead side.
func (r *reader) setAside(record []byte, reason error) error {
	b := column.NewBatchBuilder(connector.SideSchema)
	for i, f := range connector.SideSchema.Fields {
		switch f.Name {
		case "reason":
			b.Cols[i].AppendString(reason.Error())
		case "value":
			b.Cols[i].AppendBytes(record)
		default:
			b.Cols[i].AppendNull()
		}
	}
	r.tc.Count(r.op, "rows.dead", 1)
	return r.tc.Emit(connector.Dead, b.Finish())
}

func (r *reader) Close() error {
	if r.cur == nil {
		return nil
	}
	err := r.cur.close()
	r.cur = nil
	return err
}
