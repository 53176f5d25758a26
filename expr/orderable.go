package expr

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Orderable reports whether values of a type can be compared: sorted, grouped, made distinct. Variants and calendar
// intervals cannot, nor what holds them. Maps count as comparable here; what refuses them says so itself.
func Orderable(t column.Type) bool {
	if t.Kind == column.Variant || t.Kind == column.Calendar {
		return false
	}
	for _, f := range t.Fields {
		if !Orderable(f.Type) {
			return false
		}
	}
	return true
}

// Unordered is Spark's error for an operation that orders values of a type which has no order.
func Unordered(what string, t column.Type) *usererr.Error {
	return usererr.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "42K09", "Cannot resolve %q due to data type mismatch: the `%s` does not support ordering on type %q.", what, what, upperType(t)).
		With("functionName", what).With("dataType", upperType(t)).WithFix("%s", orderFix(t))
}

func orderFix(t column.Type) string {
	if holds(t, column.Variant) {
		return "Cast the variant to a type, or take a value out of it with variant_get."
	}
	return "Use an interval of YEAR TO MONTH or of DAY TO SECOND, which have an order."
}

// holds reports whether a type is of a kind or has members that are.
func holds(t column.Type, k column.Kind) bool {
	if t.Kind == k {
		return true
	}
	for _, f := range t.Fields {
		if holds(f.Type, k) {
			return true
		}
	}
	return false
}

// HoldsVariant reports whether a type is a variant or has members that are.
func HoldsVariant(t column.Type) bool { return holds(t, column.Variant) }

// orderedFirst is the type of the first argument, which must have an order.
func orderedFirst(fn string) func([]Expr) (column.Type, error) {
	return func(args []Expr) (column.Type, error) {
		if t := args[0].DataType(); !Orderable(t) {
			return t, Unordered(fn, t)
		}
		return typeOfFirst(args)
	}
}

// hashOf is the type of a hash, which variants do not have.
func hashOf(fn string, k column.Kind) func([]Expr) (column.Type, error) {
	return func(args []Expr) (column.Type, error) {
		for _, a := range args {
			if HoldsVariant(a.DataType()) {
				return column.Type{}, usererr.New("DATATYPE_MISMATCH.HASH_VARIANT_TYPE", "42K09", "Cannot resolve %q due to data type mismatch: input to the function `%s` cannot contain elements of the \"VARIANT\" type yet.", fn, fn).
					With("functionName", "`"+fn+"`")
			}
		}
		return column.Of(k), nil
	}
}
