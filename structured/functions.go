package structured

import "github.com/streamflow/streamflow/expr"

// Functions of columns, with Spark's names. A column is given as a Column or by its name, as in PySpark; a text that is
// meant as a value is Lit("text"). Every function of the engine can also be called by name with Call, whose arguments
// that are no Columns are values.

// named is a column given by itself or by its name.
func named(c any) any {
	if name, ok := c.(string); ok {
		return Col(name)
	}
	return c
}

func allNamed(cols []any) []any {
	out := make([]any, len(cols))
	for i, c := range cols {
		out[i] = named(c)
	}
	return out
}

// CountAll counts rows.
func CountAll() Column { return Call("count", 1) }

// Count counts the rows in which the column is not null.
func Count(c any) Column { return Call("count", named(c)) }

// CountDistinct counts the different values (or combinations of them) without null.
func CountDistinct(cols ...any) Column { return call("count", true, allNamed(cols)...) }

// Sum, Avg, Min and Max pass over nulls; of no values they are null.
func Sum(c any) Column { return Call("sum", named(c)) }
func Avg(c any) Column { return Call("avg", named(c)) }
func Min(c any) Column { return Call("min", named(c)) }
func Max(c any) Column { return Call("max", named(c)) }

// SumDistinct adds up the different values.
func SumDistinct(c any) Column { return call("sum", true, named(c)) }

// First and Last are the values of the first and last row that came, null or not.
func First(c any) Column { return Call("first", named(c)) }
func Last(c any) Column  { return Call("last", named(c)) }

// CollectList and CollectSet gather the values that are not null in an array, a set each only once.
func CollectList(c any) Column { return Call("collect_list", named(c)) }
func CollectSet(c any) Column  { return Call("collect_set", named(c)) }

// StddevSamp and VarSamp are of a sample.
func StddevSamp(c any) Column { return Call("stddev_samp", named(c)) }
func VarSamp(c any) Column    { return Call("var_samp", named(c)) }

// ApproxCountDistinct estimates the number of different values.
func ApproxCountDistinct(c any) Column { return Call("approx_count_distinct", named(c)) }

// Window puts rows into windows of event time: struct<start, end>, start included. With one duration they stand side by
// side; a second one is the slide, by which they overlap; a third shifts their starts.
func Window(time any, size string, slideAndStart ...string) Column {
	args := []any{named(time), size}
	for _, a := range slideAndStart {
		args = append(args, a)
	}
	return Call("window", args...)
}

// SessionWindow puts rows into sessions: a session ends when no row came for the gap, a duration or a column of them.
func SessionWindow(time, gap any) Column { return Call("session_window", named(time), gap) }

// CountWindow puts the rows of a key into windows of so many rows, in the order of time: struct<start, end> of row numbers, from 0. A
// slide makes windows begin every so many rows.
func CountWindow(time any, rows int, slide ...int) Column {
	args := []any{named(time), rows}
	for _, s := range slide {
		args = append(args, s)
	}
	return Call("count_window", args...)
}

// Explode makes a row of each element of an array or entry of a map; ExplodeOuter keeps rows that have none.
func Explode(c any) Column      { return Call("explode", named(c)) }
func ExplodeOuter(c any) Column { return Call("explode_outer", named(c)) }

// PosExplode is Explode with the element's position before it.
func PosExplode(c any) Column { return Call("posexplode", named(c)) }

// When begins a CASE: When(cond, a).When(cond2, b).Otherwise(c).
func When(cond Column, value any) Column {
	return Column{e: &expr.Case{}}.When(cond, value)
}

// Coalesce is the first value that is not null.
func Coalesce(cols ...any) Column { return Call("coalesce", allNamed(cols)...) }

// Greatest and Least pass over nulls.
func Greatest(cols ...any) Column { return Call("greatest", allNamed(cols)...) }
func Least(cols ...any) Column    { return Call("least", allNamed(cols)...) }

// Text.
func Lower(c any) Column        { return Call("lower", named(c)) }
func Upper(c any) Column        { return Call("upper", named(c)) }
func Trim(c any) Column         { return Call("trim", named(c)) }
func Length(c any) Column       { return Call("length", named(c)) }
func Concat(cols ...any) Column { return Call("concat", allNamed(cols)...) }
func RegexpReplace(c, pattern, to any) Column {
	return Call("regexp_replace", named(c), pattern, to)
}

// Numbers.
func Abs(c any) Column   { return Call("abs", named(c)) }
func Ceil(c any) Column  { return Call("ceil", named(c)) }
func Floor(c any) Column { return Call("floor", named(c)) }
func Sqrt(c any) Column  { return Call("sqrt", named(c)) }

// Round rounds half away from zero to scale digits after the point.
func Round(c any, scale int) Column { return Call("round", named(c), scale) }

// Times.
func CurrentTimestamp() Column        { return Call("current_timestamp") }
func ToTimestamp(c any) Column        { return Call("to_timestamp", named(c)) }
func ToDate(c any) Column             { return Call("to_date", named(c)) }
func DateTrunc(unit, c any) Column    { return Call("date_trunc", unit, named(c)) }
func DateFormat(c, format any) Column { return Call("date_format", named(c), format) }
func Year(c any) Column               { return Call("year", named(c)) }
func Month(c any) Column              { return Call("month", named(c)) }
func Hour(c any) Column               { return Call("hour", named(c)) }

// Structs and arrays.
func Struct(cols ...any) Column { return Call("struct", allNamed(cols)...) }
func Array(cols ...any) Column  { return Call("array", allNamed(cols)...) }
func Size(c any) Column         { return Call("size", named(c)) }

// ToJSON writes a struct as JSON; FromJSON reads it by a DDL schema.
func ToJSON(c any) Column               { return Call("to_json", named(c)) }
func FromJSON(c any, ddl string) Column { return Call("from_json", named(c), ddl) }
