package expr

import (
	"sync/atomic"

	"github.com/streamflow/streamflow/column"
)

// Expr is a node of an expression tree.
type Expr interface {
	// DataType and Nullable are meaningful once Resolved.
	DataType() column.Type
	Nullable() bool
	// Children are the direct operands; WithChildren returns the node over other operands, in the same order and number.
	Children() []Expr
	WithChildren(kids []Expr) Expr
	// Resolved reports whether the node and everything below it has a type.
	Resolved() bool
	// String is the node as SQL text, as explain prints it.
	String() string
}

// Pos is a place in the text that an expression came from: 1-based line and column, zero when there is none.
type Pos struct{ Line, Col int }

// Literal is a constant. Value is nil for null, otherwise by kind: bool; int64 for every integer, date, timestamp and
// interval; float64; column.Dec128; string; []byte; []any for lists and structs; [2][]any (keys, values) for maps.
type Literal struct {
	Value any
	Typ   column.Type
}

// Attr is a resolved reference to a column that some plan node below produces, told apart by ID, not by name.
type Attr struct {
	ID        int64
	Name      string
	Qualifier []string // the relation names it may be written under, innermost last: db, table or an alias
	Typ       column.Type
	Null      bool
	PlanIDs   []int64 // Spark Connect plan ids whose output it belongs to
	Hidden    bool    // not part of SELECT *: metadata such as _partition and _offset
}

// Column is a bound reference: the Index-th column of the input batch.
type Column struct {
	Index int
	Name  string
	Typ   column.Type
	Null  bool
}

// Alias names a child. ID is the attribute id that the result is known by.
type Alias struct {
	Child Expr
	Name  string
	ID    int64
	Names []string // more than one name: a generator's columns
}

// Call applies a scalar function of the table, operators included ("+", "and", "like", "struct" …). The analyser has
// already cast the arguments to what the function takes.
type Call struct {
	Fn   string
	Args []Expr
	Typ  column.Type
	Null bool
}

// Cast converts to another type. Try gives null instead of an error where a value cannot be converted (try_cast).
type Cast struct {
	Child Expr
	To    column.Type
	Try   bool
}

// Case is CASE WHEN Whens[i] THEN Thens[i] … ELSE Else END; Else may be nil.
type Case struct {
	Whens, Thens []Expr
	Else         Expr
}

// Agg applies an aggregate function. Filter, when not nil, chooses the rows it sees.
type Agg struct {
	Fn       string
	Args     []Expr
	Distinct bool
	Changes  bool // the last argument is a row's weight, see OverChanges
	Filter   Expr
	Typ      column.Type
	Null     bool
}

// Generate applies a table-generating function such as explode; it stands only at the top of a projection.
type Generate struct {
	Fn     string
	Args   []Expr
	Outer  bool
	Output []column.Field
}

// SortOrder is one key of ORDER BY.
type SortOrder struct {
	Child      Expr
	Desc       bool
	NullsFirst bool
}

// UnresolvedAttr is a name as written: a, t.a, db.t.a, or s.field.
type UnresolvedAttr struct {
	Parts  []string
	PlanID int64 // Spark Connect: the plan whose column is meant; 0 for none
	Pos    Pos
}

// UnresolvedCall is a call by name as written.
type UnresolvedCall struct {
	Name     string
	Args     []Expr
	Distinct bool
	Filter   Expr
	Pos      Pos
}

// Star is * or t.*.
type Star struct {
	Qualifier []string
	Except    []string // columns that it leaves out
	Pattern   string   // a regular expression that the names must match whole, without regard to case; "" for all
	Pos       Pos
}

// UnresolvedExtract is child[key] or child.field before the child's type is known.
type UnresolvedExtract struct {
	Child, Key Expr
	Pos        Pos
}

var lastID atomic.Int64

// NewID returns an attribute id that no other attribute of this process has.
func NewID() int64 { return lastID.Add(1) }

// Lit returns a literal of the Go value's natural type.
func Lit(v any) *Literal {
	switch v := v.(type) {
	case nil:
		return &Literal{Typ: column.Of(column.Null)}
	case bool:
		return &Literal{v, column.Of(column.Bool)}
	case int:
		if int(int32(v)) == v {
			return &Literal{int64(v), column.Of(column.Int32)}
		}
		return &Literal{int64(v), column.Of(column.Int64)}
	case int32:
		return &Literal{int64(v), column.Of(column.Int32)}
	case int64:
		return &Literal{v, column.Of(column.Int64)}
	case float32:
		return &Literal{float64(v), column.Of(column.Float32)}
	case float64:
		return &Literal{v, column.Of(column.Float64)}
	case string:
		return &Literal{v, column.Of(column.String)}
	case []byte:
		return &Literal{v, column.Of(column.Binary)}
	default:
		panic("BUG: expr.Lit of a Go type that is no SQL type")
	}
}
