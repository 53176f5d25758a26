package cost

import (
	"math"

	"github.com/streamflow/streamflow/expr"
)

// spread describes an aggregate's values over groups of about n rows. The values that go in are taken to be spread evenly
// between their bounds, and sums of them to be normal.
func spread(g *expr.Agg, in *Relation, n float64) (Column, bool) {
	n = math.Max(n, 1)
	if g.Fn == "count" && !g.Distinct {
		return Column{Mean: n, Deviation: math.Sqrt(n)}, true // as if rows chose their groups by chance
	}
	if g.Fn != "sum" && g.Fn != "avg" || g.Distinct || len(g.Args) != 1 {
		return Column{}, false
	}
	a, ok := uncast(g.Args[0]).(*expr.Attr)
	if !ok {
		return Column{}, false
	}
	c := in.cols[a.ID]
	if !c.Ranged || c.High <= c.Low {
		return Column{}, false
	}
	mean, dev := (c.Low+c.High)/2, (c.High-c.Low)/math.Sqrt(12)
	if g.Fn == "avg" {
		return Column{Mean: mean, Deviation: dev / math.Sqrt(n)}, true
	}
	return Column{Mean: n * mean, Deviation: math.Sqrt(n) * math.Hypot(dev, mean)}, true // groups differ in size
}

func uncast(e expr.Expr) expr.Expr {
	if c, ok := e.(*expr.Cast); ok {
		return uncast(c.Child)
	}
	return e
}

// rarest bounds what a normal distribution says of its ends, where it is no guide.
const rarest = 0.001

// tail is the share of values that compare so with a constant.
func (c Column) tail(op string, place float64) float64 {
	below := 0.5 * math.Erfc((c.Mean-place)/(c.Deviation*math.Sqrt2))
	share := below
	switch op {
	case ">", ">=":
		share = 1 - below
	case "=", "==", "<=>":
		share = shareEqual
	case "!=":
		share = 1 - shareEqual
	}
	return math.Min(math.Max(share, rarest), 1-rarest)
}
