// Package cost estimates how many rows a plan makes, and chooses the order in which relations are joined.
//
//	stats.Table of each scan ──▶ Relation: rows, and for each column distinct values, nulls, bounds
//	        filters, joins, groupings change it ──▶ Estimator.Of(plan)
//	        a tree of inner joins ──Flatten──▶ Graph ──Order──▶ the tree that costs least
//
// The formulas are System R's (Selinger and others, 1979): columns are independent, values evenly spread, and the values of
// one side of an equality are among the other's. Where nothing is known, constants guess (predicate.go). An estimate says
// whether it is one: a relation without row counts is unknown, and so is all that is made of it.
//
// The package is pure: plans in, numbers and plans out.
package cost
