package driver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// viewRows are the rows of a materialised view in memory, read from its topic. Each look first reads what has been committed
// since the last, so a view costs what has changed, not what there is.
type viewRows struct {
	e      *Engine
	topic  string
	keyed  bool
	schema *column.Schema

	mu    sync.Mutex
	next  []int64           // by partition: where to read on
	last  map[string][]byte // by record key: the row as JSON
	all   [][]byte          // of a view without a key, in the order of partitions and offsets as they were read
	table *memory.Table     // the rows as columns, nil when they have changed
}

// refresh reads what was committed since the last time. The caller holds v.mu.
func (v *viewRows) refresh(ctx context.Context) error {
	t, err := v.e.opts.Log.Broker.Topic(v.topic)
	if err != nil {
		return err
	}
	for len(v.next) < int(t.Partitions) {
		v.next = append(v.next, 0)
	}
	for p := range v.next {
		next, err := v.e.opts.Log.Records(ctx, v.topic, int32(p), v.next[p], v.take)
		v.next[p] = next
		if err != nil {
			return fmt.Errorf("driver: rows of %s: %w", v.topic, err)
		}
	}
	return nil
}

// take is one record: the last of its key counts, and one without a value takes the key away.
func (v *viewRows) take(key, value []byte, _ int64) error {
	v.table = nil
	switch {
	case !v.keyed:
		v.all = append(v.all, slices.Clone(value))
	case value == nil:
		delete(v.last, string(key))
	default:
		v.last[string(key)] = slices.Clone(value)
	}
	return nil
}

// rows are the view's rows as a table, in the order of their keys.
func (v *viewRows) rows(ctx context.Context, name string) (*memory.Table, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.refresh(ctx); err != nil {
		return nil, err
	}
	if v.table != nil {
		return v.table, nil
	}
	list := v.all
	if v.keyed {
		list = make([][]byte, 0, len(v.last))
		for _, k := range slices.Sorted(maps.Keys(v.last)) {
			list = append(list, v.last[k])
		}
	}
	t, err := decodeRows(name, v.schema, list)
	if err == nil {
		v.table = t
	}
	return t, err
}

// lookUp is the row of a key, nil for none.
func (v *viewRows) lookUp(ctx context.Context, key string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.refresh(ctx); err != nil {
		return nil, err
	}
	return v.last[key], nil
}

// viewPartitions is how many tasks read a view.
const viewPartitions = 4

// decodeRows makes a table of JSON rows.
func decodeRows(name string, schema *column.Schema, list [][]byte) (*memory.Table, error) {
	t := memory.New(name, schema, viewPartitions)
	scan := column.NewJSONScanner(schema)
	for from, part := 0, 0; from < len(list); from, part = from+column.BatchRows, part+1 {
		for _, row := range list[from:min(from+column.BatchRows, len(list))] {
			if err := scan.Scan(row); err != nil {
				return nil, fmt.Errorf("driver: row of view %s: %w", name, err)
			}
		}
		b := scan.Finish(nil)
		b.Schema = schema
		if err := t.Append(part%viewPartitions, b); err != nil {
			return nil, err
		}
	}
	return t, nil
}
