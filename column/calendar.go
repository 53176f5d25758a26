package column

import "time"

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86400 * microsPerSecond
)

// DaysFromCivil is the number of days from 1970-01-01 to a date of the proleptic Gregorian calendar; year 0 is 1 BC.
func DaysFromCivil(year, month, day int) int {
	if month <= 2 {
		year--
	}
	era := floorDiv(year, 400)
	yoe := year - era*400
	mp := (month + 9) % 12
	doy := (153*mp+2)/5 + day - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// CivilFromDays is the inverse of DaysFromCivil.
func CivilFromDays(days int) (year, month, day int) {
	z := days + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = doy - (153*mp+2)/5 + 1
	month = (mp+2)%12 + 1
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// DaysInMonth is the length of a month.
func DaysInMonth(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// SplitMicros is a timestamp as days since the epoch and microseconds of the day, 0 <= micros < 86 400 000 000.
func SplitMicros(us int64) (days int, micros int64) {
	d := us / microsPerDay
	if us%microsPerDay < 0 {
		d--
	}
	return int(d), us - d*microsPerDay
}

// ToLocal is the wall-clock reading, as microseconds since 1970-01-01 00:00 on that clock, of an instant in loc.
func ToLocal(us int64, loc *time.Location) int64 {
	if loc == nil || loc == time.UTC {
		return us
	}
	_, offset := time.UnixMicro(us).In(loc).Zone()
	return us + int64(offset)*microsPerSecond
}

// FromLocal is the instant at which the clocks of loc read local. A reading skipped by a change of clocks is moved on by
// the length of the gap, and of two instants with the same reading the earlier is taken, as Java does.
func FromLocal(local int64, loc *time.Location) int64 {
	if loc == nil || loc == time.UTC {
		return local
	}
	_, before := time.UnixMicro(local - microsPerDay).In(loc).Zone()
	_, after := time.UnixMicro(local + microsPerDay).In(loc).Zone()
	first := local - int64(before)*microsPerSecond
	if before == after || ToLocal(first, loc) == local {
		return first
	}
	second := local - int64(after)*microsPerSecond
	if ToLocal(second, loc) == local {
		return second
	}
	return first
}
