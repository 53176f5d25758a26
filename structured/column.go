package structured

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// Column is an expression over the columns of a DataFrame. Operands that are not Columns are literals.
type Column struct {
	e   expr.Expr
	err error
}

// Expr is the expression tree, for packages that build plans; nil when the column has an error.
func (c Column) Expr() (expr.Expr, error) { return c.e, c.err }

// ColumnOf is a column over an expression tree.
func ColumnOf(e expr.Expr) Column { return Column{e: e} }

// String is the expression as explain prints it.
func (c Column) String() string {
	if c.err != nil {
		return c.err.Error()
	}
	return c.e.String()
}

// Col is a column by name: "a", "t.a", "s.field", "`a.b`", "*" or "t.*".
func Col(name string) Column {
	if name == "*" {
		return Column{e: &expr.Star{}}
	}
	target, star := strings.CutSuffix(name, ".*")
	parts, err := SplitName(target)
	if err != nil {
		return Column{err: err}
	}
	if star {
		return Column{e: &expr.Star{Qualifier: parts}}
	}
	return Column{e: &expr.UnresolvedAttr{Parts: parts}}
}

// Expr is SQL text as a column: Expr("amount * 2 AS double_amount").
func Expr(text string) Column { return Column{e: &logical.SQLExpr{Text: text}} }

// Call applies a function by name; arguments that are not Columns are literals.
func Call(name string, args ...any) Column { return call(name, false, args...) }

func call(name string, distinct bool, args ...any) Column {
	c := &expr.UnresolvedCall{Name: name, Distinct: distinct}
	for _, a := range args {
		x := Lit(a)
		if x.err != nil {
			return x
		}
		c.Args = append(c.Args, x.e)
	}
	return Column{e: c}
}

// op applies an operator with c as the first operand.
func (c Column) op(name string, others ...any) Column {
	return Call(name, append([]any{c}, others...)...)
}

// Arithmetic. Plus, Minus and Times keep the wider type, Div of integers gives a double, Mod takes the sign of c.
func (c Column) Plus(o any) Column  { return c.op("+", o) }
func (c Column) Minus(o any) Column { return c.op("-", o) }
func (c Column) Times(o any) Column { return c.op("*", o) }
func (c Column) Div(o any) Column   { return c.op("/", o) }
func (c Column) Mod(o any) Column   { return c.op("%", o) }
func (c Column) Negate() Column     { return c.op("negative") }

// Comparison. A null on a side makes the result null, except for EqNullSafe, which takes nulls as equal.
func (c Column) Eq(o any) Column         { return c.op("==", o) }
func (c Column) Ne(o any) Column         { return c.op("==", o).Not() }
func (c Column) Lt(o any) Column         { return c.op("<", o) }
func (c Column) Le(o any) Column         { return c.op("<=", o) }
func (c Column) Gt(o any) Column         { return c.op(">", o) }
func (c Column) Ge(o any) Column         { return c.op(">=", o) }
func (c Column) EqNullSafe(o any) Column { return c.op("<=>", o) }

// Between is low <= c AND c <= high.
func (c Column) Between(low, high any) Column { return c.Ge(low).And(c.Le(high)) }

// Logic, with SQL's three values.
func (c Column) And(o any) Column { return c.op("and", o) }
func (c Column) Or(o any) Column  { return c.op("or", o) }
func (c Column) Not() Column      { return c.op("not") }

// Tests for null and NaN never give null themselves.
func (c Column) IsNull() Column    { return c.op("isnull") }
func (c Column) IsNotNull() Column { return c.op("isnotnull") }
func (c Column) IsNaN() Column     { return c.op("isnan") }

// Bits of integers.
func (c Column) BitAnd(o any) Column { return c.op("&", o) }
func (c Column) BitOr(o any) Column  { return c.op("|", o) }
func (c Column) BitXor(o any) Column { return c.op("^", o) }

