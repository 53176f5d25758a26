package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// checkOrder refuses what would compare values that have no order, variants and calendar intervals: sorting, grouping,
// DISTINCT and set operations, windows and partitions by them.
func (a *analyzer) checkOrder(p logical.Plan) (err error) {
	logical.Walk(p, func(n logical.Plan) bool {
		if err == nil {
			err = a.nodeOrder(n)
		}
		return err == nil
	})
	return err
}

func (a *analyzer) nodeOrder(n logical.Plan) error {
	switch n := n.(type) {
	case *logical.Sort:
		for _, o := range n.Orders {
			if t := o.Child.DataType(); !expr.Orderable(t) {
				return at(expr.Unordered("sortorder", t), a.place(o.Child))
			}
		}
	case *logical.Aggregate:
		return a.allOrdered(n.Keys, notGroupable)
	case *logical.Dedup:
		return a.allOrdered(n.Cols, notDistinct)
	case *logical.Repartition:
		return a.allOrdered(n.Keys, notPartitionable)
	case *logical.Over:
		return a.windowOrder(n)
	}
	return nil
}

func (a *analyzer) windowOrder(n *logical.Over) error {
	for _, e := range n.List {
		o, ok := unalias(e).(*expr.Over)
		if !ok {
			continue
		}
		if err := a.allOrdered(o.Partition, notGroupable); err != nil {
			return err
		}
		for _, k := range o.Order {
			if t := k.Child.DataType(); !expr.Orderable(t) {
				return at(expr.Unordered("sortorder", t), o.Pos)
			}
		}
	}
	return nil
}

func (a *analyzer) allOrdered(list []expr.Expr, refuse func(expr.Expr) *usererr.Error) error {
	for _, e := range list {
		if !expr.Orderable(e.DataType()) {
			return at(refuse(e), a.place(e))
		}
	}
	return nil
}

func upper(t column.Type) string { return strings.ToUpper(t.String()) }

func notGroupable(e expr.Expr) *usererr.Error {
	t := upper(e.DataType())
	return usererr.New("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", "42822", "The expression %q cannot be used as a grouping expression because its data type %q is not an orderable data type.", plainName(unalias(e)), t).
		With("sqlExpr", plainName(unalias(e))).With("dataType", t).WithFix("Group by its text, cast(%s as string), or by a part of it.", plainName(unalias(e)))
}

func notDistinct(e expr.Expr) *usererr.Error {
	if !expr.HoldsVariant(e.DataType()) {
		return notGroupable(e)
	}
	return usererr.New("UNSUPPORTED_FEATURE.SET_OPERATION_ON_VARIANT_TYPE", "0A000", "The feature is not supported: Cannot have VARIANT type columns in DataFrame which calls set operations (INTERSECT, EXCEPT, etc.), but the type of column `%s` is %q.",
		plainName(unalias(e)), upper(e.DataType())).With("colName", plainName(unalias(e))).With("dataType", upper(e.DataType())).WithFix("Cast the variant to a type, or to STRING.")
}

func notPartitionable(e expr.Expr) *usererr.Error {
	if !expr.HoldsVariant(e.DataType()) {
		return expr.Unordered("repartition", e.DataType())
	}
	return usererr.New("UNSUPPORTED_FEATURE.PARTITION_BY_VARIANT", "0A000", "The feature is not supported: Cannot use VARIANT producing expressions to partition a DataFrame, but the type of expression %q is %q.",
		plainName(unalias(e)), upper(e.DataType())).With("expr", plainName(unalias(e))).With("dataType", upper(e.DataType())).WithFix("Partition by a value taken out of it with variant_get.")
}
