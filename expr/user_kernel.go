package expr

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// userKernel runs a user's function over batches: it gives it plain vectors without nulls (unless the function wants
// them), and puts the results back where the rows were.
func userKernel(u *UserFunction, c *Call) kernel {
	fn, makeErr := u.Make()
	s := &userCall{u: u, typ: c.Typ, fn: fn}
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		if makeErr != nil {
			k.failAll(FunctionFailed(u.Name, makeErr))
			return
		}
		s.run(k, args, out)
	}
}

// userCall is one place where a user's function stands, with the buffers it reuses.
type userCall struct {
	u     *UserFunction
	typ   column.Type
	fn    BatchFunc
	sel   []int32 // rows without nulls
	args  []*column.Vector
	taken []*column.Vector
	errs  RowErrors
}

func (s *userCall) run(k *kctx, args []*column.Vector, out *column.Vector) {
	s.plain(args, k.n)
	if s.u.NullCall || !s.hasNulls() {
		s.whole(k, out)
		return
	}
	s.selected(k, out)
}

// plain spreads constants over all rows.
func (s *userCall) plain(args []*column.Vector, n int) {
	s.args = resize(s.args, len(args))
	for i, a := range args {
		s.args[i] = a
		if a.Const {
			s.args[i] = column.Expand(a, n)
		}
	}
}

func (s *userCall) hasNulls() bool {
	for _, a := range s.args {
		if a.Type.Kind == column.Null || a.HasNulls() {
			return true
		}
	}
	return false
}

// whole computes all rows at once.
func (s *userCall) whole(k *kctx, out *column.Vector) {
	v := s.call(k.n)
	if v == nil {
		v = column.Nulls(s.typ, k.n)
	}
	*out = *v
	k.valid = nil
	for i, row := range s.errs.Rows {
		k.fail(int(row), s.errs.Errs[i])
	}
}

// selected computes the rows that have no null argument; the others are null.
func (s *userCall) selected(k *kctx, out *column.Vector) {
	s.sel = s.sel[:0]
	for i := 0; i < k.n; i++ {
		if s.allValid(i) {
			s.sel = append(s.sel, int32(i))
		}
	}
	s.taken = resize(s.taken, len(s.args))
	for i, a := range s.args {
		s.taken[i] = column.Take(s.taken[i], a, s.sel)
	}
	s.args = append(s.args[:0], s.taken...)
	v := s.call(len(s.sel))
	if v == nil {
		v = column.Nulls(s.typ, len(s.sel))
	}
	*out = *scatter(v, s.typ, s.sel, k.n)
	k.valid = nil
	for i, row := range s.errs.Rows {
		k.fail(int(s.sel[row]), s.errs.Errs[i])
	}
}

func (s *userCall) allValid(i int) bool {
	for _, a := range s.args {
		if a.Type.Kind == column.Null || !a.IsValid(i) {
			return false
		}
	}
	return true
}

// scatter puts row j of v at row sel[j] of n rows; the others are null.
func scatter(v *column.Vector, t column.Type, sel []int32, n int) *column.Vector {
	b := column.NewBuilder(t)
	next := 0
	for i := 0; i < n; i++ {
		if next < len(sel) && int(sel[next]) == i {
			b.AppendFrom(v, next)
			next++
			continue
		}
		b.AppendNull()
	}
	return b.Finish()
}

// call runs the function; nil when all rows failed. Failures are in s.errs.
func (s *userCall) call(n int) (v *column.Vector) {
	s.errs.Reset()
	failed := func(err error) {
		s.errs.Reset()
		err = FunctionFailed(s.u.Name, err)
		for i := 0; i < n; i++ {
			s.errs.Rows, s.errs.Errs = append(s.errs.Rows, int32(i)), append(s.errs.Errs, err)
		}
		v = nil
	}
	defer func() {
		if p := recover(); p != nil {
			failed(fmt.Errorf("it panicked: %v", p))
		}
	}()
	out, err := s.fn(s.args, n, &s.errs)
	switch {
	case err != nil:
		failed(err)
	case out == nil || out.N != n || !out.Type.Equal(s.typ):
		failed(fmt.Errorf("it returned %s for %d rows of %s", shapeOf(out), n, s.typ))
	default:
		for i, e := range s.errs.Errs {
			s.errs.Errs[i] = FunctionFailed(s.u.Name, e)
		}
		return out
	}
	return v
}

func shapeOf(v *column.Vector) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprintf("%d rows of %s", v.N, v.Type)
}

// FunctionFailed is the error of a row in which the function name failed with err; errors of users stay as they are.
func FunctionFailed(name string, err error) error {
	if u, ok := usererr.As(err); ok {
		return u
	}
	return usererr.New("FAILED_EXECUTE_UDF", "39000", "%s failed: %v.", name, err)
}
