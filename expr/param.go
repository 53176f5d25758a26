package expr

import (
	"strings"

	"github.com/streamflow/streamflow/column"
)

// param is what a function takes at one place. Functions write their parameters as a short text, one word each:
//
//	letter   s string   i int   l bigint   d double   b boolean   x binary   D date   t timestamp
//	         y string or binary   n number   N number or interval   I integer   T date or timestamp   C date, timestamp or time   A array   M map   S struct   v interval   q interval of the calendar   Q any interval   k time   a anything
//	=        all arguments so marked are brought to one common type
//	?        may be left out        *  any number of times        +  once or more
type param struct {
	class    byte
	common   bool
	optional bool
	many     bool
	name     string
	typ      column.Type // of a parameter of class exact
}

// exact is the class of a parameter of a user's function: it has a type of its own.
const exact = 'e'

// params reads the short form: "s:str i:pos i:len?".
func params(text string) []param {
	var out []param
	for _, w := range strings.Fields(text) {
		p := param{class: w[0]}
		w = w[1:]
		if strings.HasPrefix(w, "=") {
			p.common, w = true, w[1:]
		}
		if n := len(w); n > 0 && strings.ContainsRune("?*+", rune(w[n-1])) {
			p.optional = w[n-1] != '+'
			p.many = w[n-1] != '?'
			w = w[:n-1]
		}
		p.name = strings.TrimPrefix(w, ":")
		if p.name == "" {
			p.name = classNames[p.class].param
		}
		out = append(out, p)
	}
	return out
}

type class struct {
	param, text string // the name in a usage line; what is wanted, for error messages
	kind        column.Kind
}

var classNames = map[byte]class{
	's':   {"str", `"STRING"`, column.String},
	'i':   {"n", `"INT"`, column.Int32},
	'l':   {"n", `"BIGINT"`, column.Int64},
	'd':   {"x", `"DOUBLE"`, column.Float64},
	'b':   {"cond", `"BOOLEAN"`, column.Bool},
	'x':   {"bin", `"BINARY"`, column.Binary},
	'D':   {"date", `"DATE"`, column.Date},
	't':   {"ts", `"TIMESTAMP"`, column.Timestamp},
	'y':   {"str", `"STRING" or "BINARY"`, column.Null},
	'n':   {"x", `"NUMERIC"`, column.Null},
	'N':   {"x", `"NUMERIC" or "INTERVAL"`, column.Null},
	'I':   {"n", `"INTEGRAL"`, column.Null},
	'T':   {"time", `"DATE" or "TIMESTAMP"`, column.Null},
	'C':   {"time", `"DATE", "TIMESTAMP" or "TIME"`, column.Null},
	'q':   {"interval", `"INTERVAL"`, column.Calendar},
	'Q':   {"interval", `"INTERVAL"`, column.Null},
	'k':   {"time", `"TIME"`, column.Null},
	'A':   {"array", `"ARRAY"`, column.Null},
	'M':   {"map", `"MAP"`, column.Null},
	'S':   {"struct", `"STRUCT"`, column.Null},
	'v':   {"interval", `"INTERVAL"`, column.Null},
	'a':   {"expr", `"ANY"`, column.Null},
	exact: {"arg", "", column.Null},
}

// arity returns how many arguments the parameters admit; hi < 0 is any number.
func arity(in []param) (lo, hi int) {
	for _, p := range in {
		if !p.optional {
			lo++
		}
		hi++
		if p.many {
			return lo, -1
		}
	}
	return lo, hi
}

// at is the parameter that the i-th argument belongs to. After a repeated parameter comes nothing else.
func at(in []param, i int) param {
	if i >= len(in) {
		i = len(in) - 1
	}
	return in[i]
}

// wants says for an error message what the parameter takes.
func (p param) wants() string {
	if p.class == exact {
		return `"` + strings.ToUpper(p.typ.String()) + `"`
	}
	return classNames[p.class].text
}

// fit returns e as a value of the parameter's class, cast where Spark casts implicitly.
func (p param) fit(e Expr) (Expr, bool) {
	t := e.DataType()
	if p.class == exact {
		if t.Equal(p.typ) {
			return e, true
		}
		return Coerce(e, p.typ), t.Kind == column.Null || implicit(t, p.typ)
	}
	if want := classNames[p.class].kind; want != column.Null {
		if t.Kind == want {
			return e, true
		}
		to := column.Of(want)
		if !implicit(t, to) {
			return nil, false
		}
		return Coerce(e, to), true
	}
	switch p.class {
	case 'a':
		return e, true
	case 'n', 'N':
		if t.IsNumeric() || p.class == 'N' && isInterval(t.Kind) {
			return e, true
		}
		if t.Kind == column.String || t.Kind == column.Null {
			return Coerce(e, column.Of(column.Float64)), true
		}
	case 'I':
		if t.IsInteger() {
			return e, true
		}
		if t.Kind == column.String {
			return Coerce(e, column.Of(column.Int64)), true
		}
		if t.Kind == column.Null {
			return Coerce(e, column.Of(column.Int32)), true
		}
	case 'y':
		if t.Kind == column.String || t.Kind == column.Binary {
			return e, true
		}
		if implicit(t, column.Of(column.String)) {
			return Coerce(e, column.Of(column.String)), true
		}
	case 'T', 'C':
		if t.IsTemporal() || p.class == 'C' && t.Kind == column.Time {
			return e, true
		}
		if t.Kind == column.String || t.Kind == column.Null {
			return Coerce(e, column.Of(column.Timestamp)), true
		}
	case 'A':
		if t.Kind == column.Null {
			return Coerce(e, column.ListOf(t, true)), true
		}
		return e, t.Kind == column.List
	case 'v':
		return e, isInterval(t.Kind)
	case 'Q':
		return e, isInterval(t.Kind) || t.Kind == column.Calendar
	case 'k':
		if t.Kind == column.String || t.Kind == column.Null {
			return Coerce(e, column.TimeOf(column.MaxTimePrecision)), true
		}
		return e, t.Kind == column.Time
	case 'M':
		return e, t.Kind == column.Map
	case 'S':
		return e, t.Kind == column.Struct
	}
	return nil, false
}

func usage(name string, in []param) string {
	var b strings.Builder
	b.WriteString(name + "(")
	for i, p := range in {
		sep := ", "
		if i == 0 {
			sep = ""
		}
		switch {
		case p.many && p.optional:
			b.WriteString("[" + sep + p.name + ", …]")
		case p.many:
			b.WriteString(sep + p.name + ", …")
		case p.optional:
			b.WriteString("[" + sep + p.name + "]")
		default:
			b.WriteString(sep + p.name)
		}
	}
	return b.String() + ")"
}
