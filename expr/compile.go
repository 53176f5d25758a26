package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
)

// Compile makes the program of a bound expression.
func Compile(e Expr) (*Program, error) {
	c := &compiler{memo: map[string]int{}}
	root, err := c.add(e)
	if err != nil {
		return nil, err
	}
	return &Program{instrs: c.instrs, regs: make([]reg, len(c.instrs)), root: root, typ: e.DataType()}, nil
}

type compiler struct {
	instrs []instr
	memo   map[string]int // what an instruction computes -> its register
}

// add appends the instructions of e and returns its register.
func (c *compiler) add(e Expr) (int, error) {
	switch e := e.(type) {
	case *Alias:
		return c.add(e.Child)
	case *SortOrder:
		return c.add(e.Child)
	case *Column:
		return c.once("c"+strconv.Itoa(e.Index), func() (instr, error) { return instr{op: opLoad, col: e.Index, typ: e.Typ}, nil })
	case *Literal:
		key := fmt.Sprintf("l%s:%v", e.Typ, e.Value)
		return c.once(key, func() (instr, error) { return instr{op: opConst, out: *literalVector(e), typ: e.Typ}, nil })
	case *Cast:
		return c.strict(castFunction, fmt.Sprintf("cast:%v:%s", e.Try, e.To), e.To, []Expr{e.Child},
			func() kernel { return castKernel(e.Child.DataType(), e.To, e.Try) })
	case *Case:
		return c.lazyCase(e)
	case *Call:
		return c.call(e)
	}
	return 0, fmt.Errorf("expr: %T %s cannot be evaluated", e, e)
}

func (c *compiler) once(key string, make func() (instr, error)) (int, error) {
	if r, ok := c.memo[key]; ok && key != "" {
		return r, nil
	}
	in, err := make()
	if err != nil {
		return 0, err
	}
	c.instrs = append(c.instrs, in)
	r := len(c.instrs) - 1
	c.memo[key] = r
	return r, nil
}

func (c *compiler) call(e *Call) (int, error) {
	if lazy, ok := lazyFunctions[e.Fn]; ok {
		return c.lazyCall(lazy, e)
	}
	f := functionOf(e.Fn)
	if f != nil && f.higher != nil {
		return c.higherCall(f, e)
	}
	if f == nil || f.kernel == nil {
		return 0, fmt.Errorf("expr: function %s has no kernel", e.Fn)
	}
	if !f.allLiterals(e.Args) {
		args, changed := foldAll(e.Args)
		if changed {
			e = e.WithChildren(args).(*Call)
		}
	}
	key := e.Fn + ":" + e.Typ.String()
	if f.flags&volatile != 0 {
		key = ""
	}
	return c.strict(f, key, e.Typ, e.Args, func() kernel { return f.kernel(e) })
}

func (f *Function) allLiterals(args []Expr) bool {
	for _, a := range args {
		if _, ok := a.(*Literal); !ok {
			return false
		}
	}
	return true
}

// foldAll folds arguments that are constant whatever the session, so that kernels see literals (patterns, formats).
func foldAll(args []Expr) ([]Expr, bool) {
	out, changed := args, false
	for i, a := range args {
		n := Transform(a, Fold)
		if n == a {
			continue
		}
		if !changed {
			out, changed = append([]Expr{}, args...), true
		}
		out[i] = n
	}
	return out, changed
}

// strict adds a call whose operands are all evaluated first.
func (c *compiler) strict(f *Function, key string, typ column.Type, args []Expr, kern func() kernel) (int, error) {
	regs := make([]int, len(args))
	for i, a := range args {
		r, err := c.add(a)
		if err != nil {
			return 0, err
		}
		regs[i] = r
	}
	if key != "" {
		key += fmt.Sprint(regs)
	}
	return c.once(key, func() (instr, error) {
		in := instr{op: opCall, args: regs, fn: f, typ: typ, kern: kern(), dict: -1,
			own: f.flags&ownNulls != 0, raw: f.flags&raw != 0, vary: f.flags&volatile != 0}
		if !in.own && !in.vary {
			in.dict = dictArg(args)
		}
		return in, nil
	})
}

// dictArg is the one string argument that is not a literal, or -1.
func dictArg(args []Expr) int {
	at := -1
	for i, a := range args {
		if isConstant(a) {
			continue
		}
		if at >= 0 || a.DataType().Kind.Storage() != column.StorageBytes {
			return -1
		}
		at = i
	}
	return at
}

// isConstant reports whether e has no columns below it and the same value for each row.
func isConstant(e Expr) bool {
	constant := true
	Walk(e, func(x Expr) bool {
		switch x := x.(type) {
		case *Column, *Attr, *LambdaVar:
			constant = false
		case *Call:
			if f := functionOf(x.Fn); f != nil && f.flags&volatile != 0 {
				constant = false
			}
		}
		return constant
	})
	return constant
}

// costOf estimates the nanoseconds that e takes for a row.
func costOf(e Expr) int {
	total := 0
	Walk(e, func(x Expr) bool {
		switch x := x.(type) {
		case *Call:
			if f := functionOf(x.Fn); f != nil {
				total += max(f.cost, 1)
			}
		case *Cast:
			total += castCost(x.Child.DataType(), x.To)
		case *Case:
			total += len(x.Whens)
		}
		return total < 1000
	})
	return total
}

func castCost(from, to column.Type) int {
	if from.Kind == column.String || to.Kind == column.String || from.IsNested() {
		return 40
	}
	return 2
}

// columnsOf lists the positions of the columns that e reads.
func columnsOf(e Expr) []int {
	seen := map[int]bool{}
	var out []int
	Walk(e, func(x Expr) bool {
		if c, ok := x.(*Column); ok && !seen[c.Index] {
			seen[c.Index] = true
			out = append(out, c.Index)
		}
		return true
	})
	return out
}

// describe lists the instructions, for tests and for reading a program.
func (p *Program) describe() string {
	var b strings.Builder
	for i := range p.instrs {
		in := &p.instrs[i]
		switch in.op {
		case opLoad:
			fmt.Fprintf(&b, "%d load %d\n", i, in.col)
		case opConst:
			fmt.Fprintf(&b, "%d const %s\n", i, vectorLiteral(&in.out, 0))
		case opCall:
			fmt.Fprintf(&b, "%d call %s %v\n", i, in.fn.Name, in.args)
		case opLazy:
			fmt.Fprintf(&b, "%d lazy %s %v\n", i, in.fn.Name, in.args)
		}
	}
	return b.String()
}
