package expr

import "github.com/streamflow/streamflow/column"

// The functions that only stand before OVER. What they compute is the business of the operator; here are their names and types.
func init() {
	ranking := func(name, doc, example string, out column.Kind) *Function {
		in := params("")
		if name != "row_number" && name != "cume_dist" { // Spark takes arguments and does not look at them
			in = params("a:ignored*")
		}
		return &Function{Name: name, Kind: WindowFunction, in: in, Usage: name + "()", out: outOf(out), null: never, Doc: doc, Example: example, ordered: true}
	}
	register("window function",
		ranking("row_number", "The number of the row in its partition, from 1.", "row_number() over 10, 20, 20 -> 1, 2, 3", column.Int32),
		ranking("rank", "1 and the number of rows before the first row of an equal key: there are gaps after ties.", "rank() over 10, 20, 20, 30 -> 1, 2, 2, 4", column.Int32),
		ranking("dense_rank", "1 and the number of different keys before: no gaps.", "dense_rank() over 10, 20, 20, 30 -> 1, 2, 2, 3", column.Int32),
		ranking("percent_rank", "(rank - 1) / (rows of the partition - 1), 0 in a partition of one row.", "percent_rank() over 10, 20, 20 -> 0.0, 0.5, 0.5", column.Float64),
		ranking("cume_dist", "The part of the partition's rows that come up to the last row of an equal key.", "cume_dist() over 10, 20, 20, 30 -> 0.25, 0.75, 0.75, 1.0", column.Float64),
		&Function{Name: "ntile", Kind: WindowFunction, in: params("i:n?"), out: outOf(column.Int32), null: never, ordered: true,
			Doc: "The number, from 1, of the part that the row falls in when the partition is cut into n parts as equal as can be.", Example: "ntile(2) over 10, 20, 30 -> 1, 1, 2"},
		&Function{Name: "lag", Kind: WindowFunction, in: params("a=:x i:offset? a=:default? b:ignoreNulls?"), out: typeOfFirst, null: always, ordered: true,
			Doc: "The value of x in the row offset (1) rows before, or default where there is none.", Example: "lag(x) over 10, 20, 30 -> NULL, 10, 20"},
		&Function{Name: "lead", Kind: WindowFunction, in: params("a=:x i:offset? a=:default? b:ignoreNulls?"), out: typeOfFirst, null: always, ordered: true,
			Doc: "The value of x in the row offset (1) rows behind, or default where there is none.", Example: "lead(x, 1, 0) over 10, 20, 30 -> 20, 30, 0"},
		&Function{Name: "nth_value", Kind: WindowFunction, in: params("a:x i:n b:ignoreNulls?"), out: typeOfFirst, null: always, ordered: true,
			Doc: "The value of x in the n-th row of the frame, from 1.", Example: "nth_value(x, 2) over 10, 20, 30 -> NULL, 20, 20"},
	)
}
