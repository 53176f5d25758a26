package expr

import (
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func lowerASCII(s string) string { return strings.ToLower(s) }

func errField(fn, name string) error {
	return usererr.New("INVALID_EXTRACT_FIELD", "42601", "Cannot extract %s from the source in `%s`.", name, fn).
		WithFix("Use year, quarter, month, week, day, dayofweek, dayofyear, hour, minute or second.")
}

func errUnit(fn, unit string) error {
	return usererr.New("INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023", "The value of parameter unit in `%s` is invalid: %s.", fn, unit).
		WithFix("Use microsecond, millisecond, second, minute, hour, day, week, month, quarter or year.")
}

// addMonths moves a date by months, to the last day of the month where the day does not exist.
func addMonths(days int, months int64) int {
	y, m, d := column.CivilFromDays(days)
	total := int64(y)*12 + int64(m-1) + months
	y, m = int(floorDiv(total, 12)), int(total-floorDiv(total, 12)*12)+1
	return column.DaysFromCivil(y, m, min(d, column.DaysInMonth(y, m)))
}

// addMonthsLocal is addMonths of a wall-clock reading.
func addMonthsLocal(local, months int64) int64 {
	days, us := column.SplitMicros(local)
	return int64(addMonths(days, months))*microsDay + us
}

// rowInt is a kernel to an integer-like result; f may null or fail the row.
func rowInt(f func(k *kctx, args []*column.Vector, i int) int64) func(*Call) kernel {
	return func(*Call) kernel {
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			for i := 0; i < k.n; i++ {
				if k.ok(i) {
					setInt(out, i, f(k, args, i))
				}
			}
		}
	}
}

func session(name string, kind column.Kind, doc, example string, f func(k *kctx) int64, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, out: outOf(kind), null: never, flags: zoned, Doc: doc, Example: example,
		kernel: rowInt(func(k *kctx, _ []*column.Vector, _ int) int64 { return f(k) })}
}

func unixOf(name, doc, example string, per int64) *Function {
	return &Function{Name: name, in: params("t:ts"), out: outOf(column.Int64), Doc: doc, Example: example, cost: 3,
		kernel: intToInt(func(v int64) int64 { return floorDiv(v, per) })}
}

func timestampOf(name, in, doc, example string, unit int64) *Function {
	return &Function{Name: name, in: params(in), out: outOf(column.Timestamp), Doc: doc, Example: example, cost: 3,
		kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
			if a[0].Type.IsFloat() {
				return int64(floatAt(a[0], i) * float64(unit))
			}
			if a[0].Type.Kind == column.Decimal {
				d, _ := dec(a[0].Dec[i]).rescale(int(a[0].Type.Scale), 6)
				v, _ := d.int64()
				return v
			}
			v := intAt(a[0], i)
			if r := v * unit; r/unit == v {
				return r
			}
			k.fail(i, errOverflow(column.Int64, ""))
			return 0
		})}
}

