package structured

import (
	"fmt"
	"sync/atomic"

	"github.com/streamflow/streamflow/expr"
)

var lambdas atomic.Int64

// Lambda1 and Lambda2 are functions as arguments, for functions that take some:
//
//	structured.Call("transform", structured.Col("prices"), structured.Lambda1(func(x structured.Column) structured.Column { return x.Times(2) }))
func Lambda1(body func(x Column) Column) Column {
	return lambda(1, func(x []Column) Column { return body(x[0]) })
}

// Lambda2 has two parameters: an element and its position, a key and its value, what was merged so far and the next element.
func Lambda2(body func(x, y Column) Column) Column {
	return lambda(2, func(x []Column) Column { return body(x[0], x[1]) })
}

// lambda gives the parameters names that nothing else has, so that a function may stand within a function.
func lambda(n int, body func([]Column) Column) Column {
	l := &expr.UnresolvedLambda{}
	id := lambdas.Add(1)
	var vars []Column
	for i := range n {
		name := fmt.Sprintf("%c_%d", 'x'+rune(i), id)
		l.Params = append(l.Params, name)
		vars = append(vars, Column{e: &expr.UnresolvedAttr{Parts: []string{name}}})
	}
	b := body(vars)
	l.Body = b.e
	return Column{e: l, err: b.err}
}
