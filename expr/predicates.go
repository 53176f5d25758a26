package expr

import (
	"github.com/streamflow/streamflow/column"
)

func boolType([]Expr) (column.Type, error) { return column.Of(column.Bool), nil }

var caseFunction = &Function{Name: "case"}

func init() {
	two := params("b:x b:y")
	and := &Function{Name: "and", in: two, out: boolType, Usage: "x and y", Doc: "True when both are; false when one is false, whatever the other.", Example: "true and NULL -> NULL"}
	or := &Function{Name: "or", in: two, out: boolType, Usage: "x or y", Doc: "True when one is, whatever the other.", Example: "true or NULL -> true"}
	coal := &Function{Name: "coalesce", in: params("a=+"), out: typeOfFirst, null: ifAllArgs, Doc: "The first argument that is not null.", Example: "coalesce(NULL, 2, 3) -> 2"}
	for _, f := range []*Function{and, or, coal} {
		lazyFunctions[f.Name] = f
	}
	register("operators", and, or,
		&Function{Name: "not", Aliases: []string{"!"}, in: params("b:x"), out: boolType, Usage: "not x", Doc: "False when x is true, true when x is false.", Example: "not false -> true", cost: 1, kernel: func(*Call) kernel { return notKernel }},
		&Function{Name: "isnull", Aliases: []string{"is null"}, in: params("a"), out: boolType, null: never, Doc: "True when the value is null; also written x IS NULL.", Example: "isnull(NULL) -> true", cost: 1, flags: ownNulls | raw, kernel: func(*Call) kernel { return nullTest(true) }},
		&Function{Name: "isnotnull", Aliases: []string{"is not null"}, in: params("a"), out: boolType, null: never, Doc: "True when the value is not null; also written x IS NOT NULL.", Example: "isnotnull(1) -> true", cost: 1, flags: ownNulls | raw, kernel: func(*Call) kernel { return nullTest(false) }},
		truth("istrue", "is true", true, true), truth("isnottrue", "is not true", true, false),
		truth("isfalse", "is false", false, true), truth("isnotfalse", "is not false", false, false),
		&Function{Name: "in", in: params("a:x a:item*"), Usage: "x in (item, …)", Doc: "True when x equals an item; null when it equals none and a side is null.", Example: "2 in (1, 2, 3) -> true", cost: 6, flags: ownNulls | raw, rewrite: rewriteIn, kernel: inKernel},
	)
	register("conditional", coal,
		macro("if", "b:cond a=:x a=:y", "x when cond is true, otherwise y.", "if(1 < 2, 'a', 'b') -> a", func(a []Expr) (Expr, error) {
			return &Case{Whens: a[:1:1], Thens: a[1:2:2], Else: a[2]}, nil
		}, "iff"),
		&Function{Name: "when", in: params("b:cond a:x a*"), Usage: "when(cond, x[, cond, x, …][, else])", Doc: "CASE as a function: the x of the first true cond.", Example: "when(false, 1, true, 2) -> 2", rewrite: rewriteWhen},
		macro("nvl", "a= a=:default", "x, or default when x is null.", "nvl(NULL, 2) -> 2", toCoalesce, "ifnull"),
		macro("nvl2", "a:x a=:y a=:z", "y when x is not null, otherwise z.", "nvl2(NULL, 2, 1) -> 1", func(a []Expr) (Expr, error) {
			return &Case{Whens: []Expr{mustCall("isnotnull", a[0])}, Thens: a[1:2:2], Else: a[2]}, nil
		}),
		macro("nullif", "a:x a:y", "Null when x = y, otherwise x.", "nullif(2, 2) -> NULL", func(a []Expr) (Expr, error) {
			eq, err := call("=", a...)
			if err != nil {
				return nil, err
			}
			return &Case{Whens: []Expr{eq}, Thens: []Expr{&Literal{Typ: a[0].DataType()}}, Else: a[0]}, nil
		}),
		macro("nullifzero", "a:x", "Null when x is 0.", "nullifzero(0) -> NULL", func(a []Expr) (Expr, error) { return call("nullif", a[0], Lit(0)) }),
		macro("zeroifnull", "a:x", "0 when x is null.", "zeroifnull(NULL) -> 0", func(a []Expr) (Expr, error) { return call("coalesce", a[0], Lit(0)) }),
		macro("nanvl", "d:x d:y", "x, or y when x is NaN.", "nanvl(double('NaN'), 1) -> 1.0", func(a []Expr) (Expr, error) {
			return &Case{Whens: []Expr{mustCall("isnan", a[0])}, Thens: a[1:2:2], Else: a[0]}, nil
		}),
		&Function{Name: "isnan", in: params("d:x"), out: boolType, null: never, Doc: "True when x is NaN; false for null.", Example: "isnan(double('NaN')) -> true", cost: 1, flags: ownNulls, kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := range out.Bools {
					out.Bools[i] = args[0].IsValid(i) && args[0].F64[i] != args[0].F64[i]
				}
			}
		}},
		extreme("greatest", "The greatest argument; nulls are skipped.", "greatest(1, 3, 2) -> 3", 1),
		extreme("least", "The least argument; nulls are skipped.", "least(1, 3, 2) -> 1", -1),
	)
}

