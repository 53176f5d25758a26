package optimize

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// insert resolves INSERT INTO: its query puts out the table's columns, in their order and types.
func (a *analyzer) insert(p *logical.InsertInto) (logical.Plan, error) {
	q, err := a.query(p.Query)
	if err != nil {
		return nil, err
	}
	if q, err = a.assign(q, p.Table, p.Columns, p.ByName, p.Pos); err != nil {
		return nil, err
	}
	return &logical.InsertInto{Table: p.Table, Overwrite: p.Overwrite, Query: q, Pos: p.Pos}, nil
}

// assign fits a query's rows to a table: by position, by the column list, or by name.
func (a *analyzer) assign(q logical.Plan, table, columns []string, byName bool, pos expr.Pos) (logical.Plan, error) {
	t, err := a.target(table)
	if err != nil {
		return nil, at(err, pos)
	}
	fields := t.Schema().Fields[:t.Schema().Len()-t.Hidden()]
	out := q.Output()
	if logical.IsStreaming(q) && connector.IsChangelog(t) {
		if n := len(fields); n == 0 || !equalFold(fields[n-1].Name, connector.OpColumn) || fields[n-1].Type.Kind != column.String {
			return nil, at(noOpColumn(t), pos)
		}
		fields = fields[:len(fields)-1] // the engine's
	}
	if isRaw(t) {
		return rawRows(q)
	}
	names := columns
	if byName {
		names = nil
		for _, o := range out {
			names = append(names, o.Name)
		}
	}
	if names == nil {
		names = fieldNames(fields)
	}
	if len(names) != len(out) {
		return nil, at(arity(t, names, out), pos)
	}
	list, err := assigned(t, fields, names, out)
	if err != nil {
		return nil, at(err, pos)
	}
	return &logical.Project{List: list, Child: q}, nil
}

