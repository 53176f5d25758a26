package file

import (
	"math"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// textForm is how a table's texts name values: by the options, else as appendText and appendValue do.
type textForm struct {
	opt             *Options
	date, timestamp *expr.TimePattern // nil for ISO 8601
}

// form compiles the patterns of the options.
func (o *Options) form() (f textForm, err error) {
	f.opt = o
	if o.DateFormat != "" {
		if f.date, err = expr.NewTimePattern(o.DateFormat); err != nil {
			return f, err
		}
	}
	if o.TimestampFormat != "" {
		f.timestamp, err = expr.NewTimePattern(o.TimestampFormat)
	}
	return f, err
}

const microsOfDay = 86_400_000_000

// append appends a text as a value of a type; false when it is none, in which case nothing was appended.
func (f textForm) append(to *column.Builder, t column.Type, text []byte) bool {
	switch t.Kind {
	case column.Date:
		if f.date != nil {
			us, ok := f.date.Parse(strings.TrimSpace(string(text)), f.opt.Location)
			if ok {
				us = column.ToLocal(us, f.opt.Location)
				to.AppendI64((us - (us%microsOfDay+microsOfDay)%microsOfDay) / microsOfDay)
			}
			return ok
		}
	case column.Timestamp:
		if f.timestamp != nil {
			us, ok := f.timestamp.Parse(strings.TrimSpace(string(text)), f.opt.Location)
			if ok {
				to.AppendI64(us)
			}
			return ok
		}
	case column.Float32, column.Float64:
		switch string(text) {
		case f.opt.NaN:
			to.AppendF64(math.NaN())
			return true
		case f.opt.PosInf:
			to.AppendF64(math.Inf(1))
			return true
		case f.opt.NegInf:
			to.AppendF64(math.Inf(-1))
			return true
		}
	}
	return appendText(to, t, text, f.opt.Location)
}

// value appends a value as text, in the form that append reads.
func (f textForm) value(dst []byte, v *column.Vector, i int) []byte {
	switch k := v.Type.Kind; {
	case k == column.Date && f.date != nil:
		return f.date.Append(dst, column.FromLocal(int64(v.I32[i])*microsOfDay, f.opt.Location), f.opt.Location)
	case k == column.Timestamp && f.timestamp != nil:
		return f.timestamp.Append(dst, v.I64[i], f.opt.Location)
	case k == column.Float64:
		if special, ok := f.special(v.F64[i]); ok {
			return append(dst, special...)
		}
	case k == column.Float32:
		if special, ok := f.special(float64(v.F32[i])); ok {
			return append(dst, special...)
		}
	}
	return appendValue(dst, v, i, f.opt.Location)
}

// special is the text of a number that has no digits.
func (f textForm) special(x float64) (string, bool) {
	switch {
	case math.IsNaN(x):
		return f.opt.NaN, true
	case math.IsInf(x, 1):
		return f.opt.PosInf, true
	case math.IsInf(x, -1):
		return f.opt.NegInf, true
	}
	return "", false
}

// corruptAt is the position of the column for records that cannot be read, -1 when the schema has none. It is never a field of
// a record; only mode PERMISSIVE puts something into it.
func corruptAt(s *column.Schema, opt *Options) int {
	at := s.Index(opt.CorruptRecord)
	if at < 0 || s.Fields[at].Type.Kind != column.String {
		return -1
	}
	return at
}
