package expr

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// compareArgs brings both sides of a comparison to one type. An integer literal that fits the narrower side takes that
// type, so that the column is compared as it is stored.
func compareArgs(op string, args []Expr) ([]Expr, error) {
	a, b := args[0], args[1]
	ta, tb := a.DataType(), b.DataType()
	if l := narrowLiteral(b, ta); l != nil {
		return []Expr{a, l}, checkOrdered(op, ta)
	}
	if l := narrowLiteral(a, tb); l != nil {
		return []Expr{l, b}, checkOrdered(op, tb)
	}
	t, ok := CommonType(ta, tb)
	if ok && (ta.Kind == column.Decimal || tb.Kind == column.Decimal) && t.Kind == column.Decimal {
		t = widerDecimal(literalDecimal(a), literalDecimal(b))
	}
	if !ok {
		return nil, binaryMismatch(op, a, b)
	}
	return []Expr{Coerce(a, t), Coerce(b, t)}, checkOrdered(op, t)
}

func narrowLiteral(e Expr, to column.Type) Expr {
	l, ok := e.(*Literal)
	if !ok || !to.IsInteger() || !l.Typ.IsInteger() || l.Value == nil || !fitsInt(l.Value.(int64), to.Kind) {
		return nil
	}
	return &Literal{l.Value, to}
}

func checkOrdered(op string, t column.Type) error {
	if t.Kind == column.Map || !Orderable(t) {
		return usererr.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "42K09", "Cannot resolve %q due to data type mismatch: the operator does not support ordering on type %q.",
			op, strings.ToUpper(t.String()))
	}
	for _, f := range t.Fields {
		if err := checkOrdered(op, f.Type); err != nil {
			return err
		}
	}
	return nil
}

func binaryMismatch(op string, a, b Expr) *usererr.Error {
	l, r := strings.ToUpper(a.DataType().String()), strings.ToUpper(b.DataType().String())
	return usererr.New("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09",
		"Cannot resolve \"(%s %s %s)\" due to data type mismatch: the left and right operands of the binary operator have incompatible types (%q and %q).",
		a, op, b, l, r).With("left", l).With("right", r).WithFix("Cast one side to the type of the other.")
}

// rewriteArith returns the rule of + - * / % for every mixture of numbers, strings, dates and intervals. try makes
// failures null.
func rewriteArith(op, name string) func([]Expr) (Expr, error) {
	return func(args []Expr) (Expr, error) {
		if len(args) == 1 {
			return call(map[string]string{"-": "negative", "+": "positive"}[op], args[0])
		}
		a, b := args[0], args[1]
		if e, err, ok := timeArith(op, a, b); ok {
			return e, err
		}
		ta, tb := numberSide(a, b), numberSide(b, a)
		if !ta.IsNumeric() || !tb.IsNumeric() {
			return nil, binaryMismatch(op, a, b)
		}
		a, b, typ := arithTypes(op, Coerce(a, ta), Coerce(b, tb))
		null := a.Nullable() || b.Nullable() || name != op
		return &Call{Fn: name, Args: []Expr{a, b}, Typ: typ, Null: null}, nil
	}
}

// numberSide is the numeric type that e takes when it meets o in arithmetic.
func numberSide(e, o Expr) column.Type {
	t, u := e.DataType(), o.DataType()
	switch {
	case t.Kind == column.Null && u.IsNumeric():
		return u
	case t.Kind == column.Null:
		return column.Of(column.Float64)
	case t.Kind == column.String && u.IsInteger():
		return column.Of(column.Int64)
	case t.Kind == column.String:
		return column.Of(column.Float64)
	}
	return t
}

func arithTypes(op string, a, b Expr) (Expr, Expr, column.Type) {
	ta, tb := a.DataType(), b.DataType()
	switch {
	case (ta.Kind == column.Decimal || tb.Kind == column.Decimal) && !ta.IsFloat() && !tb.IsFloat():
		da, db := literalDecimal(a), literalDecimal(b)
		return Coerce(a, da), Coerce(b, db), decimalResult(op, da, db)
	case op == "/":
		f := column.Of(column.Float64)
		return Coerce(a, f), Coerce(b, f), f
	}
	t := commonNumber(ta, tb)
	return Coerce(a, t), Coerce(b, t), t
}

