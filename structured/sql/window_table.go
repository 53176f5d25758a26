package sql

import (
	"slices"
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// windowTables are Flink's table functions of windows: by name, the function of the expression language that assigns the
// windows, and the parameters after the time column in the order in which they are written.
var windowTables = map[string]struct {
	fn     string
	params []string
	must   int
}{
	"TUMBLE":   {"window", []string{"SIZE", "OFFSET"}, 1},
	"HOP":      {"window", []string{"SLIDE", "SIZE", "OFFSET"}, 2},
	"CUMULATE": {"cumulate_window", []string{"STEP", "SIZE", "OFFSET"}, 2},
	"SESSION":  {"session_window", []string{"GAP"}, 1},
}

// atWindowTable reports whether a window table function comes: TUMBLE(TABLE …, or the same in TABLE(…).
func (p *parser) atWindowTable() bool {
	at := 0
	if p.at("TABLE") {
		at = 2
	}
	_, known := windowTables[strings.ToUpper(p.ahead(at).raw)]
	next := p.ahead(at + 2)
	return known && p.ahead(at+1).raw == "(" && (next.is("TABLE") || next.is("DATA"))
}

// windowTable is [TABLE(] TUMBLE(TABLE t, DESCRIPTOR(time), size [, offset]) [)], or HOP, CUMULATE, SESSION: the table's
// columns and window_start, window_end, window_time. Arguments may be named, as in SIZE => INTERVAL '1' HOUR.
func (p *parser) windowTable() logical.Plan {
	wrapped := p.at("TABLE")
	outer := p.peek()
	if wrapped {
		p.take()
		outer = p.needSymbol("(")
	}
	t := p.take()
	fn := windowTables[strings.ToUpper(t.raw)]
	open := p.needSymbol("(")
	args := windowArgs{}
	for at := 0; ; at++ {
		p.windowArg(&args, at, fn.params)
		if !p.symbol(",") {
			break
		}
	}
	p.closing(")", open)
	if wrapped {
		p.closing(")", outer)
	}
	call := &expr.UnresolvedCall{Name: fn.fn, Args: []expr.Expr{args.time}, Pos: t.pos}
	if args.table == nil || args.time == nil || slices.Contains(args.of[:fn.must], nil) {
		panic(p.errorAt(t, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "%s takes a table, a descriptor of its time column and %s.", strings.ToUpper(t.raw), strings.ToLower(strings.Join(fn.params, ", "))).
			WithFix("Write %s(TABLE t, DESCRIPTOR(ts), INTERVAL '10' MINUTES …).", strings.ToUpper(t.raw)))
	}
	call.Args = append(call.Args, args.ordered(t.raw)...)
	return windowed(args.table, call)
}

// windowArgs are the arguments of a window table function.
type windowArgs struct {
	table logical.Plan
	time  expr.Expr
	of    [3]expr.Expr // by parameter
}

// ordered are the arguments as the expression function takes them: window has the size first.
func (a *windowArgs) ordered(name string) (list []expr.Expr) {
	of := a.of
	switch {
	case strings.EqualFold(name, "HOP"):
		of[0], of[1] = of[1], of[0]
	case strings.EqualFold(name, "TUMBLE") && of[1] != nil:
		of = [3]expr.Expr{of[0], of[0], of[1]}
	}
	for _, e := range of {
		if e != nil {
			list = append(list, e)
		}
	}
	return list
}

// windowArg reads an argument, by its place or by its name.
func (p *parser) windowArg(a *windowArgs, at int, params []string) {
	name := append([]string{"DATA", "TIMECOL"}, params...)[min(at, len(params)+1)]
	if next := p.ahead(1); next.kind == op && next.raw == "=>" {
		name = strings.ToUpper(p.take().raw)
		p.take()
	} else if at > len(params)+1 {
		p.fail()
	}
	switch i := slices.Index(params, name); {
	case name == "DATA":
		a.table = p.windowedTable()
	case name == "TIMECOL":
		p.expect("DESCRIPTOR")
		open := p.needSymbol("(")
		t := p.peek()
		a.time = &expr.UnresolvedAttr{Parts: p.names("column"), Pos: t.pos}
		p.closing(")", open)
	case i >= 0:
		a.of[i] = p.expr()
	default:
		p.fail()
	}
}

// windowedTable is TABLE name or TABLE (query); what a session is partitioned by is what is grouped by, and is read over.
func (p *parser) windowedTable() logical.Plan {
	p.expect("TABLE")
	var plan logical.Plan
	if p.atSymbol("(") {
		plan = p.bracketedRelation()
	} else {
		plan = p.table()
	}
	plan = p.watermarkClause(plan)
	if p.accept("PARTITION", "BY") {
		if p.atSymbol("(") {
			p.nameList("column name")
		} else {
			p.names("column name")
		}
	}
	return plan
}

// windowed is the table with the columns of its windows.
func windowed(table logical.Plan, call *expr.UnresolvedCall) logical.Plan {
	member := func(name string) expr.Expr {
		return &expr.UnresolvedExtract{Child: call, Key: expr.Lit(name), Pos: call.Pos}
	}
	return &logical.Project{WindowTable: true, Child: table, List: []expr.Expr{&expr.Star{Pos: call.Pos},
		&expr.Alias{Child: member("start"), Name: "window_start"}, &expr.Alias{Child: member("end"), Name: "window_end"},
		&expr.Alias{Child: &expr.UnresolvedCall{Name: "window_time", Args: []expr.Expr{call}, Pos: call.Pos}, Name: "window_time"}}}
}
