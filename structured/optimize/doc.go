// Package optimize turns the plan that a front end built into the plan that runs.
//
//	unresolved plan ──Analyze──▶ resolved plan ──Optimize──▶ plan for structured/physical
//
// Analyze gives every name its meaning: tables, columns, functions, positions in GROUP BY and ORDER BY; it adds the casts
// that Spark adds, and refuses what cannot work, with code, place and fix. It walks the tree once, from the leaves up; one
// file for each kind of node. Its result is in normal form:
//
//   - no unresolved node or expression, no With, Run, Hint, ToDF, Using or Natural;
//   - an Aggregate's keys are attributes of its child, its list are those keys and aliased aggregates, and HAVING is a
//     Filter above it; everything else is computed in projections below and above;
//   - window(…) and session_window(…) are logical.Window nodes, table functions logical.Generate nodes;
//   - a table with a declared event time has its Watermark directly above the Scan.
//
// Optimize applies rules, a table of batches (batches.go), one file for each rule. A rule is a function from plan to plan
// that keeps the result the same, rows, columns and lateness alike.
//
// The package reads no data. It looks names up in the catalog during Analyze only.
package optimize
