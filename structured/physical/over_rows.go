package physical

import (
	"math/bits"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// rowFunction computes a window function that is no aggregate.
func rowFunction(s *spans, name string, f *expr.Frame, args []*column.Vector) (*column.Vector, error) {
	switch name {
	case "row_number":
		return numbers(s, func(i int) int32 { return int32(i) - s.partStart[i] + 1 }), nil
	case "rank":
		return numbers(s, s.rank), nil
	case "dense_rank":
		return numbers(s, func(i int) int32 { return s.dense[i] }), nil
	case "percent_rank":
		return shares(s, func(i int) float64 {
			n := s.partEnd[i] - s.partStart[i]
			if n == 1 {
				return 0
			}
			return float64(s.rank(i)-1) / float64(n-1)
		}), nil
	case "cume_dist":
		return shares(s, func(i int) float64 {
			return float64(s.peerEnd[i]-s.partStart[i]) / float64(s.partEnd[i]-s.partStart[i])
		}), nil
	case "ntile":
		return ntile(s, args)
	case "lag":
		return s.shifted(args, -1), nil
	case "lead":
		return s.shifted(args, 1), nil
	case "nth_value":
		return s.nth(f, args)
	case sessionOf:
		return s.session(args), nil
	}
	panic("BUG: unknown window function " + name)
}

func (s *spans) rank(i int) int32 { return s.peerStart[i] - s.partStart[i] + 1 }

func numbers(s *spans, f func(i int) int32) *column.Vector {
	v := &column.Vector{Type: integer, N: s.b.N, I32: make([]int32, s.b.N)}
	for i := range v.I32 {
		v.I32[i] = f(i)
	}
	return v
}

func shares(s *spans, f func(i int) float64) *column.Vector {
	v := &column.Vector{Type: column.Of(column.Float64), N: s.b.N, F64: make([]float64, s.b.N)}
	for i := range v.F64 {
		v.F64[i] = f(i)
	}
	return v
}

// ntile cuts each partition into parts whose sizes differ by one at most, the larger ones first.
func ntile(s *spans, args []*column.Vector) (*column.Vector, error) {
	if err := checkTiles(args, s.b.N); err != nil {
		return nil, err
	}
	return numbers(s, func(i int) int32 {
		parts := int64(1)
		if len(args) > 0 {
			parts = int64(args[0].I32[i])
		}
		return int32(tileOf(int64(int32(i)-s.partStart[i]), int64(s.partEnd[i]-s.partStart[i]), parts))
	}), nil
}

func checkTiles(args []*column.Vector, rows int) error {
	for i := range rows {
		if len(args) > 0 && (!args[0].IsValid(i) || args[0].I32[i] < 1) {
			return usererr.New("VALUE_OUT_OF_RANGE", "42K09", "ntile cuts into at least 1 part.").WithFix("Use a number from 1.")
		}
	}
	return nil
}

// tileOf is the part of row at of n, from 1.
func tileOf(at, n, parts int64) int64 {
	small, larger := n/parts, n%parts
	if at < larger*(small+1) {
		return at/(small+1) + 1
	}
	return larger + (at-larger*(small+1))/small + 1
}

// shifted is lag (direction -1) and lead (1): x from the row that many rows away, or the default.
func (s *spans) shifted(args []*column.Vector, direction int) *column.Vector {
	x, n := args[0], s.b.N
	var nn *nonNull
	if len(args) > 3 && n > 0 && args[3].Bools[0] {
		nn = newNonNull(x, n)
	}
	sel := make([]int32, n)
	var missing []int32 // rows whose place is outside of the partition
	for i := range sel {
		off := 1
		if len(args) > 1 {
			off = int(args[1].I32[i])
		}
		sel[i] = -1
		switch at := nn.away(i, direction*off); {
		case len(args) > 1 && !args[1].IsValid(i):
		case at >= int(s.partStart[i]) && at < int(s.partEnd[i]):
			sel[i] = int32(at)
		default:
			missing = append(missing, int32(i))
		}
	}
	out := column.Take(nil, x, sel)
	if len(missing) == 0 || len(args) < 3 {
		return out
	}
	return overlaid(out, args[2], missing)
}

// overlaid is v with the rows of at taken from other.
func overlaid(v, other *column.Vector, at []int32) *column.Vector {
	b, k := column.NewBuilder(v.Type), 0
	for i := range v.N {
		if k < len(at) && int(at[k]) == i {
			b.AppendFrom(other, i)
			k++
			continue
		}
		b.AppendFrom(v, i)
	}
	return b.Finish()
}

// nth is the value of the n-th row of each frame.
func (s *spans) nth(f *expr.Frame, args []*column.Vector) (*column.Vector, error) {
	fr, err := s.frames(f)
	if err != nil {
		return nil, err
	}
	if err := checkNth(args, s.b.N); err != nil {
		return nil, err
	}
	ignore := len(args) > 2 && s.b.N > 0 && args[2].Bools[0]
	return s.pickAt(fr, args[0], ignore, func(i, _ int) int { return int(args[1].I32[i]) - 1 }), nil
}

func checkNth(args []*column.Vector, rows int) error {
	for i := range rows {
		if !args[1].IsValid(i) || args[1].I32[i] < 1 {
			return usererr.New("VALUE_OUT_OF_RANGE", "42K09", "nth_value counts the rows of its frame from 1.").WithFix("Use a number from 1.")
		}
	}
	return nil
}

// picks is first, last and any_value over frames: no states, one row of the frame. It is nil for other aggregates.
func picks(s *spans, g *expr.Agg, fr *frames, args []*column.Vector) *column.Vector {
	if !isPick(g) {
		return nil
	}
	ignore := len(args) > 1 && s.b.N > 0 && args[1].Bools[0]
	return s.pickAt(fr, args[0], ignore, func(_, n int) int {
		if g.Fn == "last" {
			return n - 1
		}
		return 0
	})
}

// pickAt takes for each row the value at a place of its frame, counted from 0 among the rows that count; which is given the row
// and how many count.
func (s *spans) pickAt(fr *frames, x *column.Vector, ignoreNulls bool, which func(row, n int) int) *column.Vector {
	var nn *nonNull
	if ignoreNulls {
		nn = newNonNull(x, s.b.N)
	}
	sel := make([]int32, s.b.N)
	for i := range sel {
		from, to := nn.rank(int(fr.from[i])), nn.rank(int(fr.to[i]))
		at := which(i, to-from)
		sel[i] = -1
		if at >= 0 && at < to-from {
			sel[i] = int32(nn.row(from + at))
		}
	}
	return column.Take(nil, x, sel)
}

// nonNull finds the rows whose value is not null by their rank among such; a nil one counts all rows.
type nonNull struct {
	rows   []int32
	valid  []uint64
	before []int32 // rows that are not null before each word of valid
}

func newNonNull(v *column.Vector, n int) *nonNull {
	if v.Valid == nil {
		return nil
	}
	x := &nonNull{valid: v.Valid}
	for i := range n {
		if i&63 == 0 {
			x.before = append(x.before, int32(len(x.rows)))
		}
		if v.IsValid(i) {
			x.rows = append(x.rows, int32(i))
		}
	}
	x.before = append(x.before, int32(len(x.rows)))
	return x
}

// rank is how many rows before row i count.
func (x *nonNull) rank(i int) int {
	if x == nil {
		return i
	}
	n := int(x.before[i>>6])
	if i&63 != 0 {
		n += bits.OnesCount64(x.valid[i>>6] & (1<<(i&63) - 1))
	}
	return n
}

// row is the row of a rank.
func (x *nonNull) row(rank int) int {
	if x == nil {
		return rank
	}
	return int(x.rows[rank])
}

// away is the row that is by rows that count away from row i; outside of all rows when there is none.
func (x *nonNull) away(i, by int) int {
	if x == nil || by == 0 {
		return i + by
	}
	r := x.rank(i)
	if by > 0 {
		if i == x.rowOr(r) {
			r++
		}
		return x.rowOr(r + by - 1)
	}
	return x.rowOr(r + by)
}

// rowOr is row, or a place outside of all rows.
func (x *nonNull) rowOr(rank int) int {
	switch {
	case rank < 0:
		return -1
	case rank >= len(x.rows):
		return int(^uint32(0) >> 1)
	}
	return int(x.rows[rank])
}
