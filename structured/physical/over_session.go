package physical

import "github.com/streamflow/streamflow/column"

// session gives each row of a partition, which are sorted by start, the session that its span belongs to: from the start of the
// first to the latest end of spans that touch one another.
//
//	spans     [---)  [--)       [--)
//	            [----)
//	sessions  [---------)       [--)
func (s *spans) session(args []*column.Vector) *column.Vector {
	start, end := args[0].I64, args[1].I64
	from, to := column.NewVector(args[0].Type, s.b.N), column.NewVector(args[1].Type, s.b.N)
	for i := 0; i < s.b.N; {
		last, j := end[i], i+1
		for j < int(s.partEnd[i]) && start[j] < last {
			last = max(last, end[j])
			j++
		}
		for k := i; k < j; k++ {
			from.I64[k], to.I64[k] = start[i], last
		}
		i = j
	}
	typ := column.StructOf(column.Field{Name: "start", Type: from.Type, Nullable: true}, column.Field{Name: "end", Type: to.Type, Nullable: true})
	return &column.Vector{Type: typ, N: s.b.N, Kids: []*column.Vector{from, to}}
}
