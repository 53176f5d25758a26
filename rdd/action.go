package rdd

import (
	"context"

	"github.com/streamflow/streamflow/column"
)

// run computes the dataset and hands over its rows in partition order.
func (d Dataset[T]) run(ctx context.Context, each func(rows []T) error) error {
	r, err := d.make(ctx)
	if err != nil {
		return err
	}
	return d.ctx.runner.RunRDD(ctx, r, func(_ int, b *column.Batch) error {
		rows, err := rowsOf[T](b)
		if err != nil {
			return err
		}
		return each(rows)
	})
}

// Collect returns all rows, in partition order.
func (d Dataset[T]) Collect(ctx context.Context) ([]T, error) {
	var all []T
	err := d.run(ctx, func(rows []T) error {
		all = append(all, rows...)
		return nil
	})
	return all, err
}

// Take returns the first n rows and computes little more than it needs.
func (d Dataset[T]) Take(ctx context.Context, n int) ([]T, error) {
	var all []T
	if n <= 0 {
		return nil, nil
	}
	err := d.run(ctx, func(rows []T) error {
		all = append(all, rows[:min(len(rows), n-len(all))]...)
		if len(all) == n {
			return ErrStop
		}
		return nil
	})
	return all, err
}

// Count returns the number of rows; they are counted where they are.
func (d Dataset[T]) Count(ctx context.Context) (int64, error) {
	counts := derive[T, int64](d, "count", general("count:"+typeName[T](), whole(func(_ *TaskContext, in []Reader) ([]int64, error) {
		n := int64(0)
		err := eachRow(in[0], func(T) { n++ })
		return []int64{n}, err
	})))
	total := int64(0)
	err := counts.run(ctx, func(rows []int64) error {
		for _, n := range rows {
			total += n
		}
		return nil
	})
	return total, err
}

// Reduce combines all rows by f, which must be associative; ok is false when there are none.
func (d Dataset[T]) Reduce(ctx context.Context, f func(a, b T) T) (result T, ok bool, err error) {
	partial := derive[T, T](d, "reduce", d.ctx.closure("reduceAll", whole(func(_ *TaskContext, in []Reader) ([]T, error) {
		var acc []T
		err := eachRow(in[0], func(row T) {
			if acc == nil {
				acc = []T{row}
			} else {
				acc[0] = f(acc[0], row)
			}
		})
		return acc, err
	})))
	err = partial.run(ctx, func(rows []T) error {
		for _, row := range rows {
			if !ok {
				result, ok = row, true
			} else {
				result = f(result, row)
			}
		}
		return nil
	})
	return result, ok, err
}

// ForEach calls f with each row, in the tasks, several at a time. A task that fails half-way runs again, so f may see a row
// more than once.
func (d Dataset[T]) ForEach(ctx context.Context, f func(T)) error {
	done := derive[T, T](d, "forEach", d.ctx.closure("forEach", whole(func(_ *TaskContext, in []Reader) ([]T, error) {
		return nil, eachRow(in[0], f)
	})))
	return done.run(ctx, func([]T) error { return nil })
}