func init() {
	today := func(k *kctx) int64 { return floorDiv(column.ToLocal(k.ctx.Now, k.ctx.location()), microsDay) }
	now := func(k *kctx) int64 { return k.ctx.Now }
	register("date and time",
		session("current_date", column.Date, "Today in the session's time zone; the same for the whole query or micro-batch.", "current_date() -> the date", today, "curdate"),
		session("current_timestamp", column.Timestamp, "The time at which the query or micro-batch started.", "current_timestamp() -> the time", now, "now"),
		session("localtimestamp", column.TimestampNTZ, "current_timestamp as the session's clock shows it.", "localtimestamp() -> the time", func(k *kctx) int64 { return column.ToLocal(k.ctx.Now, k.ctx.location()) }),
		&Function{Name: "current_timezone", out: outOf(column.String), null: never, flags: zoned, Doc: "The session's time zone.", Example: "current_timezone() -> UTC",
			kernel: rowText(func(k *kctx, dst []byte, _ []*column.Vector, _ int) []byte {
				return append(dst, k.ctx.location().String()...)
			})},
		days("date_add", "date plus days.", "date_add(DATE'2026-02-28', 1) -> 2026-03-01", func(d, n int64) int64 { return d + n }),
		days("date_sub", "date minus days.", "date_sub(DATE'2026-03-01', 1) -> 2026-02-28", func(d, n int64) int64 { return d - n }),
		&Function{Name: "dateadd", in: params("a:unit a:n a:ts?"), Usage: "dateadd(unit, n, ts) or dateadd(date, days)", Doc: "timestampadd, or date_add when there are two arguments.", Example: "dateadd('day', 1, TIMESTAMP'2026-01-31 10:00:00') -> 2026-02-01 10:00:00", rewrite: func(a []Expr) (Expr, error) {
			if len(a) == 2 {
				return call("date_add", a...)
			}
			return call("timestampadd", a...)
		}, Aliases: []string{"date_add_unit"}},
		&Function{Name: "datediff", Aliases: []string{"date_diff"}, in: params("a:end a:start a:until?"), Usage: "datediff(end, start) or datediff(unit, start, end)", Doc: "The days from start to end; with a unit, timestampdiff.", Example: "datediff(DATE'2026-03-01', DATE'2026-02-28') -> 1", rewrite: func(a []Expr) (Expr, error) {
			if len(a) == 3 {
				return call("timestampdiff", a...)
			}
			return call("days_between", a...)
		}},
		&Function{Name: "days_between", in: params("D:end D:start"), out: outOf(column.Int32), Doc: "The days from start to end.", Example: "days_between(DATE'2026-03-01', DATE'2026-02-28') -> 1", cost: 2,
			kernel: rowInt(func(_ *kctx, a []*column.Vector, i int) int64 { return intAt(a[0], i) - intAt(a[1], i) })},
		&Function{Name: "add_months", in: params("D:date i:months"), out: outOf(column.Date), Doc: "The date so many months later, on the last day of the month where the day does not exist.", Example: "add_months(DATE'2026-01-31', 1) -> 2026-02-28", cost: 15,
			kernel: rowInt(func(_ *kctx, a []*column.Vector, i int) int64 {
				return int64(addMonths(int(a[0].I32[i]), intAt(a[1], i)))
			})},
		&Function{Name: "months_between", in: params("t:end t:start b:round?"), out: outOf(column.Float64), flags: zoned, Doc: "The months from start to end, with a fraction of 31-day months.", Example: "months_between(TIMESTAMP'2026-03-31', TIMESTAMP'2026-02-28') -> 1.0", cost: 40, kernel: monthsBetween},
		&Function{Name: "last_day", in: params("D:date"), out: outOf(column.Date), Doc: "The last day of the month.", Example: "last_day(DATE'2026-02-10') -> 2026-02-28", cost: 10,
			kernel: intToInt(func(v int64) int64 {
				y, m, _ := column.CivilFromDays(int(v))
				return int64(column.DaysFromCivil(y, m, column.DaysInMonth(y, m)))
			})},
		&Function{Name: "next_day", in: params("D:date s:day"), out: outOf(column.Date), Doc: "The first date after date that is the named day of the week.", Example: "next_day(DATE'2026-03-15', 'TU') -> 2026-03-17", cost: 30,
			kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				want := dayNumber(a[1].Str(i))
				if want < 0 {
					k.ansi(i, usererr.New("ILLEGAL_DAY_OF_WEEK", "22009", "Illegal input for day of week: %s.", strings.Clone(a[1].Str(i))))
					return 0
				}
				d := int64(a[0].I32[i])
				return d + (want-weekdayOf(int(d))+6)%7 + 1
			})},
		&Function{Name: "trunc", in: params("D:date s:unit"), out: outOf(column.Date), null: always, Doc: "The first day of the year, quarter, month or week that date lies in.", Example: "trunc(DATE'2026-03-15', 'MM') -> 2026-03-01", cost: 25,
			kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				unit := truncUnit(a[1].Str(i))
				if unit == "" || unitMicros[unit] > 0 && unit != "week" {
					k.null(i)
					return 0
				}
				return truncLocal(int64(a[0].I32[i])*microsDay, unit) / microsDay
			})},
		&Function{Name: "date_trunc", in: params("s:unit t:ts"), out: outOf(column.Timestamp), null: always, flags: zoned, Doc: "The start of the year, quarter, month, week, day, hour, minute, second, millisecond or microsecond.", Example: "date_trunc('HOUR', TIMESTAMP'2026-03-15 13:45:07') -> 2026-03-15 13:00:00", cost: 15, kernel: dateTrunc},
		&Function{Name: "make_date", in: params("i:year i:month i:day"), out: outOf(column.Date), Doc: "A date of its parts.", Example: "make_date(2026, 3, 15) -> 2026-03-15", cost: 10,
			kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				d, ok := civil(int(a[0].I32[i]), int(a[1].I32[i]), int(a[2].I32[i]))
				if !ok {
					k.ansi(i, errDateTime("date"))
				}
				return int64(d)
			})},
		makeTimestamp("make_timestamp", column.Timestamp, false), makeTimestamp("make_timestamp_ltz", column.Timestamp, false), makeTimestamp("make_timestamp_ntz", column.TimestampNTZ, false),
		makeTimestamp("try_make_timestamp", column.Timestamp, true), makeTimestamp("try_make_timestamp_ltz", column.Timestamp, true), makeTimestamp("try_make_timestamp_ntz", column.TimestampNTZ, true),
		unixOf("unix_seconds", "Seconds since 1970-01-01 00:00 UTC.", "unix_seconds(TIMESTAMP'1970-01-01 00:00:01Z') -> 1", microsSecond),
		unixOf("unix_millis", "Milliseconds since 1970-01-01 00:00 UTC.", "unix_millis(TIMESTAMP'1970-01-01 00:00:01Z') -> 1000", 1000),
		unixOf("unix_micros", "Microseconds since 1970-01-01 00:00 UTC.", "unix_micros(TIMESTAMP'1970-01-01 00:00:01Z') -> 1000000", 1),
		timestampOf("timestamp_seconds", "n:seconds", "The time so many seconds after 1970-01-01 00:00 UTC.", "timestamp_seconds(1) -> 1970-01-01 00:00:01", microsSecond),
		timestampOf("timestamp_millis", "l:millis", "The time so many milliseconds after 1970-01-01 00:00 UTC.", "timestamp_millis(1500) -> 1970-01-01 00:00:01.5", 1000),
		timestampOf("timestamp_micros", "l:micros", "The time so many microseconds after 1970-01-01 00:00 UTC.", "timestamp_micros(1) -> 1970-01-01 00:00:00.000001", 1),
		&Function{Name: "unix_date", in: params("D:date"), out: outOf(column.Int32), Doc: "Days since 1970-01-01.", Example: "unix_date(DATE'1970-01-02') -> 1", cost: 1, kernel: intToInt(func(v int64) int64 { return v })},
		&Function{Name: "date_from_unix_date", in: params("i:days"), out: outOf(column.Date), Doc: "The date so many days after 1970-01-01.", Example: "date_from_unix_date(1) -> 1970-01-02", cost: 1, kernel: intToInt(func(v int64) int64 { return v })},
		&Function{Name: "timestampadd", Aliases: []string{"timestamp_add"}, in: params("s:unit l:n T:ts"), Doc: "A timestamp moved by n units.", Example: "timestampadd('MONTH', 1, TIMESTAMP'2026-01-31 10:00:00') -> 2026-02-28 10:00:00", rewrite: rewriteTimestampAdd, out: typeOfFirst, flags: zoned, cost: 15, kernel: timestampAdd},
		&Function{Name: "timestampdiff", Aliases: []string{"timestamp_diff"}, in: params("s:unit t:start t:end"), out: outOf(column.Int64), flags: zoned, Doc: "The whole units from start to end.", Example: "timestampdiff('HOUR', TIMESTAMP'2026-01-01 00:00:00', TIMESTAMP'2026-01-01 05:30:00') -> 5", cost: 25, kernel: timestampDiff},
		zoneShift("from_utc_timestamp", "A reading in UTC as the clock of a zone shows it.", "from_utc_timestamp(TIMESTAMP'2026-01-01 00:00:00', '+01:00') -> 2026-01-01 01:00:00", func(v int64, loc *time.Location) int64 { return column.ToLocal(v, loc) }),
		zoneShift("to_utc_timestamp", "A reading of a zone's clock in UTC.", "to_utc_timestamp(TIMESTAMP'2026-01-01 01:00:00', '+01:00') -> 2026-01-01 00:00:00", func(v int64, loc *time.Location) int64 { return column.FromLocal(v, loc) }),
		&Function{Name: "add_interval", in: params("T:ts v"), out: typeOfFirst, flags: zoned, rewrite: rewriteAddInterval, Doc: "A date or timestamp plus an interval, as + does it.", Example: "add_interval(DATE'2026-01-31', INTERVAL'1 month') -> 2026-02-28", cost: 10, kernel: addIntervalKernel},
		&Function{Name: "subtract_dates", in: params("D:end D:start"), out: outOf(column.IntervalDT), Doc: "The interval from start to end, as - does it.", Example: "subtract_dates(DATE'2026-01-02', DATE'2026-01-01') -> INTERVAL '1 00:00:00' DAY TO SECOND", cost: 2,
			kernel: rowInt(func(_ *kctx, a []*column.Vector, i int) int64 { return (intAt(a[0], i) - intAt(a[1], i)) * microsDay })},
		&Function{Name: "subtract_timestamps", in: params("t:end t:start"), out: outOf(column.IntervalDT), flags: zoned, Doc: "The interval from start to end, as - does it.", Example: "subtract_timestamps(TIMESTAMP'2026-01-01 01:00:00', TIMESTAMP'2026-01-01 00:00:00') -> INTERVAL '0 01:00:00' DAY TO SECOND", cost: 2,
			kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 { return localAt(k, a[0], i) - localAt(k, a[1], i) })},
		&Function{Name: "convert_timezone", in: params("s:zones a:rest*"), Doc: "A reading of one zone's clock (the session's when it is left out) as the clock of another shows it, as timestamp_ntz.", Example: "convert_timezone('Europe/Brussels', 'America/Los_Angeles', '2021-12-06 00:00:00') -> 2021-12-05 15:00:00", flags: zoned, cost: 100, rewrite: rewriteConvertTimezone, kernel: convertTimezone},
		scaleInterval("multiply_interval", "An interval times a number, as * does it.", "multiply_interval(INTERVAL'1 hour', 2.5D) -> INTERVAL '0 02:30:00' DAY TO SECOND", false),
		scaleInterval("divide_interval", "An interval divided by a number, as / does it.", "divide_interval(INTERVAL'1 hour', 2D) -> INTERVAL '0 00:30:00' DAY TO SECOND", true),
	)
}

