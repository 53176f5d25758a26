package physical

import (
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// nextLate is the next batch over a source that reads the columns of the condition first, and of the others only the rows
// that pass. It is for batch runs, where a row that fails ends the query and is not set aside with all its columns.
func (f *Filter) nextLate(tc *rdd.TaskContext, in rdd.LateReader) (*column.Batch, error) {
	if !f.keys.begun {
		f.keys.begin(tc)
	}
	for {
		first := f.firstColumns()
		if len(first) == 0 {
			b, err := in.Next()
			if err != nil {
				return nil, err
			}
			return f.keep(b), nil
		}
		b, err := in.NextFirst(first)
		if err != nil {
			return nil, err
		}
		if err := f.choose(b, nil); err != nil {
			return nil, err
		}
		if len(f.sel) == 0 {
			continue
		}
		out, err := in.Rest(f.sel)
		if err != nil {
			return nil, err
		}
		return f.keep(out), nil
	}
}

// firstColumns are the columns that decide which rows pass: of the condition, and of the keys that are still looked at.
func (f *Filter) firstColumns() []int {
	if f.first != nil && f.firstFor == len(f.keys.tests) {
		return f.first
	}
	f.first = f.first[:0]
	if f.Cond != nil {
		expr.Walk(f.Cond, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok {
				f.first = append(f.first, c.Index)
			}
			return true
		})
	}
	for _, t := range f.keys.tests {
		f.first = append(f.first, t.col)
	}
	slices.Sort(f.first)
	f.first, f.firstFor = slices.Compact(f.first), len(f.keys.tests)
	return f.first
}
