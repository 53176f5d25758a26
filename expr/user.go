package expr

import (
	"strings"
	"sync"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// UserGroup is the chapter of the function table in which functions of users stand.
const UserGroup = "user"

// User is what functions of users have in common. Arguments are cast to the types of Args where Spark casts implicitly;
// anything else is refused when a query is analysed.
type User struct {
	Name  string // as SQL calls it, without regard to case
	Usage string // name(arg, …) when empty
	Doc   string
	Args  []column.Field
}

// UserFunction is a scalar function.
type UserFunction struct {
	User
	Returns  column.Type
	Volatile bool // gives another value each time: never folded, never shared between two places of a query
	NullCall bool // is called for rows with null arguments too; otherwise such a row's result is null without a call

	// Make returns what computes batches. It is called once for each place in a query where the function stands, so that
	// a BatchFunc may keep buffers; one BatchFunc is never called by two goroutines at once.
	Make func() (BatchFunc, error)
}

// BatchFunc computes n rows. args are plain vectors of n rows, of the function's types; strings may be dictionary-coded
// (read them with Bytes). The result has n rows of the function's type and may be reused by the next call. A row that
// fails is added to errs, in ascending order; an error fails all rows.
type BatchFunc func(args []*column.Vector, n int, errs *RowErrors) (*column.Vector, error)

// UserAggregate is an aggregate function: its accumulators hold the states of many groups.
type UserAggregate struct {
	User
	Returns column.Type
	State   []column.Type // of the partial state, as Accumulator.State returns it
	Make    func() Accumulator
}

// UserTable is a table function: rows from a row.
type UserTable struct {
	User
	Columns []column.Field
	// Make returns what computes batches, as in UserFunction.
	Make func() (TableFunc, error)
}

// TableFunc computes the rows that n rows generate: row i of each column comes from row rows[i] of the arguments, in
// ascending order. The results are valid until the next call.
type TableFunc func(args []*column.Vector, n int) (rows []int32, cols []*column.Vector, err error)

// users are the functions of users by lower-case name. The built-in table does not change after the program has started;
// this one may, at any time.
var users struct {
	mu     sync.RWMutex
	byName map[string]*Function
}

// RegisterFunction makes a scalar function known to every query of this process, in place of an earlier one of a user.
// Names of built-in functions are refused.
func RegisterFunction(u UserFunction) error {
	f := u.function(Scalar)
	f.out = outIs(u.Returns)
	f.flags, f.cost = ownNulls, 1000
	if u.Volatile {
		f.flags |= volatile
	}
	f.null = always
	f.kernel = func(c *Call) kernel { return userKernel(&u, c) }
	return registerUser(f)
}

// RegisterAggregate makes an aggregate function known to every query of this process.
func RegisterAggregate(u UserAggregate) error {
	f := u.function(Aggregate)
	f.out, f.null = outIs(u.Returns), always
	f.agg = func(*Agg) (aggregator, error) { return aggregator{state: u.State, make: u.Make}, nil }
	return registerUser(f)
}

// RegisterTable makes a table function known to every query of this process.
func RegisterTable(u UserTable) error {
	f := u.function(Generator)
	f.fields = func([]Expr) []column.Field { return u.Columns }
	f.generate = u.Make
	return registerUser(f)
}

// Unregister forgets a function of a user. Queries that were planned with it and have not started fail.
func Unregister(name string) bool {
	users.mu.Lock()
	defer users.mu.Unlock()
	key := strings.ToLower(name)
	_, ok := users.byName[key]
	delete(users.byName, key)
	return ok
}

func (u *User) function(kind Kind) *Function {
	f := &Function{Name: u.Name, Kind: kind, Group: UserGroup, Usage: u.Usage, Doc: u.Doc}
	for _, a := range u.Args {
		f.in = append(f.in, param{class: exact, name: a.Name, typ: a.Type})
	}
	if f.Usage == "" {
		f.Usage = usage(f.Name, f.in)
	}
	return f
}

func outIs(t column.Type) func([]Expr) (column.Type, error) {
	return func([]Expr) (column.Type, error) { return t, nil }
}

func registerUser(f *Function) error {
	key := strings.ToLower(f.Name)
	if key == "" {
		return usererr.New("INVALID_ROUTINE_NAME", "42602", "A function needs a name.")
	}
	if byName[key] != nil {
		return usererr.New("ROUTINE_ALREADY_EXISTS", "42723", "Cannot create the function `%s`, because a built-in function of that name exists.", f.Name).
			With("routineName", "`"+f.Name+"`").WithFix("Give it another name.")
	}
	users.mu.Lock()
	defer users.mu.Unlock()
	if users.byName == nil {
		users.byName = map[string]*Function{}
	}
	users.byName[key] = f
	return nil
}

// functionOf finds a function by its own name: a built-in one first.
func functionOf(name string) *Function {
	if f := byName[name]; f != nil {
		return f
	}
	users.mu.RLock()
	defer users.mu.RUnlock()
	return users.byName[strings.ToLower(name)]
}

// userFunctions lists the functions of users.
func userFunctions() []*Function {
	users.mu.RLock()
	defer users.mu.RUnlock()
	out := make([]*Function, 0, len(users.byName))
	for _, f := range users.byName {
		out = append(out, f)
	}
	return out
}