func days(name, doc, example string, f func(d, n int64) int64) *Function {
	return &Function{Name: name, in: params("D:date i:days"), out: outOf(column.Date), Doc: doc, Example: example, cost: 2,
		kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
			r := f(intAt(a[0], i), intAt(a[1], i))
			if !fitsInt(r, column.Int32) {
				k.overflow(i, false, errOverflow(column.Int32, ""))
			}
			return r
		})}
}

func civil(y, m, d int) (int, bool) {
	if m < 1 || m > 12 || d < 1 || d > column.DaysInMonth(y, m) {
		return 0, false
	}
	return column.DaysFromCivil(y, m, d), true
}

func errDateTime(what string) error {
	return usererr.New("DATETIME_FIELD_OUT_OF_BOUNDS", "22023", "The parts make no valid %s.", what).
		WithFix("If necessary set \"spark.sql.ansi.enabled\" to \"false\" to get NULL instead.")
}

// makeTimestamp is a timestamp of its parts; try makes parts that are none a null.
func makeTimestamp(name string, kind column.Kind, try bool) *Function {
	doc, example, null := "A timestamp of its parts, in the session's time zone or the one given.", name+"(2026, 3, 15, 13, 45, 7.5) -> 2026-03-15 13:45:07.5", ifArgs
	if try {
		doc, example, null = "A timestamp of its parts, or null when they are none.", name+"(2026, 13, 15, 13, 45, 7.5) -> NULL", always
	}
	return &Function{Name: name, in: params("i:year i:month i:day i:hour i:min d:sec s:zone?"), out: outOf(kind), null: null, flags: zoned, Doc: doc,
		Example: example, cost: 40,
		kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
			d, ok := civil(int(a[0].I32[i]), int(a[1].I32[i]), int(a[2].I32[i]))
			h, m, s := intAt(a[3], i), intAt(a[4], i), a[5].F64[i]
			if !ok || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 {
				if try {
					k.null(i)
				} else {
					k.ansi(i, errDateTime("timestamp"))
				}
				return 0
			}
			local := int64(d)*microsDay + h*microsHour + m*microsMinute + int64(s*1e6+0.5)
			loc := k.ctx.location()
			if len(a) == 7 {
				if loc, ok = column.ParseZone(a[6].Str(i)); !ok {
					k.fail(i, errZone(a[6].Str(i)))
					return 0
				}
			}
			if kind == column.TimestampNTZ {
				return local
			}
			return column.FromLocal(local, loc)
		})}
}

