package expr

import "github.com/streamflow/streamflow/internal/codec"

// Bound trees travel inside operators: every node that may be in one has its name on the wire here.
func init() {
	codec.Register("expr.Literal", (*Literal)(nil))
	codec.Register("expr.Column", (*Column)(nil))
	codec.Register("expr.Alias", (*Alias)(nil))
	codec.Register("expr.Call", (*Call)(nil))
	codec.Register("expr.Cast", (*Cast)(nil))
	codec.Register("expr.Case", (*Case)(nil))
	codec.Register("expr.Agg", (*Agg)(nil))
	codec.Register("expr.Generate", (*Generate)(nil))
	codec.Register("expr.SortOrder", (*SortOrder)(nil))
}
