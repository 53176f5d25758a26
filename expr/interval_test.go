package expr

import (
	"testing"
	"time"
)

// TestIntervals holds edge values of intervals of the calendar, of the units of interval types, and of times of day.
func TestIntervals(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		// calendar intervals
		{"make_interval(0, 1, 1, 1, 12, 30, 1.001001)", "1 months 8 days 12 hours 30 minutes 1.001001 seconds"}, {"make_interval()", "0 seconds"}, {"make_interval(0, 0, 0, 0, 0, 0, -0.1)", "-0.1 seconds"}, {"make_interval(-1, -1)", "-1 years -1 months"},
		{"make_interval(178956971)", "error INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION"}, {"try_make_interval(0, 0, 306783379)", "NULL"}, {"make_interval(NULL, 3)", "NULL"}, {"typeof(make_interval(1))", "interval"},
		{"cast('1 year 2 months -3 days 4.5 seconds' as interval)", "1 years 2 months -3 days 4.5 seconds"}, {"cast('interval 2 weeks 90 minutes' as interval)", "14 days 1 hours 30 minutes"}, {"cast('1.5 days' as interval)", "error CAST_INVALID_INPUT"},
		{"cast('1 fortnight' as interval)", "error CAST_INVALID_INPUT"}, {"try_cast('x' as interval)", "NULL"}, {"cast('-1 microseconds 1 second' as interval)", "0.999999 seconds"},
		{"DATE'2026-01-31' + make_interval(0, 1, 0, 1)", "2026-03-01"}, {"DATE'2026-01-31' + make_interval(0, 0, 0, 0, 1)", "error INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION"}, {"make_interval(0, 1) + TIMESTAMP'2026-01-31 10:00:00'", "2026-02-28 10:00:00"},
		{"TIMESTAMP'2026-03-31 10:00:00' - make_interval(0, 1, 0, 1, 1)", "2026-02-27 09:00:00"}, {"-make_interval(1, 0, 0, 2)", "-1 years -2 days"}, {"make_interval(0, 1) - make_interval(0, 2, 0, 1)", "-1 months -1 days"},
		{"make_interval(0, 0, 0, 1) * 1.5", "1 days 12 hours"}, {"2 * make_interval(0, 7)", "1 years 2 months"}, {"make_interval(0, 3, 0, 1) / 2", "1 months 12 hours"}, {"make_interval(1) / 0", "error INTERVAL_DIVIDED_BY_ZERO"},
		{"make_interval(0, 2147483647) + make_interval(0, 1)", "error INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"}, {"make_interval(1) < make_interval(2)", "error DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"}, {"make_interval(1) = make_interval(1)", "error DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"},
		{"date_part('month', make_interval(1, 14))", "2"}, {"date_part('second', make_interval(0, 0, 0, 0, 0, 0, 61.5))", "1.500000"}, {"date_part('week', make_interval(1))", "error INVALID_EXTRACT_FIELD"}, {"make_interval(1) + 1", "error DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES"},
		{"to_json(named_struct('i', make_interval(1, 2)))", `{"i":"1 years 2 months"}`}, {"from_json('{\"i\":\"3 days\"}', 'i interval')", "{3 days}"}, {"max(make_interval(1))", "error DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"},
		// units of interval types
		{"cast('36' as interval hour)", "INTERVAL '36' HOUR"}, {"cast('1 02:03:04.5' as interval day to second)", "INTERVAL '1 02:03:04.5' DAY TO SECOND"}, {"cast('1-2' as interval year to month)", "INTERVAL '1-2' YEAR TO MONTH"}, {"cast('-14' as interval month)", "INTERVAL '-14' MONTH"},
		{"cast(make_dt_interval(1, 2, 3, 4.5) as interval day to hour)", "INTERVAL '1 02' DAY TO HOUR"}, {"cast(make_dt_interval(0, 0, -3, -4.5) as interval minute)", "INTERVAL '-03' MINUTE"}, {"cast(make_ym_interval(1, 2) as interval year)", "INTERVAL '1' YEAR"}, {"typeof(cast('1' as interval day))", "interval day"},
		{"cast('1 25:00:00' as interval day to second)", "error CAST_INVALID_INPUT"}, {"cast('1-12' as interval year to month)", "error CAST_INVALID_INPUT"},
		{"typeof(cast('1' as interval day) + cast('2' as interval hour))", "interval day to hour"}, {"cast('1' as interval day) < cast('25' as interval hour)", "true"}, {"make_dt_interval(0, 0, 0, 4.000001)", "INTERVAL '0 00:00:04.000001' DAY TO SECOND"},
		{"make_dt_interval(106751992)", "error INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"}, {"make_ym_interval(178956970, 8)", "error INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"}, {"make_ym_interval(178956970, 7)", "INTERVAL '178956970-7' YEAR TO MONTH"},
		{"date_part('second', make_dt_interval(0, 0, 0, -1.25))", "-1.250000"}, {"date_part('hour', cast('2' as interval day))", "error INVALID_EXTRACT_FIELD"}, {"date_part('hour', make_dt_interval(1, 26))", "2"}, {"make_ym_interval(0, 3) / 2", "INTERVAL '0-2' YEAR TO MONTH"}, {"make_ym_interval(0, -3) / 2", "INTERVAL '-0-2' YEAR TO MONTH"},
		{"make_ym_interval(0, 7) * 1.5", "INTERVAL '0-11' YEAR TO MONTH"}, {"make_dt_interval(106751991) * 2", "error INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"},
		// times of day
		{"cast('09:08:07.1234567' as time)", "09:08:07.123456"}, {"cast('09:08:07.129' as time(2))", "09:08:07.12"}, {"cast('9:5' as time)", "09:05:00"}, {"cast('12:30 AM' as time)", "00:30:00"}, {"cast('12:30pm' as time)", "12:30:00"}, {"cast('24:00' as time)", "error CAST_INVALID_INPUT"},
		{"cast('10' as time)", "error CAST_INVALID_INPUT"}, {"try_cast('13:00 PM' as time)", "NULL"}, {"cast(to_time('01:02:03.5') as int)", "3723"}, {"cast(to_time('01:02:03.5') as decimal(8,2))", "3723.50"}, {"cast(to_time('01:02:03') as tinyint)", "error CAST_OVERFLOW"}, {"cast(to_time('01:02:03') as date)", "error DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"},
		{"hour(to_time('23:59:58.9'))", "23"}, {"minute(to_time('23:59:58.9'))", "59"}, {"second(to_time('23:59:58.9'))", "58"}, {"date_part('second', to_time('23:59:58.9'))", "58.900000"}, {"year(to_time('10:00'))", "error DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"make_time(24, 0, 0)", "error DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION"}, {"make_time(1, 2, 60)", "error DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION"}, {"to_time('x')", "error CANNOT_PARSE_TIME"}, {"try_to_time('10.11', 'HH.mm')", "10:11:00"}, {"to_time(NULL)", "NULL"},
		{"time_trunc('second', to_time('10:11:12.9'))", "10:11:12"}, {"time_trunc('day', to_time('10:11'))", "error INVALID_PARAMETER_VALUE.TIME_UNIT"}, {"time_diff('minute', to_time('10:00'), to_time('08:59:59'))", "-60"}, {"time_diff('year', to_time('10:00'), to_time('08:59'))", "error INVALID_PARAMETER_VALUE.TIME_UNIT"},
		{"to_time('23:00') + make_dt_interval(0, 1)", "error DATETIME_OVERFLOW"}, {"to_time('23:00') - make_dt_interval(0, 1)", "22:00:00"}, {"make_dt_interval(0, 0, 1) + to_time('10:00')", "10:01:00"}, {"to_time('10:00') - to_time('11:30')", "INTERVAL '-01:30:00' HOUR TO SECOND"}, {"to_time('10:00') + 1", "error DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES"},
		{"to_time('10:00') < '10:01'", "true"}, {"greatest(to_time('10:00'), to_time('09:00'))", "10:00:00"}, {"typeof(coalesce(cast('1:00' as time(1)), cast('1:00' as time(4))))", "time(4)"}, {"current_time(7)", "error DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE"},
		{"to_json(named_struct('t', to_time('10:00')))", `{"t":"10:00:00"}`}, {"from_json('{\"t\":\"10:00:01.25\"}', 't time(1)')", "{10:00:01.2}"}, {"cast(cast(to_time('10:00') as variant) as time)", "10:00:00"},
	} {
		if got := evalText(t, c.text, testCtx); got != c.want {
			t.Errorf("%s = %s, want %s", c.text, got, c.want)
		}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	ctx := &Context{ANSI: true, Location: berlin, Now: 1767225600e6}
	for _, c := range []struct{ text, want string }{
		{"cast('2026-03-28 12:00:00' as timestamp) + make_interval(0, 0, 0, 1)", "2026-03-29 12:00:00"},           // a day of 23 hours
		{"cast('2026-03-28 12:00:00' as timestamp) + make_interval(0, 0, 0, 0, 24)", "2026-03-29 13:00:00"},       // 24 hours
		{"cast('2026-02-28 02:30:00' as timestamp) + make_interval(0, 1, 0, 1, 0, 1)", "2026-03-29 03:31:00"},     // 02:30 does not exist
		{"cast('2026-02-28 02:30:00' as timestamp_ntz) + make_interval(0, 1, 0, 1, 0, 1)", "2026-03-29 02:31:00"}, // no zone
		{"current_time()", "01:00:00"},
	} {
		if got := evalText(t, c.text, ctx); got != c.want {
			t.Errorf("%s = %s, want %s", c.text, got, c.want)
		}
	}
}