func errZone(name string) error {
	return usererr.New("INVALID_TIMEZONE", "22009", "The timezone: %s is invalid.", strings.Clone(name)).
		WithFix("Use a region such as Europe/Berlin, or an offset such as +01:00.")
}

func zoneShift(name, doc, example string, f func(v int64, loc *time.Location) int64) *Function {
	return &Function{Name: name, in: params("t:ts s:zone"), out: outOf(column.Timestamp), Doc: doc, Example: example, cost: 60,
		kernel: func(*Call) kernel {
			zones := map[string]*time.Location{}
			return func(k *kctx, a []*column.Vector, out *column.Vector) {
				for i := range out.I64 {
					if !k.ok(i) {
						continue
					}
					loc := zones[a[1].Str(i)]
					if loc == nil {
						var ok bool
						if loc, ok = column.ParseZone(a[1].Str(i)); !ok {
							k.fail(i, errZone(a[1].Str(i)))
							continue
						}
						zones[strings.Clone(a[1].Str(i))] = loc
					}
					out.I64[i] = f(a[0].I64[i], loc)
				}
			}
		}}
}

// dayNumber reads MO, MON, MONDAY … from Monday, 0; -1 for anything else.
func dayNumber(s string) int64 {
	for i, n := range dayNames {
		if len(s) >= 2 && (strings.EqualFold(s, n) || strings.EqualFold(s, n[:3]) || strings.EqualFold(s, n[:2])) {
			return int64(i)
		}
	}
	return -1
}

