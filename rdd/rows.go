package rdd

import (
	"crypto/rand"
	"fmt"
	"io"
	"iter"

	"github.com/streamflow/streamflow/column"
)

// processID tells closures of one process from those of another.
var processID = rand.Text()

// rowBatch wraps rows as a batch of Go values. Its rows belong to whoever receives it.
func rowBatch[T any](rows []T) *column.Batch { return &column.Batch{N: len(rows), Objects: rows} }

// rowsOf unwraps a batch of Go values.
func rowsOf[T any](b *column.Batch) ([]T, error) {
	rows, ok := b.Objects.([]T)
	if !ok {
		return nil, fmt.Errorf("rdd: rows of type %T where %T was expected", b.Objects, rows)
	}
	return rows, nil
}

// funcReader is a Reader made of a function.
type funcReader struct {
	in   []Reader
	next func() (*column.Batch, error)
}

func (r *funcReader) Next() (*column.Batch, error) { return r.next() }

func (r *funcReader) Close() error {
	var first error
	for _, in := range r.in {
		if err := in.Close(); first == nil {
			first = err
		}
	}
	return first
}

// perBatch is an operator that turns each batch of rows into another; empty ones are left out.
func perBatch[T, U any](f func(rows []T) []U) build {
	return func(_ *Apply, _ *TaskContext, in []Reader) (Reader, error) {
		return &funcReader{in, func() (*column.Batch, error) {
			for {
				rows, err := nextRows[T](in[0])
				if err != nil {
					return nil, err
				}
				if out := f(rows); len(out) > 0 {
					return rowBatch(out), nil
				}
			}
		}}, nil
	}
}

func nextRows[T any](in Reader) ([]T, error) {
	b, err := in.Next()
	if err != nil {
		return nil, err
	}
	return rowsOf[T](b)
}

// eachRow visits all rows of a reader.
func eachRow[T any](in Reader, visit func(T)) error {
	for {
		rows, err := nextRows[T](in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for _, row := range rows {
			visit(row)
		}
	}
}

func mapper[T, U any](f func(T) U) build {
	return perBatch(func(rows []T) []U {
		out := make([]U, len(rows))
		for i, row := range rows {
			out[i] = f(row)
		}
		return out
	})
}

func filterer[T any](f func(T) bool) build {
	return perBatch(func(rows []T) []T {
		out := make([]T, 0, len(rows))
		for _, row := range rows {
			if f(row) {
				out = append(out, row)
			}
		}
		return out
	})
}

func flatMapper[T, U any](f func(T) []U) build {
	return perBatch(func(rows []T) []U {
		out := make([]U, 0, len(rows))
		for _, row := range rows {
			out = append(out, f(row)...)
		}
		return out
	})
}

// whole is an operator that reads all of its inputs before it yields its rows, in batches of the usual size.
func whole[U any](f func(tc *TaskContext, in []Reader) ([]U, error)) build {
	return func(_ *Apply, tc *TaskContext, in []Reader) (Reader, error) {
		var rows []U
		read := false
		return &funcReader{in, func() (*column.Batch, error) {
			if !read {
				var err error
				if rows, err = f(tc, in); err != nil {
					return nil, err
				}
				read = true
			}
			if len(rows) == 0 {
				return nil, io.EOF
			}
			n := min(len(rows), column.BatchRows)
			b := rowBatch(rows[:n:n])
			rows = rows[n:]
			return b, nil
		}}, nil
	}
}

func partitionMapper[T, U any](f func(part int, rows iter.Seq[T], emit func(U)) error) build {
	return whole(func(tc *TaskContext, in []Reader) (out []U, err error) {
		var failed error
		rows := func(yield func(T) bool) {
			for failed == nil {
				list, err := nextRows[T](in[0])
				if err == io.EOF {
					return
				}
				if failed = err; err != nil {
					return
				}
				for _, row := range list {
					if !yield(row) {
						return
					}
				}
			}
		}
		err = f(tc.Partition, rows, func(u U) { out = append(out, u) })
		if failed != nil {
			err = failed
		}
		return out, err
	})
}

// concat yields its inputs one after the other.
func concat(_ *Apply, _ *TaskContext, in []Reader) (Reader, error) {
	left := in
	return &funcReader{in, func() (*column.Batch, error) {
		for len(left) > 0 {
			b, err := left[0].Next()
			if err != io.EOF {
				return b, err
			}
			left = left[1:]
		}
		return nil, io.EOF
	}}, nil
}
