package expr

import (
	"fmt"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
)

// String is the literal as SQL text.
func (e *Literal) String() string {
	if e.Value == nil {
		return "NULL"
	}
	switch e.Typ.Kind {
	case column.String:
		return "'" + strings.ReplaceAll(e.Value.(string), "'", "''") + "'"
	case column.Date:
		return "DATE '" + time.Unix(e.Value.(int64)*86400, 0).UTC().Format("2006-01-02") + "'"
	case column.Timestamp, column.TimestampNTZ:
		return "TIMESTAMP '" + time.UnixMicro(e.Value.(int64)).UTC().Format("2006-01-02 15:04:05.999999") + "'"
	case column.IntervalDT:
		return string(column.AppendInterval(nil, e.Value.(int64), e.Typ))
	case column.IntervalYM:
		return string(column.AppendInterval(nil, e.Value.(int64), e.Typ))
	case column.Time:
		return "TIME '" + string(column.AppendTime(nil, e.Value.(int64))) + "'"
	case column.Calendar:
		return "INTERVAL '" + string(column.CalendarOf(e.Value.(column.Dec128)).AppendText(nil)) + "'"
	case column.Variant:
		out, _ := column.SplitVariant(e.Value.([]byte)).AppendJSON(nil, time.UTC)
		return string(out)
	case column.Binary:
		return fmt.Sprintf("X'%X'", e.Value)
	case column.Decimal:
		return e.Value.(column.Dec128).Text(int(e.Typ.Scale))
	}
	return fmt.Sprint(e.Value)
}

func (e *Attr) String() string   { return fmt.Sprintf("%s#%d", e.Name, e.ID) }
func (e *Column) String() string { return fmt.Sprintf("%s@%d", e.Name, e.Index) }
func (e *Alias) String() string  { return fmt.Sprintf("%s AS %s#%d", e.Child, e.Name, e.ID) }

var infix = map[string]bool{"+": true, "-": true, "*": true, "/": true, "%": true, "=": true, "==": true, "<=>": true, "<": true, ">": true,
	"<=": true, ">=": true, "!=": true, "and": true, "or": true, "like": true, "rlike": true, "ilike": true, "||": true, "&": true, "|": true, "^": true, "div": true}

func (e *Call) String() string { return callString(e.Fn, e.Args) }

func callString(fn string, args []Expr) string {
	if infix[fn] && len(args) == 2 {
		return fmt.Sprintf("(%s %s %s)", args[0], strings.ToUpper(fn), args[1])
	}
	if fn == "not" && len(args) == 1 {
		return fmt.Sprintf("(NOT %s)", args[0])
	}
	return fn + "(" + join(args) + ")"
}

func (e *Cast) String() string {
	name := "CAST"
	if e.Try {
		name = "TRY_CAST"
	}
	return fmt.Sprintf("%s(%s AS %s)", name, e.Child, strings.ToUpper(e.To.String()))
}

func (e *Case) String() string {
	var b strings.Builder
	b.WriteString("CASE")
	for i := range e.Whens {
		fmt.Fprintf(&b, " WHEN %s THEN %s", e.Whens[i], e.Thens[i])
	}
	if e.Else != nil {
		fmt.Fprintf(&b, " ELSE %s", e.Else)
	}
	return b.String() + " END"
}

func (e *Agg) String() string { return aggString(e.Fn, e.Args, e.Distinct, e.Filter) }

func aggString(fn string, args []Expr, distinct bool, filter Expr) string {
	s := fn + "("
	if distinct {
		s += "DISTINCT "
	}
	s += join(args) + ")"
	if filter != nil {
		s += " FILTER (WHERE " + filter.String() + ")"
	}
	return s
}

func (e *Generate) String() string { return e.Fn + "(" + join(e.Args) + ")" }

func (e *SortOrder) String() string {
	s := e.Child.String() + " ASC"
	if e.Desc {
		s = e.Child.String() + " DESC"
	}
	if e.NullsFirst {
		return s + " NULLS FIRST"
	}
	return s + " NULLS LAST"
}

func (e *UnresolvedAttr) String() string { return "'" + strings.Join(e.Parts, ".") }
func (e *UnresolvedCall) String() string {
	if !e.Distinct && e.Filter == nil {
		return "'" + callString(e.Name, e.Args)
	}
	return "'" + aggString(e.Name, e.Args, e.Distinct, e.Filter)
}
func (e *Star) String() string {
	if e.Pattern != "" {
		return strings.Join(append(append([]string{}, e.Qualifier...), "`"+e.Pattern+"`"), ".")
	}
	return strings.Join(append(append([]string{}, e.Qualifier...), "*"), ".")
}
func (e *UnresolvedExtract) String() string { return fmt.Sprintf("'%s[%s]", e.Child, e.Key) }

func join(args []Expr) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = a.String()
	}
	return strings.Join(parts, ", ")
}
