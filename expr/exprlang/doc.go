// Package exprlang reads expressions in the language of expr-lang/expr (github.com/expr-lang/expr) and lowers them to the
// trees of package expr, so that they run vectorised and are optimised as SQL is:
//
//	amount > 10 && country == "DE"
//	device.kind in ["a", "b"] ? upper(name) : name ?? "none"
//	{hour: date_trunc("HOUR", ts), cents: int(price * 100)}      (ParseSelect)
//
// What is the same as in expr-lang: the syntax, operator precedence, let, pipes, optional chaining, ranges, slices, and
// the builtins. A call of a name that is no builtin is a call of the SQL function of that name, so all of the function
// table is at hand.
//
// What differs, because rows come from tables:
//
//   - null follows SQL: a comparison or computation with a null is null, and a filter drops the row. x == nil and
//     x != nil test for null, x ?? y replaces it.
//   - integers compute in 64 bits and overflow is an error of the row, not a wrap-around.
//   - / always gives a float; x / 0 and x % 0 are errors of the row, not +Inf or a panic.
//   - decimals stay decimals where SQL keeps them; with a float literal they become floats.
//   - + joins when a side is a string, and both sides must be.
//   - matches takes RE2 patterns, as expr-lang does. Column names are found in any case when the exact one is missing.
//   - an index beyond an array is an error of the row; negative indexes count from the end.
//   - now() is the time at which the query or micro-batch started; times are timestamps in the session's time zone.
//
// What has no vectorised form (closures such as filter(items, # > 3), and a few builtins) is evaluated row by row on
// expr-lang's own virtual machine: the smallest subtree that needs it becomes the call exprlang("text", …), which
// explain shows. There null is nil as expr-lang has it.
package exprlang
