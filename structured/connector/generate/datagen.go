package generate

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

const datagenKind = "datagen"

// datagen makes rows of any schema, column by column.
type datagen struct {
	Seed    int64         `json:"seed"`
	DDL     string        `json:"schema"`
	Columns []columnMaker `json:"columns"`

	fields *column.Schema
}

// columnMaker says what a column holds. A sequence counts from Min; else values lie evenly from Min to Max.
type columnMaker struct {
	Sequence bool    `json:"sequence,omitempty"`
	Min      float64 `json:"min"`
	Max      float64 `json:"max"`
	Length   int     `json:"length,omitempty"`    // of text and bytes
	NullRate float64 `json:"null_rate,omitempty"` // share of nulls
	Past     int64   `json:"past,omitempty"`      // times lie up to so many microseconds before the row's own
}

// openDatagen is Flink's datagen connector: rows-per-second (10,000; 0 is as fast as they are taken), number-of-rows, and for
// each column fields.NAME.kind (random or sequence), .min, .max, .start, .end, .length, .null-rate, .max-past; and, of this
// one, seed and partitions.
func openDatagen(o *options, schema *column.Schema) (*Table, error) {
	if schema == nil || schema.Len() == 0 {
		return nil, usererr.New("INVALID_SCHEMA.MISSING", "42K07", "A table of datagen needs columns.").WithFix("Write them: CREATE TABLE t (id BIGINT, name STRING) USING datagen.")
	}
	d := &datagen{Seed: o.number("seed", 1), DDL: schema.String(), fields: schema}
	p := pace{Limit: o.count("number-of-rows", 0)}
	if rate := o.number("rows-per-second", 10_000); rate > 0 {
		p.Rate = rate
	}
	for _, f := range schema.Fields {
		c, rows := o.column(f)
		if rows > 0 && (p.Limit == 0 || rows < p.Limit) {
			p.Limit = rows
		}
		d.Columns = append(d.Columns, c)
	}
	if p.Rate == 0 && p.Limit == 0 {
		o.fail("rows-per-second", "must be positive when there is no number-of-rows")
	}
	conf, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return &Table{schema: schema, spec: Spec{Kind: datagenKind, Pace: p, Share: share{o.partitions(), 1}, Conf: conf}}, o.err
}

// column reads the options of a column; rows is how many a sequence has, 0 for no end.
func (o *options) column(f column.Field) (c columnMaker, rows int64) {
	name := func(option string) string { return "fields." + f.Name + "." + option }
	kind := o.take(name("kind"))
	c.NullRate = o.real(name("null-rate"), 0)
	if c.NullRate < 0 || c.NullRate > 1 {
		o.fail(name("null-rate"), "must be from 0 to 1")
	}
	switch kind {
	case "sequence":
		start, end := o.number(name("start"), 0), o.number(name("end"), math.MaxInt64)
		if !integral(f.Type.Kind) {
			o.fail(name("kind"), "is sequence, but %s is no whole number", f.Type)
		}
		if end < start {
			o.fail(name("end"), "must not be below the start")
		}
		c.Sequence, c.Min = true, float64(start)
		if end != math.MaxInt64 {
			rows = end - start + 1
		}
		return c, rows
	case "", "random":
	default:
		o.fail(name("kind"), "must be random or sequence, not %q", kind)
	}
	o.random(&c, f, name)
	return c, 0
}

func (o *options) random(c *columnMaker, f column.Field, name func(string) string) {
	switch k := f.Type.Kind; k {
	case column.String, column.Binary:
		if c.Length = int(o.count(name("length"), 100)); c.Length > 1<<20 {
			o.fail(name("length"), "must be %d at the most", 1<<20)
		}
	case column.Timestamp, column.TimestampNTZ:
		c.Past = o.delay(name("max-past"), 0)
	case column.Bool:
	case column.Date:
		c.Min, c.Max = o.real(name("min"), 0), o.real(name("max"), 20_000)
	default:
		low, high, ok := bounds(k)
		if !ok {
			o.fail(name("kind"), "is random, but there are no random values of type %s", f.Type)
		}
		if c.Min, c.Max = o.real(name("min"), low), o.real(name("max"), high); c.Max < c.Min || c.Min < low || c.Max > high {
			o.fail(name("max"), "and min must be in order and from %g to %g", low, high)
		}
	}
}

func (o *options) real(name string, otherwise float64) float64 {
	v := o.take(name)
	if v == "" {
		return otherwise
	}
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		o.fail(name, "must be a number, not %q", v)
		return otherwise
	}
	return x
}

func integral(k column.Kind) bool {
	_, _, ok := bounds(k)
	return ok && k != column.Float32 && k != column.Float64
}

// bounds are what a numeric kind holds when nothing else is said.
func bounds(k column.Kind) (low, high float64, ok bool) {
	switch k {
	case column.Int8:
		return math.MinInt8, math.MaxInt8, true
	case column.Int16:
		return math.MinInt16, math.MaxInt16, true
	case column.Int32:
		return math.MinInt32, math.MaxInt32, true
	case column.Int64:
		return -1 << 53, 1 << 53, true // what a float64 holds to the last digit
	case column.Float32, column.Float64:
		return -1e30, 1e30, true
	}
	return 0, 0, false
}

func decodeDatagen(conf []byte) (*datagen, error) {
	d := &datagen{}
	err := json.Unmarshal(conf, d)
	if err == nil {
		d.fields, err = column.ParseDDL(d.DDL)
	}
	return d, err
}

func (d *datagen) schema() *column.Schema { return d.fields }

func (d *datagen) rows(numbers, times []int64, cols []int) []*column.Vector {
	out := make([]*column.Vector, len(cols))
	for i, c := range cols {
		b := column.NewBuilder(d.fields.Fields[c].Type)
		for j, n := range numbers {
			d.value(b, c, n, times[j])
		}
		out[i] = b.Finish()
	}
	return out
}

// value appends a column's value of a row: the same for the same seed, column and row.
func (d *datagen) value(b *column.Builder, c int, row, at int64) {
	m := &d.Columns[c]
	h := mix(uint64(d.Seed)<<32 ^ uint64(c)<<48 ^ mix(uint64(row)))
	if m.NullRate > 0 && unit(h) < m.NullRate {
		b.AppendNull()
		return
	}
	h = mix(h)
	switch k := b.Type().Kind; {
	case m.Sequence:
		b.AppendI64(int64(m.Min) + row)
	case k == column.Bool:
		b.AppendBool(h&1 == 1)
	case k == column.String || k == column.Binary:
		b.AppendBytes(letters(h, m.Length))
	case k == column.Timestamp || k == column.TimestampNTZ:
		b.AppendI64(at - int64(unit(h)*float64(m.Past)))
	case k == column.Float32 || k == column.Float64:
		b.AppendF64(m.Min + unit(h)*(m.Max-m.Min))
	default:
		b.AppendI64(min(int64(m.Max), int64(math.Floor(m.Min+unit(h)*(m.Max-m.Min+1)))))
	}
}

// letters are random hexadecimal digits.
func letters(h uint64, n int) []byte {
	const digits = "0123456789abcdef"
	out := make([]byte, n)
	for i := range out {
		if i%16 == 0 {
			h = mix(h)
		}
		out[i] = digits[h&15]
		h >>= 4
	}
	return out
}

// unit is a number from 0 up to 1.
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// mix is the finaliser of SplitMix64: a permutation that looks random.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
