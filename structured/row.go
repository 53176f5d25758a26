package structured

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// Row is a row of a result. Its values are Go's: bool, int64 for every integer, float64, Decimal, string, []byte,
// time.Time for dates and timestamps (UTC), TimeOfDay, time.Duration, Months and CalendarInterval for intervals, Variant, []any for arrays, Row for structs,
// []KeyValue for maps, nil for null.
type Row struct {
	fields []column.Field
	values []any
}

// KeyValue is an entry of a map.
type KeyValue struct{ Key, Value any }

// Months is a year-month interval.
type Months int32

// Len is the number of columns.
func (r Row) Len() int { return len(r.values) }

// At is the i-th value.
func (r Row) At(i int) any { return r.values[i] }

// Get is the value of a column by name, without regard to case; nil when there is none of that name.
func (r Row) Get(name string) any {
	for i, f := range r.fields {
		if strings.EqualFold(f.Name, name) {
			return r.values[i]
		}
	}
	return nil
}

// Names are the columns' names.
func (r Row) Names() []string {
	out := make([]string, len(r.fields))
	for i, f := range r.fields {
		out[i] = f.Name
	}
	return out
}

// Values are the row's values.
func (r Row) Values() []any { return append([]any{}, r.values...) }

// String is Row(a=1, b=x), as PySpark prints rows.
func (r Row) String() string {
	parts := make([]string, len(r.values))
	for i, v := range r.values {
		parts[i] = fmt.Sprintf("%s=%v", r.fields[i].Name, v)
	}
	return "Row(" + strings.Join(parts, ", ") + ")"
}

// Decimal is an exact decimal number: Unscaled / 10^Scale.
type Decimal struct {
	Unscaled *big.Int
	Scale    int
}

// NewDecimal is unscaled / 10^scale.
func NewDecimal(unscaled int64, scale int) Decimal { return Decimal{big.NewInt(unscaled), scale} }

// String is the number in plain notation with all its digits.
func (d Decimal) String() string {
	s := new(big.Int).Abs(d.Unscaled).String()
	if d.Scale > 0 {
		if len(s) <= d.Scale {
			s = strings.Repeat("0", d.Scale-len(s)+1) + s
		}
		s = s[:len(s)-d.Scale] + "." + s[len(s)-d.Scale:]
	}
	if d.Unscaled.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// rescaled is d with the digits of a column type; ok is false when it does not fit exactly.
func (d Decimal) rescaled(precision, scale int) (column.Dec128, bool) {
	if scale < d.Scale {
		return column.Dec128{}, false
	}
	x := new(big.Int).Mul(d.Unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale-d.Scale)), nil))
	return column.DecFromBig(x, precision)
}

func (d Decimal) literal() Column {
	digits := max(len(new(big.Int).Abs(d.Unscaled).String()), d.Scale, 1)
	x, ok := column.DecFromBig(d.Unscaled, digits)
	if !ok || digits > 38 {
		return Column{err: invalidValue("decimal", d.String(), "it has more than 38 digits")}
	}
	return Column{e: &expr.Literal{Value: x, Typ: column.DecimalOf(digits, d.Scale)}}
}

// goValue is an engine's boxed value as Row holds it.
func goValue(t column.Type, v any) any {
	if v == nil {
		return nil
	}
	switch t.Kind {
	case column.Date:
		return time.Unix(v.(int64)*86400, 0).UTC()
	case column.Timestamp, column.TimestampNTZ:
		return time.UnixMicro(v.(int64)).UTC()
	case column.IntervalDT:
		return time.Duration(v.(int64)) * time.Microsecond
	case column.IntervalYM:
		return Months(v.(int64))
	case column.Variant:
		return variantOf(v.([]byte))
	case column.Time:
		return TimeOfDay(time.Duration(v.(int64)) * time.Microsecond)
	case column.Calendar:
		return CalendarInterval(column.CalendarOf(v.(column.Dec128)))
	case column.Decimal:
		return Decimal{v.(column.Dec128).Big(), int(t.Scale)}
	case column.List:
		return goValues(v.([]any), func(int) column.Type { return t.Elem() })
	case column.Struct:
		return Row{t.Fields, goValues(v.([]any), func(i int) column.Type { return t.Fields[i].Type })}
	case column.Map:
		kv := v.([2][]any)
		out := make([]KeyValue, len(kv[0]))
		for i := range out {
			out[i] = KeyValue{goValue(t.Fields[0].Type, kv[0][i]), goValue(t.Fields[1].Type, kv[1][i])}
		}
		return out
	}
	return v
}

func goValues(list []any, typ func(int) column.Type) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = goValue(typ(i), v)
	}
	return out
}

// rowsOf are a batch's rows.
func rowsOf(schema *column.Schema, b *column.Batch) []Row {
	out := make([]Row, b.N)
	for i := range out {
		values := make([]any, len(b.Cols))
		for c, v := range b.Cols {
			values[c] = goValue(v.Type, column.Value(v, i))
		}
		out[i] = Row{schema.Fields, values}
	}
	return out
}

// readAll reads a result whole and closes it; the batches are copies.
func readAll(ctx context.Context, rows Rows) (out []*column.Batch, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if b.N > 0 {
			out = append(out, b.Clone())
		}
	}
}
