package expr

import (
	"github.com/streamflow/streamflow/column"
)

// intervalParts are what EXTRACT takes out of an interval, by the name of the function over times.
var intervalParts = map[string]struct {
	unit column.IntervalUnit
	typ  column.Type
}{
	"year": {column.Year, column.Of(column.Int32)}, "month": {column.Month, column.Of(column.Int8)}, "day": {column.Day, column.Of(column.Int32)},
	"hour": {column.Hour, column.Of(column.Int8)}, "minute": {column.Minute, column.Of(column.Int8)}, "second_fraction": {column.Second, column.DecimalOf(8, 6)},
}

// intervalFieldType is the type of a part, which the interval must have.
func intervalFieldType(args []Expr) (column.Type, error) {
	name, _ := literalText(args[1])
	p, ok := intervalParts[extractNames[lowerASCII(name)]]
	if t := args[0].DataType(); ok && t.Kind != column.Calendar {
		from, to := t.IntervalUnits()
		ok = (t.Kind == column.IntervalYM) == (p.unit >= column.Year) && p.unit >= from && p.unit <= to
	}
	if !ok {
		return p.typ, errField("extract", name)
	}
	return p.typ, nil
}

func intervalField(c *Call) kernel {
	name, _ := literalText(c.Args[1])
	unit := intervalParts[extractNames[lowerASCII(name)]].unit
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		v := args[0]
		for i := range k.n {
			if !k.ok(i) {
				continue
			}
			months, days, micros := intervalAt(v, constRow(v, i))
			switch unit {
			case column.Year:
				setInt(out, i, months/12)
			case column.Month:
				setInt(out, i, months%12)
			case column.Day:
				setInt(out, i, days)
			case column.Hour:
				setInt(out, i, micros/microsHour%24)
			case column.Minute:
				setInt(out, i, micros/microsMinute%60)
			default:
				out.Dec[i] = column.Dec128(decFromInt(micros % microsMinute))
			}
		}
	}
}

// intervalAt is an interval of any kind in months, days and the time of a day.
func intervalAt(v *column.Vector, i int) (months, days, micros int64) {
	switch v.Type.Kind {
	case column.IntervalYM:
		return int64(v.I32[i]), 0, 0
	case column.IntervalDT:
		return 0, v.I64[i] / microsDay, v.I64[i] % microsDay
	}
	c := column.CalendarOf(v.Dec[i])
	return int64(c.Months), int64(c.Days), c.Micros
}
