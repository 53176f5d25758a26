package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// variable is the lambda parameter that a name means, the innermost first; nil for none.
func (s *scope) variable(u *expr.UnresolvedAttr) *expr.LambdaVar {
	if u.PlanID != 0 {
		return nil
	}
	for i := len(s.vars) - 1; i >= 0; i-- {
		if strings.EqualFold(s.vars[i].Name, u.Parts[0]) {
			return s.vars[i]
		}
	}
	return nil
}

// higherOrder resolves a call with lambdas: first the other arguments, which give the lambdas' parameters their types, then the
// lambdas' bodies.
func (a *analyzer) higherOrder(f *expr.Function, c *expr.UnresolvedCall, s *scope) (expr.Expr, error) {
	args := make([]expr.Expr, len(c.Args))
	for i, e := range c.Args {
		if _, lambda := e.(*expr.UnresolvedLambda); lambda {
			continue
		}
		var err error
		if args[i], err = a.expr(e, s); err != nil {
			return nil, err
		}
	}
	params, err := expr.LambdaParams(f, c, args)
	if err != nil {
		return nil, a.explain(err, &expr.UnresolvedCall{Name: c.Name, Args: resolvedOf(args), Pos: c.Pos})
	}
	n := 0
	for i, e := range c.Args {
		u, lambda := e.(*expr.UnresolvedLambda)
		if !lambda {
			continue
		}
		l, err := expr.NewLambda(u, params[min(n, len(params)-1)], f.Name)
		if err != nil {
			return nil, err
		}
		in := *s
		in.vars = append(s.vars[:len(s.vars):len(s.vars)], l.Vars...)
		if l.Body, err = a.expr(u.Body, &in); err != nil {
			return nil, err
		}
		args[i] = l
		n++
	}
	out, err := expr.ResolveHigherOrder(f, &expr.UnresolvedCall{Name: c.Name, Args: args, Pos: c.Pos})
	if err != nil {
		return nil, a.explain(err, &expr.UnresolvedCall{Name: c.Name, Args: args, Pos: c.Pos})
	}
	return out, nil
}

// resolvedOf are the arguments that are resolved.
func resolvedOf(args []expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, a := range args {
		if a != nil {
			out = append(out, a)
		}
	}
	return out
}
