package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// specials are calls whose arguments have a syntax of their own.
var specials map[string]func(*parser) expr.Expr

func init() {
	specials = map[string]func(*parser) expr.Expr{
		"CAST":     func(p *parser) expr.Expr { return p.cast(false) },
		"TRY_CAST": func(p *parser) expr.Expr { return p.cast(true) },
		"EXTRACT":  (*parser).extract,
		"TRIM":     (*parser).trim,
		"POSITION": (*parser).position,
		"OVERLAY":  (*parser).overlay,
		"LIKE":     (*parser).predicateCall, "ILIKE": (*parser).predicateCall, "RLIKE": (*parser).predicateCall, "REGEXP": (*parser).predicateCall,
		"SUBSTRING": (*parser).substring, "SUBSTR": (*parser).substring,
		"TIMESTAMPADD": (*parser).unitCall, "TIMESTAMPDIFF": (*parser).unitCall,
		"TIME_DIFF": (*parser).unitCall, "TIMEDIFF": (*parser).unitCall,
		"DATEADD": (*parser).unitCall, "DATE_ADD": (*parser).unitCall, "DATEDIFF": (*parser).unitCall, "DATE_DIFF": (*parser).unitCall,
	}
}

func (p *parser) cast(try bool) expr.Expr {
	p.take()
	open := p.needSymbol("(")
	e := p.expr()
	p.expect("AS")
	to := p.dataType()
	p.closing(")", open)
	return &expr.Cast{Child: e, To: to, Try: try}
}

// fields are what EXTRACT takes; date_part, which it stands for, knows what they mean.
var fields = set(`YEAR YEARS Y YR YEAROFWEEK QUARTER QTR MONTH MONTHS MON WEEK WEEKS W DAY DAYS D DAYOFWEEK DOW DAYOFWEEK_ISO DOW_ISO DOY DAYOFYEAR
	HOUR HOURS H HR MINUTE MINUTES M MIN SECOND SECONDS S SEC`)

func (p *parser) extract() expr.Expr {
	t := p.take()
	open := p.needSymbol("(")
	at := p.peek()
	name := p.name("field such as YEAR or HOUR")
	if !fields[strings.ToUpper(name)] {
		panic(p.errorAt(at, "INVALID_EXTRACT_FIELD", "42601", "Cannot extract %s.", at.show()).
			WithFix("Fields are YEAR, QUARTER, MONTH, WEEK, DAY, DAYOFWEEK, DOY, HOUR, MINUTE and SECOND."))
	}
	p.expect("FROM")
	e := p.expr()
	p.closing(")", open)
	return p.call(t, "date_part", expr.Lit(strings.ToLower(name)), e)
}

// trim is TRIM([BOTH | LEADING | TRAILING] [chars] FROM s) or an ordinary call. The functions take the characters first.
func (p *parser) trim() expr.Expr {
	t := p.take()
	open := p.needSymbol("(")
	fn, keyword := "trim", true
	switch {
	case p.accept("LEADING"):
		fn = "ltrim"
	case p.accept("TRAILING"):
		fn = "rtrim"
	case p.accept("BOTH"):
	default:
		keyword = false
	}
	var args []expr.Expr
	if keyword && p.accept("FROM") {
		args = []expr.Expr{p.expr()}
	} else {
		args = p.exprs()
		if p.accept("FROM") {
			args = []expr.Expr{args[0], p.expr()}
		}
	}
	p.closing(")", open)
	return p.call(t, fn, args...)
}

// overlay is OVERLAY(str PLACING by FROM pos [FOR len]) or an ordinary call.
func (p *parser) overlay() expr.Expr {
	t := p.take()
	open := p.needSymbol("(")
	args := []expr.Expr{p.expr()}
	if p.accept("PLACING") {
		args = append(args, p.expr())
		p.expect("FROM")
		args = append(args, p.expr())
		if p.accept("FOR") {
			args = append(args, p.expr())
		}
	}
	for p.symbol(",") {
		args = append(args, p.expr())
	}
	p.closing(")", open)
	return p.call(t, "overlay", args...)
}

// predicateCall is an operator written as a function: like(str, pattern).
func (p *parser) predicateCall() expr.Expr {
	t := p.take()
	return p.funcCall(t, strings.ToLower(t.raw))
}

// position is POSITION(sub IN s) or POSITION(sub, s[, from]).
func (p *parser) position() expr.Expr {
	t := p.take()
	open := p.needSymbol("(")
	args := []expr.Expr{p.binary(powPredicate + 1)}
	if p.accept("IN") {
		args = append(args, p.expr())
	}
	for p.symbol(",") {
		args = append(args, p.expr())
	}
	p.closing(")", open)
	return p.call(t, "locate", args...)
}

// substring is SUBSTRING(s FROM i [FOR n]) or an ordinary call.
func (p *parser) substring() expr.Expr {
	t := p.take()
	open := p.needSymbol("(")
	args := []expr.Expr{p.expr()}
	if p.accept("FROM") {
		args = append(args, p.expr())
		if p.accept("FOR") {
			args = append(args, p.expr())
		}
	}
	for p.symbol(",") {
		args = append(args, p.expr())
	}
	p.closing(")", open)
	return p.call(t, "substring", args...)
}

// unitCall is a date function whose first argument is a unit word: TIMESTAMPADD(HOUR, 1, ts). Written with two arguments
// it is an ordinary call.
func (p *parser) unitCall() expr.Expr {
	t := p.peek()
	unit := p.ahead(2)
	comma := p.ahead(3)
	if unit.kind != word || comma.raw != "," || !units[strings.ToLower(strings.TrimSuffix(strings.ToUpper(unit.raw), "S"))] || p.closesAfter(1) {
		p.take()
		return p.funcCall(t, strings.ToLower(t.raw))
	}
	p.take()
	open := p.needSymbol("(")
	p.take()
	p.needSymbol(",")
	args := append([]expr.Expr{expr.Lit(strings.ToUpper(unit.raw))}, p.exprs()...)
	p.closing(")", open)
	fn := "timestampadd"
	if w := strings.ToUpper(t.raw); w == "TIMESTAMPDIFF" || w == "DATEDIFF" || w == "DATE_DIFF" {
		fn = "timestampdiff"
	} else if w == "TIME_DIFF" || w == "TIMEDIFF" {
		fn = "time_diff"
	}
	return p.call(t, fn, args...)
}

// closesAfter reports whether the brackets opened n tokens ahead hold fewer than three arguments.
func (p *parser) closesAfter(n int) bool {
	depth, commas := 0, 0
	for i := p.i + n; i < len(p.toks); i++ {
		switch t := p.toks[i]; {
		case t.kind != op:
		case t.raw == "(" || t.raw == "[":
			depth++
		case t.raw == ")" || t.raw == "]":
			if depth--; depth == 0 {
				return commas < 2
			}
		case t.raw == "," && depth == 1:
			commas++
		}
	}
	return true
}
