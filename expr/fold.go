package expr

import (
	"fmt"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

var oneRow = &column.Batch{Schema: &column.Schema{}, N: 1}

// Fold replaces a node whose children are literals by its value. It leaves alone what fails (the error belongs to run
// time, where the row may not be reached), what differs from row to row, and what depends on the session.
func Fold(e Expr) Expr { return fold(e, &Context{ANSI: true}, false) }

// FoldIn is Fold for a known session: the time zone, the ANSI mode and the current time are ctx's. It also folds
// current_timestamp and conversions between text and time.
func FoldIn(ctx *Context, e Expr) Expr { return fold(e, ctx, true) }

func fold(e Expr, ctx *Context, session bool) Expr {
	if !foldable(e, session) {
		return simplify(e)
	}
	l, err := EvalLiteralIn(ctx, e)
	if err != nil {
		return e
	}
	return l
}

func foldable(e Expr, session bool) bool {
	switch x := e.(type) {
	case *Call:
		if x.Fn == "and" || x.Fn == "or" || x.Fn == "coalesce" {
			break
		}
		f := functionOf(x.Fn)
		if f == nil || f.kernel == nil || f.flags&volatile != 0 || f.flags&zoned != 0 && !session && !intervalOnDate(x) {
			return false
		}
	case *Cast:
		if zonedCast(x.Child.DataType(), x.To) && !session {
			return false
		}
	case *Case:
	default:
		return false
	}
	for _, k := range e.Children() {
		if _, ok := k.(*Literal); !ok {
			return false
		}
	}
	return true
}

// intervalOnDate reports whether a call adds days, months or years to a date, which is the same in every time zone.
func intervalOnDate(c *Call) bool {
	return c.Fn == "add_interval" && c.Typ.Kind == column.Date
}

// simplify shortens logic and CASE with a literal operand.
func simplify(e Expr) Expr {
	switch x := e.(type) {
	case *Call:
		if x.Fn == "and" || x.Fn == "or" {
			return simplifyLogic(x)
		}
	case *Case:
		if len(x.Whens) == 1 {
			return simplifyCase(x)
		}
	}
	return e
}

func simplifyLogic(x *Call) Expr {
	decisive := x.Fn == "or"
	for i, a := range x.Args {
		l, ok := a.(*Literal)
		if !ok || l.Value == nil {
			continue
		}
		if l.Value.(bool) == decisive {
			if i == 0 {
				return l // the other side does not count
			}
			continue // the other side may fail, and is evaluated first
		}
		return x.Args[1-i]
	}
	return x
}

func simplifyCase(x *Case) Expr {
	l, ok := x.Whens[0].(*Literal)
	if !ok {
		return x
	}
	switch {
	case l.Value == true:
		return x.Thens[0]
	case x.Else != nil:
		return x.Else
	}
	return &Literal{Typ: x.DataType()}
}

// EvalLiteral evaluates an expression without columns, in UTC, under ANSI rules, at the present time.
func EvalLiteral(e Expr) (*Literal, error) {
	return EvalLiteralIn(&Context{ANSI: true, Now: time.Now().UnixMicro()}, e)
}

// EvalLiteralIn evaluates an expression without columns in a session.
func EvalLiteralIn(ctx *Context, e Expr) (*Literal, error) {
	if l, ok := e.(*Literal); ok {
		return l, nil
	}
	var free Expr
	Walk(e, func(x Expr) bool {
		switch x.(type) {
		case *Attr, *Column, *UnresolvedAttr, *Agg, *Generate, *Star:
			free = x
		}
		return free == nil
	})
	if free != nil {
		return nil, usererr.New("NON_FOLDABLE_INPUT", "42K09", "A constant is needed here, but the expression reads %s.", free).
			WithFix("Write a literal, or an expression of literals.")
	}
	p, err := Compile(e)
	if err != nil {
		return nil, fmt.Errorf("expr: evaluate %s: %w", e, err)
	}
	v, err := p.Eval(ctx, oneRow)
	if err != nil {
		return nil, err
	}
	l := vectorLiteral(v, 0)
	l.Typ = e.DataType()
	return l, nil
}
