package stats

import "github.com/streamflow/streamflow/column"

// Chunk is what a footer says of some rows of a column.
type Chunk struct {
	Rows, Nulls int64 // Nulls is -1 when unknown
	Min, Max    any   // boxed; nil when unknown
	// Distinct bounds the number of different values from above, 0 when unknown.
	Distinct int64
	Bytes    int64 // of its values as they are stored, before compression
}

// Collector adds up the chunks of a column.
type Collector struct {
	typ              column.Type
	rows, nulls      int64
	nullsKnown       bool
	low, high        float64
	ranged, unranged bool
	distinct, most   int64 // sum and greatest of the chunks' bounds
	unbounded        bool
	bytes            int64
}

// NewCollector starts a column of a type.
func NewCollector(t column.Type) *Collector { return &Collector{typ: t, nullsKnown: true} }

// Add takes a chunk in.
func (c *Collector) Add(k Chunk) {
	if k.Rows == 0 {
		return
	}
	c.rows += k.Rows
	c.bytes += k.Bytes
	if k.Nulls < 0 {
		c.nullsKnown = false
	} else {
		c.nulls += k.Nulls
	}
	if k.Distinct <= 0 {
		c.unbounded = true
	}
	c.distinct += k.Distinct
	c.most = max(c.most, k.Distinct)
	c.widen(k)
}

func (c *Collector) widen(k Chunk) {
	if k.Nulls == k.Rows {
		return // no value, no bounds
	}
	low, ok1 := Place(k.Min, c.typ)
	high, ok2 := Place(k.Max, c.typ)
	switch {
	case !ok1 || !ok2:
		c.unranged = true
	case !c.ranged:
		c.low, c.high, c.ranged = low, high, true
	default:
		c.low, c.high = min(c.low, low), max(c.high, high)
	}
}

// Column is the sum. Chunks tend to share their values when one has few of them, and to differ when it has many, so the bound
// on different values is the greatest chunk's where that is small beside the chunk, else their sum.
func (c *Collector) Column() Column {
	out := Column{Nulls: -1}
	if c.nullsKnown {
		out.Nulls = c.nulls
	}
	values := c.rows - max(out.Nulls, 0)
	if c.ranged && !c.unranged {
		out.Low, out.High, out.Ranged = c.low, c.high, true
		out.Distinct = Bounds(c.typ, c.low, c.high)
	}
	if !c.unbounded {
		bound := c.distinct
		if c.most <= repeating {
			bound = c.most
		}
		out.Distinct = least(out.Distinct, bound)
	}
	out.Distinct = least(out.Distinct, values)
	if c.rows > 0 && c.typ.Kind.Storage() == column.StorageBytes {
		out.Width = max(float64(c.bytes)/float64(c.rows), narrowest)
	}
	return out
}

// narrowest is the least width of a string: where values repeat, batches hold codes.
const narrowest = 8

// repeating is up to how many different values of a chunk are taken to be those of every chunk.
const repeating = 1 << 12

// least is the smaller of two bounds, of which 0 is none.
func least(a, b int64) int64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
