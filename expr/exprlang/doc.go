// Package exprlang reads expressions in the language of expr-lang/expr and lowers them to the trees of package expr.
package exprlang