// truncUnit is the plain name of a unit as trunc and date_trunc take it, empty when it is none.
func truncUnit(s string) string {
	switch u := strings.ToLower(s); u {
	case "year", "yyyy", "yy":
		return "year"
	case "month", "mon", "mm":
		return "month"
	case "day", "dd":
		return "day"
	case "quarter", "week", "hour", "minute", "second", "millisecond", "microsecond":
		return u
	}
	return ""
}

// truncLocal is the start of the unit that a wall-clock reading lies in.
func truncLocal(local int64, unit string) int64 {
	switch unit {
	case "year", "quarter", "month":
		days, _ := column.SplitMicros(local)
		y, m, _ := column.CivilFromDays(days)
		switch unit {
		case "year":
			m = 1
		case "quarter":
			m = (m-1)/3*3 + 1
		}
		return int64(column.DaysFromCivil(y, m, 1)) * microsDay
	case "week":
		days, _ := column.SplitMicros(local)
		return (int64(days) - weekdayOf(days)) * microsDay
	}
	u := unitMicros[unit]
	return floorDiv(local, u) * u
}

func dateTrunc(c *Call) kernel {
	fixed := ""
	if s, ok := literalText(c.Args[0]); ok {
		fixed = truncUnit(s)
	}
	return func(k *kctx, a []*column.Vector, out *column.Vector) {
		loc := k.ctx.location()
		ts := a[1]
		if u := unitMicros[fixed]; u > 0 && fixed != "week" && (loc == time.UTC || u <= microsSecond) {
			for i, v := range ts.I64[:k.n] {
				m := v % u
				if m < 0 {
					m += u
				}
				out.I64[i] = v - m
			}
			return
		}
		for i := range out.I64 {
			if !k.ok(i) {
				continue
			}
			unit := fixed
			if unit == "" {
				unit = truncUnit(a[0].Str(i))
			}
			if unit == "" {
				k.null(i)
				continue
			}
			out.I64[i] = column.FromLocal(truncLocal(column.ToLocal(ts.I64[i], loc), unit), loc)
		}
	}
}

func monthsBetween(c *Call) kernel {
	return func(k *kctx, a []*column.Vector, out *column.Vector) {
		for i := range out.F64 {
			round := len(a) < 3 || a[2].Bools[i]
			out.F64[i] = monthsFromTo(localAt(k, a[1], i), localAt(k, a[0], i), round)
		}
	}
}

