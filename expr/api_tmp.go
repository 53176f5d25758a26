package expr

import "github.com/streamflow/streamflow/column"

// Kind tells what a function is.
type Kind uint8

const (
	Scalar    Kind = iota // one value from each row
	Aggregate             // one value from a group of rows
	Generator             // rows from a row
	Windowing             // window and session_window: the analyser turns them into a plan node
)

// Function describes a function of the table.
type Function struct {
	Name    string
	Aliases []string
	Kind    Kind
	Group   string
	Usage   string
	Doc     string
	Example string
}

// Functions lists all functions by name.
func Functions() []*Function { return nil }

// Lookup finds a function by name or alias, without regard to case.
func Lookup(name string) (*Function, bool) { return nil, false }

// ResolveCall gives a call whose arguments are resolved its type.
func ResolveCall(c *UnresolvedCall) (Expr, error) { return nil, nil }

// CommonType is the type that values of a and b can both be converted to.
func CommonType(a, b column.Type) (column.Type, bool) { return a, true }

// Coerce returns e as type to, adding a cast when needed.
func Coerce(e Expr, to column.Type) Expr { return e }

// CanCast reports whether CAST(from AS to) is allowed.
func CanCast(from, to column.Type) bool { return true }

// Bind replaces each Attr by the position of the attribute with its ID in input.
func Bind(e Expr, input []*Attr) (Expr, error) { return nil, nil }

// Fold evaluates a node whose children are literals.
func Fold(e Expr) Expr { return e }

// EvalLiteral evaluates an expression without columns.
func EvalLiteral(e Expr) (*Literal, error) { return nil, nil }

// Program evaluates a bound expression.
type Program struct{}

// Compile makes the program of a bound expression. A program is used by one goroutine at a time.
func Compile(e Expr) (*Program, error) { return nil, nil }

// Eval computes the expression for each row of b; the result is dense and valid until the next Eval.
func (p *Program) Eval(ctx *Context, b *column.Batch) (*column.Vector, error) { return nil, nil }

// Filter selects rows by a bound boolean expression.
type Filter struct{}

// CompileFilter makes the filter of a bound condition.
func CompileFilter(e Expr) (*Filter, error) { return nil, nil }

// Select appends to dst[:0] the rows for which the condition is true, in order.
func (f *Filter) Select(ctx *Context, b *column.Batch, dst []int32) ([]int32, error) {
	return nil, nil
}

// Generation evaluates a bound Generate.
type Generation struct{}

// CompileGenerate makes the program of a bound table-generating function.
func CompileGenerate(g *Generate) (*Generation, error) { return nil, nil }

// Eval computes the generated rows of a batch: cols[k] row i belongs to input row rows[i] (ascending). The results are
// valid until the next Eval.
func (g *Generation) Eval(ctx *Context, b *column.Batch) (rows []int32, cols []*column.Vector, err error) {
	return nil, nil, nil
}

// Accumulator holds the states of one aggregate for many groups.
type Accumulator interface {
	// Resize makes room for groups 0..groups-1; new ones are empty.
	Resize(groups int)
	// Update adds row i of args (the aggregate's arguments, then its filter if it has one) to group gids[i].
	Update(gids []uint32, args []*column.Vector, n int) error
	// Merge adds row i of state (as State returned it) to group gids[i].
	Merge(gids []uint32, state []*column.Vector, n int) error
	// State returns the states, one row for each group; types are those of StateTypes. Valid until the next call.
	State() []*column.Vector
	// Result returns the results, one row for each group. Valid until the next call.
	Result() (*column.Vector, error)
	// Reset forgets all groups and keeps the memory.
	Reset()
	// Bytes is the memory held.
	Bytes() int64
}

// NewAccumulator returns an accumulator for a.
func NewAccumulator(a *Agg) (Accumulator, error) { return nil, nil }

// StateTypes are the types of the columns of a's partial state.
func StateTypes(a *Agg) []column.Type { return nil }
