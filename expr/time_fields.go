package expr

import (
	"github.com/streamflow/streamflow/column"
)

const (
	microsSecond = int64(1e6)
	microsMinute = 60 * microsSecond
	microsHour   = 3600 * microsSecond
	microsDay    = 86400 * microsSecond
)

// localAt is row i of a date or timestamp as a wall-clock reading in microseconds.
func localAt(k *kctx, v *column.Vector, i int) int64 {
	i = constRow(v, i)
	switch v.Type.Kind {
	case column.Date:
		return int64(v.I32[i]) * microsDay
	case column.Timestamp:
		return column.ToLocal(v.I64[i], k.ctx.location())
	}
	return v.I64[i]
}

// dateFields are the parts of a date: the name in EXTRACT, and how to get it.
func field(name, doc, example string, f func(days int) int64, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, in: params("T:date"), out: outOf(column.Int32), flags: zoned, Doc: doc, Example: example, cost: 8,
		kernel: func(*Call) kernel {
			var r readings
			last, value := 0, int32(f(0)) // rows of one day follow each other
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i, us := range r.of(k, args[0]) {
					if days, _ := column.SplitMicros(us); days != last {
						last, value = days, int32(f(days))
					}
					out.I32[i] = value
				}
			}
		}}
}

func clockField(name, doc, example string, f func(micros int64) int64) *Function {
	return &Function{Name: name, in: params("C:ts"), out: outOf(column.Int32), flags: zoned, Doc: doc, Example: example, cost: 6,
		kernel: func(*Call) kernel {
			var r readings
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i, us := range r.of(k, args[0]) {
					if us %= microsDay; us < 0 {
						us += microsDay
					}
					out.I32[i] = int32(f(us))
				}
			}
		}}
}

func yearOf(d int) int64  { y, _, _ := column.CivilFromDays(d); return int64(y) }
func monthOf(d int) int64 { _, m, _ := column.CivilFromDays(d); return int64(m) }
func dayOf(d int) int64   { _, _, x := column.CivilFromDays(d); return int64(x) }

// weekdayOf counts from Monday, 0.
func weekdayOf(d int) int64 { return int64(((d+3)%7 + 7) % 7) }

func dayOfYear(d int) int64 {
	y, _, _ := column.CivilFromDays(d)
	return int64(d - column.DaysFromCivil(y, 1, 1) + 1)
}

// isoWeek is the ISO 8601 week and the year that it belongs to.
func isoWeek(d int) (year, week int64) {
	thursday := d - int(weekdayOf(d)) + 3
	y, _, _ := column.CivilFromDays(thursday)
	return int64(y), int64(thursday-column.DaysFromCivil(y, 1, 1))/7 + 1
}

func names(name, doc, example string, list []string, f func(days int) int64) *Function {
	return &Function{Name: name, in: params("T:date"), out: outOf(column.String), flags: zoned, Doc: doc, Example: example, cost: 15,
		kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
			days, _ := column.SplitMicros(localAt(k, a[0], i))
			return append(dst, list[f(days)][:3]...)
		})}
}

var monthNames = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
var dayNames = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

