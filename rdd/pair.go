package rdd

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/codec"
)

// Pair is a row of a keyed dataset, Spark's PairRDD.
type Pair[K comparable, V any] struct {
	Key   K
	Value V
}

// Grouped is a key with all its values.
type Grouped[K comparable, V any] = Pair[K, []V]

// pairSchema is how pairs are shuffled: key and value in the codec's form. Equal keys have equal bytes.
var pairSchema = column.NewSchema(column.Field{Name: "key", Type: column.Of(column.Binary)}, column.Field{Name: "value", Type: column.Of(column.Binary)})

// KeyBy gives each row a key.
func KeyBy[T any, K comparable](d Dataset[T], f func(T) K) Dataset[Pair[K, T]] {
	return derive[T, Pair[K, T]](d, "keyBy", function(d.ctx, "keyBy", f, keyer(f)))
}

func keyer[T any, K comparable](f func(T) K) build {
	return mapper(func(row T) Pair[K, T] { return Pair[K, T]{f(row), row} })
}

// MapValues applies f to the values and leaves the keys.
func MapValues[K comparable, V, W any](d Dataset[Pair[K, V]], f func(V) W) Dataset[Pair[K, W]] {
	b := mapper(func(p Pair[K, V]) Pair[K, W] { return Pair[K, W]{p.Key, f(p.Value)} })
	return derive[Pair[K, V], Pair[K, W]](d, "mapValues", d.ctx.closure("mapValues", b))
}

// shuffled moves pairs so that all of a key are in one partition, through an operator that writes columns.
func shuffled[K comparable, V any](c *Context, parent *RDD, parts int) Dep {
	enc := c.node("encode", general(pairKind[K, V]("encode"), encodePairs[K, V]()), parent.Parts, pairSchema, Dep{Parent: parent})
	return Dep{Parent: enc, Kind: Shuffle, Partitioner: Partitioner{Kind: Hash, Keys: []int{0}, N: parts}}
}

// exchange is a dataset that reads pairs shuffled by key.
func exchange[K comparable, V, U any](d Dataset[Pair[K, V]], name, fn string) Dataset[U] {
	return Dataset[U]{d.ctx, func(ctx context.Context) (*RDD, error) {
		parent, err := d.make(ctx)
		if err != nil {
			return nil, err
		}
		return d.ctx.node(name, fn, d.ctx.parts, nil, shuffled[K, V](d.ctx, parent, d.ctx.parts)), nil
	}}
}

// ReduceByKey combines the values of each key by f, which must be associative: first in the partitions where they are,
// then, when they have moved, over all.
func ReduceByKey[K comparable, V any](d Dataset[Pair[K, V]], f func(a, b V) V) Dataset[Pair[K, V]] {
	combine := function(d.ctx, "combine", f, combiner[K](f))
	reduce := function(d.ctx, "reduce", f, reducer[K](f))
	return exchange[K, V, Pair[K, V]](derive[Pair[K, V], Pair[K, V]](d, "combine", combine), "reduceByKey", reduce)
}

// GroupByKey gathers the values of each key, in the order of the partitions that they came from.
func GroupByKey[K comparable, V any](d Dataset[Pair[K, V]]) Dataset[Grouped[K, V]] {
	return exchange[K, V, Grouped[K, V]](d, "groupByKey", general(pairKind[K, V]("group"), grouper[K, V]()))
}

// table is a map that remembers the order of its keys.
type table[K comparable, V any] struct {
	at   map[K]int
	rows []Pair[K, V]
}

func newTable[K comparable, V any]() *table[K, V] { return &table[K, V]{at: map[K]int{}} }

// find returns the place of a key's value; fresh says that it is new.
func (t *table[K, V]) find(k K) (v *V, fresh bool) {
	i, ok := t.at[k]
	if !ok {
		i = len(t.rows)
		t.at[k] = i
		t.rows = append(t.rows, Pair[K, V]{Key: k})
	}
	return &t.rows[i].Value, !ok
}

func (t *table[K, V]) fold(p Pair[K, V], f func(a, b V) V) {
	if v, fresh := t.find(p.Key); fresh {
		*v = p.Value
	} else {
		*v = f(*v, p.Value)
	}
}

func combiner[K comparable, V any](f func(a, b V) V) build {
	return whole(func(_ *TaskContext, in []Reader) ([]Pair[K, V], error) {
		t := newTable[K, V]()
		err := eachRow(in[0], func(p Pair[K, V]) { t.fold(p, f) })
		return t.rows, err
	})
}

func reducer[K comparable, V any](f func(a, b V) V) build {
	return whole(func(_ *TaskContext, in []Reader) ([]Pair[K, V], error) {
		t := newTable[K, V]()
		err := eachPair(in[0], func(p Pair[K, V]) { t.fold(p, f) })
		return t.rows, err
	})
}

func grouper[K comparable, V any]() build {
	return whole(func(_ *TaskContext, in []Reader) ([]Grouped[K, V], error) {
		t := newTable[K, []V]()
		err := eachPair(in[0], func(p Pair[K, V]) {
			v, _ := t.find(p.Key)
			*v = append(*v, p.Value)
		})
		return t.rows, err
	})
}

// encodePairs turns rows into columns.
func encodePairs[K comparable, V any]() build {
	return func(_ *Apply, _ *TaskContext, in []Reader) (Reader, error) {
		b := column.NewBatchBuilder(pairSchema)
		var buf []byte
		return &funcReader{in, func() (*column.Batch, error) {
			rows, err := nextRows[Pair[K, V]](in[0])
			if err != nil {
				return nil, err
			}
			b.Reset()
			for i := range rows {
				buf = appendValue(buf[:0], &rows[i].Key)
				b.Cols[0].AppendBytes(buf)
				buf = appendValue(buf[:0], &rows[i].Value)
				b.Cols[1].AppendBytes(buf)
			}
			return b.Finish(), nil
		}}, nil
	}
}

// eachPair visits shuffled pairs.
func eachPair[K comparable, V any](in Reader, visit func(Pair[K, V])) error {
	for {
		b, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range b.N {
			var p Pair[K, V]
			if err := readValue(b.Cols[0].Bytes(i), &p.Key); err != nil {
				return err
			}
			if err := readValue(b.Cols[1].Bytes(i), &p.Value); err != nil {
				return err
			}
			visit(p)
		}
	}
}

// appendValue is the codec's form, with short cuts for the types that most keys and values have.
func appendValue[T any](dst []byte, v *T) []byte {
	switch v := any(v).(type) {
	case *string:
		return append(dst, *v...)
	case *int:
		return binary.BigEndian.AppendUint64(dst, uint64(*v))
	case *int64:
		return binary.BigEndian.AppendUint64(dst, uint64(*v))
	case *float64:
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(*v+0)) // -0 and 0 are one key
	}
	return append(dst, codec.EncodeAs(*v)...)
}

func readValue[T any](b []byte, v *T) error {
	switch v := any(v).(type) {
	case *string:
		*v = string(b)
		return nil
	case *int:
		return readWord(b, func(w uint64) { *v = int(w) })
	case *int64:
		return readWord(b, func(w uint64) { *v = int64(w) })
	case *float64:
		return readWord(b, func(w uint64) { *v = math.Float64frombits(w) })
	}
	x, err := codec.DecodeAs[T](b)
	*v = x
	return err
}

func readWord(b []byte, set func(uint64)) error {
	if len(b) != 8 {
		return fmt.Errorf("rdd: a shuffled number of %d bytes", len(b))
	}
	set(binary.BigEndian.Uint64(b))
	return nil
}
