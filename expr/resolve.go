package expr

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// ResolveCall gives a call by name, whose arguments are resolved, its function and type. The result is a Call, Agg,
// Generate, Cast or Case; arguments are cast where Spark casts silently. Errors are *usererr.Error at the call's place.
func ResolveCall(c *UnresolvedCall) (Expr, error) {
	e, err := resolveCall(c)
	if err != nil {
		if u, ok := usererr.As(err); ok && u.Line == 0 {
			u.At(c.Pos.Line, c.Pos.Col)
		}
		return nil, err
	}
	return e, nil
}

func resolveCall(c *UnresolvedCall) (Expr, error) {
	f, ok := Lookup(c.Name)
	if !ok {
		return nil, unresolvedRoutine(c.Name)
	}
	if f.Kind == WindowFunction {
		return nil, usererr.New("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "42601", "The window function %s stands without OVER.", f.Name).
			WithFix("Write %s OVER (PARTITION BY … ORDER BY …).", f.Usage)
	}
	if f.higher != nil {
		return nil, misplacedLambda(f.Name, f.higher.from, false)
	}
	if f.Kind != Aggregate {
		if c.Distinct {
			return nil, usererr.New("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000", "The function %s does not support DISTINCT.", f.Name)
		}
		if c.Filter != nil {
			return nil, usererr.New("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000", "The function %s does not support FILTER.", f.Name)
		}
		return f.apply(c.Args)
	}
	return f.aggregate(c)
}

func unresolvedRoutine(name string) error {
	e := usererr.New("UNRESOLVED_ROUTINE", "42883", "Cannot resolve routine `%s`.", name).With("routineName", "`"+name+"`")
	if near := nearest(name); len(near) > 0 {
		e.WithFix("Did you mean %s?", strings.Join(near, ", "))
	}
	return e
}

// apply makes the node of a scalar function or generator over arguments.
func (f *Function) apply(args []Expr) (Expr, error) {
	if err := f.checkCount(len(args)); err != nil {
		return nil, err
	}
	if f.rewrite != nil {
		return f.rewrite(args)
	}
	args, err := f.fitArgs(args)
	if err != nil {
		return nil, err
	}
	if f.Kind == Generator {
		return &Generate{Fn: f.Name, Args: args, Outer: strings.HasSuffix(f.Name, "_outer"), Output: f.fields(args)}, nil
	}
	typ, err := f.out(args)
	if err != nil {
		return nil, err
	}
	return &Call{Fn: f.Name, Args: args, Typ: typ, Null: f.null.of(args)}, nil
}

func (f *Function) checkCount(n int) error {
	lo, hi := arity(f.in)
	if n >= lo && (hi < 0 || n <= hi) {
		return nil
	}
	want := fmt.Sprint(lo)
	switch {
	case hi < 0:
		want = fmt.Sprintf("%d or more", lo)
	case hi != lo:
		want = fmt.Sprintf("%d to %d", lo, hi)
	}
	return usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires %s parameters but the actual number is %d.", f.Name, want, n).
		With("functionName", "`"+f.Name+"`").With("expectedNum", want).With("actualNum", fmt.Sprint(n)).
		WithFix("It is written %s.", f.Usage)
}

// fitArgs casts the arguments to what the parameters ask for.
func (f *Function) fitArgs(args []Expr) ([]Expr, error) {
	out := make([]Expr, len(args))
	common, any := column.Type{}, false
	for i, a := range args {
		p := at(f.in, i)
		e, ok := p.fit(a)
		if !ok {
			return nil, unexpectedType(f.Name, i, a, p.wants())
		}
		out[i] = e
		if !p.common {
			continue
		}
		if !any {
			common, any = e.DataType(), true
			continue
		}
		t, ok := CommonType(common, e.DataType())
		if !ok {
			return nil, dataDiffTypes(f.Name, args)
		}
		common = t
	}
	if any {
		for i := range out {
			if at(f.in, i).common {
				out[i] = Coerce(out[i], common)
			}
		}
	}
	return out, nil
}

func unexpectedType(fn string, i int, a Expr, want string) *usererr.Error {
	ord := [...]string{"first", "second", "third", "fourth", "fifth", "sixth"}
	pos := fmt.Sprintf("%dth", i+1)
	if i < len(ord) {
		pos = ord[i]
	}
	return usererr.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09",
		"Cannot resolve \"%s\" due to data type mismatch: the %s parameter requires the %s type, however %q has the type %q.",
		fn, pos, want, a.String(), strings.ToUpper(a.DataType().String())).
		With("sqlExpr", fn).With("paramIndex", pos).With("requiredType", want).
		With("inputSql", a.String()).With("inputType", strings.ToUpper(a.DataType().String())).
		WithFix("Cast the argument to the type that is wanted.")
}

func dataDiffTypes(fn string, args []Expr) *usererr.Error {
	types := make([]string, len(args))
	for i, a := range args {
		types[i] = strings.ToUpper(a.DataType().String())
	}
	return usererr.New("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "42K09",
		"Cannot resolve %q due to data type mismatch: the inputs should all be of one type, but they are [%s].", fn, strings.Join(types, ", ")).
		With("functionName", fn).With("dataType", strings.Join(types, ", ")).WithFix("Cast them to one type.")
}

// call resolves a function of the table over arguments, for rewrites.
func call(name string, args ...Expr) (Expr, error) { return byName[name].apply(args) }

// mustCall is call where types are known to fit.
func mustCall(name string, args ...Expr) Expr {
	e, err := call(name, args...)
	if err != nil {
		panic("BUG: rewrite to " + name + ": " + err.Error())
	}
	return e
}

// ResolveCase brings the conditions of a CASE to boolean and its results to one type.
func ResolveCase(c *Case) (Expr, error) {
	out := &Case{Whens: make([]Expr, len(c.Whens)), Thens: make([]Expr, len(c.Thens))}
	boolean := param{class: 'b'}
	var typ column.Type
	for i := range c.Whens {
		w, ok := boolean.fit(c.Whens[i])
		if !ok {
			return nil, unexpectedType("CASE", i, c.Whens[i], `"BOOLEAN"`)
		}
		out.Whens[i] = w
	}
	results := append([]Expr{}, c.Thens...)
	if c.Else != nil {
		results = append(results, c.Else)
	}
	for _, r := range results {
		t, ok := CommonType(typ, r.DataType())
		if !ok {
			return nil, dataDiffTypes("CASE", results)
		}
		typ = t
	}
	for i := range c.Thens {
		out.Thens[i] = Coerce(c.Thens[i], typ)
	}
	if c.Else != nil {
		out.Else = Coerce(c.Else, typ)
	}
	return out, nil
}

// ResolveCast checks that the conversion exists.
func ResolveCast(c *Cast) (Expr, error) {
	from := c.Child.DataType()
	if CanCast(from, c.To) {
		return c, nil
	}
	return nil, usererr.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09",
		"Cannot resolve \"%s\" due to data type mismatch: cannot cast %q to %q.", c, strings.ToUpper(from.String()), strings.ToUpper(c.To.String())).
		With("srcType", strings.ToUpper(from.String())).With("targetType", strings.ToUpper(c.To.String())).
		WithFix("Cast to STRING first if the text form is what you mean.")
}
