package sql

import (
	"sort"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

// errorAt is a mistake at token t.
func (p *parser) errorAt(t token, code, state, format string, args ...any) *usererr.Error {
	e := usererr.New(code, state, format, args...).At(t.pos.Line, t.pos.Col)
	e.Text = p.src
	return e
}

// fail reports that the current token does not fit what the grammar expected here.
func (p *parser) fail() { p.failWith(nil) }

// failOpen is fail inside the bracket that open began.
func (p *parser) failOpen(open token) { p.failWith(&open) }

func (p *parser) failWith(open *token) {
	t := p.peek()
	if t.kind == unclosed {
		panic(p.errorAt(t, "PARSE_SYNTAX_ERROR", "42601", "Syntax error: the %s that starts here is never closed.", t.val).
			With("error", t.show()).WithFix("Close it with %s.", closer(t)))
	}
	if p.wantAt != p.i {
		p.want = nil
	}
	if e := p.misspelt(); e != nil {
		panic(e)
	}
	at := "at or near " + t.show()
	if t.kind == eof {
		at = "at end of input"
	}
	e := p.errorAt(t, "PARSE_SYNTAX_ERROR", "42601", "Syntax error %s%s.", at, oneOf(p.want)).
		With("error", t.show()).With("hint", oneOf(p.want))
	switch fix := p.slip(t); {
	case fix != "":
		e.Fix = fix
	case open != nil && t.kind == eof:
		e.WithFix("The '%s' at line %d, column %d is never closed.", open.raw, open.pos.Line, open.pos.Col)
	}
	panic(e)
}

func closer(t token) string {
	switch t.val {
	case "comment":
		return "*/"
	case "quoted name":
		return "`"
	}
	return strings.TrimLeft(t.raw, "rR")[:1]
}

// oneOf prints what was expected, a few of it: symbols first, for they are usually what is missing, descriptions last.
func oneOf(want []string) string {
	want = append([]string{}, want...)
	rank := func(s string) int {
		switch {
		case s[0] == '\'':
			return 0
		case isKeyword(s):
			return 1
		}
		return 2
	}
	sort.SliceStable(want, func(i, j int) bool { return rank(want[i]) < rank(want[j]) })
	if len(want) == 0 {
		return ""
	}
	more := ""
	if len(want) > 8 {
		want, more = want[:8], ", …"
	}
	if len(want) == 1 {
		return ": expected " + want[0]
	}
	return ": expected one of " + strings.Join(want, ", ") + more
}

// misspelt looks for a word that is nearly a keyword expected at its place: the current token, or the alias just before
// it, which is where "FORM t" leaves its FORM.
func (p *parser) misspelt() *usererr.Error {
	t := p.peek()
	if t.kind == word {
		if k := near(t.raw, p.want); k != "" {
			return p.spelling(t, k)
		}
	}
	if p.alias >= 0 && p.alias == p.i-1 {
		a := p.toks[p.alias]
		if k := near(a.raw, clauses); k != "" {
			return p.spelling(a, k)
		}
	}
	return nil
}

func (p *parser) spelling(t token, keyword string) *usererr.Error {
	return p.errorAt(t, "PARSE_SYNTAX_ERROR", "42601", "Syntax error at or near %s.", t.show()).
		With("error", t.show()).WithFix("Did you mean %s?", keyword)
}

// clauses are the keywords that may follow a select item or a table, where a misspelt one reads as an alias.
var clauses = []string{"FROM", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT",
	"JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "FULL", "LATERAL", "ON", "USING"}

// near finds the keyword that w is probably meant to be: one or two edits away, and never w itself.
func near(w string, keywords []string) string {
	w = strings.ToUpper(w)
	for _, k := range keywords {
		first, _, _ := strings.Cut(k, " ")
		if !isKeyword(first) || len(first) < 2 || first == w {
			continue
		}
		limit := 1
		if len(first) > 4 {
			limit = 2
		}
		if usererr.Distance(w, first, limit) <= limit && len(w) > 2 {
			return k
		}
	}
	return ""
}

// isKeyword reports whether an expectation is a keyword rather than a description such as "a name".
func isKeyword(s string) bool {
	return s != "" && s == strings.ToUpper(s) && s[0] >= 'A' && s[0] <= 'Z'
}

// slip explains well-known mistakes.
func (p *parser) slip(t token) string {
	prev := token{}
	if p.i > 0 {
		prev = p.toks[p.i-1]
	}
	switch {
	case prev.kind == op && prev.raw == "," && t.kind != op:
		return "Remove the comma before it, or add what should follow the comma."
	case t.raw == "&&":
		return "Write AND."
	case t.raw == "=" && prev.raw == "=":
		return "Write = or == without a space."
	case t.kind == text && prev.kind == word:
		return "A column alias or name is written without quotes, or in `backquotes`."
	case p.i == 0:
	case p.at("WHERE"):
		return "WHERE stands before GROUP BY, ORDER BY and LIMIT; after grouping, write HAVING."
	case p.at("ORDER"), p.at("HAVING"), p.at("GROUP"):
		return "The order of clauses is SELECT, FROM, WHERE, GROUP BY, HAVING, ORDER BY, LIMIT."
	case p.at("TOP"):
		return "Write LIMIT n at the end instead of TOP n."
	case t.kind == op && (t.raw == "“" || t.raw == "”" || t.raw == "‘" || t.raw == "’"):
		return "Use straight quotes: 'text'."
	}
	return ""
}

// unsupported refuses what is valid Spark but not run by this engine.
func (p *parser) unsupported(t token, what, message string) *usererr.Error {
	return p.errorAt(t, "UNSUPPORTED_FEATURE."+what, "0A000", "The feature is not supported: %s.", message)
}
