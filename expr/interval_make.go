package expr

import (
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// errIntervalOverflow is the error of an interval that does not fit; try names the function that gives null instead.
func errIntervalOverflow(try string) error {
	if try == "" {
		return usererr.New("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "22015", "Integer overflow while operating with intervals.").
			WithFix("Try devising appropriate values for the interval parameters.")
	}
	return usererr.New("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "22015", "Integer overflow while operating with intervals.").
		WithFix("Use `%s` to tolerate overflow and return NULL instead.", try)
}

var errIntervalByZero = usererr.New("INTERVAL_DIVIDED_BY_ZERO", "22012", "Division by zero.").
	WithFix("Use `try_divide` to tolerate divisor being 0 and return NULL instead.")

func init() {
	const parts = "i:years? i:months? i:weeks? i:days? i:hours? i:mins? d:secs?"
	calendar := func(name, doc, example string, try bool) *Function {
		f := &Function{Name: name, in: params(parts), out: outOf(column.Calendar), Doc: doc, Example: example, cost: 20, kernel: makeCalendar(try)}
		if try {
			f.null = always
		}
		return f
	}
	register("date and time",
		calendar("make_interval", "An interval of the calendar, of years, months, weeks, days, hours, minutes and seconds.", "make_interval(1, 2, 0, 3, 4, 5, 6.7) -> 1 years 2 months 3 days 4 hours 5 minutes 6.7 seconds", false),
		calendar("try_make_interval", "make_interval, or null when the parts are too large.", "try_make_interval(2147483647) -> NULL", true),
		&Function{Name: "make_dt_interval", in: params("i:days? i:hours? i:mins? d:secs?"), out: outOf(column.IntervalDT), Doc: "An interval of days, hours, minutes and seconds.", Example: "make_dt_interval(1, 2, 3, 4.5) -> INTERVAL '1 02:03:04.5' DAY TO SECOND", cost: 10,
			kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				total, ok := int64(0), true
				for j, unit := range []int64{microsDay, microsHour, microsMinute} {
					if j < len(a) {
						n := intAt(a[j], i)
						ok = ok && n*unit/unit == n
						total, ok = plusMicros(total, n*unit, ok)
					}
				}
				if len(a) == 4 {
					us, fits := secondsAt(a[3], i)
					total, ok = plusMicros(total, us, ok && fits)
				}
				if !ok {
					k.ansi(i, errIntervalOverflow(""))
				}
				return total
			})},
		&Function{Name: "make_ym_interval", in: params("i:years? i:months?"), out: outOf(column.IntervalYM), Doc: "An interval of years and months.", Example: "make_ym_interval(1, 2) -> INTERVAL '1-2' YEAR TO MONTH", cost: 5,
			kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				total := int64(0)
				for j, v := range a {
					total += intAt(v, i) * [...]int64{12, 1}[j]
				}
				if !fitsInt(total, column.Int32) {
					k.ansi(i, errIntervalOverflow(""))
				}
				return total
			})},
	)
}

// secondsAt is row i of a double of seconds in microseconds.
func secondsAt(v *column.Vector, i int) (int64, bool) {
	f := math.Round(floatAt(v, i) * 1e6)
	return int64(f), math.Abs(f) < 1<<63
}

func makeCalendar(try bool) func(*Call) kernel {
	return func(*Call) kernel {
		return func(k *kctx, a []*column.Vector, out *column.Vector) {
			for i := range out.Dec {
				if !k.ok(i) {
					continue
				}
				c, ok := calendarOfParts(a, i)
				out.Dec[i] = c.Dec()
				switch {
				case ok:
				case try:
					k.null(i)
				default:
					k.ansi(i, errIntervalOverflow("try_make_interval"))
				}
			}
		}
	}
}

func calendarOfParts(a []*column.Vector, i int) (column.CalendarInterval, bool) {
	var n [6]int64
	for j := 0; j < len(a) && j < len(n); j++ {
		n[j] = intAt(a[j], constRow(a[j], i))
	}
	us, ok := int64(0), true
	if len(a) == 7 {
		us, ok = secondsAt(a[6], i)
	}
	months, days := n[0]*12+n[1], n[2]*7+n[3]
	time := n[4]*microsHour + n[5]*microsMinute
	micros := time + us
	ok = ok && fitsInt(months, column.Int32) && fitsInt(days, column.Int32) && (time^micros)&(us^micros) >= 0
	return column.CalendarInterval{Months: int32(months), Days: int32(days), Micros: micros}, ok
}

// plusMicros is the sum; ok stays true when it fits.
func plusMicros(a, b int64, ok bool) (int64, bool) {
	sum := a + b
	return sum, ok && (a^sum)&(b^sum) >= 0
}
