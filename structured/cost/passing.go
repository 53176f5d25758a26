package cost

import (
	"math"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// Passing estimates the share of left's rows whose column l is among the values of right's column r; 1 when nothing is known.
func (e *Estimator) Passing(left, right logical.Plan, l, r *expr.Attr) float64 {
	from, to := e.Of(left), e.Of(right)
	have, choose := to.cols[r.ID].Distinct, from.cols[l.ID].Distinct
	if !from.Known || !to.Known || have <= 0 || choose <= 0 {
		return 1
	}
	return math.Min(have/choose, 1)
}
