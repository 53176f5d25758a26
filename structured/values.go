package structured

import (
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Variant is a value of type VARIANT: Spark's binary encoding, see docs/format/variant.md.
type Variant struct{ Value, Metadata []byte }

// String is the variant as JSON, with times in UTC.
func (v Variant) String() string {
	out, _ := column.VariantRef{Meta: v.Metadata, Value: v.Value}.AppendJSON(nil, time.UTC)
	return string(out)
}

// TimeOfDay is a value of type TIME: the time since midnight.
type TimeOfDay time.Duration

// String is HH:mm:ss and as many digits of the fraction as there are.
func (t TimeOfDay) String() string {
	return string(column.AppendTime(nil, time.Duration(t).Microseconds()))
}

// CalendarInterval is a value of type INTERVAL: months, days and microseconds, none a fixed number of another.
type CalendarInterval struct {
	Months, Days int32
	Micros       int64
}

// String is the interval as Spark casts it to text: 1 years 2 months 3 days.
func (c CalendarInterval) String() string {
	return string(column.CalendarInterval(c).AppendText(nil))
}

func variantOf(b []byte) Variant {
	r := column.SplitVariant(b)
	return Variant{Value: r.Value, Metadata: r.Meta}
}

// engine is the form that columns hold; it refuses what is no variant.
func (v Variant) engine() ([]byte, error) {
	out := append(append([]byte{}, v.Metadata...), v.Value...)
	if r := column.SplitVariant(out); len(r.Meta) != len(v.Metadata) || !r.Valid() {
		return nil, usererr.New("MALFORMED_VARIANT", "22023", "Variant binary is malformed. Please check the data source is valid.")
	}
	return out, nil
}

func (t TimeOfDay) literal() Column {
	us := time.Duration(t).Microseconds()
	if us < 0 || us >= (24*time.Hour).Microseconds() {
		return Column{err: invalidValue("time of day", time.Duration(t).String(), "a day has 24 hours")}
	}
	return Column{e: &expr.Literal{Value: us, Typ: column.TimeOf(column.MaxTimePrecision)}}
}
