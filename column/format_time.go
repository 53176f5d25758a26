package column

import (
	"strconv"
	"time"
)

// FormatDate is the date as Spark casts it to a string: yyyy-MM-dd.
func FormatDate(days int32) string { return string(AppendDate(nil, days)) }

// AppendDate appends FormatDate.
func AppendDate(dst []byte, days int32) []byte {
	y, m, d := CivilFromDays(int(days))
	dst = appendYear(dst, y)
	return append2(append(append2(append(dst, '-'), m), '-'), d)
}

func appendYear(dst []byte, y int) []byte {
	switch {
	case y < 0:
		dst = append(dst, '-')
		y = -y
	case y > 9999:
		dst = append(dst, '+')
	}
	for limit := 1000; limit > 1 && y < limit; limit /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(y), 10)
}

func append2(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// FormatTimestamp is the instant as Spark casts it to a string in loc: yyyy-MM-dd HH:mm:ss with as many digits of the
// fraction as it has.
func FormatTimestamp(us int64, loc *time.Location) string {
	return string(AppendTimestamp(make([]byte, 0, 32), us, loc))
}

// AppendTimestamp appends FormatTimestamp.
func AppendTimestamp(dst []byte, us int64, loc *time.Location) []byte {
	dst, fraction := appendClock(dst, ToLocal(us, loc), ' ')
	if fraction == 0 {
		return dst
	}
	dst = appendMicros(append(dst, '.'), fraction)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// AppendISO appends the instant in ISO 8601 form with three or, when needed, six digits of the fraction and the zone's
// offset: 2026-01-31T12:00:00.000Z.
func AppendISO(dst []byte, us int64, loc *time.Location) []byte {
	local := ToLocal(us, loc)
	return appendOffset(appendISOLocal(dst, local), int((local-us)/microsPerSecond))
}

func appendISOLocal(dst []byte, local int64) []byte {
	dst, fraction := appendClock(dst, local, 'T')
	dst = appendMicros(append(dst, '.'), fraction)
	if fraction%1000 == 0 {
		dst = dst[:len(dst)-3]
	}
	return dst
}

func appendOffset(dst []byte, seconds int) []byte {
	if seconds == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	dst = append2(append(dst, sign), seconds/3600)
	dst = append2(append(dst, ':'), seconds/60%60)
	if seconds%60 != 0 {
		dst = append2(append(dst, ':'), seconds%60)
	}
	return dst
}

func appendClock(dst []byte, local int64, sep byte) ([]byte, int64) {
	days, micros := SplitMicros(local)
	dst = append(AppendDate(dst, int32(days)), sep)
	s := int(micros / microsPerSecond)
	dst = append2(dst, s/3600)
	dst = append2(append(dst, ':'), s/60%60)
	return append2(append(dst, ':'), s%60), micros % microsPerSecond
}

func appendMicros(dst []byte, n int64) []byte {
	for div := int64(100_000); div > 0; div /= 10 {
		dst = append(dst, byte('0'+n/div%10))
	}
	return dst
}