// target finds the table to be written.
func (a *analyzer) target(parts []string) (logical.Table, error) {
	if len(parts) == 1 {
		if _, ok := a.env.Views.Get(parts[0]); ok {
			return nil, usererr.New("EXPECT_TABLE_NOT_VIEW", "42809", "`%s` is a view; rows are written to tables.", parts[0]).WithFix("Insert into the table below it.")
		}
	}
	if a.env.Catalog == nil {
		return nil, fmt.Errorf("optimize: no catalog to find table %s in", strings.Join(parts, "."))
	}
	for _, name := range catalog.Names(parts, a.env.Database) {
		t, ok, err := a.env.Catalog.Table(a.ctx, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if _, ok := t.(connector.Writer); !ok {
			return nil, usererr.New("UNSUPPORTED_INSERT.NOT_WRITABLE", "42809", "The table `%s` cannot be written: %s tables are read-only.", t.Name(), t.Provider()).
				WithFix("Insert into another table.")
		}
		return t, nil
	}
	return nil, catalog.NotFound(a.ctx, a.env.Catalog, nil, strings.Join(parts, "."))
}

func noOpColumn(t logical.Table) error {
	return usererr.New("CHANGELOG_WITHOUT_KIND", "42703", "The table `%s` has the option changelog, but its last column is not %s STRING.", t.Name(), connector.OpColumn).
		WithFix("Declare it: CREATE TABLE … (…, %s STRING) … OPTIONS (changelog 'true').", connector.OpColumn)
}

// isRaw reports whether t is a topic without a schema of its own, which takes a key and a value.
func isRaw(t logical.Table) bool {
	return t.Provider() == "topic" && t.Options()["streamflow.schema"] == ""
}

// rawRows fits rows to a raw topic: columns named key and value, or a single column that is the value.
func rawRows(q logical.Plan) (logical.Plan, error) {
	out := q.Output()
	if len(out) == 1 && !equalFold(out[0].Name, "value") {
		if k := out[0].Typ.Kind; k == column.String || k == column.Binary {
			return &logical.Project{List: []expr.Expr{&expr.Alias{Child: out[0], Name: "value", ID: expr.NewID()}}, Child: q}, nil
		}
	}
	return q, nil
}

func fieldNames(fields []column.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

func arity(t logical.Table, names []string, out []*expr.Attr) error {
	code, few := "TOO_MANY_DATA_COLUMNS", "more"
	if len(out) < len(names) {
		code, few = "NOT_ENOUGH_DATA_COLUMNS", "fewer"
	}
	var have []string
	for _, o := range out {
		have = append(have, o.Name)
	}
	return usererr.New("INSERT_COLUMN_ARITY_MISMATCH."+code, "21S01", "Cannot write to `%s`: the query has %s columns (%s) than the table (%s).", t.Name(), few, strings.Join(have, ", "), strings.Join(names, ", ")).
		WithFix("Select one value for each column, or list the columns: INSERT INTO %s (a, b) ….", t.Name())
}

// assigned is the list of the table's columns: names[i] gets out[i], the others null.
func assigned(t logical.Table, fields []column.Field, names []string, out []*expr.Attr) ([]expr.Expr, error) {
	from := map[int]*expr.Attr{}
	for i, n := range names {
		c := indexOf(fieldNames(fields), n)
		if c < 0 {
			e := usererr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "The table `%s` has no column `%s`.", t.Name(), n)
			return nil, e.WithFix("Its columns are %s.", strings.Join(fieldNames(fields), ", "))
		}
		if from[c] != nil {
			return nil, usererr.New("COLUMN_ALREADY_EXISTS", "42711", "The column `%s` stands twice in the list.", n).WithFix("Name each column once.")
		}
		from[c] = out[i]
	}
	list := make([]expr.Expr, len(fields))
	for c, f := range fields {
		src := from[c]
		switch {
		case src == nil && !f.Nullable:
			return nil, usererr.New("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA", "KD000", "The column `%s` of `%s` is NOT NULL, but gets no value.", f.Name, t.Name()).WithFix("Give it a value.")
		case src == nil:
			list[c] = &expr.Alias{Child: &expr.Literal{Typ: f.Type}, Name: f.Name, ID: expr.NewID()}
		case !storable(src.Typ, f.Type):
			return nil, usererr.New("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000", "Cannot write incompatible data for the table `%s`: cannot safely cast `%s` %q to %q.", t.Name(), f.Name,
				strings.ToUpper(src.Typ.String()), strings.ToUpper(f.Type.String())).WithFix("Cast it in the query: CAST(%s AS %s).", src.Name, strings.ToUpper(f.Type.String()))
		case src.Typ.Equal(f.Type) && src.Name == f.Name:
			list[c] = src
		default:
			list[c] = &expr.Alias{Child: expr.Coerce(src, f.Type), Name: f.Name, ID: expr.NewID()}
		}
	}
	return list, nil
}

// storable is ANSI store assignment: what may be written into a column of another type. Numbers may be narrowed, for a
// value that does not fit is an error at run time; text is never parsed silently.
func storable(from, to column.Type) bool {
	switch {
	case from.Equal(to) || from.Kind == column.Null:
		return true
	case from.Kind == column.List && to.Kind == column.List:
		return storable(from.Elem(), to.Elem())
	case from.IsNested() || to.IsNested():
		return storableMembers(from, to)
	case from.Kind == column.Binary || to.Kind == column.Binary:
		return from.Kind == column.String
	case to.Kind == column.String:
		return true
	case from.IsNumeric() && to.IsNumeric(), from.IsTemporal() && to.IsTemporal():
		return true
	}
	return from.Kind == to.Kind
}

func storableMembers(from, to column.Type) bool {
	if from.Kind != to.Kind || len(from.Fields) != len(to.Fields) {
		return false
	}
	for i, f := range from.Fields {
		if !storable(f.Type, to.Fields[i].Type) {
			return false
		}
	}
	return true
}
