package expr

import (
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Times of day: TIME(precision), microseconds since midnight.

func isClock(t column.Type) bool { return t.Kind == column.Time }

// clockUnits are the units of time_trunc and time_diff.
var clockUnits = map[string]int64{"hour": microsHour, "minute": microsMinute, "second": microsSecond, "millisecond": 1000, "microsecond": 1}

// clockUnit is the length of a unit by name; 0 when there is none.
func clockUnit(name string) int64 { return clockUnits[strings.TrimSuffix(strings.ToLower(name), "s")] }

func errClockUnit(fn, unit string) error {
	return usererr.New("INVALID_PARAMETER_VALUE.TIME_UNIT", "22023", "The value of parameter `unit` in `%s` is invalid: %s.", fn, strings.Clone(unit)).
		WithFix("Use HOUR, MINUTE, SECOND, MILLISECOND or MICROSECOND.")
}

func init() {
	timeOf6 := func([]Expr) (column.Type, error) { return column.TimeOf(column.MaxTimePrecision), nil }
	register("date and time",
		&Function{Name: "current_time", in: params("i:precision?"), null: never, flags: zoned, out: currentTimeType, Doc: "The time of day in the session's time zone at which the query or micro-batch started, with so many digits of the fraction (6).",
			Example: "typeof(current_time(3)) -> time(3)", kernel: func(c *Call) kernel {
				return rowInt(func(k *kctx, _ []*column.Vector, _ int) int64 {
					_, us := column.SplitMicros(column.ToLocal(k.ctx.Now, k.ctx.location()))
					return column.TruncateTime(us, int(c.Typ.Precision))
				})(c)
			}},
		&Function{Name: "make_time", in: params("i:hour i:minute d:second"), out: timeOf6, Doc: "A time of day of its parts.", Example: "make_time(6, 30, 45.887) -> 06:30:45.887", cost: 10, kernel: makeTime},
		toClock("to_time", false), toClock("try_to_time", true),
		&Function{Name: "time_trunc", in: params("s:unit k"), out: func(a []Expr) (column.Type, error) { return a[1].DataType(), nil }, Doc: "A time of day cut to the hour, minute, second, millisecond or microsecond.",
			Example: "time_trunc('MINUTE', to_time('09:32:05.359')) -> 09:32:00", cost: 10, kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				u, v := clockUnit(a[0].Str(i)), a[1].I64[i]
				if u == 0 {
					k.fail(i, errClockUnit("time_trunc", a[0].Str(i)))
					return 0
				}
				return v - v%u
			})},
		&Function{Name: "time_diff", Aliases: []string{"timediff"}, in: params("s:unit k:start k:end"), out: outOf(column.Int64), Doc: "The whole units from one time of day to another.",
			Example: "time_diff('HOUR', to_time('20:30:29'), to_time('21:30:28')) -> 0", cost: 10, kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				u := clockUnit(a[0].Str(i))
				if u == 0 {
					k.fail(i, errClockUnit("time_diff", a[0].Str(i)))
					return 0
				}
				return (a[2].I64[i] - a[1].I64[i]) / u
			})},
		&Function{Name: "add_time", in: params("k v"), out: typeOfFirst, Doc: "A time of day plus an interval of days and time, as + does it; beyond the day is an error.", Example: "add_time(to_time('10:00:00'), INTERVAL'90 minutes') -> 11:30:00", cost: 5,
			kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				v := a[0].I64[i] + a[1].I64[i]
				if v < 0 || v >= microsDay {
					k.fail(i, errClockOverflow)
					return 0
				}
				return v
			})},
		&Function{Name: "subtract_times", in: params("k:end k:start"), out: func([]Expr) (column.Type, error) { return hourToSecond, nil }, Doc: "The interval between two times of day, as - does it.", Example: "subtract_times(to_time('11:30:00'), to_time('10:00:00')) -> INTERVAL '01:30:00' HOUR TO SECOND", cost: 3,
			kernel: rowInt(func(_ *kctx, a []*column.Vector, i int) int64 { return a[0].I64[i] - a[1].I64[i] })},
	)
}

var hourToSecond, _ = column.IntervalOf(column.Hour, column.Second)

var errClockOverflow = usererr.New("DATETIME_OVERFLOW", "22008", "Datetime operation overflow: a time of day plus the interval is beyond the day.").
	WithFix("Add the interval to a timestamp.")

