package expr

import "github.com/streamflow/streamflow/internal/codec"

// The nodes of bound trees travel inside fragments; unresolved ones travel in plans that a client sends.
func init() {
	for name, sample := range map[string]any{
		"expr.Literal": (*Literal)(nil), "expr.Attr": (*Attr)(nil), "expr.Column": (*Column)(nil), "expr.Alias": (*Alias)(nil),
		"expr.Call": (*Call)(nil), "expr.Cast": (*Cast)(nil), "expr.Case": (*Case)(nil), "expr.Agg": (*Agg)(nil),
		"expr.Generate": (*Generate)(nil), "expr.SortOrder": (*SortOrder)(nil), "expr.UnresolvedAttr": (*UnresolvedAttr)(nil),
		"expr.UnresolvedCall": (*UnresolvedCall)(nil), "expr.Star": (*Star)(nil), "expr.Over": (*Over)(nil), "expr.Lambda": (*Lambda)(nil), "expr.LambdaVar": (*LambdaVar)(nil), "expr.UnresolvedLambda": (*UnresolvedLambda)(nil), "expr.UnresolvedExtract": (*UnresolvedExtract)(nil),
	} {
		codec.Register(name, sample)
	}
}