// Text. Like takes SQL's % and _, RLike a regular expression, ILike ignores case.
func (c Column) Like(pattern any) Column    { return c.op("like", pattern) }
func (c Column) ILike(pattern any) Column   { return c.op("ilike", pattern) }
func (c Column) RLike(pattern any) Column   { return c.op("rlike", pattern) }
func (c Column) Contains(o any) Column      { return c.op("contains", o) }
func (c Column) StartsWith(o any) Column    { return c.op("startswith", o) }
func (c Column) EndsWith(o any) Column      { return c.op("endswith", o) }
func (c Column) Substr(pos, len any) Column { return c.op("substr", pos, len) }

// In is true when c equals one of the values.
func (c Column) In(values ...any) Column { return c.op("in", values...) }

// As names the result; several names are for functions that make several columns.
func (c Column) As(names ...string) Column {
	if c.err != nil || len(names) == 0 {
		return c
	}
	a := &expr.Alias{Child: c.e, Name: names[0], ID: expr.NewID()}
	if len(names) > 1 {
		a.Names = names
	}
	return Column{e: a}
}

// Alias is As with one name.
func (c Column) Alias(name string) Column { return c.As(name) }

// Cast converts to a type such as "bigint" or "decimal(10,2)"; a value that cannot be converted is an error.
func (c Column) Cast(to string) Column { return c.cast(to, false) }

// TryCast converts; a value that cannot be converted becomes null.
func (c Column) TryCast(to string) Column { return c.cast(to, true) }

func (c Column) cast(to string, try bool) Column {
	if c.err != nil {
		return c
	}
	t, err := column.ParseType(to)
	if err != nil {
		return Column{err: err}
	}
	return Column{e: &expr.Cast{Child: c.e, To: t, Try: try}}
}

// Field is a member of a struct, by name.
func (c Column) Field(name string) Column { return c.Item(name) }

// Item is an element of an array by position, or the value of a map's key.
func (c Column) Item(key any) Column {
	k := Lit(key)
	if c.err != nil {
		return c
	}
	if k.err != nil {
		return k
	}
	return Column{e: &expr.UnresolvedExtract{Child: c.e, Key: k.e}}
}

// Orders for OrderBy. Ascending puts nulls first and descending puts them last unless said otherwise.
func (c Column) Asc() Column            { return c.order(false, true) }
func (c Column) AscNullsLast() Column   { return c.order(false, false) }
func (c Column) Desc() Column           { return c.order(true, false) }
func (c Column) DescNullsFirst() Column { return c.order(true, true) }

func (c Column) order(desc, nullsFirst bool) Column {
	if c.err != nil {
		return c
	}
	return Column{e: &expr.SortOrder{Child: c.e, Desc: desc, NullsFirst: nullsFirst}}
}

// When adds a branch to a column that When began.
func (c Column) When(cond Column, value any) Column {
	return c.branch(func(k *expr.Case, v expr.Expr) {
		k.Whens, k.Thens = append(k.Whens, cond.e), append(k.Thens, v)
	}, cond, value)
}

// Otherwise is the value when no branch holds; without it that is null.
func (c Column) Otherwise(value any) Column {
	return c.branch(func(k *expr.Case, v expr.Expr) { k.Else = v }, Column{}, value)
}

func (c Column) branch(add func(*expr.Case, expr.Expr), cond Column, value any) Column {
	v := Lit(value)
	for _, x := range []Column{c, cond, v} {
		if x.err != nil {
			return x
		}
	}
	old, ok := c.e.(*expr.Case)
	if !ok || old.Else != nil {
		return Column{err: invalidValue("when", c.String(), "When and Otherwise follow When, and nothing follows Otherwise")}
	}
	k := &expr.Case{Whens: append([]expr.Expr{}, old.Whens...), Thens: append([]expr.Expr{}, old.Thens...)}
	add(k, v.e)
	return Column{e: k}
}
