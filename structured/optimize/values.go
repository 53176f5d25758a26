package optimize

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// values evaluates VALUES: each column has the common type of its cells.
func (a *analyzer) values(p *logical.UnresolvedValues) (logical.Plan, error) {
	rows := make([][]expr.Expr, len(p.Rows))
	for i, r := range p.Rows {
		var err error
		if rows[i], err = a.exprs(r, &scope{layers: [][]*expr.Attr{nil}}); err != nil {
			return nil, err
		}
	}
	schema := &column.Schema{}
	for c := range rows[0] {
		t, null, err := cellType(rows, c)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("col%d", c+1)
		if c < len(p.Names) {
			name = p.Names[c]
		}
		schema.Fields = append(schema.Fields, column.Field{Name: name, Type: t, Nullable: null})
	}
	b := column.NewBatchBuilder(schema)
	for _, r := range rows {
		if err := a.cells(b, r, schema); err != nil {
			return nil, err
		}
	}
	batch := b.Finish()
	batch.N = len(rows)
	return a.local(&logical.Local{Schema: schema, Batches: []*column.Batch{batch}}), nil
}

func cellType(rows [][]expr.Expr, c int) (column.Type, bool, error) {
	t, null := rows[0][c].DataType(), false
	for _, r := range rows {
		common, ok := expr.CommonType(t, r[c].DataType())
		if !ok {
			return t, false, usererr.New("INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "42000", "Column %d of VALUES holds both %s and %s.", c+1, t, r[c].DataType()).
				WithFix("Cast the values to one type.")
		}
		t, null = common, null || r[c].Nullable()
	}
	return t, null, nil
}

// cells evaluates a row.
func (a *analyzer) cells(b *column.BatchBuilder, row []expr.Expr, schema *column.Schema) error {
	vals := make([]any, len(row))
	for c, e := range row {
		l, err := expr.EvalLiteralIn(a.env.Session, expr.Coerce(e, schema.Fields[c].Type))
		if err != nil {
			return err
		}
		vals[c] = l.Value
	}
	return b.AppendRow(vals...)
}

// local gives rows that travel in the plan attributes of their own.
func (a *analyzer) local(p *logical.Local) logical.Plan {
	c := &logical.Local{Schema: p.Schema, Batches: p.Batches, Attrs: []*expr.Attr{}}
	for _, f := range p.Schema.Fields {
		c.Attrs = append(c.Attrs, &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Null: f.Nullable})
	}
	return c
}

func rangeAttr() *expr.Attr {
	return &expr.Attr{ID: expr.NewID(), Name: "id", Typ: column.Of(column.Int64)}
}

// oneRow is a row without columns, what SELECT without FROM reads.
func oneRow() *logical.Local {
	return &logical.Local{Schema: &column.Schema{}, Attrs: []*expr.Attr{}, Batches: []*column.Batch{column.NewBatch(&column.Schema{}, 1)}}
}
