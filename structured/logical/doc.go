// Package logical is the one plan tree that SQL text, the DataFrame API and Spark Connect all build, unresolved and
// resolved alike.
//
// Nodes are immutable structs. Unresolved nodes (UnresolvedTable, Using joins, expressions such as expr.UnresolvedAttr)
// come from front ends; structured/optimize replaces them by resolved ones and rewrites the rest; structured/physical
// turns the result into operators.
//
// The package knows expressions and tables by interface. It never reads data, and holds no rule that changes a plan.
package logical