func monthsFromTo(start, end int64, round bool) float64 {
	d1, us1 := column.SplitMicros(end)
	d2, us2 := column.SplitMicros(start)
	y1, m1, day1 := column.CivilFromDays(d1)
	y2, m2, day2 := column.CivilFromDays(d2)
	months := float64((y1-y2)*12 + m1 - m2)
	if day1 == day2 || day1 == column.DaysInMonth(y1, m1) && day2 == column.DaysInMonth(y2, m2) {
		return months
	}
	secs := float64(day1-day2)*86400 + float64(us1-us2)/1e6
	v := months + secs/(31*86400)
	if round {
		f, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 8, 64), 64)
		return f
	}
	return v
}

func rewriteTimestampAdd(args []Expr) (Expr, error) {
	unit, ok := literalText(args[0])
	if !ok {
		return nil, unexpectedType("timestampadd", 0, args[0], "constant \"STRING\"")
	}
	unit = strings.TrimSuffix(strings.ToLower(unit), "s")
	if unitMicros[unit] == 0 && unitMonths[unit] == 0 {
		return nil, errUnit("timestampadd", unit)
	}
	n, ok := param{class: 'l'}.fit(args[1])
	if !ok {
		return nil, unexpectedType("timestampadd", 1, args[1], `"BIGINT"`)
	}
	ts, ok := param{class: 'T'}.fit(args[2])
	if !ok {
		return nil, unexpectedType("timestampadd", 2, args[2], `"TIMESTAMP"`)
	}
	if ts.DataType().Kind == column.Date {
		ts = Coerce(ts, column.Of(column.Timestamp))
	}
	return &Call{Fn: "timestampadd", Args: []Expr{Lit(unit), n, ts}, Typ: ts.DataType(), Null: n.Nullable() || ts.Nullable()}, nil
}

func timestampAdd(c *Call) kernel {
	unit, _ := literalText(c.Args[0])
	return rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
		n, ts := a[1].I64[i], a[2].I64[i]
		if m := unitMonths[unit]; m > 0 {
			return moveLocal(k, a[2], i, func(local int64) int64 { return addMonthsLocal(local, n*m) })
		}
		u := unitMicros[unit]
		if u >= microsDay {
			return moveLocal(k, a[2], i, func(local int64) int64 { return local + n*u })
		}
		r := ts + n*u
		if n*u/u != n || (r < ts) != (n < 0) && n != 0 {
			k.overflow(i, false, errOverflow(column.Int64, ""))
		}
		return r
	})(c)
}

// moveLocal changes the wall-clock reading of a timestamp.
func moveLocal(k *kctx, v *column.Vector, i int, f func(int64) int64) int64 {
	local := f(localAt(k, v, i))
	if v.Type.Kind == column.Timestamp {
		return column.FromLocal(local, k.ctx.location())
	}
	return local
}

func timestampDiff(c *Call) kernel {
	name, _ := literalText(c.Args[0])
	unit := strings.TrimSuffix(strings.ToLower(name), "s")
	return rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
		start, end := localAt(k, a[1], i), localAt(k, a[2], i)
		if m := unitMonths[unit]; m > 0 {
			return wholeMonths(start, end) / m
		}
		u := unitMicros[unit]
		if u == 0 {
			k.fail(i, errUnit("timestampdiff", name))
			return 0
		}
		if u < microsDay { // an hour is an hour, whatever the clocks do
			start, end = a[1].I64[i], a[2].I64[i]
		}
		return (end - start) / u
	})(c)
}

// wholeMonths counts full months from start to end.
func wholeMonths(start, end int64) int64 {
	if end < start {
		return -wholeMonths(end, start)
	}
	ds, _ := column.SplitMicros(start)
	de, _ := column.SplitMicros(end)
	y1, m1, _ := column.CivilFromDays(ds)
	y2, m2, _ := column.CivilFromDays(de)
	n := int64((y2-y1)*12 + m2 - m1)
	if n > 0 && addMonthsLocal(start, n) > end {
		n--
	}
	return n
}