// timeArith is the part of + - * / that has a date, timestamp or interval on a side; ok is false when it has none.
func timeArith(op string, a, b Expr) (e Expr, err error, ok bool) {
	if e, err, ok := calendarArith(strings.TrimPrefix(op, "try_"), a, b); ok {
		return e, err, ok
	}
	if e, err, ok := clockArith(strings.TrimPrefix(op, "try_"), a, b); ok {
		return e, err, ok
	}
	ka, kb := a.DataType().Kind, b.DataType().Kind
	if !isTimeKind(ka) && !isTimeKind(kb) {
		return nil, nil, false
	}
	if (op == "+" || op == "*") && !isTimePoint(ka) && (isTimePoint(kb) || isInterval(kb) && !isInterval(ka)) {
		a, b, ka, kb = b, a, kb, ka
	}
	e, err = timeArithOrdered(strings.TrimPrefix(op, "try_"), a, b, ka, kb)
	return e, err, true
}

func isTimePoint(k column.Kind) bool {
	return k == column.Date || k == column.Timestamp || k == column.TimestampNTZ
}
func isInterval(k column.Kind) bool { return k == column.IntervalDT || k == column.IntervalYM }
func isTimeKind(k column.Kind) bool { return isTimePoint(k) || isInterval(k) }

func timeArithOrdered(op string, a, b Expr, ka, kb column.Kind) (Expr, error) {
	switch {
	case op == "+" && ka == column.Date && b.DataType().IsInteger():
		return call("date_add", a, b)
	case op == "-" && ka == column.Date && b.DataType().IsInteger():
		return call("date_sub", a, b)
	case op == "-" && ka == column.Date && kb == column.Date:
		return &Call{Fn: "subtract_dates", Args: []Expr{a, b}, Typ: column.DayInterval(), Null: a.Nullable() || b.Nullable()}, nil
	case op == "-" && isTimePoint(ka) && (isTimePoint(kb) || kb == column.String):
		t := column.Of(ka)
		if kb != column.String {
			t = commonTime(a.DataType(), b.DataType())
		}
		if t.Kind == column.Date {
			return timeArithOrdered(op, a, Coerce(b, t), ka, column.Date)
		}
		return &Call{Fn: "subtract_timestamps", Args: []Expr{Coerce(a, t), Coerce(b, t)}, Typ: column.Of(column.IntervalDT), Null: a.Nullable() || b.Nullable()}, nil
	case (op == "+" || op == "-") && isTimePoint(ka) && isInterval(kb):
		return addInterval(op, a, b)
	case (op == "+" || op == "-") && ka == kb && isInterval(ka):
		return &Call{Fn: op, Args: []Expr{a, b}, Typ: widerInterval(a.DataType(), b.DataType()), Null: a.Nullable() || b.Nullable()}, nil
	case (op == "*" || op == "/") && isInterval(ka) && b.DataType().IsNumeric():
		fn := map[string]string{"*": "multiply_interval", "/": "divide_interval"}[op]
		return &Call{Fn: fn, Args: []Expr{a, Coerce(b, column.Of(column.Float64))}, Typ: column.Of(ka), Null: a.Nullable() || b.Nullable()}, nil
	}
	return nil, binaryMismatch(op, a, b)
}

// widerInterval is the type of all units of both intervals.
func widerInterval(a, b column.Type) column.Type {
	if a.Kind != b.Kind {
		return a
	}
	return column.WiderInterval(a, b)
}

func addInterval(op string, a, b Expr) (Expr, error) {
	if op == "-" {
		n, err := call("negative", b)
		if err != nil {
			return nil, err
		}
		b = n
	}
	t := a.DataType()
	if t.Kind == column.Date && b.DataType().Kind == column.IntervalDT && !b.DataType().IsDayInterval() {
		t = column.Of(column.Timestamp)
		a = Coerce(a, t)
	}
	return &Call{Fn: "add_interval", Args: []Expr{a, b}, Typ: t, Null: a.Nullable() || b.Nullable()}, nil
}
