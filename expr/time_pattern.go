package expr

import (
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
)

// TimePattern is a datetime pattern of Spark's, such as "dd/MM/yyyy HH:mm", ready to read and write times.
type TimePattern struct {
	p    *timePattern
	text string
}

// NewTimePattern compiles a pattern; the error says what in it is not known.
func NewTimePattern(pattern string) (*TimePattern, error) {
	p, err := compilePattern(pattern)
	if err != nil {
		return nil, err
	}
	return &TimePattern{p, pattern}, nil
}

// Parse reads a whole text as the instant that it names, in microseconds since the epoch; in loc where the text has no zone.
func (t *TimePattern) Parse(text string, loc *time.Location) (micros int64, ok bool) {
	return t.p.parse(text, loc)
}

// Append writes the instant as it is in loc.
func (t *TimePattern) Append(dst []byte, micros int64, loc *time.Location) []byte {
	local := column.ToLocal(micros, loc)
	zone := "UTC"
	if loc != time.UTC {
		zone, _ = time.UnixMicro(micros).In(loc).Zone()
		if strings.Contains(t.text, "V") {
			zone = loc.String()
		}
	}
	return t.p.format(dst, local, int((local-micros)/microsSecond), zone)
}
