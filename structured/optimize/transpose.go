package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// maxTransposeValues bounds the rows that become columns (Spark's spark.sql.transposeMaxValues).
const maxTransposeValues = 500

// transpose reads the child, sorted by the index, and puts the rows that come of it in its place.
func (a *analyzer) transpose(p *logical.Transpose) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	if a.env.Rows == nil || logical.IsStreaming(child) {
		return nil, usererr.New("UNSUPPORTED_FEATURE.TRANSPOSE", "0A000", "A stream, or a stored query, cannot be transposed: its rows decide on the columns.")
	}
	index, others, err := a.transposed(p, child)
	if err != nil {
		return nil, err
	}
	common, err := commonOf(others)
	if err != nil {
		return nil, err
	}
	text := column.Of(column.String)
	list := []expr.Expr{&expr.Alias{Child: &expr.Cast{Child: index, To: text}, Name: "_index", ID: expr.NewID()}}
	for _, o := range others {
		list = append(list, &expr.Alias{Child: &expr.Cast{Child: o, To: common}, Name: o.Name, ID: expr.NewID()})
	}
	known := &logical.Filter{Cond: &expr.UnresolvedCall{Name: "isnotnull", Args: []expr.Expr{index}}, Child: done{child}}
	sorted := &logical.Sort{Global: true, Orders: []*expr.SortOrder{{Child: index, NullsFirst: true}}, Child: known}
	resolved, err := a.plan(&logical.Limit{N: maxTransposeValues + 1, Child: &logical.Project{List: list, Child: sorted}})
	if err != nil {
		return nil, err
	}
	batches, err := a.env.Rows(a.ctx, resolved)
	if err != nil {
		return nil, err
	}
	return swapped(batches, others, common)
}

// transposed are the index and the columns that become rows.
func (a *analyzer) transposed(p *logical.Transpose, child logical.Plan) (*expr.Attr, []*expr.Attr, error) {
	shown := logical.Visible(child.Output())
	if len(shown) == 0 {
		return nil, nil, usererr.New("TRANSPOSE_NO_COLUMNS", "42K0E", "A DataFrame without columns cannot be transposed.")
	}
	index := shown[0]
	if p.Index != nil {
		e, err := a.expr(p.Index, over(child))
		if err != nil {
			return nil, nil, err
		}
		found, ok := e.(*expr.Attr)
		if !ok {
			return nil, nil, usererr.New("TRANSPOSE_INVALID_INDEX_COLUMN", "42804", "Invalid index column for TRANSPOSE because: %s is no column.", columnName(p.Index)).WithFix("Name a column.")
		}
		index = found
	}
	switch index.Typ.Kind {
	case column.List, column.Map, column.Struct:
		return nil, nil, usererr.New("TRANSPOSE_INVALID_INDEX_COLUMN", "42804", "Invalid index column for TRANSPOSE because: %s is of type %s.", index.Name, strings.ToUpper(index.Typ.String())).
			WithFix("Use a column of simple values.")
	}
	var others []*expr.Attr
	for _, at := range shown {
		if at.ID != index.ID {
			others = append(others, at)
		}
	}
	return index, others, nil
}

// commonOf is the type that the columns have in common.
func commonOf(attrs []*expr.Attr) (column.Type, error) {
	if len(attrs) == 0 {
		return column.Of(column.String), nil
	}
	t := attrs[0].Typ
	for _, at := range attrs[1:] {
		common, ok := expr.CommonType(t, at.Typ)
		if !ok {
			return t, usererr.New("TRANSPOSE_NO_LEAST_COMMON_TYPE", "42K09", "Transpose requires non-index columns to share a least common type, but %s and %s do not.", strings.ToUpper(t.String()), strings.ToUpper(at.Typ.String())).
				WithFix("Cast or drop columns first.")
		}
		t = common
	}
	return t, nil
}

// swapped is the rows, whose first column is the index as text, turned over.
func swapped(batches []*column.Batch, others []*expr.Attr, common column.Type) (logical.Plan, error) {
	fields := []column.Field{{Name: "key", Type: column.Of(column.String)}}
	rows := make([][]any, len(others))
	for i, o := range others {
		rows[i] = []any{o.Name}
	}
	for _, b := range batches {
		for r := 0; r < b.N; r++ {
			if len(fields) > maxTransposeValues {
				return nil, usererr.New("TRANSPOSE_EXCEED_ROW_LIMIT", "54006", "Number of rows exceeds the allowed limit of %d for TRANSPOSE.", maxTransposeValues).WithFix("Filter or aggregate first.")
			}
			fields = append(fields, column.Field{Name: column.Value(b.Cols[0], r).(string), Type: common, Nullable: true})
			for c := range others {
				rows[c] = append(rows[c], column.Value(b.Cols[c+1], r))
			}
		}
	}
	schema := column.NewSchema(fields...)
	out, err := column.FromRows(schema, rows...)
	if err != nil {
		return nil, err
	}
	l := &logical.Local{Schema: schema, Batches: []*column.Batch{out}}
	for _, f := range schema.Fields {
		l.Attrs = append(l.Attrs, &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Null: f.Nullable})
	}
	return l, nil
}
