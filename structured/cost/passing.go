package cost

import (
	"math"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// repeated is how often a value of a key is taken to occur where that is not known.
const repeated = 10

// Passing estimates the share of left's rows whose column l is among the values of right's column r; 1 when not even the numbers
// of rows are known.
func (e *Estimator) Passing(left, right logical.Plan, l, r *expr.Attr) float64 {
	from, to := e.Of(left), e.Of(right)
	have, choose := to.cols[r.ID].Distinct, from.cols[l.ID].Distinct
	if !from.Known || !to.Known {
		return 1
	}
	if have <= 0 {
		have = to.Rows
	}
	if choose <= 0 {
		choose = math.Max(from.Rows/repeated, 1)
	}
	return math.Min(have/choose, 1)
}