func init() {
	const d = "(DATE'2026-03-15')"
	register("date and time",
		field("year", "The year.", "year"+d+" -> 2026", yearOf),
		field("quarter", "The quarter, 1 to 4.", "quarter"+d+" -> 1", func(d int) int64 { return (monthOf(d) + 2) / 3 }),
		field("month", "The month, 1 to 12.", "month"+d+" -> 3", monthOf),
		field("day", "The day of the month, 1 to 31.", "day"+d+" -> 15", dayOf, "dayofmonth"),
		field("dayofweek", "The day of the week, Sunday is 1.", "dayofweek"+d+" -> 1", func(d int) int64 { return (weekdayOf(d)+1)%7 + 1 }),
		field("weekday", "The day of the week, Monday is 0.", "weekday"+d+" -> 6", weekdayOf),
		field("dayofyear", "The day of the year, 1 to 366.", "dayofyear"+d+" -> 74", dayOfYear),
		field("weekofyear", "The ISO week of the year.", "weekofyear"+d+" -> 11", func(d int) int64 { _, w := isoWeek(d); return w }),
		field("yearofweek", "The year that the ISO week belongs to.", "yearofweek(DATE'2027-01-01') -> 2026", func(d int) int64 { y, _ := isoWeek(d); return y }),
		names("monthname", "The first three letters of the month's name.", "monthname"+d+" -> Mar", monthNames, func(d int) int64 { return monthOf(d) - 1 }),
		names("dayname", "The first three letters of the day's name.", "dayname"+d+" -> Sun", dayNames, weekdayOf),
		clockField("hour", "The hour, 0 to 23, in the session's time zone.", "hour(TIMESTAMP'2026-03-15 13:45:07') -> 13", func(us int64) int64 { return us / microsHour }),
		clockField("minute", "The minute, 0 to 59.", "minute(TIMESTAMP'2026-03-15 13:45:07') -> 45", func(us int64) int64 { return us / microsMinute % 60 }),
		clockField("second", "The second, 0 to 59.", "second(TIMESTAMP'2026-03-15 13:45:07') -> 7", func(us int64) int64 { return us / microsSecond % 60 }),
		&Function{Name: "second_fraction", in: params("C:ts"), out: func([]Expr) (column.Type, error) { return column.DecimalOf(8, 6), nil }, flags: zoned, cost: 6,
			Doc: "The second with its fraction, as EXTRACT(SECOND) gives it.", Example: "second_fraction(TIMESTAMP'2026-03-15 13:45:07.25') -> 7.250000", kernel: func(*Call) kernel {
				return func(k *kctx, args []*column.Vector, out *column.Vector) {
					for i := range out.Dec {
						_, us := column.SplitMicros(localAt(k, args[0], i))
						out.Dec[i] = column.Dec128(decFromInt(us % microsMinute))
					}
				}
			}},
		&Function{Name: "interval_field", in: params("Q s:field"), out: intervalFieldType, Doc: "The days, hours, minutes or seconds of an interval (its months and years, when it has those).", Example: "interval_field(INTERVAL'2 days 3 hours', 'hour') -> 3", cost: 5, kernel: intervalField},
		&Function{Name: "date_part", Aliases: []string{"datepart", "extract"}, in: params("s:field a:source"), Usage: "extract(field from source)", Doc: "A part of a date, timestamp or interval: year, quarter, month, week, day, dow, doy, hour, minute, second …", Example: "date_part('month', DATE'2026-03-15') -> 3", rewrite: rewriteExtract},
	)
}

var extractNames = map[string]string{
	"year": "year", "y": "year", "years": "year", "yr": "year", "yrs": "year", "yearofweek": "yearofweek", "isoyear": "yearofweek",
	"quarter": "quarter", "qtr": "quarter", "month": "month", "mon": "month", "mons": "month", "months": "month",
	"week": "weekofyear", "w": "weekofyear", "weeks": "weekofyear", "day": "day", "d": "day", "days": "day",
	"dayofweek": "dayofweek", "dow": "dayofweek", "doy": "dayofyear", "dayofyear": "dayofyear",
	"hour": "hour", "h": "hour", "hours": "hour", "hr": "hour", "hrs": "hour",
	"minute": "minute", "m": "minute", "min": "minute", "mins": "minute", "minutes": "minute",
	"second": "second_fraction", "s": "second_fraction", "sec": "second_fraction", "seconds": "second_fraction", "secs": "second_fraction",
}

func rewriteExtract(args []Expr) (Expr, error) {
	name, ok := literalText(args[0])
	if !ok {
		return nil, unexpectedType("extract", 0, args[0], "constant \"STRING\"")
	}
	name = lowerASCII(name)
	if k := args[1].DataType().Kind; isInterval(k) || k == column.Calendar {
		return call("interval_field", args[1], Lit(name))
	}
	if name == "dayofweek_iso" || name == "dow_iso" {
		wd, err := call("weekday", args[1])
		if err != nil {
			return nil, err
		}
		return call("+", wd, Lit(1))
	}
	fn, ok := extractNames[name]
	if !ok {
		return nil, errField("extract", name)
	}
	return call(fn, args[1])
}

// literalText is the value of a constant string.
func literalText(e Expr) (string, bool) {
	l, ok := Transform(e, Fold).(*Literal)
	if !ok {
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok
}
