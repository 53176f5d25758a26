package expr

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// UnresolvedLambda is a function as an argument, as written: x -> body, or (x, y) -> body.
type UnresolvedLambda struct {
	Params []string
	Body   Expr
	Pos    Pos
}

// Lambda is a function as an argument: Body over Vars and the columns around it.
type Lambda struct {
	Vars []*LambdaVar
	Body Expr
}

// LambdaVar is a parameter of a Lambda, where it is declared and where it is used.
type LambdaVar struct {
	ID   int64
	Name string
	Typ  column.Type
	Null bool
}

func (e *UnresolvedLambda) DataType() column.Type { return column.Type{} }
func (e *UnresolvedLambda) Nullable() bool        { return true }
func (e *UnresolvedLambda) Children() []Expr      { return []Expr{e.Body} }
func (e *UnresolvedLambda) WithChildren(k []Expr) Expr {
	return &UnresolvedLambda{Params: e.Params, Body: k[0], Pos: e.Pos}
}
func (e *UnresolvedLambda) Resolved() bool { return false }
func (e *UnresolvedLambda) String() string { return lambdaText(e.Params, e.Body) }

func (e *Lambda) DataType() column.Type      { return e.Body.DataType() }
func (e *Lambda) Nullable() bool             { return e.Body.Nullable() }
func (e *Lambda) Children() []Expr           { return []Expr{e.Body} }
func (e *Lambda) WithChildren(k []Expr) Expr { return &Lambda{Vars: e.Vars, Body: k[0]} }
func (e *Lambda) Resolved() bool             { return e.Body.Resolved() }
func (e *Lambda) String() string {
	names := make([]string, len(e.Vars))
	for i, v := range e.Vars {
		names[i] = v.Name
	}
	return lambdaText(names, e.Body)
}

func lambdaText(params []string, body Expr) string {
	head := strings.Join(params, ", ")
	if len(params) != 1 {
		head = "(" + head + ")"
	}
	return head + " -> " + body.String()
}

func (e *LambdaVar) DataType() column.Type    { return e.Typ }
func (e *LambdaVar) Nullable() bool           { return e.Null }
func (e *LambdaVar) Children() []Expr         { return nil }
func (e *LambdaVar) WithChildren([]Expr) Expr { return e }
func (e *LambdaVar) Resolved() bool           { return true }
func (e *LambdaVar) String() string           { return e.Name }

// higher is what makes a function one of higher order: which lambdas it takes.
type higher struct {
	from        int // the first argument that is a lambda; all behind it are too
	collections int // how many arguments, from the first, make the result null when they are
	// vars are the parameters that each lambda may have, by the other arguments; a lambda names the first of them or all.
	vars func(args []Expr) ([][]column.Field, error)
	// call is the node over all arguments, lambdas resolved.
	call func(name string, args []Expr) (Expr, error)
	// eval makes the kernel; its vectors are the arguments that are no lambdas, then the columns that the lambdas read.
	eval func(c *Call, bodies []*body) kernel
}

// IsHigherOrder reports whether a function takes lambdas.
func (f *Function) IsHigherOrder() bool { return f.higher != nil }

// LambdaParams are the parameters that each lambda of a call may have; args holds nil where a lambda stands.
func LambdaParams(f *Function, c *UnresolvedCall, args []Expr) ([][]column.Field, error) {
	if err := f.checkCount(len(args)); err != nil {
		return nil, placed(err, c.Pos)
	}
	vars, err := f.higher.vars(args)
	return vars, placed(err, c.Pos)
}

// ResolveHigherOrder is ResolveCall for a function that takes lambdas, which are resolved.
func ResolveHigherOrder(f *Function, c *UnresolvedCall) (Expr, error) {
	if err := f.checkCount(len(c.Args)); err != nil {
		return nil, placed(err, c.Pos)
	}
	for i, a := range c.Args {
		if _, is := a.(*Lambda); is != (i >= f.higher.from) {
			return nil, placed(misplacedLambda(f.Name, i, is), c.Pos)
		}
	}
	e, err := f.higher.call(f.Name, c.Args)
	return e, placed(err, c.Pos)
}

