package exprlang

import "github.com/streamflow/streamflow/expr"

// Parse reads one expression over the columns and returns it resolved.
func Parse(text string, cols []*expr.Attr) (expr.Expr, error) { return nil, nil }

// ParseSelect reads a map literal {a: x, b: y*2} (or one expression) and returns its entries as aliases.
func ParseSelect(text string, cols []*expr.Attr) ([]expr.Expr, error) { return nil, nil }
