package expr

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Generation is the program of a table-generating function.
type Generation struct {
	fn    string
	outer bool
	progs []*Program
	out   []column.Field
	rows  []int32
	pos   []int32 // position of each generated row in its list
	sel   []int32 // element of each generated row
	cols  []*column.Vector
	args  []*column.Vector
	user  TableFunc // of a user's table function
}

// CompileGenerate makes the program of a bound generator.
func CompileGenerate(g *Generate) (*Generation, error) {
	f := functionOf(g.Fn)
	if f == nil || f.Kind != Generator {
		return nil, fmt.Errorf("expr: %s is no generator", g.Fn)
	}
	out := &Generation{fn: g.Fn, outer: g.Outer, out: g.Output}
	if f.generate != nil {
		user, err := f.generate()
		if err != nil {
			return nil, FunctionFailed(g.Fn, err)
		}
		out.user = user
	}
	for _, a := range g.Args {
		p, err := Compile(a)
		if err != nil {
			return nil, err
		}
		out.progs = append(out.progs, p)
	}
	return out, nil
}

// Eval computes the rows that b's rows generate: row i of each column comes from row rows[i] of b, in ascending order.
// The results are valid until the next Eval.
func (g *Generation) Eval(ctx *Context, b *column.Batch) (rows []int32, cols []*column.Vector, err error) {
	g.args = g.args[:0]
	for _, p := range g.progs {
		v, err := p.Eval(ctx, b)
		if err != nil {
			return nil, nil, err
		}
		g.args = append(g.args, v)
	}
	if g.user != nil {
		return g.userRows(b.N)
	}
	switch g.fn {
	case "stack":
		return g.stack(b.N)
	case "json_tuple":
		return g.jsonTuple(b.N)
	case "variant_explode", "variant_explode_outer":
		return g.variants(b.N)
	}
	g.walk(g.args[0], b.N)
	return g.rows, g.gather(g.args[0]), nil
}

// walk lists the elements of the lists or maps of v.
func (g *Generation) walk(v *column.Vector, n int) {
	g.rows, g.pos, g.sel = g.rows[:0], g.pos[:0], g.sel[:0]
	for i := 0; i < n; i++ {
		from, to := int32(0), int32(0)
		if v.IsValid(i) {
			from, to = v.Offs[i], v.Offs[i+1]
		}
		if from == to && g.outer {
			g.rows, g.pos, g.sel = append(g.rows, int32(i)), append(g.pos, -1), append(g.sel, -1)
		}
		for j := from; j < to; j++ {
			g.rows, g.pos, g.sel = append(g.rows, int32(i)), append(g.pos, j-from), append(g.sel, j)
		}
	}
}

func (g *Generation) gather(v *column.Vector) []*column.Vector {
	src := v.Kids
	g.cols = g.cols[:0]
	if g.fn == "posexplode" || g.fn == "posexplode_outer" {
		pos := &column.Vector{Type: column.Of(column.Int32), N: len(g.pos), I32: g.pos}
		for i, p := range g.pos {
			if p < 0 {
				pos.SetNull(i)
			}
		}
		g.cols = append(g.cols, pos)
	}
	if g.fn == "inline" || g.fn == "inline_outer" {
		members := column.Take(nil, v.Kids[0], g.sel)
		for _, m := range members.Kids {
			g.cols = append(g.cols, nullWhere(m, members))
		}
		return g.cols
	}
	for _, s := range src {
		g.cols = append(g.cols, column.Take(nil, s, g.sel))
	}
	return g.cols
}

// nullWhere is member with a null in each row in which its struct is null.
func nullWhere(member, parent *column.Vector) *column.Vector {
	if parent.Valid == nil {
		return member
	}
	out := *member
	out.Valid = column.AllValid(nil, out.N)
	for w := range out.Valid {
		if member.Valid != nil {
			out.Valid[w] = member.Valid[w]
		}
		out.Valid[w] &= parent.Valid[w]
	}
	return &out
}

// stack deals its values, row by row, to n rows.
func (g *Generation) stack(n int) ([]int32, []*column.Vector, error) {
	if n == 0 {
		return nil, emptyColumns(g.out), nil
	}
	rows := int(g.args[0].I32[0])
	builders := make([]*column.Builder, len(g.out))
	for c, f := range g.out {
		builders[c] = column.NewBuilder(f.Type)
	}
	g.rows = g.rows[:0]
	for i := 0; i < n; i++ {
		for r := 0; r < rows; r++ {
			g.rows = append(g.rows, int32(i))
			for c := range builders {
				if at := 1 + r*len(builders) + c; at < len(g.args) {
					builders[c].AppendFrom(g.args[at], i)
				} else {
					builders[c].AppendNull()
				}
			}
		}
	}
	return g.rows, finishAll(builders), nil
}

func emptyColumns(fields []column.Field) []*column.Vector {
	out := make([]*column.Vector, len(fields))
	for i, f := range fields {
		out[i] = column.NewBuilder(f.Type).Finish()
	}
	return out
}

func finishAll(builders []*column.Builder) []*column.Vector {
	out := make([]*column.Vector, len(builders))
	for i, b := range builders {
		out[i] = b.Finish()
	}
	return out
}

