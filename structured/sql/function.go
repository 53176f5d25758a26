package sql

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/logical"
)

// createFunction is what follows CREATE [OR REPLACE] [TEMPORARY] FUNCTION:
//
//	[IF NOT EXISTS] name ([param type [DEFAULT value] [COMMENT '…'], …]) [RETURNS type] {clause}
//	RETURN expression  |  AS 'source'  |  USING kind 'file'
//
// where a clause is LANGUAGE name, COMMENT '…', [NOT] DETERMINISTIC, CONTAINS SQL, READS SQL DATA or OPTIONS (…).
func (p *parser) createFunction(replace, temp bool) logical.Plan {
	f := &logical.CreateFunction{OrReplace: replace, Temporary: temp, Language: "SQL", Returns: column.Of(column.Null)}
	f.IfNotExist = p.accept("IF", "NOT", "EXISTS")
	f.Pos = p.peek().pos
	f.Name = p.names("function name")
	if p.atSymbol("(") {
		f.Params = p.functionParams()
	}
	if t := p.peek(); p.accept("RETURNS") {
		if p.at("TABLE") {
			panic(p.unsupported(t, "TABLE_FUNCTION", "a SQL function that RETURNS TABLE").WithFix("Create a view."))
		}
		f.Returns = p.dataType()
	}
	for p.functionClause(f) {
	}
	start := p.peek().off
	if f.Language == "SQL" && f.Source == "" && f.UsingFile == "" {
		p.expect("RETURN")
		start = p.peek().off
		if t := p.peek(); p.atQuery() && !p.atSymbol("(") {
			panic(p.unsupported(t, "SQL_FUNCTION_QUERY", "a function that returns a query").WithFix("Return an expression; a subquery in brackets is none that can stand in a function."))
		}
		f.Body = p.expr()
		f.SQL = p.src[start:p.toks[p.i-1].end]
	}
	return f
}

func (p *parser) functionParams() []logical.FunctionParam {
	open := p.needSymbol("(")
	var list []logical.FunctionParam
	for !p.atSymbol(")") {
		t := p.peek()
		f := logical.FunctionParam{Name: p.name("parameter name")}
		for _, g := range list {
			if strings.EqualFold(f.Name, g.Name) {
				panic(p.errorAt(t, "DUPLICATE_ROUTINE_PARAMETER_NAMES", "42734", "Found duplicate name(s) in the parameter list of the user-defined routine: `%s`.", f.Name).WithFix("Give each parameter its own name."))
			}
		}
		f.Type = p.dataType()
		if p.accept("DEFAULT") {
			start := p.peek().off
			p.expr()
			f.Default = p.src[start:p.toks[p.i-1].end]
		} else if n := len(list); n > 0 && list[n-1].Default != "" {
			panic(p.errorAt(t, "USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION", "42601", "Parameter `%s` has no default, but the one before it has.", f.Name).WithFix("Give it one, or put it first."))
		}
		p.comment()
		list = append(list, f)
		if !p.symbol(",") {
			break
		}
	}
	p.closing(")", open)
	return list
}

func (p *parser) functionClause(f *logical.CreateFunction) bool {
	switch {
	case p.accept("LANGUAGE"):
		f.Language = strings.ToUpper(p.name("language"))
	case p.accept("COMMENT"):
		f.Comment = p.str()
	case p.accept("NOT", "DETERMINISTIC"), p.accept("DETERMINISTIC"), p.accept("CONTAINS", "SQL"), p.accept("READS", "SQL", "DATA"):
	case p.accept("OPTIONS"):
		f.Options = map[string]string{}
		p.options(f.Options)
	case p.at("AS") && p.ahead(1).kind == text:
		p.take()
		f.Source = p.str()
	case p.at("USING") && p.ahead(2).kind == text:
		p.take()
		f.UsingKind = strings.ToUpper(p.name("kind of file"))
		f.UsingFile = p.str()
		if f.Language == "SQL" {
			f.Language = f.UsingKind
		}
	default:
		return false
	}
	return true
}

// dropFunction is what follows DROP [TEMPORARY] FUNCTION.
func (p *parser) dropFunction(temp bool) logical.Plan {
	d := &logical.DropFunction{Temporary: temp, IfExists: p.accept("IF", "EXISTS")}
	d.Pos = p.peek().pos
	d.Name = p.names("function name")
	return d
}