func currentTimeType(args []Expr) (column.Type, error) {
	if len(args) == 0 {
		return column.TimeOf(column.MaxTimePrecision), nil
	}
	l, ok := Transform(args[0], Fold).(*Literal)
	n, isInt := int64(0), false
	if ok {
		n, isInt = l.Value.(int64)
	}
	if !isInt || n < 0 || n > column.MaxTimePrecision {
		return column.Type{}, usererr.New("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "The `precision` must be a constant between [0, 6], but it is %s.", args[0]).
			With("exprName", "precision").With("valueRange", "[0, 6]")
	}
	return column.TimeOf(int(n)), nil
}

func makeTime(c *Call) kernel {
	return rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
		h, m := intAt(a[0], i), intAt(a[1], i)
		us, ok := secondsAt(a[2], i)
		if !ok || h < 0 || h > 23 || m < 0 || m > 59 || us < 0 || us >= microsMinute {
			k.fail(i, usererr.New("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "22023", "The parts make no valid time of day."))
			return 0
		}
		return h*microsHour + m*microsMinute + us
	})(c)
}

// toClock is to_time: without a pattern a cast.
func toClock(name string, try bool) *Function {
	typ := column.TimeOf(column.MaxTimePrecision)
	doc, example := "Text as a time of day, by a pattern or as CAST reads it.", name+"('12.10.05', 'HH.mm.ss') -> 12:10:05"
	if try {
		doc, example = "to_time, or null where the text cannot be read.", name+"('12:70') -> NULL"
	}
	return &Function{Name: name, in: params("s:text s:pattern?"), out: func([]Expr) (column.Type, error) { return typ, nil }, null: always, Doc: doc, Example: example, cost: 150,
		kernel: func(*Call) kernel {
			pats := newPatterns()
			return rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				us, ok := int64(0), false
				if len(a) == 1 {
					us, ok = column.ParseTime(a[0].Str(i))
				} else if p := pats.at(k, a[1].Str(i), i); p != nil {
					us, ok = p.parse(strings.TrimSpace(a[0].Str(i)), time.UTC)
					_, us = column.SplitMicros(us)
				} else {
					return 0
				}
				switch {
				case ok:
				case try:
					k.null(i)
				default:
					k.fail(i, errParseClock(a[0].Str(i)))
				}
				return us
			})(nil)
		}}
}

func errParseClock(text string) error {
	text = strings.Clone(text)
	return usererr.New("CANNOT_PARSE_TIME", "22010", "The input string '%s' cannot be parsed to a TIME value because it does not match the datetime format.", text).
		With("input", text).WithFix("Use `try_to_time` to tolerate invalid input and return NULL instead.")
}

// clockArith is + and - with a time of day; ok is false when neither side is one.
func clockArith(op string, a, b Expr) (e Expr, err error, ok bool) {
	ta, tb := a.DataType(), b.DataType()
	if !isClock(ta) && !isClock(tb) {
		return nil, nil, false
	}
	if op == "+" && !isClock(ta) {
		a, b, ta, tb = b, a, tb, ta
	}
	null := a.Nullable() || b.Nullable()
	switch {
	case op == "-" && isClock(ta) && isClock(tb):
		return &Call{Fn: "subtract_times", Args: []Expr{a, b}, Typ: hourToSecond, Null: null}, nil, true
	case (op == "+" || op == "-") && isClock(ta) && tb.Kind == column.IntervalDT:
		if op == "-" {
			if b, err = call("negative", b); err != nil {
				return nil, err, true
			}
		}
		t := ta
		if _, last := tb.IntervalUnits(); last == column.Second {
			t = column.TimeOf(column.MaxTimePrecision)
		}
		return &Call{Fn: "add_time", Args: []Expr{a, b}, Typ: t, Null: null}, nil, true
	}
	return nil, binaryMismatch(op, a, b), true
}

// fromClock casts a time of day to a number of seconds since midnight.
func (c *caster) fromClock(k *kctx, args []*column.Vector, out *column.Vector) {
	for i := range k.n {
		if !k.ok(i) {
			continue
		}
		us := args[0].I64[constRow(args[0], i)]
		if c.to.Kind == column.Decimal {
			c.setDec(k, i, decFromInt(us), 6, int(c.to.Scale))
			continue
		}
		s := us / microsSecond
		setInt(out, i, s)
		if !fitsInt(s, c.to.Kind) {
			c.bad(k, i, func() error {
				return errCastOverflow("TIME '"+string(column.AppendTime(nil, us))+"'", c.from, c.to)
			})
		}
	}
}
