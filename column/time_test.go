package column

import (
	"testing"
	"time"
)

func TestCivilAgainstTime(t *testing.T) {
	for days := -800_000; days < 800_000; days += 37 {
		want := time.Unix(int64(days)*86400, 0).UTC()
		y, m, d := CivilFromDays(days)
		if y != want.Year() || m != int(want.Month()) || d != want.Day() {
			t.Fatalf("day %d is %d-%d-%d, want %s", days, y, m, d, want)
		}
		if back := DaysFromCivil(y, m, d); back != days {
			t.Fatalf("%d-%d-%d is day %d, want %d", y, m, d, back, days)
		}
	}
}

func TestParseTimestamp(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2024-02-29": "2024-02-28T23:00:00Z", "2024": "2023-12-31T23:00:00Z", "2024-7": "2024-06-30T22:00:00Z", "2024-7-1 5": "2024-07-01T03:00:00Z",
		"2024-07-01 05:06": "2024-07-01T03:06:00Z", "2024-07-01T05:06:07": "2024-07-01T03:06:07Z", "2024-07-01 05:06:07.123456789": "2024-07-01T03:06:07.123456Z",
		" 2024-07-01T05:06:07Z ": "2024-07-01T05:06:07Z", "2024-07-01T05:06:07+02:30": "2024-07-01T02:36:07Z", "2024-07-01 05:06:07 UTC": "2024-07-01T05:06:07Z",
		"2024-07-01 05:06:07 America/New_York": "2024-07-01T09:06:07Z", "2024-07-01 05:06:07UTC+1": "2024-07-01T04:06:07Z", "2024-07-01T05:06:07-0130": "2024-07-01T06:36:07Z",
		"+12024-01-01T00:00:00Z": "12024-01-01T00:00:00Z", "2024-03-31 02:30:00": "2024-03-31T01:30:00Z", "2024-10-27 02:30:00": "2024-10-27T00:30:00Z",
		"2024-13-01": "", "2024-02-30": "", "24-01-01": "", "2024-01-01 25:00:00": "", "2024-01-01 5:60": "", "2024-01-01x": "", "2024-01-01 ": "2023-12-31T23:00:00Z",
		"2024-01-01T": "", "": "", "now": "", "2024-01-01 00:00:00 Nowhere/City": "", "2024-01-01T00:00:00+25:00": "", "2024-01 00:00": "",
	} {
		us, ok := ParseTimestamp(text, berlin)
		got := ""
		if ok {
			y := time.UnixMicro(us).UTC()
			got = y.Format("2006-01-02T15:04:05.999999Z")
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestParseDate(t *testing.T) {
	for text, want := range map[string]string{"2024-02-29": "2024-02-29", "2024-2-9": "2024-02-09", "2024": "2024-01-01", "2024-05": "2024-05-01", "2024-05-06 anything": "2024-05-06",
		"2024-05-06T10:00": "2024-05-06", "-0044-03-15": "-0044-03-15", "+10000-01-01": "+10000-01-01", "2024-02-30": "", "2023-02-29": "", "x": "", "2024-05x": "", "99999999-01-01": ""} {
		got := ""
		if d, ok := ParseDate(text); ok {
			got = FormatDate(d)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestTimestampTextRoundTrip(t *testing.T) {
	r := newRand(t)
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"}
	for range 5000 {
		us := r.Int64N(4e15) - 1e15
		loc, err := time.LoadLocation(zones[r.IntN(len(zones))])
		if err != nil {
			t.Fatal(err)
		}
		if got := FormatTimestamp(us, loc); got != time.UnixMicro(us).In(loc).Format("2006-01-02 15:04:05.999999") {
			t.Fatalf("%d in %s is %s", us, loc, got)
		}
		iso := string(AppendISO(nil, us, loc))
		if back, ok := ParseTimestamp(iso, time.UTC); !ok || back != us {
			t.Fatalf("%d is %s is %d", us, iso, back)
		}
		local := ToLocal(us, loc)
		if back := FromLocal(local, loc); ToLocal(back, loc) != local || back != us && us-back != int64(ambiguity(loc, us)) {
			t.Fatalf("%s: %d reads %d, which is %d", loc, us, local, back)
		}
	}
}

// ambiguity is how much later us is than the first instant with the same reading.
func ambiguity(loc *time.Location, us int64) int64 {
	_, before := time.UnixMicro(us - microsPerDay).In(loc).Zone()
	_, now := time.UnixMicro(us).In(loc).Zone()
	return int64(before-now) * microsPerSecond
}

func TestIntervalText(t *testing.T) {
	for _, us := range []int64{0, 1, -1, 3600_000_000, -93784_500_000, 1 << 55} {
		text := string(AppendInterval(nil, us, Of(IntervalDT)))
		if back, ok := ParseInterval(text, Of(IntervalDT)); !ok || back != us {
			t.Errorf("%d is %s is %d", us, text, back)
		}
	}
	for _, m := range []int32{0, 1, -1, 14, -25} {
		text := string(AppendInterval(nil, int64(m), Of(IntervalYM)))
		if back, ok := ParseInterval(text, Of(IntervalYM)); !ok || back != int64(m) {
			t.Errorf("%d is %s is %d", m, text, back)
		}
	}
	for _, bad := range []string{"", "1", "1-12", "x-1", "1 25:00:00", "1 2:3:4x", "INTERVAL"} {
		if n, ok := ParseInterval(bad, Of(IntervalYM)); ok {
			t.Errorf("%q is %d months", bad, n)
		}
		if n, ok := ParseInterval(bad, Of(IntervalDT)); ok {
			t.Errorf("%q is %d µs", bad, n)
		}
	}
}

func TestAppendFloat(t *testing.T) {
	for want, x := range map[string]float64{"1.0": 1, "0.0": 0, "-1.5": -1.5, "1.0E10": 1e10, "1.0E-4": 1e-4, "1.234567E8": 123456700, "9999999.0": 9999999, "1.0E7": 1e7, "0.001": 0.001,
		"1.7976931348623157E308": 1.7976931348623157e308, "4.9E-324": 5e-324} {
		if got := string(AppendFloat(nil, x, 64)); got != want {
			t.Errorf("%g is %s, want %s", x, got, want)
		}
	}
	if got := string(AppendFloat(nil, float64(float32(0.1)), 32)); got != "0.1" {
		t.Errorf("float 0.1 is %s", got)
	}
}

func FuzzParseTimestamp(f *testing.F) {
	for _, s := range []string{"2024-01-02T03:04:05.678Z", "-0001-1-1", "2024-01-01 00:00:00 UTC+1:30", "9999-12-31 23:59:59.999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		us, ok := ParseTimestamp(s, time.UTC)
		if !ok {
			return
		}
		if back, ok := ParseTimestamp(FormatTimestamp(us, time.UTC), time.UTC); !ok || back != us {
			t.Fatalf("%q is %d, written %q, which is %d", s, us, FormatTimestamp(us, time.UTC), back)
		}
	})
}

func BenchmarkParseTimestamp(b *testing.B) {
	for b.Loop() {
		ParseTimestamp("2024-07-01T05:06:07.123456Z", time.UTC)
	}
	perRow(b, 1)
}