func rewriteAddInterval(a []Expr) (Expr, error) {
	for i, c := range []byte{'T', 'v'} {
		e, ok := param{class: c}.fit(a[i])
		if !ok {
			return nil, unexpectedType("add_interval", i, a[i], classNames[c].text)
		}
		a[i] = e
	}
	return addInterval("+", a[0], a[1])
}

func addIntervalKernel(c *Call) kernel {
	date := c.Args[0].DataType().Kind == column.Date
	return rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
		by := intAt(a[1], i)
		switch {
		case date && a[1].Type.Kind == column.IntervalDT:
			r := intAt(a[0], i) + by/microsDay
			if !fitsInt(r, column.Int32) {
				k.overflow(i, false, errOverflow(column.Int32, ""))
			}
			return r
		case date:
			return int64(addMonths(int(intAt(a[0], i)), by))
		case a[1].Type.Kind == column.IntervalYM:
			return moveLocal(k, a[0], i, func(local int64) int64 { return addMonthsLocal(local, by) })
		}
		v := a[0].I64[i]
		r := v + by
		if (v^r)&(by^r) < 0 {
			k.overflow(i, false, errOverflow(column.Int64, ""))
		}
		return r
	})(c)
}

func scaleInterval(name, doc, example string, divide bool) *Function {
	return &Function{Name: name, in: params("v d:x"), out: typeOfFirst, Doc: doc, Example: example, cost: 5,
		kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
			v, x := intAt(a[0], i), a[1].F64[i]
			if divide && x == 0 {
				k.zero(i, false, errIntervalByZero)
				return 0
			}
			r, ok := scaledInterval(v, x, divide)
			if !ok || !fitsInt(r, map[bool]column.Kind{true: column.Int32, false: column.Int64}[a[0].Type.Kind == column.IntervalYM]) {
				k.overflow(i, false, errIntervalOverflow(""))
			}
			return r
		})}
}

// scaledInterval is v times or divided by x, rounded half away from zero; exact where x is whole.
func scaledInterval(v int64, x float64, divide bool) (int64, bool) {
	if n := int64(x); float64(n) == x && n > -1<<53 && n < 1<<53 {
		if !divide {
			r := v * n
			return r, v == 0 || r/v == n
		}
		q, rest := v/n, v%n
		if 2*max(rest, -rest) >= max(n, -n) {
			q += 1 - 2*int64(uint64(v^n)>>63)
		}
		return q, true
	}
	f := float64(v) * x
	if divide {
		f = float64(v) / x
	}
	return convert[float64, int64](roundWhole("round", f))
}

// rewriteConvertTimezone is convert_timezone([from,] to, ts) over a timestamp_ntz.
func rewriteConvertTimezone(args []Expr) (Expr, error) {
	if len(args) != 2 && len(args) != 3 {
		return nil, usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `convert_timezone` requires 2 or 3 parameters but the actual number is %d.", len(args)).WithFix("It is convert_timezone([from, ]to, ts).")
	}
	c := &Call{Fn: "convert_timezone", Typ: column.Of(column.TimestampNTZ)}
	for i, e := range args {
		to := column.Of(column.String)
		if i == len(args)-1 {
			to = c.Typ
		}
		x, err := ResolveCast(&Cast{Child: e, To: to})
		if err != nil {
			return nil, err
		}
		c.Args, c.Null = append(c.Args, x), c.Null || x.Nullable()
	}
	return c, nil
}

func convertTimezone(*Call) kernel {
	zones := map[string]*time.Location{}
	return func(k *kctx, a []*column.Vector, out *column.Vector) {
		zone := func(v *column.Vector, i int) *time.Location {
			name := v.Str(i)
			loc, known := zones[name]
			if !known {
				loc, _ = column.ParseZone(strings.Clone(name))
				zones[strings.Clone(name)] = loc
			}
			if loc == nil {
				k.fail(i, errZone(name))
			}
			return loc
		}
		for i := range out.I64 {
			if !k.ok(i) {
				continue
			}
			from := k.ctx.location()
			if len(a) == 3 {
				from = zone(a[0], i)
			}
			if to := zone(a[len(a)-2], i); from != nil && to != nil {
				out.I64[i] = column.ToLocal(column.FromLocal(a[len(a)-1].I64[i], from), to)
			}
		}
	}
}
