package structured

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// WithColumns adds columns, each named by As, or replaces those of the same names, all computed from the columns before.
func (d *DataFrame) WithColumns(cols ...Column) *DataFrame {
	list, err := exprs(cols)
	p := &logical.WithColumns{}
	for _, e := range list {
		a, ok := e.(*expr.Alias)
		if !ok || len(a.Names) > 0 {
			err = firstError(err, invalidValue("column", e.String(), "it needs one name, given by As"))
			break
		}
		p.Cols = append(p.Cols, a)
	}
	return d.then(err, func() logical.Plan { p.Child = d.plan; return p })
}

// WithColumnsRenamed renames columns, all at once: Rename pairs of old and new names. Names that there are not change nothing.
func (d *DataFrame) WithColumnsRenamed(names ...Rename) *DataFrame {
	return d.then(nil, func() logical.Plan {
		p := &logical.RenameColumns{Child: d.plan}
		for _, r := range names {
			p.From, p.To = append(p.From, r.From), append(p.To, r.To)
		}
		return p
	})
}

// Rename is an old and a new name of a column.
type Rename struct{ From, To string }

// DropColumns leaves out columns of certain DataFrames, as Col of a DataFrame gives them.
func (d *DataFrame) DropColumns(cols ...Column) *DataFrame {
	list, err := exprs(cols)
	p := &logical.DropColumns{}
	for _, e := range list {
		a, ok := e.(*expr.UnresolvedAttr)
		if !ok {
			err = firstError(err, invalidValue("column", e.String(), "only columns can be dropped"))
			break
		}
		p.Cols = append(p.Cols, a)
	}
	return d.then(err, func() logical.Plan { p.Child = d.plan; return p })
}

// To brings the columns to a schema of DDL: by name, in its order, cast to its types; a nullable column that is missing is null.
func (d *DataFrame) To(ddl string) *DataFrame {
	schema, err := column.ParseDDL(ddl)
	return d.then(err, func() logical.Plan { return &logical.ToSchema{Schema: schema, Child: d.plan} })
}

// ColRegex is the columns whose names match the regular expression whole, without regard to case.
func (d *DataFrame) ColRegex(pattern string) Column { return Column{e: &expr.Star{Pattern: pattern}} }

// Transpose swaps rows and columns: the values of index, by default of the first column, become the names of the columns, and the
// column key holds the names of the others. At most 500 rows can be transposed, and their columns must have a common type.
func (d *DataFrame) Transpose(index ...string) *DataFrame {
	p := &logical.Transpose{}
	var err error
	switch len(index) {
	case 0:
	case 1:
		c := Col(index[0])
		p.Index, err = c.e, c.err
	default:
		err = invalidValue("index", JoinName(index), "there is at most one")
	}
	return d.then(err, func() logical.Plan { p.Child = d.plan; return p })
}

// GroupingSets groups by each of the sets, which are made of the keys; keys that a set leaves out are null in its rows.
func (d *DataFrame) GroupingSets(sets [][]Column, keys ...Column) *GroupedData {
	g := d.GroupBy(keys...)
	at := map[string]int{}
	for i, k := range g.keys {
		at[k.String()] = i
	}
	for _, set := range sets {
		list, err := exprs(set)
		g.err = firstError(g.err, err)
		places := []int{}
		for _, e := range list {
			i, ok := at[e.String()]
			if !ok {
				g.err = firstError(g.err, invalidValue("grouping set", e.String(), "it is none of the keys"))
			}
			places = append(places, i)
		}
		g.sets = append(g.sets, places)
	}
	return g
}

// Transform is f of the DataFrame, for chains of one's own steps.
func (d *DataFrame) Transform(f func(*DataFrame) *DataFrame) *DataFrame { return f(d) }

// Sort is OrderBy.
func (d *DataFrame) Sort(cols ...Column) *DataFrame { return d.OrderBy(cols...) }

// UnionAll is Union.
func (d *DataFrame) UnionAll(other *DataFrame) *DataFrame { return d.Union(other) }

// Head is Take.
func (d *DataFrame) Head(ctx context.Context, n int64) ([]Row, error) { return d.Take(ctx, n) }

// All runs the query and gives its rows one after the other, a batch of them in memory at a time. A failure is the last pair.
func (d *DataFrame) All(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		rows, err := d.Rows(ctx, ExecOptions{})
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer func() {
			if cerr := rows.Close(); cerr != nil && err == nil {
				yield(Row{}, cerr)
			}
		}()
		for {
			var b *column.Batch
			if b, err = rows.Next(ctx); errors.Is(err, io.EOF) {
				err = nil
				return
			}
			if err != nil {
				yield(Row{}, err)
				return
			}
			for _, r := range rowsOf(rows.Schema(), b.Clone()) {
				if !yield(r, nil) {
					err = io.EOF
					return
				}
			}
		}
	}
}

// Foreach runs the query and calls f with each row, here in the program; f's first error ends it.
func (d *DataFrame) Foreach(ctx context.Context, f func(Row) error) error {
	for row, err := range d.All(ctx) {
		if err == nil {
			err = f(row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ToArrow runs the query and returns its rows as an Arrow IPC stream.
func (d *DataFrame) ToArrow(ctx context.Context) ([]byte, error) {
	rows, err := d.Rows(ctx, ExecOptions{})
	if err != nil {
		return nil, err
	}
	zone, _, err := d.s.Conf().Get(ctx, ConfTimeZone)
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	schema := rows.Schema()
	batches, err := readAll(ctx, rows)
	if err != nil {
		return nil, err
	}
	return column.AppendIPCStream(nil, column.Concat(schema, batches), zone), nil
}

// LocalCheckpoint runs the query and is a DataFrame over its rows, which are held by the program.
func (d *DataFrame) LocalCheckpoint(ctx context.Context) (*DataFrame, error) {
	rows, err := d.Rows(ctx, ExecOptions{})
	if err != nil {
		return nil, err
	}
	schema := rows.Schema()
	batches, err := readAll(ctx, rows)
	if err != nil {
		return nil, err
	}
	return d.s.frame(LocalPlan(schema, batches), nil), nil
}

// DTypes are the columns' names and types, as DDL writes them.
func (d *DataFrame) DTypes(ctx context.Context) ([][2]string, error) {
	s, err := d.Schema(ctx)
	if err != nil {
		return nil, err
	}
	out := make([][2]string, s.Len())
	for i, f := range s.Fields {
		out[i] = [2]string{f.Name, f.Type.String()}
	}
	return out, nil
}

// CreateTempView names the query for the session's SQL; a view of that name must not be there.
func (d *DataFrame) CreateTempView(ctx context.Context, name string) error {
	parts, err := SplitName(name)
	if err != nil {
		return err
	}
	return d.do(ctx, func(p logical.Plan) logical.Plan {
		return &logical.CreateView{Name: parts, Temporary: true, Query: p}
	})
}
