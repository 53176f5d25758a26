package optimize

import "github.com/streamflow/streamflow/expr"

// foldConstants evaluates expressions of literals. What fails at run time stays, for the row may never come.
var foldConstants = everyExpr(expr.Fold)
