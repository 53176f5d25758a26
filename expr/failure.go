package expr

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Errors that rows run into, under Spark's conditions. They carry no place in the text: the rows have lost it.

var errDivideByZero = usererr.New("DIVIDE_BY_ZERO", "22012", "Division by zero.").
	WithFix("Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.")

var errModByZero = usererr.New("REMAINDER_BY_ZERO", "22012", "Remainder by zero.").
	WithFix("Use `try_mod` to tolerate divisor being 0 and return NULL instead.")

func errOverflow(k column.Kind, try string) error {
	name := map[column.Kind]string{column.Int8: "byte", column.Int16: "short", column.Int32: "integer", column.Int64: "long"}[k]
	if name == "" {
		name = k.String()
	}
	e := usererr.New("ARITHMETIC_OVERFLOW", "22003", "%s overflow.", name)
	if try != "" {
		e.WithFix("Use '%s' to tolerate overflow and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.", try)
	}
	return e
}

func errDecimalRange(value string, t column.Type) error {
	return usererr.New("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", "%s cannot be represented as Decimal(%d, %d).", value, t.Precision, t.Scale).
		With("value", value).WithFix("Cast to a decimal with more digits, or use try_cast to get NULL instead.")
}

func errCastInput(value string, from, to column.Type) error {
	f, t := strings.ToUpper(from.String()), strings.ToUpper(to.String())
	if from.Kind == column.String {
		value = "'" + value + "'"
	}
	return usererr.New("CAST_INVALID_INPUT", "22018", "The value %s of the type %q cannot be cast to %q because it is malformed.", value, f, t).
		With("expression", value).With("sourceType", f).With("targetType", t).
		WithFix("Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead.")
}

func errCastOverflow(value string, from, to column.Type) error {
	f, t := strings.ToUpper(from.String()), strings.ToUpper(to.String())
	return usererr.New("CAST_OVERFLOW", "22003", "The value %s of the type %q cannot be cast to %q due to an overflow.", value, f, t).
		With("value", value).With("sourceType", f).With("targetType", t).
		WithFix("Use `try_cast` to tolerate overflow and return NULL instead.")
}

func errBadValue(fn, what, value string) error {
	return usererr.New("INVALID_PARAMETER_VALUE", "22023", "The value of parameter %s in `%s` is invalid: %s", what, fn, value).
		With("functionName", fn).With("parameter", what)
}
