package expr

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
)

// naive evaluates the core of the language one row at a time over boxed values, written without a look at the kernels:
// big integers for overflow, no vectors, no sharing. An error's code is the second result.
func naive(e Expr, row map[int64]any) (any, string) {
	switch e := e.(type) {
	case *Literal:
		return e.Value, ""
	case *Attr:
		return row[e.ID], ""
	case *Case:
		for i := range e.Whens {
			w, err := naive(e.Whens[i], row)
			if err != "" {
				return nil, err
			}
			if w == true {
				return naive(e.Thens[i], row)
			}
		}
		if e.Else == nil {
			return nil, ""
		}
		return naive(e.Else, row)
	case *Cast:
		v, err := naive(e.Child, row)
		if v == nil || err != "" {
			return nil, err
		}
		return naiveCast(v, e.To)
	case *Call:
		return naiveCall(e, row)
	}
	panic(fmt.Sprintf("BUG: naive %T", e))
}

func naiveCast(v any, to column.Type) (any, string) {
	switch to.Kind {
	case column.Float64:
		return float64(v.(int64)), ""
	case column.String:
		return fmt.Sprint(v), ""
	}
	if i := v.(int64); to.Kind == column.Int32 && (i > math.MaxInt32 || i < math.MinInt32) {
		return nil, "CAST_OVERFLOW"
	}
	return v, ""
}

