package expr

import (
	"sort"
	"strings"

	"github.com/streamflow/streamflow/column"
)

// Kind tells what a function makes of its rows.
type Kind uint8

const (
	Scalar         Kind = iota // one value from each row
	Aggregate                  // one value from a group of rows
	Generator                  // rows from a row
	Windowing                  // window and session_window: the analyser turns them into a plan node
	WindowFunction             // one value for each row from the rows around it; stands before OVER
)

func (k Kind) String() string {
	return [...]string{"scalar", "aggregate", "generator", "window", "window function"}[k]
}

// Function is a row of the function table. The exported fields are for people: docs and completions are made from them.
type Function struct {
	Name    string
	Aliases []string
	Kind    Kind
	Group   string // the chapter of the docs: math, string …
	Usage   string // how it is written: substr(str, pos[, len])
	Doc     string // one sentence
	Example string // "expression -> result as text", which a test evaluates

	in       []param
	out      func(args []Expr) (column.Type, error)
	null     nullRule
	flags    flag
	cost     int                              // rough nanoseconds for a row; expensive branches are evaluated on their own rows only
	kernel   func(c *Call) kernel             // scalar: chosen once at compile time by the argument types
	rewrite  func(args []Expr) (Expr, error)  // macro: the call becomes another tree
	fields   func(args []Expr) []column.Field // generator: its columns
	generate func() (TableFunc, error)        // generator of a user
	agg      func(a *Agg) (aggregator, error)
	higher   *higher // takes lambdas
	ordered  bool    // window function: it needs ORDER BY
}

type flag uint8

const (
	volatile flag = 1 << iota // another value for each row or run: never folded, never shared
	zoned                     // depends on the session (time zone, current time): folded only with a Context
	raw                       // the kernel takes Const fixed-width arguments; others get them expanded
	ownNulls                  // the kernel sets the validity itself; otherwise a null argument makes a null result
)

// nullRule tells whether a result may be null.
type nullRule uint8

const (
	ifArgs nullRule = iota // when an argument may be
	never
	always
	ifAllArgs // only when all arguments may be (coalesce)
)

func (r nullRule) of(args []Expr) bool {
	switch r {
	case never:
		return false
	case always:
		return true
	case ifAllArgs:
		for _, a := range args {
			if !a.Nullable() {
				return false
			}
		}
		return true
	}
	for _, a := range args {
		if a.Nullable() {
			return true
		}
	}
	return false
}

var (
	table  []*Function
	byName = map[string]*Function{}
)

// register adds functions of one chapter to the table. It runs while the package is initialised.
func register(group string, list ...*Function) {
	for _, f := range list {
		f.Group = group
		if f.Usage == "" {
			f.Usage = usage(f.Name, f.in)
		}
		table = append(table, f)
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			if byName[n] != nil {
				panic("BUG: function " + n + " stands twice in the table")
			}
			byName[n] = f
		}
	}
}

// Functions lists all functions by name.
func Functions() []*Function {
	out := append(userFunctions(), table...)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Lookup finds a function by name or alias, without regard to case.
func Lookup(name string) (*Function, bool) {
	f := functionOf(name)
	if f == nil {
		f = byName[strings.ToLower(name)]
	}
	return f, f != nil
}

// nearest returns up to three names of the table that resemble name.
func nearest(name string) []string {
	var names []string
	for n := range byName {
		if n[0] >= 'a' && n[0] <= 'z' {
			names = append(names, n)
		}
	}
	for _, f := range userFunctions() {
		names = append(names, f.Name)
	}
	return Nearest(strings.ToLower(name), names)
}

// Nearest returns up to three of names that resemble name, the most similar first.
func Nearest(name string, names []string) []string {
	type scored struct {
		name string
		d    int
	}
	low := strings.ToLower(name)
	var list []scored
	for _, n := range names {
		d := levenshtein(low, strings.ToLower(n))
		if d <= 1+len(low)/3 || len(low) > 3 && strings.HasPrefix(strings.ToLower(n), low) {
			list = append(list, scored{n, d})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].d != list[j].d {
			return list[i].d < list[j].d
		}
		return list[i].name < list[j].name
	})
	var out []string
	for i := 0; i < len(list) && i < 3; i++ {
		out = append(out, list[i].name)
	}
	return out
}
