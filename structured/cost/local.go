package cost

import (
	"fmt"
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/stats"
)

// counted looks at the values of the i-th column of rows in the plan.
func counted(l *logical.Local, i int, rows float64) Column {
	seen := map[string]bool{}
	c := Column{Counted: true, Total: rows, Low: math.Inf(1), High: math.Inf(-1), Ranged: true}
	for _, b := range l.Batches {
		for r := range b.N {
			v := column.Value(b.Cols[i], r)
			if v == nil {
				c.Nulls++
				continue
			}
			seen[fmt.Sprint(v)] = true
			at, ok := stats.Place(v, l.Schema.Fields[i].Type)
			c.Low, c.High, c.Ranged = math.Min(c.Low, at), math.Max(c.High, at), c.Ranged && ok
		}
	}
	c.Distinct, c.Domain = float64(len(seen)), float64(len(seen))
	if rows > 0 {
		c.Nulls /= rows
	}
	if len(seen) == 0 {
		c.Ranged = false
	}
	if !c.Ranged {
		c.Low, c.High = 0, 0
	}
	return c
}