func naiveCall(e *Call, row map[int64]any) (any, string) {
	switch e.Fn {
	case "and", "or":
		return naiveLogic(e, row)
	case "coalesce":
		for _, a := range e.Args {
			if v, err := naive(a, row); v != nil || err != "" {
				return v, err
			}
		}
		return nil, ""
	}
	args := make([]any, len(e.Args))
	for i, a := range e.Args {
		v, err := naive(a, row)
		if err != "" {
			return nil, err
		}
		args[i] = v
	}
	switch e.Fn {
	case "isnull":
		return args[0] == nil, ""
	case "isnotnull":
		return args[0] != nil, ""
	case "in":
		return naiveIn(args), ""
	}
	for _, a := range args {
		if a == nil {
			return nil, ""
		}
	}
	switch e.Fn {
	case "not":
		return !args[0].(bool), ""
	case "upper":
		return strings.ToUpper(args[0].(string)), ""
	case "concat":
		return args[0].(string) + args[1].(string), ""
	case "length":
		return int64(len([]rune(args[0].(string)))), ""
	case "=", "!=", "<", "<=", ">", ">=":
		return map[string]func(int) bool{"=": func(c int) bool { return c == 0 }, "!=": func(c int) bool { return c != 0 }, "<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
			">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 }}[e.Fn](naiveCompare(args[0], args[1])), ""
	}
	return naiveArith(e, args)
}

func naiveLogic(e *Call, row map[int64]any) (any, string) {
	decisive := e.Fn == "or"
	a, err := naive(e.Args[0], row)
	if err != "" || a == decisive {
		return a, err
	}
	b, err := naive(e.Args[1], row)
	if err != "" || b == decisive {
		return b, err
	}
	if a == nil || b == nil {
		return nil, ""
	}
	return !decisive, ""
}

func naiveIn(args []any) any {
	if args[0] == nil {
		return nil
	}
	unknown := false
	for _, a := range args[1:] {
		if a == nil {
			unknown = true
		} else if naiveCompare(args[0], a) == 0 {
			return true
		}
	}
	if unknown {
		return nil
	}
	return false
}

func naiveCompare(a, b any) int {
	switch x := a.(type) {
	case int64:
		return big.NewInt(x).Cmp(big.NewInt(b.(int64)))
	case float64:
		return new(big.Float).SetFloat64(x).Cmp(new(big.Float).SetFloat64(b.(float64)))
	case bool:
		return boolInt(x) - boolInt(b.(bool))
	}
	return strings.Compare(a.(string), b.(string))
}

func naiveArith(e *Call, args []any) (any, string) {
	if x, ok := args[0].(float64); ok {
		if e.Fn == "negative" {
			return -x, ""
		}
		y := args[1].(float64)
		switch e.Fn {
		case "+":
			return x + y, ""
		case "-":
			return x - y, ""
		case "*":
			return x * y, ""
		}
		if y == 0 {
			return nil, "DIVIDE_BY_ZERO"
		}
		return x / y, ""
	}
	x, y, r := big.NewInt(args[0].(int64)), new(big.Int), new(big.Int)
	if len(args) == 2 {
		y.SetInt64(args[1].(int64))
	}
	switch e.Fn {
	case "negative":
		r.Neg(x)
	case "+":
		r.Add(x, y)
	case "-":
		r.Sub(x, y)
	case "*":
		r.Mul(x, y)
	case "%":
		if y.Sign() == 0 {
			return nil, "REMAINDER_BY_ZERO"
		}
		r.Rem(x, y)
	case "div":
		if y.Sign() == 0 {
			return nil, "DIVIDE_BY_ZERO"
		}
		r.Quo(x, y)
	default:
		panic("BUG: naive " + e.Fn)
	}
	limit := big.NewInt(math.MaxInt64)
	if e.Typ.Kind == column.Int32 {
		limit = big.NewInt(math.MaxInt32)
	}
	if r.Cmp(limit) > 0 || r.Cmp(new(big.Int).Sub(new(big.Int).Neg(limit), big.NewInt(1))) < 0 {
		return nil, "ARITHMETIC_OVERFLOW"
	}
	return r.Int64(), ""
}

// core makes random trees that naive understands, of the type that is asked for.
func core(r *rand.Rand, attrs []*Attr, kind column.Kind, depth int) Expr {
	if depth == 0 || r.IntN(6) == 0 {
		for _, i := range r.Perm(len(attrs)) {
			if attrs[i].Typ.Kind == kind && r.IntN(3) > 0 {
				return attrs[i]
			}
		}
		t := column.Of(kind)
		return &Literal{randomValue(r, t, true), t}
	}
	sub := func(k column.Kind) Expr { return core(r, attrs, k, depth-1) }
	pick := func(names ...string) string { return names[r.IntN(len(names))] }
	resolve := func(name string, args ...Expr) Expr {
		e, err := ResolveCall(&UnresolvedCall{Name: name, Args: args})
		if err != nil {
			panic(err)
		}
		return e
	}
	any := []column.Kind{column.Int32, column.Int64, column.Float64, column.String, column.Bool}[r.IntN(5)]
	switch r.IntN(8) {
	case 0:
		return resolve("if", sub(column.Bool), sub(kind), sub(kind))
	case 1:
		return resolve("coalesce", sub(kind), sub(kind))
	}
	switch kind {
	case column.Bool:
		switch r.IntN(5) {
		case 0:
			return resolve(pick("and", "or"), sub(kind), sub(kind))
		case 1:
			return resolve("not", sub(kind))
		case 2:
			return resolve(pick("isnull", "isnotnull"), sub(any))
		case 3:
			return resolve("in", sub(any), core(r, attrs, any, 0), core(r, attrs, any, 0))
		}
		return resolve(pick("=", "!=", "<", "<=", ">", ">="), sub(any), sub(any))
	case column.Int32:
		if r.IntN(4) == 0 {
			return resolve("length", sub(column.String))
		}
		return resolve(pick("+", "-", "*", "%"), sub(kind), sub(kind))
	case column.Int64:
		if r.IntN(4) == 0 {
			return resolve("bigint", sub(column.Int32))
		}
		return resolve(pick("+", "-", "*", "%", "div"), sub(kind), sub(kind))
	case column.Float64:
		if r.IntN(4) == 0 {
			return resolve("double", sub(column.Int64))
		}
		return resolve(pick("+", "-", "*", "/"), sub(kind), sub(kind))
	}
	if r.IntN(3) == 0 {
		return resolve("string", sub(column.Int64))
	}
	return resolve("concat", resolve("upper", sub(kind)), sub(kind))
}

// TestAgainstNaiveInterpreter compares programs and filters with the row interpreter.
func TestAgainstNaiveInterpreter(t *testing.T) {
	kinds := []column.Kind{column.Bool, column.Int32, column.Int64, column.Float64, column.String}
	for seed := uint64(0); seed < 3000; seed++ {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWorld(t, r)
		e := core(r, w.attrs, kinds[r.IntN(len(kinds))], 4)
		got, desc := outcomes(t, e, w.attrs, w.dict, Context{ANSI: true, Location: time.UTC})
		want := make([]string, len(got))
		var pass []int32
		for i := range want {
			row := map[int64]any{}
			for c, a := range w.attrs {
				row[a.ID] = column.Value(w.plain.Cols[c], i)
			}
			want[i] = naiveText(naive(e, row))
			if want[i] == "true" && e.DataType().Kind == column.Bool {
				pass = append(pass, int32(i))
			}
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d: %s\nrow %d gives %q, the interpreter %q\n%s", seed, e, i, got[i], want[i], desc)
			}
		}
		if e.DataType().Kind == column.Bool {
			checkFilter(t, w, e, pass, seed)
		}
	}
}

func naiveText(v any, err string) string {
	switch x := v.(type) {
	case nil:
		if err != "" {
			return "error " + err
		}
		return "NULL"
	case float64:
		return string(column.AppendFloat(nil, x, 64))
	}
	return fmt.Sprint(v)
}

func checkFilter(t *testing.T, w *world, e Expr, want []int32, seed uint64) {
	bound, err := Bind(e, w.attrs)
	if err != nil {
		t.Fatal(err)
	}
	f, err := CompileFilter(bound)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Select(&Context{ANSI: true, Rows: &RowErrors{}}, w.dict, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(append([]int32{}, want...)) {
		t.Fatalf("seed %d: filter %s\nkeeps %v, the interpreter %v", seed, e, got, want)
	}
}
