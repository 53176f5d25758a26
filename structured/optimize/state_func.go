package optimize

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// stateSource is the data source that reads the state of streaming queries.
const stateSource = "statestore"

// stateOf is state(query, operator[, version]): the entries that an operator of a streaming query keeps.
func (a *analyzer) stateOf(f *logical.TableFunc) (logical.Plan, error) {
	if n := len(f.Args); n < 2 || n > 3 {
		return nil, usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `state` requires 2 or 3 parameters but the actual number is %d.", n).
			At(f.Pos.Line, f.Pos.Col).WithFix("It is written state('query', 'operator'[, version]); EXPLAIN STREAMING QUERY names the operators.")
	}
	u := &logical.UnresolvedTable{Format: stateSource, Options: map[string]string{}, Pos: f.Pos}
	for i, name := range []string{"query", "operator", "version"}[:len(f.Args)] {
		e, err := a.expr(f.Args[i], &scope{layers: [][]*expr.Attr{nil}})
		if err != nil {
			return nil, err
		}
		l, err := expr.EvalLiteralIn(a.env.Session, expr.Coerce(e, column.Of(column.String)))
		if err != nil {
			return nil, at(err, f.Pos)
		}
		if l.Value == nil {
			return nil, usererr.New("UNEXPECTED_INPUT_TYPE", "42K09", "Argument %d of state is null.", i+1).At(f.Pos.Line, f.Pos.Col)
		}
		u.Options[name] = fmt.Sprint(l.Value)
	}
	return a.source(u)
}