func init() {
	gen := func(name, in, doc, example string, fields func([]Expr) []column.Field) *Function {
		return &Function{Name: name, Kind: Generator, in: params(in), Doc: doc, Example: example, fields: fields, cost: 100}
	}
	for _, outer := range []bool{false, true} {
		suffix, extra := "", ""
		if outer {
			suffix, extra = "_outer", " An empty or null one gives one row of nulls."
		}
		register("generator",
			explode("explode"+suffix, "A row for each element of an array, or each key and value of a map."+extra, false, outer),
			explode("posexplode"+suffix, "explode with the position of each element, from 0, before it."+extra, true, outer),
			inlineFn("inline"+suffix, "A row for each struct of an array, a column for each of its members."+extra, outer),
			variantExplode("variant_explode"+suffix, outer),
		)
	}
	register("generator",
		&Function{Name: "stack", Kind: Generator, in: params("i:n a*"), Doc: "Deals the values out to n rows.", Example: "stack(2, 1, 2, 3) -> rows (1, 2), (3, NULL)", cost: 100, rewrite: rewriteStack},
		gen("json_tuple", "s:json s:key+", "The values of several keys of a JSON object, a column for each.", "json_tuple('{\"a\":1}', 'a') -> row (1)", func(args []Expr) []column.Field {
			var out []column.Field
			for i := range args[1:] {
				out = append(out, column.Field{Name: fmt.Sprintf("c%d", i), Type: column.Of(column.String), Nullable: true})
			}
			return out
		}),
	)
}

func explode(name, doc string, pos, outer bool) *Function {
	f := &Function{Name: name, Kind: Generator, in: params("a:collection"), Doc: doc, cost: 100,
		Example: map[bool]string{false: name + "(array(10, 20)) -> rows (10), (20)", true: name + "(array(10, 20)) -> rows (0, 10), (1, 20)"}[pos]}
	f.rewrite = func(args []Expr) (Expr, error) {
		t := args[0].DataType()
		if t.Kind != column.List && t.Kind != column.Map {
			return nil, unexpectedType(name, 0, args[0], `"ARRAY" or "MAP"`)
		}
		var out []column.Field
		if pos {
			out = append(out, column.Field{Name: "pos", Type: column.Of(column.Int32), Nullable: outer})
		}
		if t.Kind == column.List {
			out = append(out, column.Field{Name: "col", Type: t.Elem(), Nullable: outer || t.Fields[0].Nullable})
		} else {
			out = append(out, column.Field{Name: "key", Type: t.Fields[0].Type, Nullable: outer},
				column.Field{Name: "value", Type: t.Fields[1].Type, Nullable: outer || t.Fields[1].Nullable})
		}
		return &Generate{Fn: name, Args: args, Outer: outer, Output: out}, nil
	}
	return f
}

func inlineFn(name, doc string, outer bool) *Function {
	f := &Function{Name: name, Kind: Generator, in: params("A:structs"), Doc: doc, Example: name + "(array(struct(1, 'a'))) -> row (1, a)", cost: 100}
	f.rewrite = func(args []Expr) (Expr, error) {
		t := args[0].DataType()
		if t.Kind != column.List || t.Elem().Kind != column.Struct {
			return nil, unexpectedType(name, 0, args[0], `"ARRAY<STRUCT>"`)
		}
		out := append([]column.Field{}, t.Elem().Fields...)
		for i := range out {
			out[i].Nullable = out[i].Nullable || outer || t.Fields[0].Nullable
		}
		return &Generate{Fn: name, Args: args, Outer: outer, Output: out}, nil
	}
	return f
}

func rewriteStack(args []Expr) (Expr, error) {
	l, ok := Transform(args[0], Fold).(*Literal)
	n, isInt := int64(0), false
	if ok {
		n, isInt = l.Value.(int64)
	}
	if !isInt || n < 1 {
		return nil, usererr.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", "The first argument of stack must be a positive constant INT, but it is %s.", args[0])
	}
	width := (len(args) - 2 + int(n)) / int(n)
	g := &Generate{Fn: "stack", Args: append([]Expr{}, args...)}
	g.Args[0] = &Literal{n, column.Of(column.Int32)}
	for c := 0; c < width; c++ {
		var t column.Type
		for at := 1 + c; at < len(args); at += width {
			common, ok := CommonType(t, args[at].DataType())
			if !ok {
				return nil, dataDiffTypes("stack", args[1:])
			}
			t = common
		}
		for at := 1 + c; at < len(args); at += width {
			g.Args[at] = Coerce(args[at], t)
		}
		g.Output = append(g.Output, column.Field{Name: fmt.Sprintf("col%d", c), Type: t, Nullable: true})
	}
	return g, nil
}

// userRows calls a user's table function, with constants spread over all rows.
func (g *Generation) userRows(n int) ([]int32, []*column.Vector, error) {
	for i, a := range g.args {
		if a.Const {
			g.args[i] = column.Expand(a, n)
		}
	}
	rows, cols, err := g.user(g.args, n)
	if err != nil {
		return nil, nil, FunctionFailed(g.fn, err)
	}
	return rows, cols, nil
}