// NewLambda declares a lambda's variables; the body is resolved with them in scope.
func NewLambda(u *UnresolvedLambda, params []column.Field, fn string) (*Lambda, error) {
	if len(u.Params) == 0 || len(u.Params) > len(params) {
		return nil, placed(usererr.New("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "42K0D", "The function of %s has %d parameters, but up to %d can be given.", fn, len(u.Params), len(params)).
			WithFix("Write (x) -> … or (x, y) -> …."), u.Pos)
	}
	l := &Lambda{Body: u.Body}
	for i, name := range u.Params {
		for _, v := range l.Vars {
			if strings.EqualFold(v.Name, name) {
				return nil, placed(usererr.New("INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES", "42K0D", "The parameter %s stands twice.", name).WithFix("Give each its own name."), u.Pos)
			}
		}
		l.Vars = append(l.Vars, &LambdaVar{ID: NewID(), Name: name, Typ: params[i].Type, Null: params[i].Nullable})
	}
	return l, nil
}

// body is a lambda's program over a batch of its variables and the columns that it reads besides.
type body struct {
	prog  *Program
	vars  int
	outer []int // positions among the kernel's vectors
	batch column.Batch
	ctx   Context
	rows  RowErrors
	taken []*column.Vector
}

// newBody compiles a lambda. outer maps a column of the input to its place among the kernel's vectors.
func newBody(l *Lambda, outer map[int]int) (*body, error) {
	b := &body{vars: len(l.Vars)}
	vars := map[int64]int{}
	for i, v := range l.Vars {
		vars[v.ID] = i
	}
	at := map[int]int{}
	e := Transform(l.Body, func(x Expr) Expr {
		switch x := x.(type) {
		case *LambdaVar:
			if i, ok := vars[x.ID]; ok {
				return &Column{Index: i, Name: x.Name, Typ: x.Typ, Null: x.Null}
			}
		case *Column:
			i, ok := at[x.Index]
			if !ok {
				i = b.vars + len(b.outer)
				at[x.Index], b.outer = i, append(b.outer, outer[x.Index])
			}
			return &Column{Index: i, Name: x.Name, Typ: x.Typ, Null: x.Null}
		}
		return x
	})
	var err error
	b.prog, err = Compile(e)
	return b, err
}

// eval runs the body for n combinations of variables; row says which row of the kernel each belongs to. A combination that fails
// makes its row an error.
func (b *body) eval(k *kctx, args []*column.Vector, vars []*column.Vector, row []int32) *column.Vector {
	n := len(row)
	b.batch.N, b.batch.Cols = n, append(b.batch.Cols[:0], vars[:b.vars]...)
	for len(b.taken) < len(b.outer) {
		b.taken = append(b.taken, nil)
	}
	for i, at := range b.outer {
		v := args[at]
		if v.Const {
			v = column.Expand(v, k.n)
		}
		b.taken[i] = column.Take(b.taken[i], v, row)
		b.batch.Cols = append(b.batch.Cols, b.taken[i])
	}
	b.ctx = *k.ctx
	b.rows.Reset()
	b.ctx.Rows = &b.rows
	v, err := b.prog.Eval(&b.ctx, &b.batch)
	if err != nil { // of the program, not of a row
		k.failAll(err)
		return column.Take(nil, column.NewVector(b.prog.typ, 1), make([]int32, n))
	}
	for i, r := range b.rows.Rows {
		if at := int(row[r]); k.ok(at) {
			k.fail(at, b.rows.Errs[i])
		}
	}
	return v
}

// higherCall adds a call with lambdas: its operands are the other arguments, then the columns that the lambdas read.
func (c *compiler) higherCall(f *Function, e *Call) (int, error) {
	var operands []Expr
	var lambdas []*Lambda
	for _, a := range e.Args {
		if l, ok := a.(*Lambda); ok {
			lambdas = append(lambdas, l)
		} else {
			operands = append(operands, a)
		}
	}
	outer := map[int]int{}
	for _, l := range lambdas {
		Walk(l.Body, func(x Expr) bool {
			if col, ok := x.(*Column); ok {
				if _, known := outer[col.Index]; !known {
					outer[col.Index] = len(operands)
					operands = append(operands, col)
				}
			}
			return true
		})
	}
	bodies := make([]*body, len(lambdas))
	for i, l := range lambdas {
		var err error
		if bodies[i], err = newBody(l, outer); err != nil {
			return 0, err
		}
	}
	kern := f.higher.eval(e, bodies)
	return c.strict(f, "", e.Typ, operands, func() kernel {
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			k.strict(args[:f.higher.collections]) // a null among the columns that a lambda reads is the lambda's affair
			kern(k, args, out)
		}
	})
}
