package cost

import (
	"fmt"
	"math"

	"github.com/streamflow/streamflow/structured/logical"
)

// Format draws a plan as logical.Format does, with what is estimated of each node behind it, as Spark's EXPLAIN COST does. Row
// counts that rest on a guess are left out.
func Format(p logical.Plan) string {
	e := NewEstimator()
	return logical.FormatWith(p, func(n logical.Plan) string {
		r := e.Of(n)
		if !r.Known {
			return ", Statistics(unknown)"
		}
		return fmt.Sprintf(", Statistics(sizeInBytes=%s, rowCount=%s)", size(r.Bytes(n.Output())), count(r.Rows))
	})
}

// size is bytes as Spark writes them: 1.5 MiB.
func size(bytes float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for bytes >= 1024 && i < len(units)-1 {
		bytes /= 1024
		i++
	}
	return fmt.Sprintf("%.1f %s", bytes, units[i])
}

// count is a number of rows: whole, or with three digits and an exponent when it is large.
func count(rows float64) string {
	if rows < 1e5 {
		return fmt.Sprintf("%.0f", math.Ceil(rows))
	}
	return fmt.Sprintf("%.2E", rows)
}
