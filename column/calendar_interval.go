package column

import (
	"strconv"
)

// CalendarInterval is Spark's INTERVAL: months, days and microseconds, none of which is a fixed number of another, since
// months and days differ in length. It has no order.
type CalendarInterval struct {
	Months, Days int32
	Micros       int64
}

// Dec is the interval as a Calendar column stores it.
func (c CalendarInterval) Dec() Dec128 {
	return Dec128{Lo: uint64(c.Micros), Hi: int64(c.Months)<<32 | int64(uint32(c.Days))}
}

// CalendarOf is the interval that a Calendar column stores as d.
func CalendarOf(d Dec128) CalendarInterval {
	return CalendarInterval{Months: int32(d.Hi >> 32), Days: int32(d.Hi), Micros: int64(d.Lo)}
}

// AppendText appends the interval as Spark casts it to a string: "1 years 2 months 3 days 4 hours 5 minutes 6.7 seconds",
// without the parts that are zero.
func (c CalendarInterval) AppendText(dst []byte) []byte {
	at := len(dst)
	part := func(n int64, unit string) {
		if n == 0 {
			return
		}
		if len(dst) > at {
			dst = append(dst, ' ')
		}
		dst = append(strconv.AppendInt(dst, n, 10), unit...)
	}
	part(int64(c.Months/12), " years")
	part(int64(c.Months%12), " months")
	part(int64(c.Days), " days")
	part(c.Micros/(3600*microsPerSecond), " hours")
	part(c.Micros/(60*microsPerSecond)%60, " minutes")
	if rest := c.Micros % (60 * microsPerSecond); rest != 0 {
		if len(dst) > at {
			dst = append(dst, ' ')
		}
		dst = append(appendSeconds(dst, rest), " seconds"...)
	}
	if len(dst) == at {
		return append(dst, "0 seconds"...)
	}
	return dst
}

// appendSeconds appends microseconds as seconds with as many digits of the fraction as there are.
func appendSeconds(dst []byte, us int64) []byte {
	n := uint64(us)
	if us < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = strconv.AppendUint(dst, n/microsPerSecond, 10)
	return appendFraction(dst, int64(n%microsPerSecond))
}

// appendFraction appends a point and the digits of microseconds without zeros at the end, nothing for 0.
func appendFraction(dst []byte, us int64) []byte {
	if us == 0 {
		return dst
	}
	dst = appendMicros(append(dst, '.'), us)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}
