package udf

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// Vector registers a function over whole batches. args names and types its arguments; a field that is Nullable makes the
// function see nulls. makeBatch is called for each place where the function stands; see expr.BatchFunc for what it returns.
func Vector(name string, args []column.Field, returns column.Type, makeBatch func() (expr.BatchFunc, error), opts ...Option) error {
	f := expr.UserFunction{User: expr.User{Name: name, Args: args}, Returns: returns, Make: makeBatch}
	for _, a := range args {
		f.NullCall = f.NullCall || a.Nullable
	}
	for _, o := range opts {
		o(&f.User, &f)
	}
	return expr.RegisterFunction(f)
}
