package expr

import (
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Arithmetic with calendar intervals. The functions stand for operators.

func init() {
	register("date and time",
		&Function{Name: "add_calendar", in: params("T:ts q"), out: typeOfFirst, flags: zoned, cost: 40, Doc: "A date or timestamp plus an interval of the calendar, as + does it: months, then days, on the session's clock, then the time.",
			Example: "add_calendar(TIMESTAMP'2026-01-31 10:00:00', make_interval(0, 1, 0, 1)) -> 2026-03-01 10:00:00", kernel: addCalendar},
		calendarPair("add_calendars", "The sum of two intervals of the calendar, as + does it.", "add_calendars(make_interval(0, 1), make_interval(0, 0, 0, 2)) -> 1 months 2 days", 1),
		calendarPair("subtract_calendars", "The difference of two intervals of the calendar, as - does it.", "subtract_calendars(make_interval(0, 1), make_interval(0, 0, 0, 2)) -> 1 months -2 days", -1),
		scaleCalendar("multiply_calendar", "An interval of the calendar times a number, as * does it.", "multiply_calendar(make_interval(0, 1, 0, 1), 1.5D) -> 1 months 1 days 12 hours", false),
		scaleCalendar("divide_calendar", "An interval of the calendar divided by a number, as / does it.", "divide_calendar(make_interval(0, 4, 0, 3), 2D) -> 2 months 1 days 12 hours", true),
	)
}

// calendarArith is + - * / with a calendar interval on the right, or on both sides; ok is false for other operands.
func calendarArith(op string, a, b Expr) (e Expr, err error, ok bool) {
	ka, kb := a.DataType().Kind, b.DataType().Kind
	if ka != column.Calendar && kb != column.Calendar {
		return nil, nil, false
	}
	if (op == "+" || op == "*") && ka == column.Calendar && kb != column.Calendar {
		a, b, ka, kb = b, a, kb, ka
	}
	null := a.Nullable() || b.Nullable()
	node := func(fn string, t column.Type, args ...Expr) (Expr, error, bool) {
		return &Call{Fn: fn, Args: args, Typ: t, Null: null}, nil, true
	}
	interval := column.Of(column.Calendar)
	switch {
	case (op == "+" || op == "-") && ka == column.Calendar:
		return node(map[string]string{"+": "add_calendars", "-": "subtract_calendars"}[op], interval, a, b)
	case op == "-" && isTimePoint(ka):
		zero := &Literal{column.Dec128{}, interval}
		return node("add_calendar", a.DataType(), a, &Call{Fn: "subtract_calendars", Args: []Expr{zero, b}, Typ: interval, Null: b.Nullable()})
	case op == "+" && isTimePoint(ka):
		return node("add_calendar", a.DataType(), a, b)
	case op == "*" && a.DataType().IsNumeric():
		return node("multiply_calendar", interval, b, Coerce(a, column.Of(column.Float64)))
	case op == "/" && ka == column.Calendar && b.DataType().IsNumeric():
		return node("divide_calendar", interval, a, Coerce(b, column.Of(column.Float64)))
	}
	return nil, binaryMismatch(op, a, b), true
}

func addCalendar(c *Call) kernel {
	date := c.Args[0].DataType().Kind == column.Date
	return rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
		by := column.CalendarOf(a[1].Dec[constRow(a[1], i)])
		if date {
			if by.Micros != 0 {
				k.ansi(i, usererr.New("INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION", "22006", "Cannot add an interval to a date because its microseconds part is not 0.").
					WithFix("Cast the date to a timestamp, which takes intervals with a time."))
			}
			r := int64(addMonths(int(intAt(a[0], constRow(a[0], i))), int64(by.Months))) + int64(by.Days)
			if !fitsInt(r, column.Int32) {
				k.overflow(i, false, errOverflow(column.Int32, ""))
			}
			return r
		}
		v := moveLocal(k, a[0], i, func(local int64) int64 { return addMonthsLocal(local, int64(by.Months)) + int64(by.Days)*microsDay })
		r := v + by.Micros
		if (v^r)&(by.Micros^r) < 0 {
			k.overflow(i, false, errOverflow(column.Int64, ""))
		}
		return r
	})(c)
}

func calendarPair(name, doc, example string, sign int64) *Function {
	return &Function{Name: name, in: params("q:x q:y"), out: outOf(column.Calendar), Doc: doc, Example: example, cost: 5, kernel: func(*Call) kernel {
		return func(k *kctx, a []*column.Vector, out *column.Vector) {
			for i := range out.Dec {
				if !k.ok(i) {
					continue
				}
				x, y := column.CalendarOf(a[0].Dec[constRow(a[0], i)]), column.CalendarOf(a[1].Dec[constRow(a[1], i)])
				months, days := int64(x.Months)+sign*int64(y.Months), int64(x.Days)+sign*int64(y.Days)
				micros := x.Micros + sign*y.Micros
				over := sign > 0 && (x.Micros^micros)&(y.Micros^micros) < 0 || sign < 0 && (x.Micros^y.Micros)&(x.Micros^micros) < 0
				if over || !fitsInt(months, column.Int32) || !fitsInt(days, column.Int32) {
					k.overflow(i, false, errIntervalOverflow(""))
				}
				out.Dec[i] = column.CalendarInterval{Months: int32(months), Days: int32(days), Micros: micros}.Dec()
			}
		}
	}}
}

// scaleCalendar multiplies each part; the fraction of a day goes into the time, that of a month is dropped, as in Spark.
func scaleCalendar(name, doc, example string, divide bool) *Function {
	return &Function{Name: name, in: params("q d:x"), out: outOf(column.Calendar), Doc: doc, Example: example, cost: 10, kernel: func(*Call) kernel {
		return func(k *kctx, a []*column.Vector, out *column.Vector) {
			for i := range out.Dec {
				if !k.ok(i) {
					continue
				}
				c, x := column.CalendarOf(a[0].Dec[constRow(a[0], i)]), floatAt(a[1], i)
				if divide && x == 0 {
					k.zero(i, false, errIntervalByZero)
					continue
				}
				times := func(n int64) float64 {
					if divide {
						return float64(n) / x
					}
					return float64(n) * x
				}
				months, days := math.Trunc(times(int64(c.Months))), times(int64(c.Days))
				whole := math.Trunc(days)
				micros := math.Round(times(c.Micros) + float64(microsDay)*(days-whole))
				if !(math.Abs(months) < 1<<31 && math.Abs(whole) < 1<<31 && math.Abs(micros) < 1<<63) {
					k.overflow(i, false, errIntervalOverflow(""))
					continue
				}
				out.Dec[i] = column.CalendarInterval{Months: int32(months), Days: int32(whole), Micros: int64(micros)}.Dec()
			}
		}
	}}
}
