package rdd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/codec"
)

// samplesPerPart is how many keys a sort looks at in each partition to choose its ranges.
const samplesPerPart = 200

// SortBy orders rows by key: partition i has nothing greater than partition i+1, and each is in order. Equal keys keep
// their order. The ranges are chosen from a sample, which the action that needs the rows takes first.
func SortBy[T any, K cmp.Ordered](d Dataset[T], key func(T) K) Dataset[T] {
	c := d.ctx
	schema := column.NewSchema(column.Field{Name: "key", Type: keyType[K]()}, column.Field{Name: "row", Type: column.Of(column.Binary)})
	encode := c.closure("sortEncode", sortEncoder(schema, key))
	sample := c.closure("sortSample", sampler(key))
	return Dataset[T]{c, func(ctx context.Context) (*RDD, error) {
		parent, err := d.make(ctx)
		if err != nil {
			return nil, err
		}
		bounds, err := sortBounds[K](ctx, c, c.node("sample", sample, parent.Parts, nil, Dep{Parent: parent}))
		if err != nil {
			return nil, err
		}
		enc := c.node("sortBy", encode, parent.Parts, schema, Dep{Parent: parent})
		return c.node("sortBy", general("sorted:"+typeName[K]()+","+typeName[T](), sorted[K, T]()), c.parts, nil,
			Dep{Parent: enc, Kind: Shuffle, Partitioner: Partitioner{Kind: Range, Keys: []int{0}, Bounds: bounds, N: c.parts}}), nil
	}}
}

func sampler[T any, K cmp.Ordered](key func(T) K) build {
	return whole(func(_ *TaskContext, in []Reader) ([]K, error) {
		var keys []K
		n, step := 0, 1
		err := eachRow(in[0], func(row T) {
			if n++; n%step != 0 {
				return
			}
			keys = append(keys, key(row))
			if len(keys) == 2*samplesPerPart { // keep every other one, and look at half as many from now on
				for i := range samplesPerPart {
					keys[i] = keys[2*i+1]
				}
				keys, step = keys[:samplesPerPart], 2*step
			}
		})
		return keys, err
	})
}

// sortBounds runs the sample and cuts it into equal shares.
func sortBounds[K cmp.Ordered](ctx context.Context, c *Context, sample *RDD) (*column.Batch, error) {
	var keys []K
	err := c.runner.RunRDD(ctx, sample, func(_ int, b *column.Batch) error {
		rows, err := rowsOf[K](b)
		keys = append(keys, rows...)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(keys)
	b := column.NewBatchBuilder(column.NewSchema(column.Field{Name: "key", Type: keyType[K]()}))
	for i := 1; i < c.parts && len(keys) > 0; i++ {
		appendKey(b.Cols[0], keys[i*len(keys)/c.parts])
	}
	return b.Finish(), nil
}

// keyType is the column type whose order is K's.
func keyType[K cmp.Ordered]() column.Type {
	switch reflect.TypeFor[K]().Kind() {
	case reflect.String:
		return column.Of(column.String)
	case reflect.Float32, reflect.Float64:
		return column.Of(column.Float64)
	}
	return column.Of(column.Int64)
}

func appendKey[K cmp.Ordered](b *column.Builder, k K) {
	switch v := reflect.ValueOf(k); {
	case v.Kind() == reflect.String:
		b.AppendString(v.String())
	case v.CanFloat():
		b.AppendF64(v.Float())
	case v.CanUint():
		b.AppendI64(int64(v.Uint() ^ 1<<63)) // keeps the order
	default:
		b.AppendI64(v.Int())
	}
}

func sortEncoder[T any, K cmp.Ordered](schema *column.Schema, key func(T) K) build {
	return func(_ *Apply, _ *TaskContext, in []Reader) (Reader, error) {
		b := column.NewBatchBuilder(schema)
		return &funcReader{in, func() (*column.Batch, error) {
			rows, err := nextRows[T](in[0])
			if err != nil {
				return nil, err
			}
			b.Reset()
			for _, row := range rows {
				appendKey(b.Cols[0], key(row))
				b.Cols[1].AppendBytes(codec.EncodeAs(row))
			}
			return b.Finish(), nil
		}}, nil
	}
}

// sorted orders what came to its range.
func sorted[K cmp.Ordered, T any]() build {
	return whole(func(_ *TaskContext, in []Reader) ([]T, error) {
		var batches []*column.Batch
		var schema *column.Schema
		for {
			b, err := in[0].Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			schema = b.Schema
			batches = append(batches, b.Clone())
		}
		if len(batches) == 0 {
			return nil, nil
		}
		all := column.Concat(schema, batches)
		rows := make([]T, 0, all.N)
		for _, i := range column.SortIndices(all, []column.SortKey{{Col: 0}}) {
			row, err := codec.DecodeAs[T](all.Cols[1].Bytes(int(i)))
			if err != nil {
				return nil, fmt.Errorf("rdd: sort: %w", err)
			}
			rows = append(rows, row)
		}
		return rows, nil
	})
}
