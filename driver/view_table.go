package driver

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
)

type viewProvider struct{ e *Engine }

// Open finds a view's rows; nothing is read.
func (p viewProvider) Open(_ context.Context, def catalog.TableDef) (logical.Table, error) {
	topic := def.Options[viewRowsOf]
	if topic == "" || def.Schema == nil {
		return nil, usererr.New("DATA_SOURCE_NOT_FOUND", "42K02", "A table %s is made by CREATE MATERIALIZED VIEW.", viewSource)
	}
	t := &viewTable{e: p.e, name: def.Name, topic: topic, schema: def.Schema, options: def.Options}
	if k := def.Options[viewKeys]; k != "" {
		t.keys = strings.Split(k, ",")
	}
	return t, nil
}

// viewTable is a materialised view as a table. A scan reads what was committed when it is planned.
type viewTable struct {
	e       *Engine
	name    string
	topic   string
	keys    []string
	schema  *column.Schema
	options map[string]string
}

func (t *viewTable) Name() string               { return t.name }
func (t *viewTable) Schema() *column.Schema     { return memory.New(t.name, t.schema, 1).Schema() }
func (t *viewTable) Hidden() int                { return memory.New(t.name, t.schema, 1).Hidden() }
func (t *viewTable) Provider() string           { return viewSource }
func (t *viewTable) Options() map[string]string { return t.options }

func (t *viewTable) PlanScan(ctx context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	rows, err := t.rows().rows(ctx, t.name)
	if err != nil {
		return nil, err
	}
	return rows.PlanScan(ctx, req)
}

// rows are the view's rows in memory, which all that read the view share.
func (t *viewTable) rows() *viewRows {
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	v := t.e.views[t.topic]
	if v == nil {
		v = &viewRows{e: t.e, topic: t.topic, keyed: len(t.keys) > 0, schema: t.schema, last: map[string][]byte{}}
		t.e.views[t.topic] = v
	}
	return v
}

// ViewAnswer is what a look at a materialised view finds.
type ViewAnswer struct {
	View   string            `json:"view"`
	Status string            `json:"status"` // of the query that keeps it fresh
	Batch  int64             `json:"batch"`  // the last that the query has committed
	Rows   []json.RawMessage `json:"rows"`
	More   bool              `json:"more"`
}

// LookUpView finds rows of a materialised view: those whose columns are equal to the texts of where. When where has just the
// columns of the view's key, one row is looked up.
func (e *Engine) LookUpView(ctx context.Context, name string, where map[string]string, limit int) (*ViewAnswer, error) {
	tab, _, err := e.opts.Catalog.Table(ctx, name)
	if err != nil {
		return nil, err
	}
	t, ok := tab.(*viewTable)
	if !ok {
		return nil, usererr.New("TABLE_OR_VIEW_NOT_FOUND", "42P01", "There is no materialized view %s.", name)
	}
	out := &ViewAnswer{View: t.name, Rows: []json.RawMessage{}}
	out.Status, out.Batch = e.viewStatus(t.name)
	conds, err := conditions(t.schema, where)
	if err != nil {
		return nil, err
	}
	if key, ok := t.key(conds); ok {
		row, err := t.rows().lookUp(ctx, key)
		if row != nil {
			out.Rows = append(out.Rows, row)
		}
		return out, err
	}
	rows, err := t.rows().rows(ctx, t.name)
	if err != nil {
		return nil, err
	}
	b, err := rows.Rows()
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = defaultLookupLimit
	}
	var buf []byte
	for i := range b.N {
		if !holds(conds, b, i, &buf) {
			continue
		}
		if len(out.Rows) == limit {
			out.More = true
			break
		}
		out.Rows = append(out.Rows, column.AppendJSONRow(nil, b, i, len(b.Cols), time.UTC))
	}
	return out, nil
}

// key is the record key of the row that the conditions name, if they are just those of the key's columns.
func (t *viewTable) key(conds []condition) (string, bool) {
	if len(t.keys) == 0 || len(conds) != len(t.keys) {
		return "", false
	}
	b := &column.Batch{Schema: &column.Schema{}, N: 1}
	for _, k := range t.keys {
		at := slices.IndexFunc(conds, func(c condition) bool { return t.schema.Fields[c.col].Name == k })
		if at < 0 {
			return "", false
		}
		b.Schema.Fields = append(b.Schema.Fields, t.schema.Fields[conds[at].col])
		b.Cols = append(b.Cols, conds[at].value)
	}
	return string(column.AppendJSONRow(nil, b, 0, len(b.Cols), time.UTC)), true
}

// condition: a column, by position, is equal to a value.
type condition struct {
	col   int
	value *column.Vector // of one
	want  []byte         // the value, encoded as a key
}

// conditions resolves columns and reads their texts.
func conditions(schema *column.Schema, where map[string]string) ([]condition, error) {
	var out []condition
	for _, name := range slices.Sorted(maps.Keys(where)) {
		at := slices.IndexFunc(schema.Fields, func(f column.Field) bool { return strings.EqualFold(f.Name, name) })
		if at < 0 {
			return nil, usererr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "There is no column %s.", name).WithFix("The columns: %s.", schema)
		}
		v, err := parsed(where[name], schema.Fields[at])
		if err != nil {
			return nil, err
		}
		out = append(out, condition{at, v, column.AppendKey(nil, []*column.Vector{v}, 0)})
	}
	return out, nil
}

func holds(conds []condition, b *column.Batch, row int, buf *[]byte) bool {
	for _, c := range conds {
		*buf = column.AppendKey((*buf)[:0], b.Cols[c.col:c.col+1], row)
		if string(*buf) != string(c.want) {
			return false
		}
	}
	return true
}