// macro is a function that stands for another tree. Its arguments are fitted to the parameters first.
func macro(name, in, doc, example string, f func([]Expr) (Expr, error), aliases ...string) *Function {
	fn := &Function{Name: name, Aliases: aliases, in: params(in), Doc: doc, Example: example}
	fn.rewrite = func(args []Expr) (Expr, error) {
		args, err := fn.fitArgs(args)
		if err != nil {
			return nil, err
		}
		return f(args)
	}
	return fn
}

func toCoalesce(a []Expr) (Expr, error) { return call("coalesce", a...) }

func typeOfFirst(args []Expr) (column.Type, error) { return args[0].DataType(), nil }

func rewriteWhen(args []Expr) (Expr, error) {
	c := &Case{}
	for len(args) >= 2 {
		c.Whens, c.Thens = append(c.Whens, args[0]), append(c.Thens, args[1])
		args = args[2:]
	}
	if len(args) == 1 {
		c.Else = args[0]
	}
	return ResolveCase(c)
}

func notKernel(k *kctx, args []*column.Vector, out *column.Vector) {
	for i, x := range args[0].Bools[:k.n] {
		out.Bools[i] = !x
	}
}

func nullTest(want bool) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		v := args[0]
		if v.Valid == nil && v.Type.Kind != column.Null {
			fill(out.Bools, !want)
			return
		}
		for i := range out.Bools {
			out.Bools[i] = v.IsValid(i) != want
		}
	}
}

// truth is x IS [NOT] TRUE and x IS [NOT] FALSE: never null.
func truth(name, alias string, value, is bool) *Function {
	return &Function{Name: name, Aliases: []string{alias}, in: params("b:x"), out: boolType, null: never, Usage: "x " + alias,
		Doc: "The test x " + alias + "; never null.", Example: name + "(NULL) -> " + map[bool]string{true: "false", false: "true"}[is], cost: 1, flags: ownNulls,
		kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := range out.Bools {
					out.Bools[i] = (args[0].IsValid(i) && args[0].Bools[i] == value) == is
				}
			}
		}}
}

func extreme(name, doc, example string, sign int) *Function {
	return &Function{Name: name, in: params("a=+"), out: typeOfFirst, null: ifAllArgs, Doc: doc, Example: example, cost: 5, flags: ownNulls,
		kernel: func(c *Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				b := column.NewBuilder(c.Typ)
				for i := 0; i < k.n; i++ {
					best := -1
					for j, a := range args {
						if a.IsValid(i) && (best < 0 || sign*compareValues(a, i, args[best], i) > 0) {
							best = j
						}
					}
					if best < 0 {
						b.AppendNull()
						continue
					}
					b.AppendFrom(args[best], i)
				}
				*out = *b.Finish()
			}
		}}
}
