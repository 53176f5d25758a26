package stats

import (
	"strings"

	"github.com/streamflow/streamflow/column"
)

// Table is what is known of a table.
type Table struct {
	Rows    int64             `json:"rows"`
	Columns map[string]Column `json:"columns,omitempty"` // by name in lower case
}

// Column is what is known of a column.
type Column struct {
	// Distinct is the number of different values that are not null, 0 when it is not known. Counted says that it was counted,
	// if only roughly; else it is an upper bound.
	Distinct int64 `json:"distinct,omitempty"`
	Counted  bool  `json:"counted,omitempty"`
	// Nulls is the number of nulls, -1 when it is not known.
	Nulls int64 `json:"nulls"`
	// Low and High are the places of the least and the greatest value on the number line (see Place), when Ranged.
	Low    float64 `json:"low,omitempty"`
	High   float64 `json:"high,omitempty"`
	Ranged bool    `json:"ranged,omitempty"`
	// Width is the mean size of a value in bytes as batches hold it, 0 when it is not known.
	Width float64 `json:"width,omitempty"`
}

// Source is a table that knows something of its rows. It answers from what is cheap to have, and nil when that is nothing.
type Source interface {
	Statistics() *Table
}

// Column finds a column's statistics by name.
func (t *Table) Column(name string) (Column, bool) {
	if t == nil {
		return Column{}, false
	}
	c, ok := t.Columns[strings.ToLower(name)]
	return c, ok
}

// Merge is what two sources say of one table: rows, bounds and nulls as fresh says, which is of the table as it is now, and
// what it leaves out as the older one says, whose counts are of the table as it was. Either may be nil.
func Merge(fresh, older *Table) *Table {
	if fresh == nil {
		return older
	}
	if older == nil {
		return fresh
	}
	out := &Table{Rows: fresh.Rows, Columns: map[string]Column{}}
	for name, c := range older.Columns {
		out.Columns[name] = c
	}
	for name, c := range fresh.Columns {
		out.Columns[name] = c.over(older.Columns[name])
	}
	return out
}

func (c Column) over(older Column) Column {
	if older.Counted {
		c.Distinct, c.Counted = older.Distinct, true
	} else if c.Distinct == 0 {
		c.Distinct = older.Distinct
	}
	if c.Nulls < 0 {
		c.Nulls = older.Nulls
	}
	if !c.Ranged {
		c.Low, c.High, c.Ranged = older.Low, older.High, older.Ranged
	}
	if c.Width == 0 {
		c.Width = older.Width
	}
	return c
}

// Bounds is how many different values of a type lie between two places, 0 when that is not known: of whole numbers and dates
// there are no more than that.
func Bounds(t column.Type, low, high float64) int64 {
	switch {
	case t.Kind == column.Bool:
		return int64(high-low) + 1
	case t.IsInteger(), t.Kind == column.Date, t.Kind == column.IntervalYM, t.Kind == column.Decimal:
	default:
		return 0
	}
	if t.Kind == column.Decimal {
		for range t.Scale {
			low, high = low*10, high*10
		}
	}
	if n := high - low + 1; n >= 1 && n < 1<<53 {
		return int64(n + 0.5)
	}
	return 0
}
