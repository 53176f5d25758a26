package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/expr"
)

// once takes out of a projection's expressions what they compute more than once. It returns the expressions over n's columns and
// the common ones, and a node that computes these; nothing changes when there are none.
func (p *planner) once(n *Node, list []expr.Expr) (*Node, []expr.Expr, error) {
	c := commons{total: map[string]int{}, always: map[string]bool{}, attrs: map[string]*expr.Attr{}}
	for _, e := range list {
		c.count(unalias(e), true)
	}
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = c.replace(e)
	}
	if len(c.found) == 0 {
		return n, list, nil
	}
	attrs := append([]*expr.Attr{}, n.Output...)
	all := make([]expr.Expr, len(attrs))
	for i, a := range attrs {
		all[i] = a
	}
	for _, e := range c.found {
		all, attrs = append(all, e), append(attrs, c.attrs[e.String()])
	}
	below, err := p.compute(n, all, attrs)
	return below, out, err
}

// commons are the subexpressions of some expressions, by text.
type commons struct {
	total  map[string]int
	always map[string]bool // computed for each row whatever else: an error in it is met anyway
	attrs  map[string]*expr.Attr
	found  []expr.Expr
}

func (c *commons) count(e expr.Expr, always bool) {
	if worthSharing(e) {
		text := e.String()
		c.total[text]++
		if always {
			c.always[text] = true
		}
	}
	switch x := e.(type) {
	case *expr.Case:
		always = false
	case *expr.Call:
		always = always && !expr.Lazy(x.Fn)
	case *expr.Lambda:
		return // its body reads variables
	}
	for _, k := range e.Children() {
		c.count(k, always)
	}
}

// worthSharing are computations, not what merely names a value, and only such as give the same each time.
func worthSharing(e expr.Expr) bool {
	switch x := e.(type) {
	case *expr.Call:
		if x.Fn == "get_field" {
			return false
		}
	case *expr.Cast, *expr.Case:
	default:
		return false
	}
	return expr.Deterministic(e) && reachesColumn(e)
}

// reachesColumn reports whether e reads columns, and no variable of a lambda around it.
func reachesColumn(e expr.Expr) bool {
	some, free := false, false
	expr.Walk(e, func(x expr.Expr) bool {
		switch x.(type) {
		case *expr.Attr:
			some = true
		case *expr.LambdaVar, *expr.Lambda:
			free = true
		}
		return true
	})
	return some && !free
}

// replace puts columns in the place of what is computed more than once, the largest expressions first.
func (c *commons) replace(e expr.Expr) expr.Expr {
	if worthSharing(e) {
		text := e.String()
		if a := c.attrs[text]; a != nil {
			return a
		}
		if c.total[text] > 1 && c.always[text] {
			a := &expr.Attr{ID: expr.NewID(), Name: fmt.Sprintf("_common%d", len(c.found)), Typ: e.DataType(), Null: e.Nullable(), Hidden: true}
			c.attrs[text] = a
			c.found = append(c.found, e)
			return a
		}
	}
	if _, ok := e.(*expr.Lambda); ok {
		return e
	}
	kids := e.Children()
	var changed []expr.Expr
	for i, k := range kids {
		next := c.replace(k)
		if next != k && changed == nil {
			changed = append([]expr.Expr{}, kids...)
		}
		if changed != nil {
			changed[i] = next
		}
	}
	if changed == nil {
		return e
	}
	return e.WithChildren(changed)
}
